"""Clause 6.1: what a person asks for their data is answered within a calendar month from receipt, by any channel.

A month that ends on a day off ends on the next working day. Two months more are possible only if the person is told why
inside month one. Nobody's identity check stops the clock. A refusal says where to complain. Late is a breach, and a
breach is a non-compliance.
"""

from __future__ import annotations

import datetime as dt
from zoneinfo import ZoneInfo

import pytest
from django.db import DatabaseError, transaction
from hypothesis import given
from hypothesis import strategies as st

from audits.models import NonCompliance
from csp import loops
from csp.access import Refused
from csp.contract import OBLIGATIONS, Term
from csp.models import (
    Appointment,
    Breach,
    DataRequest,
    DataRequestStep,
    Deadline,
    Notice,
    OutboundMessage,
    TrailEntry,
    User,
)
from csp.privacy import calendars, request_loops, requests, terms
from csp.privacy.calendars import DaysOff
from csp.roles import Office
from tests import factories as make
from tests.cast import Cast

pytestmark = pytest.mark.django_db
SECOND, DAY = make.SECOND, make.DAY
LONDON = ZoneInfo("Europe/London")
Kind, Channel, State = DataRequest.Kind, DataRequest.Channel, DataRequest.State
ENGLAND = {"country": "GB", "subdivision": "ENG"}


@pytest.fixture
def olive(cast: Cast) -> User:
    """The privacy owner, with no other work."""
    owner = make.person(name="Olive Owner")
    Appointment.objects.create(
        contract=cast.contract, office=Office.PRIVACY_OWNER, user=owner, starts_at=make.SINCE
    )  # fmt: skip
    return owner


@pytest.fixture
def _terms(cast: Cast, olive: User) -> None:
    values = {**ENGLAND, "authority": "The Commissioner", "authority_url": "https://authority.example/complain"}
    terms.change(cast.contract, values, by=olive, at=make.SINCE)


def asked(
    cast: Cast, received_at: dt.datetime = make.AT, *, kind: DataRequest.Kind = Kind.ACCESS, **more: object
) -> DataRequest:
    """Carl asks by telephone, and Rita writes it down."""
    values: dict[str, object] = {"at": received_at, "customer": cast.carl, "channel": Channel.PHONE, "by": cast.rita}
    return requests.open_request(team=cast.team, kind=kind, received_at=received_at, **(values | more))  # type: ignore[arg-type]


def taken(at: dt.datetime, *, key: str = "", state: str = "accepted") -> OutboundMessage:
    """A server outside takes the last mail of this kind at that instant (or sends it back)."""
    message = OutboundMessage.objects.filter(kind="privacy", dedupe_key__contains=key).latest("pk")
    message.state, message.ended_at = state, at
    message.accepted_at = at if state in ("accepted", "bounced") else None
    message.save()
    return message


# ---------------------------------------------------------------- the calendar


@pytest.mark.parametrize(
    ("received", "due"),
    [
        # winter time is UTC in London; on 30 March and 26 October 2025 the clocks change
        ("2025-03-03T09:00:00+00:00", "2025-04-03T08:00:00+00:00"),  # the same hour, an hour less
        ("2025-01-31T12:00:00+00:00", "2025-02-28T12:00:00+00:00"),  # no 31 February
        ("2024-01-31T12:00:00+00:00", "2024-02-29T12:00:00+00:00"),
        ("2025-10-14T10:30:00+00:00", "2025-11-14T11:30:00+00:00"),
        ("2025-05-08T09:00:00+00:00", "2025-06-09T09:00:00+00:00"),  # 8 June is a Sunday
        ("2025-04-26T10:00:00+00:00", "2025-05-27T10:00:00+00:00"),  # 26 May is a bank holiday
        ("2024-11-25T09:00:00+00:00", "2024-12-27T09:00:00+00:00"),  # Christmas, Boxing Day
        ("2025-03-18T23:30:00+00:00", "2025-04-22T22:30:00+00:00"),  # Good Friday to Easter Monday
    ],
)
@pytest.mark.usefixtures("_terms")
def test_a_month_ends_on_its_day_or_on_the_next_working_day(cast: Cast, received: str, due: str) -> None:
    request = asked(cast, dt.datetime.fromisoformat(received))
    assert request.answer.due_at == dt.datetime.fromisoformat(due)
    assert (request.answer.starts_at, request.answer.clause) == (request.received_at, "6.1")


