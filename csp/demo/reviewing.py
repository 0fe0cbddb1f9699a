"""Reviews of the company's people (clause 7.3): one closed, one held that waits to be signed, others to come."""

from __future__ import annotations

import datetime as dt

from django.db import transaction

from audits import reviews
from audits.models import Goal, Papers, Review
from csp import trail
from csp.demo.company import PEOPLE, Company
from csp.models import Team, User
from csp.roles import Role

DAY = dt.timedelta(days=1)
# Since when, in days before the present, the review of each representative counts, in the order of company.PEOPLE.
SINCE = (202, 176, 160, 148, 131, 122, 104, 90)


def review(firm: Company, anchor: dt.datetime) -> None:
    """Make all of it up to the anchor, in one transaction; found again later."""
    if Review.objects.exists():
        return
    whole = transaction.atomic()
    whole._from_testcase = True  # type: ignore[attr-defined]  # as csp.demo.past.tell says
    with whole, trail.source("demonstration"):
        _review(firm, anchor)


def _review(firm: Company, anchor: dt.datetime) -> None:
    people = User.objects.in_bulk([person.email for person in PEOPLE], field_name="email")
    desk = [person for person in PEOPLE if person.role == Role.REPRESENTATIVE]
    rows = {
        person.name: _start(people[person.email], firm.teams[person.team], anchor - days * DAY, anchor)
        for days, person in zip(SINCE, desk, strict=True)
    }
    _closed(rows["Idris Kamara"], anchor - 25 * DAY)
    _held(rows["Saskia Brandt"], anchor - 2 * DAY, "Keeps her promises, and asks before it is late.")
    _drafted(rows["Owen Pryce"], anchor - DAY)


def _start(user: User, team: Team, since: dt.datetime, anchor: dt.datetime, after: Review | None = None) -> Review:
    locked = User.objects.select_for_update(no_key=True).get(pk=user.pk)
    return reviews.start(locked, team, starts_at=since, at=min(since, anchor), after=after)


def _drafted(row: Review, at: dt.datetime) -> User:
    reviewer = row.reviewer
    if reviewer is None:
        raise LookupError(f"{row} has no reviewer")
    reviews.compile_evidence(row, by=reviewer, at=at)
    return reviewer


def _held(row: Review, at: dt.datetime, words: str) -> User:
    reviewer = _drafted(row, at)
    reviews.assess(row, text=words, by=reviewer, at=at)
    reviews.add_goal(
        row, text="Write two canned replies that others use", due_on=(at + 120 * DAY).date(), by=reviewer, at=at
    )
    reviews.hold(row, held_at=at, by=reviewer, at=at)
    return reviewer


def _closed(row: Review, at: dt.datetime) -> None:
    """Signed by both, who do not see everything alike; the next one counts from the talk."""
    reviewer = _held(row, at, "Reliable under load. Promises are kept, and what was promised is written down.")
    reviews.comment(
        row, text="The one late answer lay with another team until an hour before.", by=row.user, at=at + DAY
    )
    for days, by in ((1, row.user), (2, reviewer)):
        talk, papers = reviews.talk_of(row), Papers.objects.get(review=row)
        if talk is None:
            raise LookupError(f"{row} was not held")
        agrees = False if by == row.user else None
        reviews.sign(row, digest=reviews.seen(talk, papers), proof="password", by=by, at=at + days * DAY, agrees=agrees)
    following = _start(row.user, row.team, at, at + 2 * DAY, after=row)
    if following.reviewer is not None:
        later = at + 20 * DAY
        reviews.compile_evidence(following, by=following.reviewer, at=later)
        for goal in reviews.goals_from_before(following):
            reviews.judge_goal(
                following, goal, outcome=Goal.Outcome.PARTLY, note="One so far.", by=following.reviewer, at=later
            )
