"""Whether a case needs higher authority (clause 3.3): decided by a person, at the latest with the first answer.

Rules propose and never decide. A ticket of which nobody has decided this within 23 hours goes up as a precaution
(tickets.escalation); the clock of that, *triage*, is met by any decision.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Sequence
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from csp import agreement, deadlines, trail
from csp.access import Refused
from csp.events import Act
from csp.models import Deadline, User
from tickets import reopening, signs
from tickets.conversation import Direction, Kind, Purpose, derive, family, lock, received_at, running, subject_of
from tickets.intake import quoting
from tickets.models import ComplexityProposal, Interaction, Ticket
from tickets.reach import check_can_work

Rule = ComplexityProposal.Rule

# What stands in the evidence where somebody answers and says no more; in one language, as all that evidence is.
USUAL = gettext_noop("Nothing in it needs higher authority.")
PROPOSED = gettext_noop("Seen (%(signs)s); within my authority all the same.")
WHILE_ANSWERING = gettext_noop("Marked complex while answering.")


@dataclasses.dataclass(frozen=True, slots=True)
class Decision:
    """What the author of an answer decides with it: within own authority, or complex; and why."""

    is_complex: bool = False
    reason: str = ""


WITHIN = Decision()


# ---------------------------------------------------------------- proposed by rule


def propose(root: Ticket, row: Interaction, *, at: dt.datetime, is_first: bool = False) -> list[ComplexityProposal]:
    """Look for signs in what the customer just said. The caller holds the lock of `root`."""
    if row.direction != Direction.IN or row.purpose == Purpose.AUTOMATIC or root.escalate_id is not None:
        return []
    contacts = 1 if is_first else _contacts(root)
    limit = root.team.complex_above if root.team.complex_above is not None else root.contract.complex_above
    found = signs.signs(f"{row.subject}\n{_words(row)}", contacts=contacts, limit=limit)
    if not found:
        return []
    known = {each.rule for each in proposed(root)}
    fresh = ComplexityProposal.objects.bulk_create(
        ComplexityProposal(ticket=root, interaction=row, rule=sign.rule, found=sign.found, proposed_at=at)
        for sign in found
        if sign.rule not in known
    )
    if fresh:
        trail.record(
            Act.COMPLEX_PROPOSED,
            root.trail_subject,
            by="signs",
            at=at,
            facts={"proposals": [each.pk for each in fresh], "rules": [each.rule for each in fresh],
                   "interaction": row.pk},
        )  # fmt: skip
    return fresh


def _contacts(root: Ticket) -> int:
    """How often the customer has turned to us on this matter, as far as it matters."""
    heard = Interaction.objects.filter(ticket__in=family(root), direction=Direction.IN)
    return heard.exclude(purpose=Purpose.AUTOMATIC)[: signs.CONTACTS + 1].count()


def _words(row: Interaction) -> str:
    """The customer's own words: what a mail quotes was said before, by whomever."""
    if row.kind != Kind.MAIL:
        return row.body
    pieces = quoting.fold(row.body[: signs.LOOKED_AT], forwarded=quoting.is_forward(row.subject))
    return "\n".join(text for kind, text in pieces if kind != quoting.Kind.QUOTE)


def proposed(root: Ticket, numbers: Sequence[int] | None = None) -> list[ComplexityProposal]:
    """What waits for a person's word on this ticket and those that it speaks for."""
    rows = ComplexityProposal.objects.filter(ticket__in=numbers or family(root), decided_at__isnull=True)
    return list(rows.select_related("interaction").order_by("pk"))


def sentence(row: ComplexityProposal) -> str:
    """What the proposal rests on, in the language that is active."""
    if row.rule == Rule.CONTACTS:
        return _("the customer's third contact on this matter")
    text = {
        Rule.AMOUNT: _("the amount “%(found)s” is above the limit"),
        Rule.LEGAL: _("the customer writes “%(found)s”"),
        Rule.SAFETY: _("the customer writes “%(found)s”, which may be a matter of safety"),
    }[Rule(row.rule)]
    return text % {"found": row.found}


