"""What its people were trained in: courses passed, one overdue, an update, an exercise in the desk, somebody new."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

from django.contrib.auth.hashers import make_password
from django.db import transaction

from csp import deadlines, trail
from csp.demo.company import PASSWORD, PEOPLE, ZONE, Company
from csp.models import Restriction, RoleGrant, User
from csp.roles import Role
from tickets import authority, handling, lifecycle
from tickets.conversation import inbound, seen_of
from tickets.models import Ticket
from training import courses, gate, practice, records, requirements
from training.models import Completion, Course, CourseVersion, PracticeAttempt

DAY = dt.timedelta(days=1)
# Days before the present on which each passed the courses of the desk, in the order of company.PEOPLE.
PASSED = (142, 31, 96, 158, 131, 74, 167, 20, 119, 52, 88)
STARTER = "Mara Oduya"

PRIVACY = """# Data privacy

What you look at is recorded, and needs a reason in the work. Data in the wrong hands is reported at once, at any hour.
"""
REFUNDS = """# Refunds without asking

From now on you may refund up to **80 pounds** yourself; before it was 50. Above that, escalate with the amount.
"""


# What comes in, and what has to be done with it.
EXERCISE = {
    "sender": "Pat Practice", "subject": "The door of my oven hangs", "kind": Ticket.Kind.REQUEST,
    "message": "The door of my Ember 60 hangs on one side and does not close. Can somebody look at it this week?",
    "follow_up": "Thank you. I am at home from Wednesday on, and the serial number is EM-60-4711.",
    "must_log": ["4711"],
}  # fmt: skip
NEW = "New: an exercise in the desk. A customer writes, and you answer, log and resolve."


def school(firm: Company, anchor: dt.datetime) -> None:
    """Make all of it up to the anchor, in one transaction; found again later."""
    if Completion.objects.exists():
        return
    whole = transaction.atomic()
    whole._from_testcase = True  # type: ignore[attr-defined]  # as csp.demo.past.tell says
    with whole, trail.source("demonstration"):
        _school(firm, anchor)


def _school(firm: Company, anchor: dt.datetime) -> None:
    people = User.objects.in_bulk([person.email for person in PEOPLE], field_name="email")
    ada, helena = people["ada@lakeside.example"], people["helena@lakeside.example"]
    privacy = _begin(
        courses.add(firm.contract, title="Data privacy", clause="6.1", roles=[], repeats=True, by=ada,
                    at=anchor - 399 * DAY),
        PRIVACY, "When is data in the wrong hands reported?", ["At once.", "In the next meeting."], ada,
        anchor - 399 * DAY,
    )  # fmt: skip
    desk = [person for person in PEOPLE if person.team]
    for days, person in zip(PASSED, desk, strict=True):
        user, at = people[person.email], anchor - days * DAY - 3 * dt.timedelta(hours=1)
        for course in Course.objects.filter(contract=firm.contract, clause__in=["5.1", "5.2"]).order_by("pk"):
            passed_by(course, user, at)
        passed_by(privacy.course, user, at + dt.timedelta(hours=1))
    for person in PEOPLE:
        if person.team:
            continue
        user = people[person.email]
        passed_by(Course.objects.get(contract=firm.contract, code="software"), user, anchor - 200 * DAY)
        if user != ada:  # who wrote it, and is trained by somebody else
            # The analyst let it lapse; the auditor did not.
            ago = 190 if person.role == Role.ANALYST else 40
            passed_by(privacy.course, user, anchor - ago * DAY)
    records.record_evidence(
        privacy, ada, passed_at=anchor - 100 * DAY, note="A day with the data protection officer of the group.",
        by=helena, at=anchor - 99 * DAY,
    )  # fmt: skip
    text = "Until somebody has passed the courses of their role, a supervisor co-signs their answers."
    gate.publish(
        firm.contract, text=text, restricts=[Restriction.Kind.COSIGN], days_present=14, by=ada, at=anchor - 80 * DAY
    )
    refunds = courses.publish_update(
        firm.contract, code="refunds", title="Refunds up to 80", roles=[Role.REPRESENTATIVE, Role.SUPERVISOR],
        because="announcement:refunds", changes="Refunds up to 80 pounds without asking.", material=REFUNDS,
        asked=[("Up to how much may you refund yourself?", ["80 pounds", "50 pounds", "Nothing"], [0])],
        renew_by=anchor + 11 * DAY, by=ada, at=anchor - 10 * DAY,
    )  # fmt: skip
    authority.set_limit(
        firm.contract, role=Role.REPRESENTATIVE, amount=Decimal(80), by=helena, at=anchor - 10 * DAY
    )  # fmt: skip
    _exercise(firm, anchor - 9 * DAY, anchor + 16 * DAY, ada)
    _loops(anchor - 9 * DAY)
    for person in desk[::2]:
        passed_by(refunds.course, people[person.email], anchor - 4 * DAY)
    mara = _starter(firm, ada, anchor - 3 * DAY)
    _loops(anchor - 3 * DAY)
    passed_by(Course.objects.get(contract=firm.contract, code="communication"), mara, anchor - 2 * DAY)
    noor, owen = people["noor@lakeside.example"], people["owen@lakeside.example"]
    _practised(firm, noor, anchor - 6 * DAY)
    _practised(firm, owen, anchor - 5 * DAY, logs=False)  # what was left out is read, and done the second time
    _practised(firm, owen, anchor - 4 * DAY)
    practice.start(_taught(firm), by=mara, at=anchor - 3 * dt.timedelta(hours=1))
    deadlines.sweep(anchor)
    while requirements.limit_late(anchor):
        pass


def _begin(
    draft: CourseVersion, material: str, asked: str, choices: list[str], by: User, at: dt.datetime
) -> CourseVersion:
    return courses.write(draft, {"material": material}, [(asked, choices, [0])], and_publish=True, by=by, at=at)


def passed_by(course: Course, user: User, at: dt.datetime) -> None:
    """Take the test and know everything."""
    version = courses.current(course)
    if version is None:
        return
    attempt = records.start(version, by=user, at=at)
    ticked = {
        one.question.pk: [one.order.index(number) for number in one.question.right] for one in records.asked(attempt)
    }
    records.finish(attempt, ticked, by=user, at=at + dt.timedelta(minutes=12))


def _taught(firm: Company) -> CourseVersion:
    version = courses.current(Course.objects.get(contract=firm.contract, code="software"))
    if version is None:
        raise LookupError("the course on the software is not taught")
    return version


def _exercise(firm: Company, at: dt.datetime, renew_by: dt.datetime, by: User) -> None:
    """The course on the software gets one, and whoever works on tickets takes it until that day."""
    draft = courses.revise(_taught(firm).course, by=by, at=at)
    courses.set_practice(draft, EXERCISE, by=by, at=at)
    courses.change(draft, {"changes": NEW, "renew_by": renew_by}, by=by, at=at)
    courses.publish(draft, by=by, at=at)


def _practised(firm: Company, user: User, at: dt.datetime, *, logs: bool = True) -> PracticeAttempt:
    """Test and exercise, worked in the desk like any other ticket."""
    version, minute = _taught(firm), dt.timedelta(minutes=1)
    if not version.taken.filter(user=user, passed=True).exists():
        passed_by(version.course, user, at)
    attempt = practice.start(version, by=user, at=at + 15 * minute)
    ticket = attempt.ticket

    def answer(text: str, when: dt.datetime) -> None:
        handling.respond(ticket, by=user, at=when, body=text, seen_through=seen_of(inbound(ticket)))

    answer("A technician looks at the hinge on Wednesday. What is the serial number, please?", at + 22 * minute)
    practice.follow_up(at + 23 * minute)
    if logs:
        handling.note(ticket, by=user, at=at + 26 * minute, body="Hinge of the door; serial number EM-60-4711.")
    answer("Thank you. The technician comes on Wednesday between eight and ten.", at + 28 * minute)
    lifecycle.retype(
        ticket, by=user, at=at + 30 * minute, kind=Ticket.Kind.REQUEST, category=next(iter(firm.categories.values()))
    )
    ticket.refresh_from_db()
    lifecycle.change_state(
        ticket, to=Ticket.State.RESOLVED, by=user, at=at + 31 * minute, resolution="Technician on Wednesday."
    )  # fmt: skip
    return practice.hand_in(attempt, by=user, at=at + 33 * minute)


def _starter(firm: Company, by: User, at: dt.datetime) -> User:
    """Somebody new, whose answers are co-signed until the courses are passed."""
    user = User.objects.create_user(
        f"{STARTER.split()[0].lower()}@lakeside.example", name=STARTER, zone=ZONE, joined_at=at
    )
    User.objects.filter(pk=user.pk).update(password=make_password(PASSWORD))
    RoleGrant.objects.create(
        user=user, role=Role.REPRESENTATIVE, team=firm.teams["orders"], starts_at=at, granted_by=by
    )
    return user


def _loops(at: dt.datetime) -> None:
    while requirements.require(at):
        pass
