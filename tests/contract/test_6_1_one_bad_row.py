"""Clause 6.1: a record that cannot be worked on holds back no other person's erasure, nor another card's end."""

from typing import Any

import pytest
from django.test import Client

from csp import batches, clock, vault
from csp.models import BlobKey, MaskedSource, User
from csp.privacy import erasing, masking
from tests import factories as make
from tests.cast import Cast
from tests.contract.test_6_1_erasure import close, privacy_owner  # noqa: F401  a fixture
from tests.contract.test_6_1_masking import CARD
from tests.tickets.intake.letters import arrive, letter, mailbox

AT, DAY = make.AT, make.DAY


def failing_on(first: Any, do: Any) -> Any:
    """DO, but for the arguments that begin with FIRST."""

    def instead(one: Any, *rest: Any, **more: Any) -> Any:
        if one == first:
            raise RuntimeError("this one cannot be read")
        return do(one, *rest, **more)

    return instead


def test_an_erasure_that_fails_stays_under_way_and_the_next_is_carried_out(
    cast: Cast, privacy_owner: User, client: Client, monkeypatch: pytest.MonkeyPatch  # noqa: F811  the fixture
) -> None:  # fmt: skip
    orders = []
    for customer in (cast.carl, cast.rhea):
        make.ticket(team=cast.team, customer=customer)
        close(customer)
        orders.append(erasing.erase(customer, by=privacy_owner, at=AT + 2 * DAY, basis="objection"))
    broken = orders[0].items.exclude(kind="customer").get()
    monkeypatch.setattr(erasing, "_erase_head", failing_on(broken, erasing._erase_head))
    while erasing.carry_out(AT + 30 * DAY):
        pass
    stuck = batches.parked(clock.now()).get(item=str(broken.pk))
    assert stuck.loop == "csp.privacy.erasing._carry_out"
    assert stuck.error.startswith("RuntimeError in instead, line "), "the kind and the place, not the words"
    assert any("1 cannot be worked on" in reason for reason in client.get("/health/ready").json()["reasons"])
    first, second = (type(row).objects.get(pk=row.pk) for row in orders)
    assert second.finished_at == AT + 30 * DAY
    assert first.finished_at is None
    cast.carl.refresh_from_db()
    cast.rhea.refresh_from_db()
    assert (cast.carl.erased_at, cast.rhea.erased_at) == (None, AT + 30 * DAY), "not before all that hangs on it"
    monkeypatch.undo()
    while erasing.carry_out(AT + 31 * DAY):
        pass
    first.refresh_from_db()
    assert first.finished_at == AT + 31 * DAY


def test_a_key_that_cannot_be_destroyed_leaves_the_others_no_life(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    mailbox(cast.team)
    for words in ("again", "twice"):
        arrive(letter(f"Charge {CARD} {words}.", subject=words), at=AT)
    first, second = MaskedSource.objects.order_by("pk").values_list("blob", flat=True)
    broken = BlobKey.objects.get(pk=first)
    monkeypatch.setattr(vault, "destroy", failing_on(broken, vault.destroy))
    assert masking.destroy_keys(AT + DAY, limit=1) == 1
    assert BlobKey.objects.get(pk=second).destroyed_at == AT + DAY
    assert BlobKey.objects.get(pk=first).destroyed_at is None
