"""Making the demonstration: the first page at once, the history behind it. Killed and called again, it goes on."""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Callable

from django.conf import settings
from django.db import connection, transaction

from csp import heartbeats
from csp.demo import company, post, seldom, strays
from csp.demo.auditing import audit
from csp.demo.matters import matters
from csp.demo.past import tell
from csp.demo.plan import FIRST, Plan, Story, plan
from csp.demo.protecting import protect
from csp.demo.reviewing import review
from csp.demo.ruling import rule
from csp.demo.schooling import school
from csp.demo.stating import state
from csp.demo.voices import hear
from csp.models import Erasure, Heartbeat, User
from tickets.models import InboundMessage, Ticket

MARK = "demonstration"  # the heartbeat that says when it was made, and whether it is whole
STALE = dt.timedelta(days=1)
FIRST_NUMBER = 4790
SPARE = 100  # numbers left for mail that comes in while the history is made
ONE_AT_A_TIME = 0x44454D4F  # an advisory lock of our own: "DEMO"


class NotOurs(Exception):
    """The database is not the demonstration's, or holds somebody's own work already."""


def age(at: dt.datetime) -> dt.timedelta | None:
    """How long ago the demonstration was made; None where there is none."""
    mark = Heartbeat.objects.filter(name=MARK).first()
    return at - mark.beat_at if mark is not None else None


def make(
    at: dt.datetime,
    *,
    page_only: bool = False,
    say: Callable[[str], None] = lambda line: None,
    planned: Callable[[dt.datetime], Plan] = plan,
) -> None:
    """Make what is not there yet: the company and its desk, then, unless `page_only`, the history."""
    if not settings.DEMO:
        raise NotOurs("This is not the demonstration's database (CSP_DEMO_DATABASE is not set); nothing was done.")
    if not _take_turn(at, page_only):
        return
    with connection.cursor() as cursor:
        # Nothing here is lost that could not be made again; the disk need not be waited for.
        cursor.execute("set synchronous_commit to off")
    try:
        _make(at, page_only, say, planned)
    finally:
        with connection.cursor() as cursor:
            cursor.execute("reset synchronous_commit")
            cursor.execute("select pg_advisory_unlock(%s)", [ONE_AT_A_TIME])


def _take_turn(at: dt.datetime, page_only: bool) -> bool:
    """Wait until nobody else is making it. Who wants the page alone need not wait for somebody's ninety days."""
    with connection.cursor() as cursor:
        while True:
            cursor.execute("select pg_try_advisory_lock(%s)", [ONE_AT_A_TIME])
            if cursor.fetchone()[0]:
                return True
            if page_only and age(at) is not None:
                return False
            time.sleep(0.2)


def _make(at: dt.datetime, page_only: bool, say: Callable[[str], None], planned: Callable[[dt.datetime], Plan]) -> None:
    mark = Heartbeat.objects.filter(name=MARK).first()
    if mark is None:
        _begin(at, planned(at))
        mark = Heartbeat.objects.get(name=MARK)
    if mark.detail.get("whole"):
        return
    anchor = mark.beat_at
    everything = planned(anchor)
    made = _made()
    firm = company.load()
    first = [story for story in everything.desk[:FIRST] if story.key not in made]
    for story in first:
        tell(story, firm, anchor)
    if page_only:
        return
    if not mark.detail.get("numbered"):
        _go_on_numbering_from(FIRST_NUMBER)
        heartbeats.beat(MARK, at=anchor, numbered=True)
    _tell_all([story for story in everything.history if story.key not in made], firm, anchor, say)
    _go_on_numbering_from_the_highest()
    for story in everything.desk[FIRST:]:
        if story.key not in made:
            tell(story, firm, anchor)
    strays.land_all(anchor)
    school(firm, anchor)
    hear(firm, anchor)
    rule(firm, anchor)
    protect(firm, anchor)
    review(firm, anchor)
    audit(firm, anchor)
    state(firm, anchor)  # last: it freezes what was known then, of all the others
    heartbeats.beat(MARK, at=anchor, numbered=True, whole=True)
    say("The demonstration is complete.")


def _begin(at: dt.datetime, everything: Plan) -> None:
    """The company, in one transaction with the mark: half a company is never found."""
    if User.objects.exists() or Ticket.objects.exists():
        raise NotOurs("This database holds people or tickets already; the demonstration is made on an empty one.")
    post.empty()
    with transaction.atomic():
        told = (*matters(), *(once.matter for once in seldom.ONCE))
        company.make(at, {matter.category for matter in told})
        _go_on_numbering_from(FIRST_NUMBER + everything.tickets + SPARE)
        heartbeats.beat(MARK, at=at)


def _made() -> set[str]:
    """The keys of the stories that stand already, by their first Message-IDs."""
    found = InboundMessage.objects.filter(message_id__startswith="<first.").values_list("message_id", flat=True)
    # Of whoever was erased the message's name is gone, too.
    forgotten = {seldom.FORGOTTEN} if Erasure.objects.exists() else set()
    return forgotten | {message_id.split(".")[1] for message_id in found}


def _tell_all(
    stories: list[Story], firm: company.Company, anchor: dt.datetime, say: Callable[[str], None]
) -> None:  # fmt: skip
    for number, story in enumerate(stories, start=1):
        tell(story, firm, anchor)
        if number % 50 == 0 or number == len(stories):
            say(f"Ninety days of mail: {number} of {len(stories)} matters")


def _go_on_numbering_from(number: int) -> None:
    with connection.cursor() as cursor:
        cursor.execute("select setval(pg_get_serial_sequence('tickets_ticket', 'id'), %s, false)", [number])


def _go_on_numbering_from_the_highest() -> None:
    """From here on numbers go on after the highest."""
    with connection.cursor() as cursor:
        cursor.execute(
            "select setval(pg_get_serial_sequence('tickets_ticket', 'id'), (select max(id) from tickets_ticket))"
        )