def test_a_day_off_of_the_companys_own_counts(cast: Cast, olive: User) -> None:
    terms.change(cast.contract, {"days_off": [dt.date(2025, 4, 3)]}, by=olive, at=make.SINCE)
    assert asked(cast).answer.due_at == dt.datetime(2025, 4, 4, 8, tzinfo=dt.UTC)


PLACES = st.sampled_from([DaysOff(), DaysOff("GB", "ENG"), DaysOff("DE", "BY"), DaysOff("US")])
ZONES = st.sampled_from([LONDON, ZoneInfo("Europe/Berlin"), ZoneInfo("America/New_York"), ZoneInfo("Pacific/Auckland")])
MOMENTS = st.datetimes(dt.datetime(2020, 1, 1), dt.datetime(2035, 1, 1), timezones=st.just(dt.UTC))
MONTH = OBLIGATIONS["data_request"].term
assert MONTH is not None


@given(received=MOMENTS, zone=ZONES, place=PLACES)
def test_the_calendar_rule(received: dt.datetime, zone: ZoneInfo, place: DaysOff) -> None:
    """It ends on the day of the same number or the last of a shorter month, put off only over days off."""
    assert MONTH is not None
    due = calendars.due_at(received, MONTH, zone, place)
    first, last = received.astimezone(zone), due.astimezone(zone)
    year, month = divmod(first.year * 12 + first.month, 12)
    target = [
        day for day in (dt.date(year, month + 1, 1) + dt.timedelta(days=n) for n in range(31)) if day.month == month + 1
    ]
    ends = target[min(first.day, len(target)) - 1]
    assert last.date() not in place
    assert last.date() >= ends
    assert all(ends + dt.timedelta(days=n) in place for n in range((last.date() - ends).days))
    assert abs((due - received) - (last.replace(tzinfo=None) - first.replace(tzinfo=None))) <= dt.timedelta(hours=1)
    assert calendars.extended_due_at(received, MONTH, zone, place) > due
    assert calendars.extended_due_at(received, MONTH, zone, place) - received < dt.timedelta(days=102)


def test_three_months_are_one_term_and_not_three(cast: Cast) -> None:
    """31 January and three months is 30 April, not 28 April."""
    received = dt.datetime(2025, 1, 31, 12, tzinfo=dt.UTC)
    found = calendars.extended_due_at(received, Term(months=1), LONDON, DaysOff())
    assert found == dt.datetime(2025, 4, 30, 11, tzinfo=dt.UTC)
    own = calendars.extended_due_at(received, Term(days=20), LONDON, DaysOff())
    assert own == dt.datetime(2025, 4, 21, 11, tzinfo=dt.UTC), "20 February and two months, which is a Sunday"


# ---------------------------------------------------------------- receipt


@pytest.mark.usefixtures("_terms")
def test_what_is_typed_in_late_runs_from_its_receipt(cast: Cast, olive: User) -> None:
    request = asked(cast, make.AT - 10 * DAY, at=make.AT, channel=Channel.LETTER)
    assert request.answer.starts_at == make.AT - 10 * DAY
    assert (request.recorded_at, request.answer.responsible) == (make.AT, olive)
    notice = Notice.objects.get(user=olive)
    assert (notice.kind, notice.subject_ref) == ("privacy", request.reference)
    assert TrailEntry.objects.filter(act="data_request.opened", subject=request.trail_subject).count() == 1
    with pytest.raises(Refused, match="future"):
        asked(cast, make.AT + SECOND, at=make.AT)


def test_somebody_nobody_knows_starts_the_clock_as_well_and_the_same_sheet_only_once(cast: Cast) -> None:
    first = asked(cast, customer=None, words="I want my data", once="form:1", by="form")
    again = asked(cast, customer=None, words="I want my data", once="form:1", by="form")
    assert first == again
    assert first.answer.due_at == dt.datetime(2025, 4, 3, 8, tzinfo=dt.UTC)
    with pytest.raises(Refused, match="who asks"):
        asked(cast, customer=None)


