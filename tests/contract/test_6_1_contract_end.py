"""Clause 6.1: at the contract's end a processor returns its controller's data or deletes it, as the controller chose.

Nothing goes before a second person has approved it, nor, where it is returned, before the controller has confirmed that
it is back. What goes, goes as on request: skeleton, clocks and proof stay, holds win, open matters are answered first.
"""

from __future__ import annotations

import base64
import hashlib
import json
from typing import Any

import pytest
from django.db import connection

from csp import holding, loops, verifying
from csp.access import Refused
from csp.events import Act
from csp.models import (
    Appointment,
    Contract,
    ContractEnd,
    Customer,
    Erasure,
    Export,
    PrivacyTerms,
    TrailEntry,
    User,
)
from csp.privacy import contract_end, erasing
from csp.roles import Office
from tests import factories as make
from tests.cast import Cast
from tests.contract.refusals import refused
from tests.tickets.desk import at_nine, browser
from tickets import handling
from tickets.conversation import File, Said
from tickets.models import Interaction, Ticket

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("at_nine")]
__all__ = ["at_nine"]
AT, HOUR, DAY, SECOND = make.AT, make.HOUR, make.DAY, make.SECOND


@pytest.fixture(autouse=True)
def _no_checkpoints_of_others(settings, tmp_path) -> None:
    settings.CHECKPOINT_DIR = tmp_path


@pytest.fixture
def olive(cast: Cast) -> User:
    owner = make.person(name="Olive Owner")
    Appointment.objects.create(
        contract=cast.contract, office=Office.PRIVACY_OWNER, user=owner, starts_at=make.SINCE
    )  # fmt: skip
    PrivacyTerms.objects.create(
        contract=cast.contract, part="processor", controller="Northwind plc", controller_mail="dpo@northwind.example",
        changed_at=make.SINCE,
    )  # fmt: skip
    return owner


def matter(cast: Cast, customer: Customer) -> Ticket:
    ticket = make.ticket(team=cast.team, customer=customer, received_at=AT - 9 * DAY, body=f"SAID-BY {customer.name}")
    said = Said(
        kind=Interaction.Kind.MAIL, direction=Interaction.Direction.IN, body="See the picture.",
        occurred_at=AT - 9 * DAY, customer=customer, sender_name=customer.name,
        files=[File(name="hob.txt", content_type="text/plain", content=b"COLD-HOB")],
    )  # fmt: skip
    handling.receive(ticket, said, at=AT - 9 * DAY, by=customer)
    return ticket


def close(*tickets: Ticket) -> None:
    for ticket in tickets:
        Ticket.objects.filter(pk=ticket.pk).update(state="closed", resolved_at=AT - DAY, closed_at=AT - DAY)


def recorded(cast: Cast, olive: User, choice: str) -> ContractEnd:
    return contract_end.record(
        cast.contract, ended_at=AT - DAY, choice=choice, said="Letter of 1 March", by=olive, at=AT - HOUR
    )


def run(at: Any = AT) -> None:
    for _round in range(50):
        if not contract_end.carry_out(at) + erasing.carry_out(at):
            return
    raise AssertionError("it does not come to an end")


def whole() -> list[str]:
    with connection.cursor() as cursor:
        cursor.execute("select csp_trail_seal(100000)")
    return [str(one) for one in verifying.verify(TrailEntry.objects.latest("recorded_at").recorded_at)]


# ---------------------------------------------------------------- deleted


