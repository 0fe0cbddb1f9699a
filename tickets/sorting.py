"""Mail that waits for a person: rulings, the list of senders, the second look, and taking a ruling back (clause 3.1).

Genuine opens the ticket with its clocks from the original receipt, breach included. Spam keeps who ruled it and why; a
share is checked by somebody else, and a ruling that is found wrong is taken back. Nothing here removes a message.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import hmac
import re

from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from csp import access, batches, notices, trail
from csp.access import Refused
from csp.events import Act
from csp.models import Contract, Notice, Team, User
from csp.privacy import masking
from csp.roles import Permission
from tickets import desk
from tickets.customers import find_address
from tickets.intake import facts, landing, reading, taking_in, verdicts
from tickets.intake.message import PROBLEMS
from tickets.models import InboundMessage, Ruling, SenderRule

State = InboundMessage.State
Verdict = Ruling.Verdict

SORT_WITHIN = dt.timedelta(hours=20)  # of receipt, so that four hours are left for an answer
WARN_AFTER = dt.timedelta(hours=16)  # of receipt: four hours are left to rule on it
SAMPLED = 5  # one ruling in so many is checked by somebody else
_ADDRESS = re.compile(r"[^@\s,;<>\"]{0,64}@[^@\s,;<>\"]{1,253}")

FLAGS = {
    "same_id_other_content": gettext_lazy("It bears the id of an earlier message, but says something else."),
    "reply_to_differs": gettext_lazy("Answers to it would go to another address than the sender's."),
    "receipt_gap": gettext_lazy("It reached us more than five minutes before it was stored."),
    landing.EARLIER: gettext_lazy("A copy of it had reached us more than five minutes before this one."),
    "stranger": gettext_lazy("Its sender quotes a ticket of somebody else."),
    "incomplete": gettext_lazy("It was too large to be fetched whole."),
}


def sentences(inbound: InboundMessage) -> list[str]:
    """What was noticed about a message, each in a sentence."""
    return [str(FLAGS.get(flag) or PROBLEMS.get(flag) or flag) for flag in inbound.flags]


def sort_by(inbound: InboundMessage) -> dt.datetime:
    """By when somebody has to rule on it."""
    moment: dt.datetime = inbound.received_at + SORT_WITHIN
    return moment


def team_of(inbound: InboundMessage) -> Team:
    """Whose queue it stands in. Raises Team.DoesNotExist where there is no active team."""
    return facts.team_for(inbound.mailbox)


def check_can_sort(inbound: InboundMessage, by: User, at: dt.datetime) -> None:
    access.check(by, Permission.SORT_MAIL, team_id=team_of(inbound).pk, at=at)


def warn(at: dt.datetime) -> int:
    """Remind a team that mail has waited sixteen of its twenty hours, once for each hour of receipt.

    Returns how many notices it took.
    """
    waiting = InboundMessage.objects.unsorted().filter(received_at__lt=at - WARN_AFTER).select_related("mailbox__team")
    first: dict[tuple[int, str], InboundMessage] = {}
    for row in waiting[: batches.FAR]:
        first.setdefault((team_of(row).pk, f"{row.received_at:%Y-%m-%dT%H}"), row)
    keys = {f"unsorted:{team}:{hour}": (team, row) for (team, hour), row in first.items()}
    known = set(Notice.objects.filter(key__in=list(keys)).values_list("key", "user"))
    told = 0
    for key, (team, row) in keys.items():
        new = [user for user in desk.people_of([team], at=at) if (key, user.pk) not in known]
        facts = {"says": "mail.unsorted", "due": sort_by(row).isoformat()}
        notices.tell(notices.Telling(kind=Notice.Kind.PENDING, key=key, to=new, path="/unsorted/", facts=facts), at=at)
        told += len(new)
    return told


def _lock(inbound: InboundMessage) -> InboundMessage:
    row: InboundMessage = (
        InboundMessage.objects.select_for_update(of=("self",))
        .select_related("mailbox__team__contract", "blob__key", "ticket")
        .get(pk=inbound.pk)
    )
    return row


@transaction.atomic
def rule(
    inbound: InboundMessage,
    verdict: Ruling.Verdict,
    *,
    by: User,
    at: dt.datetime,
    reason: str,
    also_rule_sender: bool = False,
) -> Ruling:
    """A person's word on an unsorted message. With `also_rule_sender` the sender is let in, or kept out, from now on.

    What is ruled genuine is acknowledged by the loop within seconds, like everything that comes in. Raises Refused.
    """
    row = _lock(inbound)
    check_can_sort(row, by, at=at)
    if row.state != State.UNSORTED:
        raise Refused(_("Somebody has ruled on this message already."))
    if not reason.strip():
        raise Refused(_("Say why; the reason stands in the evidence."))
    ruling = Ruling.objects.create(
        inbound=row,
        verdict=verdict,
        reason=reason.strip()[:300],
        ruled_by=by,
        ruled_at=at,
        is_sampled=verdict == Verdict.SPAM and _is_drawn(row),
    )
    if verdict == Verdict.GENUINE:
        _let_in(row, by, at)
    else:
        row.state = State.SPAM
        row.save(update_fields=["state"])
    trail.record(
        Act.MAIL_GENUINE if verdict == Verdict.GENUINE else Act.MAIL_SPAM,
        row.trail_subject,
        by=by,
        at=at,
        facts={"ruling": ruling.pk, "ticket": row.ticket_id, "received": row.received_at},
        personal={"reason": reason},
    )
    if also_rule_sender and row.sender_address:
        allow = verdict == Verdict.GENUINE
        set_sender_rule(
            row.sender_address,
            SenderRule.Verdict.ALLOW if allow else SenderRule.Verdict.BLOCK,
            by=by,
            at=at,
            reason=reason,
            contract=team_of(row).contract,
        )
    return ruling


def _let_in(row: InboundMessage, by: User, at: dt.datetime) -> None:
    """What the intake would have done with it, from the original receipt, had it known what the person knows."""
    message = reading.read(masking.source_of(row.blob))
    taking_in.describe(row, message)
    thread = taking_in.thread_of(row, message)
    address, past = find_address(message.sender.address), facts.past_of(row, message)
    known = facts.facts_of(message, thread, row.mailbox, ours=facts.mailboxes(), is_known=address is not None)
    problem = message.unreadable
    verdict = verdicts.Verdict(
        verdicts.Kind.PARKED if problem else verdicts.Kind.INQUIRY,
        "unreadable" if problem else "allowed",
        problem.name if problem else "",
        acknowledge=verdicts.may_be_answered(message, known),
    )
    taking_in.inquiry(row, message, thread, verdict, at, by=by, address=address, languages=past.languages)


def _is_drawn(row: InboundMessage) -> bool:
    """Whether this ruling is among those that somebody else checks: always the same, and nobody can tell beforehand."""
    drawn = hmac.digest(settings.LINK_KEY, f"sample:{row.pk}".encode(), hashlib.sha256)
    return drawn[0] % SAMPLED == 0


@transaction.atomic
def undo(ruling: Ruling, *, by: User, at: dt.datetime) -> InboundMessage:
    """Take a ruling "spam" back: the message waits among the unsorted again, with its first receipt. Raises Refused."""
    row = _lock(ruling.inbound)
    check_can_sort(row, by, at=at)
    ruling = Ruling.objects.select_for_update(of=("self",)).get(pk=ruling.pk)
    if ruling.undone_at is not None:
        raise Refused(_("This ruling has been taken back already."))
    if ruling.verdict == Verdict.GENUINE:
        raise Refused(
            _("A ticket was opened and its clocks run. A supervisor can waive them there, with a reason.")
        )  # fmt: skip
    _take_back(ruling, row, by, at)
    return row


def _take_back(ruling: Ruling, row: InboundMessage, by: User, at: dt.datetime) -> None:
    ruling.undone_at, ruling.undone_by = at, by
    ruling.save(update_fields=["undone_at", "undone_by"])
    row.state = State.UNSORTED
    row.save(update_fields=["state"])
    trail.record(Act.MAIL_RULING_UNDONE, row.trail_subject, by=by, at=at, facts={"ruling": ruling.pk})


@transaction.atomic
def review(ruling: Ruling, *, by: User, at: dt.datetime, agrees: bool) -> Ruling:
    """The second look at a sampled ruling. Whoever disagrees takes it back. Raises Refused."""
    row = _lock(ruling.inbound)
    access.check(by, Permission.REVIEW_SORTING, team_id=team_of(row).pk, at=at)
    ruling = Ruling.objects.select_for_update(of=("self",)).get(pk=ruling.pk)
    if ruling.ruled_by_id == by.pk:
        raise Refused(_("You ruled on this yourself. Somebody else has to check it."))
    if ruling.undone_at is not None:
        raise Refused(_("This ruling has been taken back already."))
    if ruling.reviewed_at is not None:
        raise Refused(_("This ruling has been checked already."))
    ruling.reviewed_by, ruling.reviewed_at, ruling.review_agrees = by, at, agrees
    ruling.save(update_fields=["reviewed_by", "reviewed_at", "review_agrees"])
    trail.record(
        Act.MAIL_RULING_REVIEWED, row.trail_subject, by=by, at=at, facts={"ruling": ruling.pk, "agrees": agrees}
    )  # fmt: skip
    if not agrees and ruling.verdict == Verdict.SPAM:
        _take_back(ruling, row, by, at)
    return ruling


@transaction.atomic
def set_sender_rule(
    pattern: str,
    verdict: SenderRule.Verdict | None,
    *,
    by: User,
    at: dt.datetime,
    reason: str,
    contract: Contract,
) -> SenderRule | None:
    """Let a sender in, keep one among the unsorted, or (None) know nothing of it again, for the mail of one contract.

    The pattern is an address, or "@domain" for all of one domain, which is a supervisor's to say. It never drops mail.
    Raises Refused.
    """
    access.check(by, Permission.SORT_MAIL, contract_id=contract.pk, at=at)
    value = pattern.strip().lower()
    if not _ADDRESS.fullmatch(value) or not value.isprintable():
        raise Refused(_("Write an address such as name@shop.example, or @shop.example for everybody there."))
    if value.startswith("@") and not access.may(by, Permission.REVIEW_SORTING, contract_id=contract.pk, at=at):
        raise Refused(_("A rule for a whole domain is a supervisor's to set. Name one address, or ask a supervisor."))
    if not reason.strip():
        raise Refused(_("Say why; the reason stands in the evidence."))
    rules = SenderRule.objects.filter(contract=contract, is_active=True, pattern__iexact=value)
    standing = rules.select_for_update(of=("self",)).first()
    if standing is not None and standing.verdict == verdict:
        return standing
    if standing is not None:
        standing.is_active = False
        standing.save(update_fields=["is_active"])
    fresh = None
    if verdict is not None:
        fresh = SenderRule.objects.create(
            contract=contract, pattern=value, verdict=verdict, reason=reason.strip()[:300], created_by=by, created_at=at
        )
    changed = fresh or standing
    if changed is not None:
        trail.record(
            Act.SENDER_RULED,
            f"sender:{changed.pk}",
            by=by,
            at=at,
            facts={
                "contract": contract.pk,
                "verdict": verdict or "none",
                "before": standing.verdict if standing else "none",
            },
            personal={"pattern": value, "reason": reason},
        )
    return fresh