def test_who_may_write_one_down_and_who_deals_with_it(cast: Cast, olive: User) -> None:
    with pytest.raises(Refused):
        asked(cast, by=cast.otto)  # of another team
    with pytest.raises(Refused):
        asked(cast, by=cast.vera)
    request = asked(cast)
    for somebody in (cast.rita, cast.sam, cast.vera, cast.olga):
        with pytest.raises(Refused, match="privacy owner"):
            requests.prove(request, how="Her voice", by=somebody, at=make.AT)
    for somebody in (olive, cast.adam):
        requests.note(request, words="Seen", by=somebody, at=make.AT)
    assert [requests.visible_to(user).count() for user in (olive, cast.adam, cast.rita, cast.sam, cast.vera)] == [1] * 5
    assert [requests.visible_to(user).count() for user in (cast.otto, cast.olga, cast.fay)] == [0] * 3
    assert [requests.sees_names(user, request) for user in (olive, cast.sam, cast.vera)] == [True, True, False]


def test_an_ended_appointment_ends_the_right_and_the_clock_changes_hands(cast: Cast, olive: User) -> None:
    request = asked(cast)
    nina = make.person(name="Nina New")
    Appointment.objects.filter(user=olive).update(ends_at=make.AT + DAY)
    Appointment.objects.create(contract=cast.contract, office=Office.PRIVACY_OWNER, user=nina, starts_at=make.AT + DAY)
    assert request_loops.follow_office(make.AT + DAY) == 1
    assert request_loops.follow_office(make.AT + DAY) == 0
    request.answer.refresh_from_db()
    assert request.answer.responsible == nina
    assert request.answer.held.get().user == olive


# ---------------------------------------------------------------- the edge


@pytest.mark.usefixtures("_terms")
def test_answered_at_the_last_second_is_in_time_and_a_second_later_is_a_non_compliance(cast: Cast, olive: User) -> None:
    for late in (0, 1):
        request = asked(cast, kind=Kind.OBJECTION, words="Not my data")
        due = request.answer.due_at
        requests.record_done(request, words="Nothing is sent any more", by=olive, at=due - DAY)
        requests.answer(request, words="We have stopped.", by=olive, at=due - DAY)
        taken(due + late * SECOND)
        assert request_loops.perhaps_kept() == ([] if late else [request.answer_id]), "what came late is broken at once"
        make.tick(at=due + DAY)
        request.refresh_from_db()
        request.answer.refresh_from_db()
        assert (request.state, request.ended_at) == ("answered", due + late * SECOND)
        assert request.answer.state == ("met_late" if late else "met")
    breach = Breach.objects.get(obligation="data_request")
    assert breach.breached_at == request.answer.due_at
    case = NonCompliance.objects.get(clause="6.1")
    assert case.memberships.get().breach == breach


def test_nobody_answers_and_it_is_a_breach_one_second_after_it_was_due(cast: Cast, olive: User) -> None:
    due = asked(cast).answer.due_at
    loops.sweep(due)
    assert not Breach.objects.exists()
    loops.sweep(due + SECOND)
    assert Breach.objects.get().breached_at == due
    told = set(Notice.objects.filter(kind="breach").values_list("user__name", flat=True))
    assert olive.name in told
    make.tick(at=due + SECOND)
    assert NonCompliance.objects.get().clause == "6.1"


def test_it_is_remembered_fourteen_seven_and_one_day_before(cast: Cast, olive: User) -> None:
    due = asked(cast).answer.due_at
    from csp import deadlines

    for days in (14, 7, 1):
        before = Notice.objects.filter(kind="reminder", user=olive).count()
        deadlines.remind(due - days * DAY - SECOND)
        assert Notice.objects.filter(kind="reminder", user=olive).count() == before
        deadlines.remind(due - days * DAY)
        assert Notice.objects.filter(kind="reminder", user=olive).count() == before + 1


# ---------------------------------------------------------------- identity


def test_the_check_of_identity_has_states_and_never_pauses_the_clock(cast: Cast, olive: User) -> None:
    request = asked(cast, kind=Kind.RECTIFICATION)
    due = request.answer.due_at
    with pytest.raises(Refused, match="not proven"):
        requests.check_proven(request)
    requests.ask_identity(request, what="Tell us the number of your last order.", by=olive, at=make.AT + DAY)
    mail = OutboundMessage.objects.get(kind="privacy")
    assert (mail.to, "last order" in mail.body) == (["carl@northwind.example"], True)
    requests.prove(request, how="Number does not match", by=olive, at=make.AT + 2 * DAY, is_shown=False)
    request.refresh_from_db()
    assert request.identity == "doubted"
    requests.prove(request, how="Called back on the number on file", by=olive, at=make.AT + 3 * DAY)
    request.refresh_from_db()
    request.answer.refresh_from_db()
    assert (request.identity, request.answer.due_at, request.answer.state) == ("proven", due, "open")
    requests.check_proven(request)
    steps = [(step.kind, step.by) for step in request.steps.order_by("pk")]
    assert steps == [
        ("received", cast.rita),
        ("identity_asked", olive),
        ("identity_doubted", olive),
        ("identity_proven", olive),
    ]
    with pytest.raises(Refused, match="no more than is needed"):
        requests.ask_identity(request, what="A passport", by=olive, at=make.AT + 4 * DAY)


