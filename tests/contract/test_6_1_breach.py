"""Clause 6.1: a breach of personal data is notified within seventy-two hours of awareness, or decided to be no risk.

The hours are elapsed ones, across nights, week-ends and changes of the clock. The privacy owner and the administrators
are told at once; a processor tells the controller at once; where the risk is high the persons concerned are told.
"""

from __future__ import annotations

import datetime as dt

import pytest
from django.db import DatabaseError, transaction

from csp import deadlines, loops
from csp.access import Refused
from csp.models import (
    Appointment,
    Breach,
    Customer,
    DataBreach,
    DataBreachStep,
    Notice,
    OutboundMessage,
    TrailEntry,
    User,
)
from csp.privacy import breaches, terms
from csp.roles import Office
from tests import factories as make
from tests.cast import Cast
from tests.contract.edges import INSTANTS, NAMES

pytestmark = pytest.mark.django_db
SECOND, HOUR = make.SECOND, make.HOUR
LIMIT = dt.timedelta(hours=72)


@pytest.fixture
def olive(cast: Cast) -> User:
    owner = make.person(name="Olive Owner")
    Appointment.objects.create(
        contract=cast.contract, office=Office.PRIVACY_OWNER, user=owner, starts_at=make.SINCE
    )  # fmt: skip
    return owner


def known(cast: Cast, aware_at: dt.datetime = make.AT, **more: object) -> DataBreach:
    values: dict[str, object] = {"at": aware_at, "by": cast.rita, "what": "A letter went to the wrong house."}
    return breaches.open_breach(
        team=cast.team, nature=DataBreach.Nature.CONFIDENTIALITY, aware_at=aware_at,
        **(values | more),  # type: ignore[arg-type]
    )  # fmt: skip


@pytest.mark.parametrize("aware", INSTANTS, ids=NAMES)
def test_seventy_two_elapsed_hours_whatever_the_calendar_says(cast: Cast, olive: User, aware: dt.datetime) -> None:
    row = known(cast, aware)
    assert row.notify.due_at == aware + LIMIT
    loops.sweep(aware + LIMIT)
    assert not Breach.objects.exists()
    loops.sweep(aware + LIMIT + SECOND)
    assert Breach.objects.get(obligation="data_breach").breached_at == aware + LIMIT


def test_the_owner_and_the_administrators_know_at_once_and_at_the_breach(cast: Cast, olive: User) -> None:
    row = known(cast)
    told = Notice.objects.filter(kind="privacy", subject_ref=row.reference)
    assert {notice.user for notice in told} == {olive, cast.adam}
    assert {notice.created_at for notice in told} == {make.AT}
    loops.sweep(make.AT + LIMIT + SECOND)
    late = set(Notice.objects.filter(kind="breach").values_list("user__name", flat=True))
    assert {olive.name, cast.adam.name} <= late


def test_it_is_remembered_with_48_24_and_6_hours_left(cast: Cast, olive: User) -> None:
    due = known(cast).notify.due_at
    mine = Notice.objects.filter(kind="reminder", user=olive)
    for count, hours in enumerate((48, 24, 6)):
        deadlines.remind(due - hours * HOUR - SECOND)
        assert mine.count() == count
        deadlines.remind(due - hours * HOUR)
        assert mine.count() == count + 1


def test_typed_in_late_it_runs_from_awareness_and_may_be_late_at_once(cast: Cast, olive: User) -> None:
    row = known(cast, at=make.AT + LIMIT + SECOND)
    assert (row.notify.starts_at, row.notify.state) == (make.AT, "breached")
    with pytest.raises(Refused, match="future"):
        known(cast, make.AT + SECOND, at=make.AT)
    with pytest.raises(Refused, match="what happened"):
        known(cast, what=" ")


@pytest.mark.parametrize("late", [0, 1])
def test_notified_at_the_last_second_is_kept_and_a_second_later_is_not(cast: Cast, olive: User, late: int) -> None:
    row = known(cast)
    when = make.AT + LIMIT + late * SECOND
    breaches.notify(row, words="By its form", notified_at=when, authority_ref="B-7", by=olive, at=when + HOUR)
    row.refresh_from_db()
    row.notify.refresh_from_db()
    assert (row.decision, row.decided_at, row.authority_ref) == ("notified", when, "B-7")
    assert row.notify.state == ("met_late" if late else "met")
    assert Breach.objects.count() == late


def test_no_risk_needs_reasons_and_a_high_risk_is_none(cast: Cast, olive: User) -> None:
    row = known(cast)
    with pytest.raises(Refused, match="why"):
        breaches.decide_no_risk(row, reason="no", by=olive, at=make.AT)
    breaches.assess(row, is_high_risk=True, reason="Bank details", by=olive, at=make.AT)
    with pytest.raises(Refused, match="high"):
        breaches.decide_no_risk(row, reason="The letter came back unopened.", by=olive, at=make.AT)
    other = known(cast)
    breaches.decide_no_risk(other, reason="The letter came back unopened.", by=olive, at=make.AT + LIMIT)
    other.notify.refresh_from_db()
    assert (other.notify.state, other.notify.met_how) == ("met", "no_risk")
    with pytest.raises(Refused, match="nobody is at risk"):
        breaches.assess(other, is_high_risk=True, reason="After all", by=olive, at=make.AT + LIMIT)