def test_what_is_deleted_goes_as_on_request_after_a_second_person_and_is_certified(cast: Cast, olive: User) -> None:
    mine, hers = matter(cast, cast.carl), matter(cast, cast.rhea)
    close(mine, hers)
    row = recorded(cast, olive, "deleted")
    run()
    assert not Erasure.objects.exists(), "nothing goes before it is approved"
    with pytest.raises(Refused, match="second person"):
        contract_end.approve(row, by=olive, at=AT)
    past_the_product = f"update csp_contractend set approved_by_id = {olive.pk}, approved_at = now()"
    refused(past_the_product, saying="a_second_person_approves")
    contract_end.approve(row, by=cast.adam, at=AT)
    run()
    row.refresh_from_db()
    assert row.finished_at == AT
    for customer in (cast.carl, cast.rhea):
        customer.refresh_from_db()
        assert (customer.name, customer.erased_at) == ("", AT)
    assert not Interaction.objects.filter(body__contains="SAID-BY").exists()
    assert Ticket.objects.filter(pk__in=[mine.pk, hers.pk]).count() == 2, "the skeleton stays"
    assert set(Erasure.objects.values_list("request_ref", "basis", "approved_by")) == {
        (row.reference, "controller", cast.adam.pk)
    }
    found = json.loads(row.certificate)
    assert (found["customers"], found["something_kept"], found["under_other_contracts"]) == (2, [], [])
    assert row.digest == hashlib.sha256(row.certificate.encode()).hexdigest()
    assert json.loads(TrailEntry.objects.get(act=Act.END_FINISHED).facts)["certificate"] == row.digest
    assert "Carl" not in row.certificate
    assert contract_end.carry_out(AT + DAY) == 0
    assert whole() == []


def test_a_hold_wins_what_is_open_is_closed_first_and_whoever_another_contract_knows_is_listed(
    cast: Cast, olive: User
) -> None:
    held, waiting = matter(cast, cast.carl), matter(cast, cast.rhea)
    close(held)
    other = Contract.objects.create(company="Other", created_at=make.SINCE)
    other.versions.create(number=1, title="First", text="", in_force_from=make.SINCE, terms={}, created_at=make.SINCE)
    both = make.customer(name="Bea Both", address="bea@both.example")
    shared = matter(cast, both)
    elsewhere = make.ticket(team=make.team(contract=other, name="Elsewhere"), customer=both)
    close(shared, elsewhere)
    hold = holding.place(held, team=cast.team, by=cast.sam, at=AT - HOUR, reason="A claim")
    row = recorded(cast, olive, "deleted")
    contract_end.approve(row, by=cast.adam, at=AT)
    run()
    row.refresh_from_db()
    assert row.finished_at is None, "somebody still waits for an answer"
    close(waiting)
    run(AT + HOUR)
    row.refresh_from_db()
    found = json.loads(row.certificate)
    assert (found["customers"], len(found["something_kept"])) == (2, 1)
    assert found["under_other_contracts"] == [both.pk]
    cast.carl.refresh_from_db()
    cast.rhea.refresh_from_db()
    both.refresh_from_db()
    assert (cast.carl.name, cast.rhea.name, both.name) == ("Carl Contact", "", "Bea Both")
    holding.lift(hold, by=cast.sam, at=AT + DAY, reason="Settled")
    loops.run_dry(erasing.take_up_again, AT + DAY)
    run(AT + DAY)
    cast.carl.refresh_from_db()
    assert cast.carl.name == ""


# ---------------------------------------------------------------- returned


def test_what_is_returned_is_handed_over_whole_confirmed_and_then_deleted(cast: Cast, olive: User) -> None:
    mine, hers = matter(cast, cast.carl), matter(cast, cast.rhea)
    close(mine, hers)
    row = recorded(cast, olive, "returned")
    confirm: dict[str, Any] = {"received_at": AT, "how": "Mail of their officer, same digest", "by": olive, "at": AT}
    with pytest.raises(Refused, match="Take the file first"):
        contract_end.receive(row, **confirm)
    with pytest.raises(Refused, match="confirmed yet"):
        contract_end.approve(row, by=cast.adam, at=AT)
    answer: Any = browser(olive).post(f"/privacy/end/{row.pk}/file/")
    content = b"".join(answer.streaming_content)
    lines = [json.loads(line) for line in content.splitlines()]
    assert {line["about"] for line in lines} == {f"customer:{cast.carl.pk}", f"customer:{cast.rhea.pk}"}
    text = content.decode()
    for word in ("SAID-BY Carl Contact", "SAID-BY Rhea Rival", "carl@northwind.example"):
        assert word in text, word
    files = [line["record"] for line in lines if "content_base64" in line["record"]]
    assert base64.b64decode(files[0]["content_base64"]) == b"COLD-HOB"
    export = Export.objects.get()
    assert (export.recipient, export.mail, export.is_whole) == ("Northwind plc", "dpo@northwind.example", True)
    assert export.digest == hashlib.sha256(content).hexdigest()
    assert export.digest in browser(olive).get("/privacy/end/").content.decode()
    with pytest.raises(Refused, match="before it was taken"):
        contract_end.receive(row, **(confirm | {"received_at": AT - 2 * DAY}))
    refused(
        f"update csp_contractend set approved_by_id = {cast.adam.pk}, approved_at = now()",
        saying="what_is_returned_is_received",
    )
    contract_end.receive(row, **confirm)
    contract_end.approve(row, by=cast.adam, at=AT)
    run()
    row.refresh_from_db()
    assert json.loads(row.certificate)["returned"] == export.digest
    assert not Customer.objects.filter(erased_at__isnull=True).exists()
    assert whole() == []


