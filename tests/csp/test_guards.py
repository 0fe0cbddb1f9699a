"""What no program and no hand at the database can do: change evidence, date a breach, take a clock away."""

import datetime as dt

import pytest
from django.db import connection

from csp import clock, vault, verifying
from csp.models import Breach, Deadline
from tests import factories as make
from tests.cast import Cast
from tests.contract.refusals import refused
from tickets import complexity
from tickets.models import Ticket

EVIDENCE = [
    "csp_trailentry", "csp_breach", "csp_deadline", "csp_outboundmessage", "csp_blob", "csp_user", "csp_rolegrant",
    "csp_customer", "csp_contract", "csp_version", "csp_reading", "tickets_ticket", "tickets_interaction",
    "tickets_escalation", "tickets_escalationcause", "tickets_delivery",
]  # fmt: skip


@pytest.fixture
def ticket(cast: Cast):
    row = make.ticket(team=cast.team, customer=cast.carl)
    make.answer(ticket=row, by=cast.rita, at=make.AT + make.HOUR)
    complexity.mark_complex(row, by=cast.rita, at=make.AT + make.HOUR, reason="A lawyer writes")
    make.tick(at=make.AT + make.DAY + make.SECOND)
    vault.store(b"source", at=make.AT)
    return row


@pytest.mark.parametrize("table", EVIDENCE)
def test_evidence_is_neither_removed_nor_emptied(ticket, table: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"select count(*) from {table}")
        assert cursor.fetchone()[0], f"{table} is empty and proves nothing"
    refused(f"delete from {table}", saying="by disposal only")
    refused("set constraints all immediate", f"truncate {table} cascade", saying="by disposal only")


@pytest.mark.parametrize(
    ("table", "change"),
    [
        ("csp_breach", "detected_at = detected_at + interval '1 hour'"),
        ("csp_breach", "obligation = 'x'"),
        ("csp_deadline", "due_at = due_at + interval '1 hour'"),
        ("csp_deadline", "starts_at = starts_at - interval '1 hour'"),
        ("csp_deadline", "state = 'open'"),
        ("csp_deadline", "state = 'void', voided_at = now(), void_why = 'waived', void_reason = 'x'"),
        ("csp_deadline", "obligation = 'x'"),
        ("csp_outboundmessage", "message_id = 'x'"),
        ("csp_blob", "size = 0"),
        ("csp_rolegrant", "starts_at = now()"),
        ("csp_reading", "value = 'no'"),
        ("csp_version", 'terms = \'{"respond": {"hours": 48}}\''),
        ("tickets_ticket", "received_at = received_at + interval '1 hour'"),
        ("tickets_ticket", "acknowledge_id = null"),
        ("tickets_ticket", "respond_id = null"),
        ("tickets_interaction", "body = 'we answered at once'"),
        ("tickets_interaction", "seen_through = 0, occurred_at = now()"),
        ("tickets_escalation", "raised_at = now()"),
    ],
)
def test_facts_on_record_do_not_change(ticket, table: str, change: str) -> None:
    refused(f"update {table} set {change}", saying="does not change|null value|ends_in_one_way")


def test_a_meeting_is_dated_once(ticket) -> None:
    with connection.cursor() as cursor:
        cursor.execute("update csp_deadline set met_at = now(), state = 'met_late' where state = 'breached'")
        assert cursor.rowcount
    refused(
        "update csp_deadline set met_at = met_at - interval '1 day' where met_at is not null", saying="does not change"
    )
    refused(
        "update csp_deadline set met_at = null, state = 'breached' where met_at is not null", saying="does not change"
    )


def test_a_breach_is_dated_when_it_was_due_and_not_otherwise(ticket, cast: Cast) -> None:
    row = Breach.objects.filter(obligation="respond").get()
    free = make.ticket(team=cast.team, customer=cast.carl)
    other = make.clocks(ticket=free)[0]
    columns = "deadline_id, contract_id, team_id, obligation, due_at, breached_at, detected_at"
    values = f"{other.pk}, {row.contract_id}, {row.team_id}, 'respond'"
    due, wrong, later = (
        f"'{at.isoformat()}'"
        for at in (other.due_at, other.due_at + dt.timedelta(hours=1), other.due_at + 2 * make.DAY)
    )
    insert = f"insert into csp_breach ({columns}) values ({values}, %s, %s, %s)"
    # another date in both columns satisfies the check, but not the foreign key
    refused(insert % (wrong, wrong, later), saying="a_breach_is_dated_when_due")
    refused(insert % (due, wrong, later), saying="breached_when_it_was_due")
    refused(insert % (due, due, due), saying="detected_after_it_was_due")


def test_one_breach_for_a_deadline(ticket) -> None:
    columns = "deadline_id, contract_id, team_id, obligation, due_at, breached_at, detected_at"
    refused(f"insert into csp_breach ({columns}) select {columns} from csp_breach limit 1", saying="unique")


def test_a_ticket_without_its_clocks_cannot_be_stored(cast: Cast) -> None:
    make.ticket(team=cast.team, customer=cast.carl)
    columns = [f.column for f in Ticket._meta.concrete_fields if not f.generated and f.column not in {"id"}]
    for missing in ("acknowledge_id", "respond_id"):
        values = ", ".join("null" if column == missing else f'"{column}"' for column in columns)
        names = ", ".join(f'"{column}"' for column in columns)
        refused(f"insert into tickets_ticket ({names}) select {values} from tickets_ticket", saying="null value")


def test_void_needs_a_reason_and_met_in_time_a_time(cast: Cast) -> None:
    make.ticket(team=cast.team, customer=cast.carl)
    refused("update csp_deadline set state = 'void', voided_at = now()", saying="void_says_why")
    void = "update csp_deadline set state = 'void', voided_at = now(), void_why = 'waived'"
    refused(void, saying="void_needs_a_reason")
    refused(
        "update csp_deadline set state = 'met', met_at = due_at + interval '1 second'", saying="ends_in_one_way"
    )  # fmt: skip
    refused("update csp_deadline set state = 'met'", saying="ends_in_one_way")
    assert Deadline.objects.filter(state="open").count() == 3


def test_what_a_row_said_before_stays(cast: Cast) -> None:
    ticket = make.ticket(team=cast.team, customer=cast.carl)
    ticket.subject = "Another one"
    ticket.save()
    refused("update tickets_historicalticket set subject = 'x'", saying="does not change")
    refused("delete from tickets_historicalticket", saying="does not change")
    refused("delete from csp_historicaluser", saying="does not change")


def test_a_key_of_stored_bytes_is_destroyed_whole_and_once_and_by_something_on_record(cast: Cast) -> None:
    blob = vault.store(b"a letter", at=make.AT)
    refused("update csp_blobkey set wrapped = ''", saying="does not change")
    refused("update csp_blobkey set wrapped = 'other'", saying="does not change")
    with connection.cursor() as cursor:
        cursor.execute("update csp_blobkey set wrapped = '', destroyed_at = now() where blob_id = %s", [blob.pk])
        cursor.execute("select csp_trail_seal(1000)")
    found = [str(one) for one in verifying.verify(clock.now())]
    assert found == [f"csp.blobkey:{blob.pk}: was destroyed, and nothing says why"]
    refused("update csp_blobkey set destroyed_at = now() + interval '1 day'", saying="does not change")
    with connection.cursor() as cursor:
        cursor.execute("delete from csp_blobkey")
    found = [str(one) for one in verifying.verify(clock.now())]
    assert found == [f"csp.blobkey:{blob.pk}: is gone, and nothing says why"]