# ---------------------------------------------------------------- two months more


@pytest.mark.usefixtures("_terms")
def test_told_at_the_last_second_of_month_one_the_time_is_longer(cast: Cast, olive: User) -> None:
    request = asked(cast)
    first = request.answer.due_at
    requests.extend(request, reason="Ten thousand letters have to be read.", by=olive, at=first)
    mail = OutboundMessage.objects.get(kind="privacy")
    assert "Ten thousand letters" in mail.body
    assert "The Commissioner" in mail.body
    taken(first)
    make.tick(at=first + DAY)
    request.refresh_from_db()
    assert request.answer.due_at == dt.datetime(2025, 6, 3, 8, tzinfo=dt.UTC)
    assert request.first_answer is not None
    assert (request.first_answer.state, Breach.objects.exists()) == ("void", False)
    with pytest.raises(Refused, match="once"):
        requests.extend(request, reason="More", by=olive, at=first)


@pytest.mark.parametrize("how", ["taken a second late", "never taken", "came back"])
@pytest.mark.usefixtures("_terms")
def test_told_late_or_not_at_all_the_first_month_counts(cast: Cast, olive: User, how: str) -> None:
    request = asked(cast)
    first = request.answer.due_at
    requests.extend(request, reason="Much to read.", by=olive, at=first - DAY)
    assert request_loops.undo_extensions(first) == 0
    if how == "taken a second late":
        taken(first + SECOND)
    elif how == "came back":
        taken(first - DAY, state="bounced")
    make.tick(at=first + SECOND)
    request.refresh_from_db()
    assert request.answer.due_at == first
    assert Breach.objects.get(obligation="data_request").breached_at == first
    assert Notice.objects.filter(user=olive, key__contains=":fell:").count() == 1
    assert request_loops.undo_extensions(first + DAY) == 0


@pytest.mark.usefixtures("_terms")
def test_after_month_one_or_without_a_reason_there_is_no_longer_time(cast: Cast, olive: User) -> None:
    request = asked(cast)
    first = request.answer.due_at
    with pytest.raises(Refused, match="why"):
        requests.extend(request, reason=" ", by=olive, at=make.AT)
    with pytest.raises(Refused, match="first month"):
        requests.extend(request, reason="Late", by=olive, at=first + SECOND)
    with pytest.raises(Refused, match="inside the first month"):
        requests.extend(request, reason="Told", by=olive, at=first, told_at=make.AT - SECOND)
    requests.extend(request, reason="By letter", by=olive, at=first, told_at=first)
    make.tick(at=first + DAY)
    request.refresh_from_db()
    assert requests.is_extended(request)


# ---------------------------------------------------------------- the end


@pytest.mark.usefixtures("_terms")
def test_a_refusal_says_why_where_to_complain_and_that_a_court_is_open(cast: Cast, olive: User) -> None:
    request = asked(cast, language="de")
    requests.refuse(request, reason="Eine Rechnung muss zehn Jahre bleiben.", by=olive, at=make.AT + DAY)
    mail = OutboundMessage.objects.get(kind="privacy")
    assert "zehn Jahre" in mail.body
    assert "The Commissioner" in mail.body
    assert "https://authority.example/complain" in mail.body
    with pytest.raises(Refused, match="on its way"):
        requests.refuse(request, reason="Again", by=olive, at=make.AT + DAY)
    taken(make.AT + DAY)
    assert request_loops.settle(make.AT + DAY) == 1
    request.refresh_from_db()
    assert (request.state, request.ended_by) == ("refused", olive)


def test_without_an_authority_nobody_is_refused(cast: Cast, olive: User) -> None:
    with pytest.raises(Refused, match="authority"):
        requests.refuse(asked(cast), reason="No", by=olive, at=make.AT)