def test_a_file_that_was_broken_off_is_not_handed_over(cast: Cast, olive: User) -> None:
    matter(cast, cast.carl)
    row = recorded(cast, olive, "returned")
    answer: Any = browser(olive).post(f"/privacy/end/{row.pk}/file/")
    next(iter(answer.streaming_content))
    for closer in answer._resource_closers:  # what a server does when the reader is gone
        closer()
    assert Export.objects.get().is_whole is False
    assert contract_end.handed_over(row) is None
    with pytest.raises(Refused, match="all of it"):
        contract_end.receive(row, received_at=AT, how="Mail", by=olive, at=AT)


# ---------------------------------------------------------------- who, and when


def test_only_a_processor_and_only_after_the_end(cast: Cast, olive: User) -> None:
    values: dict[str, Any] = {"ended_at": AT - DAY, "choice": "deleted", "said": "Letter", "at": AT}
    with pytest.raises(Refused, match="not ended yet"):
        contract_end.record(cast.contract, by=olive, **(values | {"ended_at": AT + SECOND}))
    with pytest.raises(Refused, match="how they said so"):
        contract_end.record(cast.contract, by=olive, **(values | {"said": " "}))
    with pytest.raises(Refused, match="privacy owner"):
        contract_end.record(cast.contract, by=cast.sam, **values)
    for part in ("controller", "joint"):
        PrivacyTerms.objects.update(part=part)
        with pytest.raises(Refused, match="no processor"):
            contract_end.record(cast.contract, by=olive, **values)
        assert browser(olive).get("/privacy/end/").status_code == 404
    PrivacyTerms.objects.update(part="processor")
    row = contract_end.record(cast.contract, by=olive, **values)
    with pytest.raises(Refused, match="written down already"):
        contract_end.record(cast.contract, by=olive, **values)
    contract_end.withdraw(row, by=cast.adam, at=AT)
    again = contract_end.record(cast.contract, by=olive, **values)
    contract_end.approve(again, by=cast.adam, at=AT)
    with pytest.raises(Refused, match="decided already"):
        contract_end.withdraw(again, by=cast.adam, at=AT)
    refused(f"update csp_contractend set choice = 'returned' where id = {again.pk}", saying="what was chosen")
    refused("delete from csp_contractend", saying="by disposal only")


def test_it_is_done_on_its_page_without_scripts(cast: Cast, olive: User) -> None:
    close(matter(cast, cast.carl))
    owner, admin = browser(olive), browser(cast.adam)
    assert "/privacy/end/record/" in owner.get("/privacy/end/").content.decode()
    assert browser(cast.sam).get("/privacy/end/").status_code == 404
    typed = {"ended_at": "2025-03-01T09:00", "choice": "deleted", "said": "Letter of 1 March"}
    assert owner.post(f"/privacy/end/record/?contract={cast.contract.pk}", typed).status_code == 302
    row = ContractEnd.objects.get()
    assert "Approve" not in owner.get("/privacy/end/").content.decode()
    assert "Approve: delete the data" in admin.get("/privacy/end/").content.decode()
    assert browser(cast.sam).post(f"/privacy/end/{row.pk}/approve/").status_code == 404
    owner.post(f"/privacy/end/{row.pk}/file/")
    assert not Export.objects.exists(), "what is deleted is not handed over"
    assert owner.get(f"/privacy/end/{row.pk}/certificate/").status_code == 404
    assert admin.post(f"/privacy/end/{row.pk}/approve/").status_code == 302
    run()
    page = owner.get("/privacy/end/").content.decode()
    assert "1 of 1 customers" in page
    row.refresh_from_db()
    assert owner.get(f"/privacy/end/{row.pk}/certificate/").content.decode() == row.certificate
