"""Clause 4.3: records are kept for five years at least, then go, unless somebody holds them.

The five years are counted from the closing, by the calendar where the contract lies, to the end of the last day. Nobody
removes a record before, by whatever way; after it two persons do, and what they removed is certified. A hold wins.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import json
from zoneinfo import ZoneInfo

import pytest
from django.db import connection, transaction

from audits import noncompliance, retention
from audits.models import NonCompliance
from csp import disposing, holding, trail, verifying
from csp import retention as terms
from csp.access import Refused
from csp.events import Act
from csp.models import (
    Blob,
    Breach,
    Customer,
    Deadline,
    Disposal,
    DisposalItem,
    Hold,
    Notice,
    OutboundMessage,
    Session,
    TrailEntry,
    User,
)
from csp.retention import keep_until
from tests import factories as make
from tests.cast import Cast
from tests.contract.refusals import refused
from tests.tickets.intake.letters import arrive, letter, mailbox
from tickets import handling, merging, sorting
from tickets.conversation import Direction, File, Kind, Said
from tickets.models import Attachment, InboundMessage, Interaction, Ticket, TicketLink

UTC = dt.UTC
LONDON = ZoneInfo("Europe/London")
CLOSED = dt.datetime(2020, 3, 2, 9, tzinfo=UTC)
# The end of 2 March 2025 in London, which has winter time then.
KEPT = dt.datetime(2025, 3, 3, tzinfo=UTC)
TICKETS, CASES = retention.BY_KIND["ticket"], retention.BY_KIND["noncompliance"]


@pytest.fixture(autouse=True)
def _no_checkpoints_of_others(settings, tmp_path) -> None:
    settings.CHECKPOINT_DIR = tmp_path


def closed_ticket(cast: Cast, *, closed_at: dt.datetime = CLOSED, customer: Customer | None = None) -> Ticket:
    """Received, answered, resolved and closed; with a file in and an answer out."""
    who = customer or cast.carl
    received = closed_at - 3 * make.DAY
    ticket = handling.open_ticket(
        team=cast.team, subject="The hob is cold", channel=Ticket.Channel.MAIL, received_at=received, at=received,
        by=who, customer=who,
        said=Said(
            kind=Kind.MAIL, direction=Direction.IN, body="It does not heat, says Carl.", occurred_at=received,
            customer=who, sender_name=who.name, sender_address="carl@northwind.example",
            files=[File("photo.png", "image/png", b"a picture")],
        ),
    )  # fmt: skip
    at = received + make.HOUR
    make.answer(ticket=ticket, by=cast.rita, at=at, accepted_at=at + make.SECOND)
    Deadline.objects.filter(pk=ticket.acknowledge_id, met_at__isnull=True).update(
        state="met", met_at=at, met_how="test"
    )
    ticket.refresh_from_db()
    # closing asks for more by and by (clauses 3.2 and 4.1); here the state alone counts
    Ticket.objects.filter(pk=ticket.pk).update(state="closed", resolved_at=closed_at, closed_at=closed_at)
    retention.set_terms(closed_at)
    ticket.refresh_from_db()
    return ticket


def due(root, at: dt.datetime, cast: Cast) -> list[int]:
    return [row.number for row in disposing.preview([root], cast.contract, at)]


def dispose(cast: Cast, at: dt.datetime, *, second: User | None = None) -> Disposal:
    row = disposing.propose(retention.ROOTS, cast.contract, by=cast.adam, at=at)
    disposing.approve(row, by=second or cast.sam, at=at)
    while retention.carry_out(at):
        pass
    row.refresh_from_db()
    return row


def whole() -> list[str]:
    with connection.cursor() as cursor:
        cursor.execute("select csp_trail_seal(100000)")
    return [str(one) for one in verifying.verify(TrailEntry.objects.latest("recorded_at").recorded_at)]


# ---------------------------------------------------------------- the term


@pytest.mark.parametrize(
    ("ended", "until"),
    [
        ((2020, 3, 2, 9, 0), (2025, 3, 3, 0, 0)),  # to the end of the day
        ((2020, 3, 2, 0, 0), (2025, 3, 3, 0, 0)),
        ((2020, 2, 29, 12, 0), (2025, 3, 2, 0, 0)),  # the day that 2025 lacks is the next one, and whole
        ((2020, 6, 30, 23, 30), (2025, 7, 1, 23, 0)),  # 1 July already in London's summer
        ((2019, 12, 31, 18, 0), (2025, 1, 1, 0, 0)),
    ],
)
def test_five_years_end_with_the_last_day_where_the_contract_lies(ended, until) -> None:
    assert keep_until(TICKETS, dt.datetime(*ended, tzinfo=UTC), LONDON) == dt.datetime(*until, tzinfo=UTC)


def test_a_ticket_gets_its_term_when_it_closes_and_the_term_only_grows(cast: Cast) -> None:
    ticket = closed_ticket(cast)
    assert (ticket.kept_from, ticket.keep_until) == (CLOSED, KEPT)
    assert retention.set_terms(CLOSED) == 0
    Ticket.objects.filter(pk=ticket.pk).update(state="open", closed_at=None)
    assert due(TICKETS, KEPT + 30 * make.DAY, cast) == []
    later = CLOSED + 10 * make.DAY
    Ticket.objects.filter(pk=ticket.pk).update(state="closed", closed_at=later)
    assert retention.set_terms(later) == 1
    ticket.refresh_from_db()
    assert ticket.keep_until == KEPT + 10 * make.DAY
    for shorter in ("keep_until - interval '1 second'", "null"):
        refused(f"update tickets_ticket set keep_until = {shorter}", saying="keep until")


def test_one_second_before_the_term_is_over_it_survives_one_second_after_it_is_disposable(cast: Cast) -> None:
    ticket = closed_ticket(cast)
    for at in (KEPT - make.SECOND, KEPT):
        assert due(TICKETS, at, cast) == []
        with pytest.raises(Refused, match="Nothing"):
            disposing.propose(retention.ROOTS, cast.contract, by=cast.adam, at=at)
    assert due(TICKETS, KEPT + make.SECOND, cast) == [ticket.pk]


@pytest.mark.parametrize(
    ("judged", "saying"), [(KEPT - make.SECOND, "is kept until"), (KEPT, "is kept until"), (KEPT + make.SECOND, "")]
)
def test_the_database_itself_keeps_the_second(cast: Cast, judged: dt.datetime, saying: str) -> None:
    """Even in an approved disposal, and for the owner of the tables."""
    ticket = closed_ticket(cast)
    row = Disposal.objects.create(
        contract=cast.contract, judged_at=judged, proposed_by=cast.adam, proposed_at=judged, approved_by=cast.sam,
        approved_at=judged,
    )  # fmt: skip
    delete = f"select set_config('csp.disposal', '{row.pk}', true); delete from tickets_ticket where id = {ticket.pk}"
    if saying:
        refused(delete, saying=saying)
    else:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(delete)
            assert not Ticket.objects.filter(pk=ticket.pk).exists()
            transaction.set_rollback(True)
    Ticket.objects.filter(pk=ticket.pk).update(state="open")
    refused(delete, saying="has not ended")


def test_outside_an_approved_disposal_nothing_leaves_by_whatever_word(cast: Cast) -> None:
    closed_ticket(cast)
    proposed = disposing.propose(retention.ROOTS, cast.contract, by=cast.adam, at=KEPT + make.DAY)
    declined = Disposal.objects.create(
        contract=cast.contract, judged_at=KEPT, proposed_by=cast.adam, proposed_at=KEPT, declined_by=cast.adam,
        finished_at=KEPT,
    )  # fmt: skip
    everyday = Disposal.objects.create(is_routine=True, judged_at=KEPT, proposed_at=KEPT)
    for name in ("", "yes", "0", str(proposed.pk), str(declined.pk), str(everyday.pk)):
        for table in ("tickets_interaction", "tickets_ticket", "csp_deadline", "csp_breach", "csp_blob"):
            if table == "csp_blob" and name == str(everyday.pk):
                continue  # spam has stored bytes; those of a ticket are kept by their foreign keys
            with connection.cursor() as cursor:
                cursor.execute(f"select count(*) from {table}")
                if not cursor.fetchone()[0]:
                    continue
            refused(
                f"select set_config('csp.disposal', '{name}', true); delete from {table}", saying="by disposal only"
            )


# ---------------------------------------------------------------- two persons


def test_two_persons_dispose_and_nothing_of_the_record_is_left_but_its_proof(cast: Cast) -> None:
    ticket, other = closed_ticket(cast), closed_ticket(cast, closed_at=CLOSED + 400 * make.DAY, customer=cast.rhea)
    TicketLink.objects.create(ticket=other, other=ticket, kind="related", linked_at=CLOSED)
    assert whole() == []
    before = TrailEntry.objects.filter(context=ticket.trail_subject).count()
    assert TrailEntry.objects.filter(context=ticket.trail_subject).exclude(personal="").exists()
    at = KEPT + make.DAY
    row = dispose(cast, at)

    assert not Ticket.objects.filter(pk=ticket.pk).exists()
    assert not Ticket.history.filter(id=ticket.pk).exists()
    for model in (Interaction, Attachment, OutboundMessage, Blob):
        assert model.objects.count() == {Interaction: 2, Attachment: 1, OutboundMessage: 1, Blob: 1}[model], model
    assert not Deadline.objects.filter(subject_ref=ticket.reference).exists()
    assert Ticket.objects.filter(pk=other.pk).exists()
    cast.carl.refresh_from_db()
    assert (cast.carl.name, cast.carl.organisation, cast.carl.erased_at) == ("", "", at)
    assert not cast.carl.addresses.exists()
    cast.rhea.refresh_from_db()
    assert cast.rhea.name == "Rhea Rival"

    [item] = row.items.all()
    assert (item.outcome, item.rows["tickets.ticket"], item.rows["tickets.interaction"]) == ("disposed", 1, 2)
    entries = TrailEntry.objects.filter(context=ticket.trail_subject)
    assert entries.count() == before
    assert not entries.exclude(personal="").exists()
    assert TrailEntry.objects.filter(subject=ticket.trail_subject, act=Act.DISPOSED).count() == 1
    assert whole() == []

    certificate = json.loads(row.certificate)
    assert row.digest == hashlib.sha256(row.certificate.encode()).hexdigest()
    finished = TrailEntry.objects.get(subject=row.trail_subject, act=Act.DISPOSAL_FINISHED)
    assert json.loads(finished.facts)["certificate"] == row.digest
    assert certificate["records"] == {"disposed": 1, "spared": 0}
    assert certificate["rows"]["tickets.interaction"] == 2
    assert (certificate["proposed_by"], certificate["approved_by"]) == (f"user:{cast.adam.pk}", f"user:{cast.sam.pk}")
    assert "60 months" in certificate["rules"]["ticket"]
    for word in ("Carl", "northwind", "hob"):
        assert word not in row.certificate
    # once more does nothing
    assert retention.carry_out(at) == 0
    assert row.items.count() == 1
    assert Disposal.objects.get(pk=row.pk).certificate == row.certificate


def test_the_second_person_is_another_and_the_list_is_what_was_proposed(cast: Cast) -> None:
    ticket = closed_ticket(cast)
    at = KEPT + make.DAY
    with pytest.raises(Refused, match="role"):
        disposing.propose(retention.ROOTS, cast.contract, by=cast.rita, at=at)
    row = disposing.propose(retention.ROOTS, cast.contract, by=cast.adam, at=at)
    with pytest.raises(Refused, match="second person"):
        disposing.approve(row, by=cast.adam, at=at)
    with pytest.raises(Refused, match="role"):
        disposing.approve(row, by=cast.rita, at=at)
    with pytest.raises(Refused, match="under way"):
        disposing.propose(retention.ROOTS, cast.contract, by=cast.adam, at=at)
    refused(f"update csp_disposal set approved_by_id = {cast.adam.pk}, approved_at = now()", saying="second_person")
    assert retention.carry_out(at) == 0
    later = closed_ticket(cast, closed_at=CLOSED + make.DAY)
    DisposalItem.objects.create(
        disposal=row, kind="ticket", number=later.pk, kept_from=CLOSED, keep_until=later.keep_until
    )  # fmt: skip
    with pytest.raises(Refused, match="not the one"):
        disposing.approve(row, by=cast.sam, at=at)
    disposing.decline(row, by=cast.sam, at=at)
    assert Ticket.objects.filter(pk__in=[ticket.pk, later.pk]).count() == 2
    assert dispose(cast, at + 2 * make.DAY).items.count() == 2


def test_what_was_merged_goes_with_what_it_was_merged_into(cast: Cast) -> None:
    at = CLOSED - make.DAY
    one = make.ticket(team=cast.team, customer=cast.carl, received_at=at)
    other = make.ticket(team=cast.team, customer=cast.carl, received_at=at + make.HOUR)
    merging.merge(other, into=one, by=cast.rita, at=at + 2 * make.HOUR)
    Ticket.objects.filter(pk=one.pk).update(state="closed", closed_at=CLOSED)
    while retention.set_terms(CLOSED):
        pass
    assert set(Ticket.objects.values_list("keep_until", flat=True)) == {KEPT}
    assert due(TICKETS, KEPT + make.DAY, cast) == [one.pk]
    holding.place(Ticket.objects.get(pk=other.pk), team=cast.team, by=cast.sam, at=CLOSED, reason="A claim")
    with pytest.raises(Refused, match="held"):
        dispose(cast, KEPT + make.DAY)
    holding.lift(Hold.objects.get(), by=cast.sam, at=KEPT, reason="Settled")
    dispose(cast, KEPT + make.DAY)
    assert not Ticket.objects.exists()
    assert whole() == []


def test_a_case_goes_first_and_keeps_the_tickets_that_it_rests_on(cast: Cast) -> None:
    received = CLOSED - 3 * make.DAY
    ticket = make.ticket(team=cast.team, customer=cast.carl, received_at=received, assignee=cast.rita)
    make.tick(at=received + make.DAY + make.SECOND)
    case = NonCompliance.objects.get()
    assert case.memberships.count() == 2
    Ticket.objects.filter(pk=ticket.pk).update(state="closed", closed_at=CLOSED)
    retention.set_terms(CLOSED)
    at = KEPT + make.DAY
    listed = list(disposing.preview(retention.ROOTS, cast.contract, at))
    assert [(row.kind, row.kept_by.partition(":")[0]) for row in listed] == [("ticket", "audits.membership")]
    row = dispose(cast, at)
    assert [(item.outcome, "needs it" in item.why) for item in row.items.all()] == [("spared", True)]
    assert json.loads(row.certificate)["spared"]
    assert Ticket.objects.filter(pk=ticket.pk).exists()

    NonCompliance.objects.filter(pk=case.pk).update(
        state="dismissed", collects=False, closed_at=CLOSED, closed_by=cast.olga, closing_note="Not owed."
    )
    retention.set_terms(CLOSED)
    row = dispose(cast, at)
    assert [(item.kind, item.outcome) for item in row.items.order_by("kind")] == [
        ("noncompliance", "disposed"), ("ticket", "disposed"),
    ]  # fmt: skip
    assert not NonCompliance.objects.exists()
    assert not Breach.objects.exists()
    assert not Notice.objects.filter(deadline__isnull=False).exists()
    assert whole() == []


# ---------------------------------------------------------------- holds


def test_a_hold_on_a_ticket_a_customer_or_a_case_beats_the_term(cast: Cast) -> None:
    ticket, other = closed_ticket(cast), closed_ticket(cast, customer=cast.rhea)
    case = noncompliance.report(
        team=cast.team, clause="3.1", what="Nobody called.", noticed_at=CLOSED, by=cast.sam, at=CLOSED
    )
    NonCompliance.objects.filter(pk=case.pk).update(
        state="dismissed", closed_at=CLOSED, closed_by=cast.olga, closing_note="Not owed."
    )
    retention.set_terms(CLOSED)
    at = KEPT + make.DAY
    holds = [
        holding.place(subject, team=cast.team, by=cast.sam, at=CLOSED, reason="A claim is pending")
        for subject in (ticket, cast.rhea, case)
    ]
    assert [row.kept_by for row in disposing.preview(retention.ROOTS, cast.contract, at)] == [
        holds[2].reference, holds[0].reference, holds[1].reference,
    ]  # fmt: skip
    with pytest.raises(Refused, match="held"):
        disposing.propose(retention.ROOTS, cast.contract, by=cast.adam, at=at)
    # past the product, in an approved disposal, the database refuses as well
    fake = Disposal.objects.create(
        contract=cast.contract,
        judged_at=at,
        proposed_by=cast.adam,
        proposed_at=at,
        approved_by=cast.sam,
        approved_at=at,
    )
    for table, number in (
        ("tickets_ticket", ticket.pk), ("tickets_ticket", other.pk), ("audits_noncompliance", case.pk)
    ):  # fmt: skip
        refused(
            f"select set_config('csp.disposal', '{fake.pk}', true); delete from {table} where id = {number}",
            saying="is held",
        )
    while retention.carry_out(at):
        pass
    holding.lift(holds[0], by=cast.sam, at=at, reason="Settled")
    row = dispose(cast, at)
    assert [(item.kind, item.number) for item in row.items.all()] == [("ticket", ticket.pk)]
    assert Ticket.objects.filter(pk=other.pk).exists()


def test_a_hold_placed_after_the_approval_still_wins(cast: Cast) -> None:
    ticket, other = closed_ticket(cast), closed_ticket(cast)
    at = KEPT + make.DAY
    row = disposing.propose(retention.ROOTS, cast.contract, by=cast.adam, at=at)
    disposing.approve(row, by=cast.sam, at=at)
    hold = holding.place(ticket, team=cast.team, by=cast.sam, at=at, reason="A claim came in")
    while retention.carry_out(at):
        pass
    assert {(item.number, item.outcome) for item in row.items.all()} == {
        (ticket.pk, "spared"), (other.pk, "disposed")
    }  # fmt: skip
    assert hold.reference in row.items.get(number=ticket.pk).why
    with pytest.raises(Refused, match="gone"):
        holding.place(other, team=cast.team, by=cast.sam, at=at, reason="Too late")


def test_a_hold_needs_a_reason_and_a_supervisor_and_is_reviewed_every_six_months(cast: Cast) -> None:
    ticket = closed_ticket(cast)
    for by, reason in ((cast.rita, "A claim"), (cast.adam, "A claim"), (cast.sam, " ")):
        with pytest.raises(Refused):
            holding.place(ticket, team=cast.team, by=by, at=CLOSED, reason=reason)
    at = dt.datetime(2020, 8, 31, 9, tzinfo=UTC)
    hold = holding.place(ticket, team=cast.team, by=cast.sam, at=at, reason="A claim")
    first = hold.review
    assert (first.clause, first.obligation, first.due_at.date()) == ("4.3", "hold_review", dt.date(2021, 2, 28))
    with pytest.raises(Refused, match="holds this already"):
        holding.place(ticket, team=cast.team, by=cast.sam, at=at, reason="Again")
    review_at = first.due_at - make.SECOND
    hold = holding.keep_on(hold, by=cast.sam, at=review_at, reason="The claim is in court")
    first.refresh_from_db()
    assert (first.state, first.met_how) == ("met", "kept on")
    assert hold.review.due_at.date() == dt.date(2021, 8, 28)
    make.tick(at=hold.review.due_at + make.SECOND)
    assert Breach.objects.filter(deadline=hold.review).exists()
    assert hold.lifted_at is None, "an overdue review lifts nothing"
    hold = holding.lift(hold, by=cast.sam, at=hold.review.due_at + make.DAY, reason="Settled")
    with pytest.raises(Refused, match="lifted already"):
        holding.lift(hold, by=cast.sam, at=hold.review.due_at + make.DAY, reason="Again")
    refused("update csp_hold set lifted_at = null, lifted_by_id = null, lifted_because = ''", saying="what was held")


# ---------------------------------------------------------------- by routine


def test_what_has_no_minimum_goes_by_routine_with_a_certificate(cast: Cast) -> None:
    mailbox(cast.team)
    at = make.AT
    mails = []
    for number in range(3):
        raw = letter(f"Win {number}", sender=f"spam{number}@casino.example", id=f"<{number}@casino.example>")
        raw = raw.replace(b"\r\n\r\n", b"\r\nAuto-Submitted: auto-generated\r\nPrecedence: bulk\r\n\r\n", 1)
        mails.append(arrive(raw, at=at))
    InboundMessage.objects.filter(pk__in=[mail.pk for mail in mails]).update(state="unsorted", ticket=None)
    sorting.rule(mails[0], verdict="spam", by=cast.rita, at=at, reason="A casino")
    addressed = at - make.SECOND
    with trail.source("web", "203.0.113.7"):
        trail.record(Act.SIGNED_IN, "test:1", by=cast.rita, at=addressed)
    Session.objects.create(
        session_key="old", session_data="", user=cast.rita, address="203.0.113.7", expire_date=at, seen_at=at
    )
    assert whole() == []

    assert retention.routine(at + 30 * make.DAY) == 0
    assert retention.routine(at + 30 * make.DAY + make.SECOND)
    assert not InboundMessage.objects.filter(pk=mails[0].pk).exists()
    assert InboundMessage.objects.count() == 2
    late = at + 90 * make.DAY
    retention.routine(late)
    assert TrailEntry.objects.get(subject="test:1").address == ""  # a second older than the rest
    assert InboundMessage.objects.count() == 2
    for _time in range(20):
        if not retention.routine(late + make.SECOND):
            break
    assert InboundMessage.objects.count() == 0
    assert Blob.objects.count() == 0
    assert not Session.objects.filter(session_key="old").exists()
    rows = Disposal.objects.filter(is_routine=True)
    assert all(row.finished_at and row.certificate for row in rows)
    total: dict[str, int] = {}
    for row in rows:
        for label, n in row.removed.items():
            total[label] = total.get(label, 0) + n
    assert (total["tickets.inboundmessage"], total["csp.blob"], total["network addresses"]) == (3, 3, 1)
    assert whole() == []


def test_what_was_never_closed_is_told_once_a_year(cast: Cast) -> None:
    ticket = make.ticket(team=cast.team, customer=cast.carl, received_at=CLOSED)
    year = CLOSED + 365 * make.DAY
    assert list(terms.without_end(TICKETS, year)) == []
    assert list(terms.without_end(TICKETS, year + make.SECOND)) == [ticket]
    assert retention.tell(year + make.SECOND) == 1
    assert retention.tell(year + 2 * make.SECOND) == 0
    assert set(Notice.objects.filter(key__startswith="retention.").values_list("user", flat=True)) == {cast.adam.pk}
    assert retention.tell(year + 365 * make.DAY) == 1
