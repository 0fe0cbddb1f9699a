"""Clause 4.3: who did what, when, from where, can be audited for years, and nobody can make it otherwise.

The trail only grows. Each subject's entries are numbered without gaps, each has a leaf that anybody can compute again,
and the erasure of what is personal leaves every leaf as it was.
"""

import datetime as dt
import hashlib
import json
import struct

import pytest
from django.apps import apps
from django.db import connection

from csp import clock, sealing, trail
from csp.events import Act
from csp.models import TrailEntry
from tests import factories as make
from tests.cast import Cast
from tests.contract.refusals import refused
from tickets import assignment, complexity


def part(value: bytes) -> bytes:
    return struct.pack(">i", len(value)) + value


def micros(at: dt.datetime) -> bytes:
    return struct.pack(">q", (at - dt.datetime(1970, 1, 1, tzinfo=dt.UTC)) // dt.timedelta(microseconds=1))


def leaf_of(row: TrailEntry) -> bytes:
    """The leaf, computed here again without a database, as an auditor would."""
    return hashlib.sha256(
        b"\x00"
        + part(struct.pack(">q", row.pk))
        + part(micros(row.recorded_at))
        + part(micros(row.at))
        + part(row.actor.encode())
        + part(row.act.encode())
        + part(row.subject.encode())
        + part(struct.pack(">i", row.version))
        + part(row.context.encode())
        + part(row.source.encode())
        + part(row.facts.encode())
        + part(bytes(row.commitment))
    ).digest()


@pytest.fixture
def story(cast: Cast):
    """A ticket to which something of everything happened."""
    with trail.source("web", "203.0.113.7"):
        ticket = make.ticket(team=cast.team, customer=cast.carl, subject="Größe – falsch ✂", assignee=cast.rita)
        make.answer(ticket=ticket, by=cast.rita, at=make.AT + make.HOUR, accepted_at=make.AT + make.HOUR)
        make.message(ticket=ticket, at=make.AT + 2 * make.HOUR)
        assignment.assign(ticket, to=cast.sam, by=cast.sam, at=make.AT + 3 * make.HOUR)
        complexity.mark_complex(ticket, by=cast.rita, at=make.AT + 4 * make.HOUR, reason="Ein Anwalt schreibt")
    with trail.source("command tick"):
        make.tick(at=make.AT + 3 * make.DAY)
    return ticket


def test_every_leaf_can_be_computed_again_without_the_database(story) -> None:
    rows = list(TrailEntry.objects.all())
    assert len(rows) > 10
    for row in rows:
        assert bytes(row.leaf) == leaf_of(row)


def test_the_leaf_commits_to_what_is_personal(story) -> None:
    row = TrailEntry.objects.filter(subject=story.trail_subject, act=Act.TICKET_OPENED).get()
    assert json.loads(row.personal)["subject"] == "Größe – falsch ✂"
    assert hashlib.sha256(bytes(row.salt) + row.personal.encode()).digest() == bytes(row.commitment)


def test_each_subject_is_numbered_without_gaps(story) -> None:
    versions: dict[str, list[int]] = {}
    for subject, version in TrailEntry.objects.order_by("pk").values_list("subject", "version"):
        versions.setdefault(subject, []).append(version)
    assert len(versions[story.trail_subject]) > 4
    for found in versions.values():
        assert found == list(range(1, len(found) + 1))


def test_who_did_it_and_from_where_but_no_name_or_address_outside_what_can_be_erased(story, cast: Cast) -> None:
    for row in TrailEntry.objects.all():
        kind, _, number = row.actor.partition(":")
        assert kind in {"user", "customer", "system"}
        assert number
        open_text = " ".join([row.actor, row.subject, row.context, row.source, row.facts])
        for personal in ("Carl", "northwind", "Größe", "Anwalt", "203.0.113.7", "Rita"):
            assert personal not in open_text
    opened = TrailEntry.objects.get(subject=story.trail_subject, act=Act.TICKET_OPENED)
    assert (opened.actor, opened.source) == (f"customer:{cast.carl.pk}", "web")
    assert opened.address == "203.0.113.7"
    assert json.loads(opened.facts)["network"] == trail.address_digest("203.0.113.7", bytes(opened.address_salt))
    assert TrailEntry.objects.filter(act=Act.DEADLINE_BREACHED, source="command tick").exists()


def test_the_database_says_when_it_was_recorded_whatever_a_program_says(db) -> None:
    before = clock.now()
    trail.record(Act.SETTING_CHANGED, "setting:x", by="test", at=make.AT)
    row = TrailEntry.objects.get()
    assert row.at == make.AT
    assert before - make.SECOND <= row.recorded_at <= clock.now() + make.SECOND


def test_evidence_is_named_by_a_salted_digest(story) -> None:
    row = TrailEntry.objects.filter(act=Act.ANSWER_WRITTEN).get()
    named = json.loads(row.facts)["evidence"]
    assert {name.partition(":")[0] for name in named} == {"tickets.interaction", "tickets.spokento"}
    for name, digest in named.items():
        label, _colon, pk = name.partition(":")
        assert trail.digest(apps.get_model(label).objects.get(pk=int(pk)), bytes(row.salt)) == digest


@pytest.mark.parametrize("table", ["csp_trailentry", "csp_trailseal"])
@pytest.mark.parametrize("statement", ["update {} set id = id", "delete from {}", "truncate {} cascade"])
def test_nothing_is_changed_removed_or_emptied_even_by_the_owner_of_the_table(
    story, table: str, statement: str
) -> None:
    if table == "csp_trailseal":
        sealing.seal(clock.now())
        statement = statement.replace("id = id", "number = number")
    refused("set constraints all immediate", statement.format(table), saying="is evidence and|by disposal only")


@pytest.mark.parametrize("column", ["actor", "act", "subject", "context", "source", "facts", "at", "version", "leaf"])
def test_an_erasure_may_blank_what_is_personal_and_nothing_else(story, column: str) -> None:
    value = {"at": "now()", "version": "99", "leaf": "'\\x00'"}.get(column, "'x'")
    named = make.erasure()
    refused(
        f"set local csp.erasure = '{named.pk}'; update csp_trailentry set {column} = {value}", saying="does not change"
    )  # fmt: skip


def test_blanking_leaves_every_leaf_as_it_was(story) -> None:
    before = {row.pk: bytes(row.leaf) for row in TrailEntry.objects.all()}
    named = make.erasure()
    with connection.cursor() as cursor:
        cursor.execute(f"set local csp.erasure = '{named.pk}'; update csp_trailentry set personal = '', salt = ''")
    for row in TrailEntry.objects.all():
        assert row.personal == ""
        assert bytes(row.salt) == b""
        assert bytes(row.leaf) == before[row.pk] == leaf_of(row)


def test_two_entries_cannot_have_one_number(story) -> None:
    columns = (
        "recorded_at, at, actor, act, subject, version, context, source, facts, personal, salt, address, address_salt, "
        "commitment, leaf"
    )
    refused(
        "alter table csp_trailentry disable trigger trail_write",
        f"insert into csp_trailentry ({columns}) select {columns} from csp_trailentry limit 1",
        saying="no_gap_and_no_double",
    )
