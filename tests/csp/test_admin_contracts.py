"""Whoever may read one contract's records reads nothing of another's: in lists, searches, single records and exports.

The other contract is the demonstration's, whose rows are of nearly every kind that there is.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from csp import admin, belonging, clock, loops, people, sealing
from csp.demo import making
from csp.demo.plan import plan
from csp.models import Contract, TrailEntry
from csp.roles import Role
from tests import factories as make
from tests.cast import Cast

SMALL = functools.partial(plan, tickets=40, desk=(41, 24, 78, 150, -41, 9))
# Of no contract: for those alone who may read all.
OF_NONE = {
    "csp.heartbeat",
    "csp.parked",
    "csp.user",
    "csp.historicaluser",
    "tickets.mailtext",
    "tickets.historicalmailtext",
}


def pages() -> Iterator[tuple[Any, admin.Reading, str]]:
    for model, page in admin.site._registry.items():
        assert isinstance(page, admin.Reading), f"{model} is read by nothing that narrows it to a contract"
        yield model, page, reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")


def numbers(client: Client, path: str) -> set[Any] | None:
    """Of all rows that the list holds for this person; None where it is refused."""
    answer = client.get(path)
    if answer.status_code == 403:
        return None
    assert answer.status_code == 200, path
    return set(answer.context["cl"].queryset.values_list("pk", flat=True))


def exported(client: Client, path: str) -> list[dict[str, Any]]:
    answer = client.post(f"{path}export/", {"format": "jsonl"})
    assert answer.status_code == 200, path
    return [json.loads(line) for line in b"".join(answer.streaming_content).splitlines()]  # type: ignore[attr-defined]


def everything() -> dict[Any, set[Any]]:
    return {model: set(model._base_manager.values_list("pk", flat=True)) for model, _page, _path in pages()}


@pytest.mark.slow
def test_an_auditor_of_one_contract_meets_no_row_of_another(db: None, settings: Any, tmp_path: Path) -> None:
    settings.DEMO, settings.ORGANISATION, settings.DATA_DIR = True, "Lakeside Home", tmp_path
    making.make(clock.now(), planned=SMALL)
    loops.run_dry(sealing.seal, clock.now())
    home = Contract.objects.get()
    theirs = everything()
    assert sum(1 for found in theirs.values() if found) > 80, "the demonstration holds rows of most kinds"

    other = Contract.objects.create(company="Other", created_at=make.SINCE)
    other.versions.create(number=1, title="First", text="", in_force_from=make.SINCE, terms={}, created_at=make.SINCE)
    team = make.team(contract=other, name="Elsewhere")
    adam = make.person(name="Adam Administrator", role=Role.ADMINISTRATOR)
    stranger, insider = make.person(name="Stella Stranger"), make.person(name="Ingrid Insider")
    for user, contract in ((stranger, other), (insider, home)):
        people.grant(user, Role.AUDITOR, contract=contract, by=adam, at=clock.now())
    make.ticket(team=team, customer=make.customer(name="Rhea Rival", address="rhea@rival.example"))
    loops.run_dry(sealing.seal, clock.now())
    outside, inside = Client(), Client()
    outside.force_login(stranger)
    inside.force_login(insider)

    met, unseen = 0, set()
    for model, page, path in pages():
        label = model._meta.label_lower
        seen = numbers(outside, path)
        if seen is None:
            continue
        met += len(seen)
        assert not seen & theirs[model], f"{label}: rows of another contract in the list"
        if page.search_fields:
            assert not numbers(outside, f"{path}?q=a") & theirs[model], label  # type: ignore[operator]  # not refused
        for number in sorted(theirs[model], key=str)[:1]:
            answer = outside.get(f"{path}{number}/change/")
            assert answer.status_code == 302, f"{label} {number}: a record of another contract opens"
        taken = {row[model._meta.pk.attname] for row in exported(outside, path)}
        assert not taken & theirs[model], f"{label}: rows of another contract in the file"
        assert taken >= seen, f"{label}: the file holds less than the list"

        own = numbers(inside, path)
        assert own is not None
        assert not own & seen, f"{label}: rows that two contracts have in common"
        if theirs[model] and not own:
            unseen.add(label)
    assert met > 10, "what is of one's own contract is there"
    assert unseen <= OF_NONE | {"csp.disposal"}, "an auditor reads the audit's own contract"
    # what is about nobody's contract stays with those who may read all
    admins = Client()
    admins.force_login(adam)
    assert numbers(admins, "/admin/csp/heartbeat/") is not None


@pytest.mark.django_db
def test_the_trail_of_one_contract_costs_the_same_however_long_it_is(client: Client, cast: Cast) -> None:
    Contract.objects.create(company="Other", created_at=make.SINCE)
    client.force_login(cast.vera)

    def cost() -> int:
        with CaptureQueriesContext(connection) as queries:
            assert client.get("/admin/csp/trailentry/").status_code == 200
        return len(queries)

    make.ticket(team=cast.team, customer=cast.carl)
    cost()
    few = cost()
    for hour in range(6):
        make.ticket(team=cast.team, customer=cast.carl, received_at=make.AT + hour * make.HOUR)
    assert cost() == few
    listed = client.get("/admin/csp/trailentry/").context["cl"].queryset
    assert listed.count() == 7
    assert not listed.exclude(context__startswith="ticket:").exclude(context__startswith="customer:").exists()


@pytest.mark.django_db
def test_who_reads_all_contracts_reads_what_is_of_none_and_loses_it_with_the_next_contract(
    client: Client, cast: Cast
) -> None:
    client.force_login(cast.vera)
    make.ticket(team=cast.team, customer=cast.carl)
    people.grant(cast.rita, Role.SUPERVISOR, team=cast.other_team, by=cast.adam, at=make.AT)
    grants = TrailEntry.objects.filter(subject=f"user:{cast.rita.pk}")
    assert grants.exists()
    assert belonging.contracts_read_by(cast.vera) is None
    assert set(grants.values_list("pk", flat=True)) <= (numbers(client, "/admin/csp/trailentry/") or set())
    Contract.objects.create(company="Other", created_at=make.SINCE)
    assert belonging.contracts_read_by(cast.vera) == {cast.contract.pk}
    assert not set(grants.values_list("pk", flat=True)) & (numbers(client, "/admin/csp/trailentry/") or set())
    assert belonging.contracts_read_by(cast.adam) is None
    nobody = make.person(name="Nina New")
    assert belonging.contracts_read_by(nobody) == frozenset()


@pytest.mark.django_db
def test_the_reading_of_a_record_is_not_taken_for_another_thing_of_that_name(client: Client, cast: Cast) -> None:
    """A deadline that somebody read is that deadline; an attempt may be one of another kind than the trail's."""
    ticket = make.ticket(team=cast.team, customer=cast.carl)
    client.force_login(cast.vera)
    client.get(f"/admin/csp/deadline/{ticket.respond_id}/change/")
    client.get("/admin/csp/attempt/1/change/")
    Contract.objects.create(company="Other", created_at=make.SINCE)
    read = TrailEntry.objects.filter(subject=f"reader:{cast.vera.pk}")
    assert read.count() == 2
    shown = numbers(client, f"/admin/csp/trailentry/?q=user:{cast.vera.pk}") or set()
    assert [row.context for row in read.filter(pk__in=shown)] == [f"deadline:{ticket.respond_id}"]
    assert "attempt" in belonging._confused()


@pytest.mark.django_db
def test_columns_say_in_words_whom_or_what_they_point_at(client: Client, cast: Cast) -> None:
    ticket = make.ticket(team=cast.team, customer=cast.carl, assignee=cast.rita)
    client.force_login(cast.vera)
    words = client.get("/admin/tickets/ticket/").content.decode()
    assert f"person {cast.rita.pk}" in words
    assert "Rita Representative" not in words
    said = client.get("/admin/tickets/interaction/").content.decode()
    assert f"#{ticket.pk}" in said
    record = client.get(f"/admin/tickets/ticket/{ticket.pk}/change/").content.decode()
    assert f"customer {cast.carl.pk}" in record
    assert "Carl Contact" not in record