@pytest.mark.usefixtures("_terms")
def test_a_refusal_that_comes_back_ends_nothing_and_the_owner_is_told_once(cast: Cast, olive: User) -> None:
    request = asked(cast)
    requests.refuse(request, reason="No", by=olive, at=make.AT)
    taken(make.AT, state="bounced")
    for _twice in range(2):
        make.tick(at=make.AT + DAY)
    request.refresh_from_db()
    assert request.is_open
    assert Notice.objects.filter(user=olive, key__contains="undelivered").count() == 1
    requests.refuse(request, reason="No", by=olive, at=make.AT + 2 * DAY, told_at=make.AT + DAY)
    request.refresh_from_db()
    assert (request.state, request.ended_at) == ("refused", make.AT + DAY)


def test_what_was_asked_is_done_before_it_is_answered(cast: Cast, olive: User) -> None:
    for kind in (Kind.RECTIFICATION, Kind.ERASURE, Kind.RESTRICTION, Kind.OBJECTION):
        with pytest.raises(Refused, match="Do first"):
            requests.answer(asked(cast, kind=kind), words="Done", by=olive, at=make.AT)
    with pytest.raises(Refused, match="package"):
        requests.answer(asked(cast), words="Here", by=olive, at=make.AT)
    request = asked(cast, kind=Kind.UNSORTED, customer=None, name="Nobody we know", address="who@else.example")
    with pytest.raises(Refused, match="what is asked"):
        requests.answer(request, words="Done", by=olive, at=make.AT)
    requests.sort(request, kind=Kind.ACCESS, customer=None, by=olive, at=make.AT)
    requests.answer(request, words="We hold nothing on you.", by=olive, at=make.AT)
    taken(make.AT)
    request_loops.settle(make.AT)
    request.refresh_from_db()
    assert request.state == "answered"


def test_a_withdrawn_request_ends_and_an_ended_one_does_not_change(cast: Cast, olive: User) -> None:
    request = asked(cast)
    requests.withdraw(request, words="By telephone today", by=olive, at=make.AT + DAY)
    request.refresh_from_db()
    request.answer.refresh_from_db()
    assert (request.state, request.answer.state) == ("withdrawn", "met")
    with pytest.raises(Refused, match="ended"):
        requests.prove(request, how="x", by=olive, at=make.AT + DAY)


# ---------------------------------------------------------------- as processor


def test_a_processor_forwards_at_once_and_the_proof_ends_it(cast: Cast, olive: User) -> None:
    values = {"part": "processor", "controller": "Northwind plc", "controller_mail": "dpo@northwind.example"}
    terms.change(cast.contract, values, by=olive, at=make.SINCE)
    request = asked(cast, words="Everything you have")
    mail = OutboundMessage.objects.get(kind="privacy")
    assert (mail.to, mail.created_at, "Everything you have" in mail.body) == (["dpo@northwind.example"], make.AT, True)
    assert request_loops.settle(make.AT) == 0
    taken(make.AT + SECOND)
    assert request_loops.settle(make.AT + DAY) == 1
    request.refresh_from_db()
    request.answer.refresh_from_db()
    assert (request.state, request.answer.met_at) == ("forwarded", make.AT + SECOND)


def test_of_joint_controllers_each_is_told_and_the_answer_stays_ours(cast: Cast, olive: User) -> None:
    values = {"part": "joint", "controller": "Northwind plc", "controller_mail": "dpo@northwind.example"}
    terms.change(cast.contract, values, by=olive, at=make.SINCE)
    request = asked(cast)
    taken(make.AT)
    assert request_loops.settle(make.AT) == 0
    request.refresh_from_db()
    assert request.is_open
    with pytest.raises(Refused, match="controller"):
        terms.change(cast.contract, {"controller_mail": ""}, by=olive, at=make.AT)
    with pytest.raises(Refused, match="holidays"):
        terms.change(cast.contract, {"country": "XX"}, by=olive, at=make.AT)
    with pytest.raises(Refused, match="privacy owner"):
        terms.change(cast.contract, {"part": "controller"}, by=cast.sam, at=make.AT)


# ---------------------------------------------------------------- the database itself


def test_the_database_dates_no_request_anew_and_removes_none(cast: Cast) -> None:
    request = asked(cast)
    step = request.steps.get()
    for change in (
        lambda: DataRequest.objects.filter(pk=request.pk).update(received_at=make.AT - DAY),
        lambda: DataRequestStep.objects.filter(pk=step.pk).update(words="Something else"),
        lambda: DataRequest.objects.filter(pk=request.pk).delete(),
        lambda: Deadline.objects.filter(pk=request.answer_id).update(due_at=make.AT + 99 * DAY),
    ):
        with pytest.raises(DatabaseError), transaction.atomic():
            change()
