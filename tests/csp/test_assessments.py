"""How a breach is to be read: proposed in the team, decided outside it, on a page that shows the breach alone."""

from __future__ import annotations

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import DatabaseError, transaction

from csp import access, assessing, clock, deadlines
from csp.access import Refused
from csp.models import (
    Appointment,
    Assessment,
    AssessmentFile,
    Attempt,
    Breach,
    Contract,
    Held,
    Notice,
    TrailEntry,
)
from csp.roles import Office, Role
from tests import factories as make
from tests.cast import Cast
from tests.tickets.desk import at_nine, browser  # noqa: F401  a fixture
from tickets import assignment, lifecycle

AT, DAY, HOUR, SECOND = make.AT, make.DAY, make.HOUR, make.SECOND
NOT_OWED = Assessment.Verdict.NOT_OWED


@pytest.fixture
def proposed(cast: Cast) -> Assessment:
    """A breach of Rita's, which she says is none."""
    ticket = make.ticket(team=cast.team, customer=cast.carl, received_at=AT - 2 * DAY, assignee=cast.rita)
    make.tick(at=AT - HOUR)
    breach = Breach.objects.get(deadline=ticket.respond)
    return assessing.propose(breach, by=cast.rita, at=AT - HOUR, verdict=NOT_OWED, reason="It was a test of ours")


@pytest.mark.usefixtures("at_nine")
def test_a_supervisor_of_another_team_finds_and_decides_it(cast: Cast, proposed: Assessment) -> None:
    page = browser(cast.olga).get("/assessments/").content.decode()
    assert proposed.breach.deadline.subject_ref in page
    path = f"/assessments/{proposed.pk}/"
    page = browser(cast.olga).get(path).content.decode()
    assert "It was a test of ours" in page
    assert "Carl" not in page
    assert browser(cast.olga).post(path, {"agreed": "yes", "reason": "I looked"}).status_code == 302
    proposed.refresh_from_db()
    assert (proposed.agreed, proposed.decided_by) == (True, cast.olga)
    assert "I looked" in browser(cast.vera).get(path).content.decode()
    assert browser(cast.olga).get(path).status_code == 404, "decided, it is no business of another team"


@pytest.mark.usefixtures("at_nine")
def test_the_own_team_neither_sees_nor_decides_it(cast: Cast, proposed: Assessment) -> None:
    assert "Your decision" not in browser(cast.sam).get(f"/assessments/{proposed.pk}/").content.decode()
    assert proposed.breach.deadline.subject_ref not in browser(cast.sam).get("/assessments/").content.decode()
    with pytest.raises(Refused, match="belong to the team"):
        assessing.decide(proposed, by=cast.sam, at=AT, agreed=True, reason="x")


def broken_one(cast: Cast) -> Breach:
    ticket = make.ticket(team=cast.team, customer=cast.carl, received_at=AT - 2 * DAY, assignee=cast.rita)
    make.tick(at=AT - HOUR)
    return Breach.objects.get(deadline=ticket.respond)