def undecided(rows: Sequence[ComplexityProposal]) -> str:
    """What somebody is told whom an open proposal holds up, and what to do about it."""
    text = _("It is proposed as complex: %(signs)s. Say first, above the conversation, whether it is.")
    return text % {"signs": "; ".join(sentence(row) for row in rows)}


def _decide(rows: Sequence[ComplexityProposal], *, by: User, at: dt.datetime, accepted: bool, reason: str) -> None:
    for row in rows:
        row.decided_at, row.decided_by, row.accepted, row.reason = at, by, accepted, reason[:500]
    ComplexityProposal.objects.bulk_update(rows, ["decided_at", "decided_by", "accepted", "reason"])


@transaction.atomic
def accept_proposal(ticket: Ticket, *, by: User, at: dt.datetime) -> Ticket:
    """Say that the rules are right: the case is complex, from the receipt of the message that shows it."""
    root = lock(ticket)
    check_can_work(root, by, at=at)
    rows = proposed(root)
    if not rows:
        raise Refused(_("Nothing is proposed here any more."))
    reason = "; ".join(sentence(row) for row in rows)
    return mark_complex(root, by=by, at=at, reason=reason[:1].upper() + reason[1:], carried_by=rows[0].interaction)


@transaction.atomic
def dismiss_proposal(ticket: Ticket, *, by: User, at: dt.datetime, reason: str, through: int) -> Ticket:
    """Say that the rules are wrong here, and why. What was proposed after `through` was not on screen and stays."""
    root = lock(ticket)
    check_can_work(root, by, at=at)
    if not reason.strip():
        raise Refused(_("Say why it is not complex; the reason stands in the evidence."))
    rows = [row for row in proposed(root) if row.pk <= through]
    if not rows:
        raise Refused(_("Nothing is proposed here any more."))
    _decide(rows, by=by, at=at, accepted=False, reason=reason.strip())
    if root.escalate_id is None:
        decided(root, by=by, at=at, how="within own authority")
    root.authority_reason = reason.strip()[:500]
    root.save()
    derive(root)
    trail.record(
        Act.COMPLEX_DISMISSED,
        root.trail_subject,
        by=by,
        at=at,
        facts={"proposals": [row.pk for row in rows]},
        personal={"reason": reason},
    )
    return root


# ---------------------------------------------------------------- decided by a person


def decided(
    root: Ticket, *, by: trail.Actor, at: dt.datetime, how: str, numbers: Sequence[int] | None = None
) -> list[int]:
    """Somebody has decided whether it is complex: triage is done. Returns the deadlines that this met."""
    met = deadlines.meet(running(root, "triage", numbers=numbers), at=at, by=by, how=how)
    return [row.pk for row in met]


def start_clock(root: Ticket, at: dt.datetime, carried_by: Interaction | None) -> None:
    """Clause 3.3 counts from the receipt of what made the case complex, not from the moment somebody saw it."""
    if root.escalate_id is not None:
        return
    starts_at = carried_by.occurred_at if carried_by else received_at(root)
    version = agreement.in_force(root.contract, starts_at)
    [root.escalate] = deadlines.start(
        [deadlines.draft("escalate", subject_of(root), version, starts_at=starts_at)], at=at
    )


def bring_back(root: Ticket, *, by: User, at: dt.datetime) -> None:
    """What a supervisor has to decide is not finished. The caller saves `root`."""
    if not root.is_unfinished:
        reopening.bring_back(root, by=by, at=at)


@transaction.atomic
def mark_complex(
    ticket: Ticket, *, by: User, at: dt.datetime, reason: str, carried_by: Interaction | None = None
) -> Ticket:
    """Say that a case needs higher authority. Its clock runs from receipt; marked after hour 24 it is born breached.

    Where the ticket is before a supervisor already, the clock is met by that.
    """
    root = lock(ticket)
    check_can_work(root, by, at=at)
    if not reason.strip():
        raise Refused(_("Say what makes it complex; the supervisor reads it first."))
    if root.escalate_id is not None:
        raise Refused(_("This ticket is marked complex already."))
    _mark(root, by=by, at=at, reason=reason, carried_by=carried_by)
    return root


