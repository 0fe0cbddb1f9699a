"""What supervisors rule on now and then: holds, how a breach is to be read, a team's hours and who stands in."""

from __future__ import annotations

import datetime as dt

from django.db import transaction

from csp import assessing, holding, shifts, trail
from csp.assessing import File, Tried, Verdict
from csp.demo import seldom
from csp.demo.company import Company
from csp.models import Attempt, Breach, Hold, User
from tickets.models import InboundMessage, Ticket

DAY, HOUR = dt.timedelta(days=1), dt.timedelta(hours=1)
Channel = Attempt.Channel

CALL = File(
    "telephone-record.txt", "text/plain",
    b"Outgoing call to the customer, eleven minutes, on the day before the answer fell due.\n",
)  # fmt: skip
# How each of the first broken answers is to be read: what is proposed, why, with what, and what the judge said.
READ: tuple[tuple[Verdict, str, list[File], bool, str], ...] = (
    (Verdict.RECORDED_LATE, "The customer was rung up in time; the call was put on record two days later.", [CALL],
     True, "The record of the telephone system shows the call, and its length fits an answer."),
    (Verdict.NOT_OWED, "The mail reads like an advertisement.", [],
     False, "It names an order of ours and asks about it. That is an inquiry, and an answer was owed."),
)  # fmt: skip


def rule(firm: Company, anchor: dt.datetime) -> None:
    """Make all of it up to the anchor, in one transaction; found again later."""
    if Hold.objects.exists():
        return
    with transaction.atomic(), trail.source("demonstration"):
        _hold(firm, anchor)
        _read(firm, anchor)
        _cover(firm, anchor)


def told(key: str) -> Ticket:
    """The ticket of a story that csp.demo.seldom names."""
    row = InboundMessage.objects.select_related("ticket__team", "ticket__customer").get(
        message_id__startswith=f"<first.{key}."
    )
    if row.ticket is None:
        raise LookupError(f"{row} opened no ticket")
    return row.ticket


def _hold(firm: Company, anchor: dt.datetime) -> None:
    viktor = firm.supervisors["repairs"]
    complaint = told(seldom.COLLEAGUE)
    holding.place(
        complaint, team=complaint.team, by=viktor, at=anchor - 25 * DAY,
        reason="The customer's solicitor has asked for the recording. Kept until that is settled.",
    )  # fmt: skip
    spoilt = told(seldom.REFUSED)
    lifted = holding.place(
        spoilt, team=spoilt.team, by=viktor, at=anchor - 38 * DAY,
        reason="A claim for the spoilt food was announced to the insurer.",
    )  # fmt: skip
    holding.lift(lifted, by=viktor, at=anchor - 12 * DAY, reason="The insurer has closed it without a claim.")


def _read(firm: Company, anchor: dt.datetime) -> None:
    """One breach is read as the team proposes, one is not, and the newest waits for somebody's word."""
    keys = {team.pk: key for key, team in firm.teams.items()}
    broken = Breach.objects.filter(obligation="respond", due_at__lt=anchor - 3 * DAY)
    rows = broken.select_related("deadline", "team", "contract").order_by("due_at", "pk")
    for breach, (verdict, reason, files, agreed, said) in zip(rows, READ, strict=False):
        own = keys[breach.team_id]
        row = assessing.propose(
            breach, by=firm.supervisors[own], at=breach.due_at + DAY, verdict=verdict, reason=reason, files=files
        )
        judge = next(user for key, user in firm.supervisors.items() if key != own)
        assessing.decide(row, by=judge, at=breach.due_at + 2 * DAY, agreed=agreed, reason=said)
    fresh = Breach.objects.filter(obligation="respond", due_at__lt=anchor - HOUR / 2, assessment__isnull=True)
    newest = fresh.select_related("deadline", "team", "contract").order_by("-due_at", "pk").first()
    if newest is not None:
        due = newest.due_at
        assessing.propose(
            newest, by=firm.supervisors[keys[newest.team_id]], at=anchor - HOUR / 4, verdict=Verdict.UNREACHABLE,
            reason="Rang, and the technician stood at the door; nobody was there.",
            attempts=[Tried(Channel.PHONE, due - 6 * HOUR), Tried(Channel.VISIT, due - 3 * HOUR)],
        )  # fmt: skip


def _cover(firm: Company, anchor: dt.datetime) -> None:
    """The repair desk has hours since yesterday, and one of its people fell ill with a promise that falls due."""
    viktor: User = firm.supervisors["repairs"]
    weekday = ((7 * 60, 20 * 60),)
    shifts.plan(
        firm.teams["repairs"], week={**dict.fromkeys(range(5), weekday), 5: ((8 * 60, 16 * 60),)}, exceptions={},
        country="", subdivision="", by=viktor, at=anchor - DAY,
    )  # fmt: skip
    ill = told(seldom.UNCOVERED).assignee
    if ill is None:
        raise LookupError("nobody has the ticket that is to be covered")
    deputy = next(user for user in firm.representatives["repairs"] if user != ill)
    shifts.enter(
        ill, starts_at=anchor - 3 * HOUR, ends_at=anchor + 3 * DAY, deputy=deputy, by=viktor, at=anchor - 3 * HOUR
    )