def test_who_may_report_and_who_decides(cast: Cast, olive: User) -> None:
    row = known(cast)
    for somebody in (cast.rita, cast.sam, cast.vera):
        with pytest.raises(Refused, match="privacy owner"):
            breaches.decide_no_risk(row, reason="It came back unopened.", by=somebody, at=make.AT)
    seen = [breaches.visible_to(user).count() for user in (olive, cast.adam, cast.vera, cast.sam, cast.rita, cast.otto)]
    assert seen == [1, 1, 1, 1, 1, 0]
    nobody = make.person(name="Nora Nobody")
    with pytest.raises(Refused, match="role"):
        known(cast, by=nobody)


def test_persons_are_told_once_by_mail_or_on_a_list_of_those_to_be_told(cast: Cast, olive: User) -> None:
    row = known(cast)
    unknown = Customer.objects.create(name="Nils Nomail", created_at=make.SINCE)
    told = breaches.tell_persons(
        row, [cast.carl, unknown, cast.carl], words="Change your password.", by=olive, at=make.AT
    )
    assert told == (1, 1)
    assert breaches.tell_persons(row, [cast.carl, cast.rhea], words="Change it.", by=olive, at=make.AT) == (1, 0)
    mails = OutboundMessage.objects.filter(kind="privacy").order_by("pk")
    assert [mail.to for mail in mails] == [["carl@northwind.example"], ["rhea@rival.example"]]
    assert "Change your password." in mails[0].body
    mails.filter(pk=mails[0].pk).update(state="failed")
    assert breaches.tell_undelivered(make.AT + HOUR) == 1
    assert breaches.tell_undelivered(make.AT + HOUR) == 0
    assert Notice.objects.filter(user=olive, key__contains="undelivered").count() == 1


def test_a_case_is_closed_after_a_decision_only_and_then_stays(cast: Cast, olive: User) -> None:
    row = known(cast)
    with pytest.raises(Refused, match="first"):
        breaches.close(row, words="Learnt", by=olive, at=make.AT)
    breaches.describe(row, data="Names", persons=3, consequences="Spam", measures="Called", by=olive, at=make.AT)
    breaches.notify(row, words="By form", notified_at=make.AT, by=olive, at=make.AT)
    breaches.close(row, words="Envelopes are checked by two.", by=olive, at=make.AT + HOUR)
    with pytest.raises(Refused, match="closed"):
        breaches.tell_persons(row, [cast.carl], words="x", by=olive, at=make.AT + HOUR)
    kinds = list(row.steps.order_by("pk").values_list("kind", flat=True))
    assert kinds == ["aware", "written_down", "notified", "closed"]
    assert TrailEntry.objects.filter(subject=row.trail_subject).count() == 4


def test_a_processor_tells_the_controller_at_once_and_the_proof_meets_the_clock(cast: Cast, olive: User) -> None:
    values = {"part": "processor", "controller": "Northwind plc", "controller_mail": "dpo@northwind.example"}
    terms.change(cast.contract, values, by=olive, at=make.SINCE)
    row = known(cast)
    mail = OutboundMessage.objects.get(kind="privacy")
    assert (mail.to, mail.created_at) == (["dpo@northwind.example"], make.AT)
    assert breaches.settle(make.AT) == 0
    mail.state, mail.accepted_at = "accepted", make.AT + LIMIT
    mail.save()
    loops.sweep(make.AT + LIMIT + SECOND)
    assert not Breach.objects.exists(), "taken in time, judged a moment later"
    assert breaches.settle(make.AT + LIMIT + SECOND) == 1
    row.refresh_from_db()
    row.notify.refresh_from_db()
    assert (row.decision, row.notify.state) == ("forwarded", "met")


def test_what_the_controller_took_too_late_is_broken_though_nothing_judged_it_yet(cast: Cast, olive: User) -> None:
    values = {"part": "processor", "controller": "Northwind plc", "controller_mail": "dpo@northwind.example"}
    terms.change(cast.contract, values, by=olive, at=make.SINCE)
    known(cast)
    late = make.AT + LIMIT + SECOND
    OutboundMessage.objects.filter(kind="privacy").update(state="accepted", accepted_at=late)
    assert loops.unsettled_since() == late
    loops.sweep(late)
    assert Breach.objects.get().breached_at == make.AT + LIMIT


def test_the_database_dates_no_breach_anew_and_removes_none(cast: Cast, olive: User) -> None:
    row = known(cast)
    breaches.notify(row, words="By form", notified_at=make.AT, by=olive, at=make.AT)
    for change in (
        lambda: DataBreach.objects.filter(pk=row.pk).update(aware_at=make.AT - HOUR),
        lambda: DataBreach.objects.filter(pk=row.pk).update(decided_at=make.AT + HOUR),
        lambda: DataBreachStep.objects.filter(breach=row).update(words="x"),
        lambda: DataBreach.objects.filter(pk=row.pk).delete(),
    ):
        with pytest.raises(DatabaseError), transaction.atomic():
            change()