def _mark(root: Ticket, *, by: User, at: dt.datetime, reason: str, carried_by: Interaction | None) -> None:
    start_clock(root, at, carried_by)
    root.complex_reason = reason.strip()[:500]
    bring_back(root, by=by, at=at)
    root.save()
    said_complex(root, by=by, at=at, reason=reason.strip())
    stands = root.escalations.filter(closed_at__isnull=True).first()
    if stands is not None:
        deadlines.meet(running(root, "escalate"), at=at, by=by, how=f"escalation:{stands.pk}")
    derive(root)
    trail.record(
        Act.TICKET_COMPLEX,
        root.trail_subject,
        by=by,
        at=at,
        facts={"deadline": root.escalate_id, "carried_by": carried_by.pk if carried_by else None},
        personal={"reason": reason},
    )


def said_complex(root: Ticket, *, by: User, at: dt.datetime, reason: str) -> None:
    """Somebody has said so: triage is done, and whatever proposed it was right. The caller holds the lock."""
    decided(root, by=by, at=at, how="complex")
    _decide(proposed(root), by=by, at=at, accepted=True, reason=reason)


@transaction.atomic
def decide_within_authority(ticket: Ticket, *, by: User, at: dt.datetime, reason: str) -> Ticket:
    """Decide a complex case oneself, because one may; the reason stands in the evidence."""
    root = lock(ticket)
    check_can_work(root, by, at=at)
    if not reason.strip():
        raise Refused(_("Say why this is within your authority; the reason stands in the evidence."))
    rows = running(root, "escalate")
    if not rows:
        raise Refused(_("This ticket is not waiting to be escalated."))
    met = deadlines.meet(rows, at=at, by=by, how="within own authority")
    root.authority_reason = reason.strip()[:500]
    root.save()
    derive(root)
    trail.record(
        Act.TICKET_WITHIN_AUTHORITY,
        root.trail_subject,
        by=by,
        at=at,
        facts={"deadlines": [row.pk for row in met]},
        personal={"reason": reason},
    )
    return root


@dataclasses.dataclass(slots=True)
class Carried:
    """What the trail says of a decision that an answer carried: beside the answer, and of the clock that it met."""

    facts: dict[str, Any] = dataclasses.field(default_factory=dict)
    personal: dict[str, str] = dataclasses.field(default_factory=dict)
    entries: list[trail.Entry] = dataclasses.field(default_factory=list)


def carried_by_answer(
    root: Ticket, decision: Decision, heard: Sequence[Interaction], *, by: User, at: dt.datetime, numbers: Sequence[int]
) -> Carried:
    """Decide what the author of an answer, who has `heard` this, decides with it. Never refuses.

    A case marked complex stays so. "Complex" starts the clock of clause 3.3 from receipt, also where the answer itself
    has to wait for a co-signature. The caller holds the lock, saves `root` and records what this returns.
    """
    if root.escalate_id is not None:
        return Carried()
    seen = {row.pk for row in heard if getattr(row, "is_sign", False)}
    rows = [row for row in proposed(root, numbers) if row.interaction_id in seen] if seen else []
    reason = decision.reason.strip()
    if decision.is_complex:
        reason = reason if reason and reason != suggested(rows) else _(WHILE_ANSWERING)
        _mark(root, by=by, at=at, reason=reason, carried_by=rows[0].interaction if rows else None)
        return Carried({"decision": "complex"})
    if len(numbers) > 1:
        waiting = running(root, "triage", numbers=numbers)
    else:
        waiting = [Deadline(pk=root.triage_id)] if root.triage_id is not None else []
    met, entries = deadlines.meeting(waiting, at=at, by=by, how="within own authority")
    if not met and not rows:
        return Carried()
    reason = reason or suggested(rows)
    if rows:
        _decide(rows, by=by, at=at, accepted=False, reason=reason)
    root.authority_reason = reason[:500]
    facts = {"decision": "within own authority", "proposals": [row.pk for row in rows]}
    return Carried(facts, {"authority": reason}, entries)


def suggested(rows: Sequence[ComplexityProposal]) -> str:
    """The reason that stands in the composer before anybody types: the usual one, or that the signs were seen."""
    if not rows:
        return _(USUAL)
    return _(PROPOSED) % {"signs": "; ".join(sentence(row) for row in rows)}