def test_recorded_late_needs_what_shows_it_and_whoever_decides_reads_it(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(clock, "now", lambda: AT)
    breach = broken_one(cast)
    url = f"{breach.deadline.path}deadlines/{breach.deadline_id}/assess/"
    typed = {"verdict": "recorded_late", "reason": "The call was at nine"}
    answer = browser(cast.rita).post(url, typed)
    assert answer.status_code == 422
    assert "Attach what shows" in answer.content.decode()
    assert "The call was at nine" in answer.content.decode(), "what was typed is kept"
    record = SimpleUploadedFile("calls.txt", b"09:02 to Carl, four minutes")
    assert browser(cast.rita).post(url, typed | {"shown_by": [record]}).status_code == 302
    row = Assessment.objects.get(breach=breach)
    stored = row.files.get()
    assert "calls.txt" in browser(cast.olga).get(f"/assessments/{row.pk}/").content.decode()
    download = browser(cast.olga).get(f"/assessments/files/{stored.pk}/")
    assert download.content == b"09:02 to Carl, four minutes"
    assert "sandbox" in download["Content-Security-Policy"]
    assert browser(cast.otto).get(f"/assessments/files/{stored.pk}/").status_code == 404
    assert TrailEntry.objects.filter(act="attachment.read", actor=f"user:{cast.olga.pk}").count() == 1
    entry = TrailEntry.objects.get(act="assessment.proposed")
    assert f"csp.assessmentfile:{stored.pk}" in entry.facts
    with pytest.raises(DatabaseError, match="does not change"), transaction.atomic():
        AssessmentFile.objects.filter(pk=stored.pk).update(size=1)


def test_unreachable_needs_two_attempts_by_two_channels_before_it_was_due(cast: Cast) -> None:
    breach = broken_one(cast)
    due, phone, mail = breach.due_at, Attempt.Channel.PHONE, Attempt.Channel.MAIL

    def says(*tried: assessing.Tried, only_way: bool = False) -> str:
        """The refusal; nothing where it was taken, which is then undone."""
        point = transaction.savepoint()
        try:
            assessing.propose(
                breach, by=cast.rita, at=AT, verdict=Assessment.Verdict.UNREACHABLE, reason="Nobody there",
                attempts=tried, only_way=only_way,
            )  # fmt: skip
        except Refused as refusal:
            return str(refusal)
        finally:
            transaction.savepoint_rollback(point)
        return ""

    first = assessing.Tried(phone, breach.deadline.starts_at)
    assert "two attempts" in says(first)
    assert "two attempts" in says(first, first), "one attempt named twice is one"
    assert "two channels" in says(first, assessing.Tried(phone, due))
    assert "between the start" in says(first, assessing.Tried(mail, due + SECOND))
    assert "between the start" in says(first, assessing.Tried(mail, breach.deadline.starts_at - SECOND))
    assert says(first, assessing.Tried(mail, due)) == ""
    assert says(first, assessing.Tried(phone, due), only_way=True) == ""


def test_those_who_may_decide_are_told_and_without_another_team_it_is_the_representatives(
    cast: Cast, proposed: Assessment
) -> None:
    told = Notice.objects.filter(key=f"assessment:{proposed.pk}")
    assert [notice.user for notice in told] == [cast.olga]
    cast.olga.grants.update(ends_at=AT - DAY)
    paul = make.person(name="Paul Party")
    Appointment.objects.create(
        contract=cast.contract, office=Office.PARTY_REPRESENTATIVE, user=paul, starts_at=make.SINCE
    )
    assert assessing.deciders(proposed.breach, AT) == [paul]
    assert list(assessing.waiting_for(paul)) == [proposed]
    done = assessing.decide(proposed, by=paul, at=AT, agreed=False, reason="It was a customer")
    assert (done.agreed, done.decided_by) == (False, paul)
    with pytest.raises(Refused, match="already"):
        assessing.decide(proposed, by=paul, at=AT, agreed=True, reason="x")


@pytest.mark.usefixtures("at_nine")
def test_auditor_and_own_supervisor_read_it_without_deciding(cast: Cast, proposed: Assessment) -> None:
    path = f"/assessments/{proposed.pk}/"
    for user in (cast.vera, cast.sam, cast.rita):
        shown = browser(user).get(path)
        assert shown.status_code == 200, user
        assert "waits for somebody outside" in shown.content.decode()
        assert browser(user).post(path, {"agreed": "yes", "reason": "x"}).status_code == 403
    assert browser(cast.otto).get(path).status_code == 404
    assert browser(cast.vera).get("/assessments/").status_code == 403


def test_a_supervisor_under_another_contract_does_not_decide_it(cast: Cast, proposed: Assessment) -> None:
    other = Contract.objects.create(company="Elsewhere", created_at=AT)
    team = make.team(contract=other, name="Their desk")
    stranger = make.person(name="Una Unrelated", role=Role.SUPERVISOR, team=team)
    assert not assessing.waiting_for(stranger).exists()
    with pytest.raises(Refused):
        assessing.decide(proposed, by=stranger, at=AT, agreed=True, reason="x")


def test_who_held_it_once_does_not_decide_although_they_have_left_the_team(cast: Cast, proposed: Assessment) -> None:
    deadline = proposed.breach.deadline
    Held.objects.create(deadline=deadline, team=cast.team, user=cast.olga, since=AT - 2 * DAY, until=AT - DAY)
    with pytest.raises(Refused, match="own work"):
        assessing.decide(proposed, by=cast.olga, at=AT, agreed=True, reason="x")


def test_each_holder_is_recorded_with_the_time(cast: Cast) -> None:
    ticket = make.ticket(team=cast.team, customer=cast.carl)
    assignment.assign(ticket, to=cast.rita, by=cast.rita, at=AT + 2 * HOUR)
    assignment.assign(ticket, to=cast.sam, by=cast.sam, at=AT + 5 * HOUR)
    spans = [(row.user, row.since, row.until) for row in Held.objects.filter(deadline=ticket.respond).order_by("pk")]
    assert spans == [(None, AT, AT + 2 * HOUR), (cast.rita, AT + 2 * HOUR, AT + 5 * HOUR)]
    assert deadlines.holders(ticket.respond) == {cast.rita.pk} | {ticket.respond.responsible_id} - {None}


def test_who_gave_it_away_does_not_waive_it(cast: Cast) -> None:
    ticket = make.ticket(team=cast.team, customer=cast.carl, assignee=cast.sam)
    assignment.assign(ticket, to=cast.rita, by=cast.sam, at=AT + HOUR)
    with pytest.raises(Refused, match="own work"):
        lifecycle.waive(ticket, ticket.respond, by=cast.sam, at=AT + 2 * HOUR, reason="No time")


def test_who_wrote_to_the_customer_does_not_waive_it(cast: Cast) -> None:
    ticket = make.ticket(team=cast.team, customer=cast.carl, assignee=cast.rita)
    make.answer(ticket=ticket, by=cast.sam, at=AT + HOUR)
    with pytest.raises(Refused, match="wrote to the customer"):
        lifecycle.waive(ticket, ticket.respond, by=cast.sam, at=AT + 2 * HOUR, reason="No time")


@pytest.mark.usefixtures("at_nine")
def test_the_page_of_the_ticket_says_who_held_what_broke(cast: Cast) -> None:
    ticket = make.ticket(team=cast.team, customer=cast.carl, received_at=AT - 2 * DAY)
    assignment.assign(ticket, to=cast.rita, by=cast.rita, at=AT - 2 * DAY + 3 * HOUR)
    make.tick(at=AT - HOUR)
    page = browser(cast.sam).get(f"/tickets/{ticket.pk}/").content.decode()
    assert "nobody in" in page
    assert "Rita Representative 21 hours" in page


def test_work_of_somebody_whose_role_has_ended_goes_back_to_the_team(cast: Cast) -> None:
    ticket = make.ticket(team=cast.team, customer=cast.carl, assignee=cast.rita)
    kept = make.ticket(team=cast.team, customer=cast.carl, assignee=cast.sam)
    cast.rita.grants.update(ends_at=AT + HOUR)
    make.grant(user=cast.rita, role=Role.REPRESENTATIVE, team=cast.other_team)
    assert assignment.return_orphaned(AT + 30 * make.SECOND) == 0
    assert assignment.return_orphaned(AT + 2 * HOUR) == 1
    ticket.refresh_from_db()
    kept.refresh_from_db()
    assert (ticket.assignee, kept.assignee) == (None, cast.sam)
    assert access.may(cast.sam, access.Permission.WORK_TICKETS)


def test_a_reminder_goes_past_somebody_without_any_role(cast: Cast) -> None:
    make.ticket(team=cast.team, customer=cast.carl, assignee=cast.rita)
    cast.rita.grants.update(ends_at=AT + HOUR)
    deadlines.remind(AT + 12 * HOUR)
    assert cast.sam.notices.filter(kind="reminder").exists()
