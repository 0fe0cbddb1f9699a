"""A conversation as a page shows it: what was said and what happened, in order, by day, with what is old folded."""

from __future__ import annotations

import dataclasses
import datetime as dt
import json
from collections.abc import Iterable
from typing import Any

from django.utils import dateformat, timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from csp.contract import CLAUSES, OBLIGATIONS
from csp.events import Act
from csp.models import OutboundMessage, TrailEntry, User
from tickets.intake import quoting
from tickets.models import Attachment, Call, ContactRecord, Escalation, InboundMessage, Interaction, Ticket
from tickets.undoing import TAKEN_BACK
from tickets.views.door import customer_name, masked, without_names

Direction, Kind, Purpose = Interaction.Direction, Interaction.Kind, Interaction.Purpose

SHOWN_AT_ONCE = 8  # interactions; beyond that the days before the last two are folded
LONGEST = 20_000  # characters of one text shown at once; the rest is behind a link
EVENTS = 300

SHOWN = [
    Act.TICKET_OPENED, Act.TICKET_PARKED, Act.TICKET_ASSIGNED, Act.TICKET_TEAM, Act.TICKET_STATE, Act.TICKET_TYPED,
    Act.TICKET_MERGED, Act.TICKET_UNMERGED, Act.TICKET_LINKED, Act.TICKET_JOINED, Act.TICKET_COMPLEX,
    Act.TICKET_WITHIN_AUTHORITY, Act.NO_REPLY_NEEDED, Act.MESSAGE_BOUNCED, Act.MESSAGE_FAILED, Act.DEADLINE_BREACHED,
    Act.COMPLEX_DISMISSED, Act.DEADLINE_WAIVED, Act.DEADLINE_REOPENED, Act.ASSESSMENT_PROPOSED,
    Act.ASSESSMENT_DECIDED, Act.ESCALATED,
    Act.ESCALATION_ACCEPTED, Act.ESCALATION_DECIDED, Act.ESCALATION_RETURNED, Act.CUSTOMER_SET,
    Act.ESCALATION_HANDED_ON, Act.ESCALATION_UNDONE,
]  # fmt: skip

ICONS = {
    Act.TICKET_OPENED: "inbox", Act.TICKET_PARKED: "triangle-alert", Act.TICKET_ASSIGNED: "user-round",
    Act.TICKET_TEAM: "users", Act.TICKET_STATE: "circle-dot", Act.TICKET_TYPED: "tag", Act.TICKET_MERGED: "git-merge",
    Act.TICKET_UNMERGED: "git-merge", Act.TICKET_LINKED: "link", Act.TICKET_JOINED: "git-merge",
    Act.COMPLEX_DISMISSED: "gavel",
    Act.TICKET_COMPLEX: "chevrons-up", Act.TICKET_WITHIN_AUTHORITY: "gavel", Act.NO_REPLY_NEEDED: "check",
    Act.MESSAGE_BOUNCED: "triangle-alert", Act.MESSAGE_FAILED: "triangle-alert", Act.DEADLINE_BREACHED: "octagon-alert",
    Act.DEADLINE_WAIVED: "ban", Act.DEADLINE_REOPENED: "rotate-ccw", Act.ASSESSMENT_PROPOSED: "scale",
    Act.ASSESSMENT_DECIDED: "scale", Act.ESCALATED: "chevrons-up", Act.ESCALATION_ACCEPTED: "user-round-check",
    Act.ESCALATION_DECIDED: "gavel", Act.ESCALATION_RETURNED: "corner-down-left", Act.CUSTOMER_SET: "user-round",
    Act.ESCALATION_HANDED_ON: "user-round-plus", Act.ESCALATION_UNDONE: "rotate-ccw",
}  # fmt: skip


def is_shown(row: TrailEntry) -> bool:
    """Whether an entry is an event of the conversation; what an answer decided by the way stands with its duty."""
    if row.act == Act.TICKET_WITHIN_AUTHORITY:
        return json.loads(row.facts).get("with") != "answer"
    return row.act in SHOWN


@dataclasses.dataclass(slots=True)
class Piece:
    """A stretch of a text: words, or what is folded away under `summary`."""

    text: str
    summary: str = ""


@dataclasses.dataclass(slots=True)
class Item:
    """One entry or one event of the conversation. `kind` is in, out, note, call or event."""

    kind: str
    at: dt.datetime
    who: str = ""
    how: str = ""
    icon: str = ""
    pill: str = ""
    tone: str = "soon"
    clause: str = ""
    pieces: list[Piece] = dataclasses.field(default_factory=list)
    files: list[Attachment] = dataclasses.field(default_factory=list)
    row: Interaction | None = None
    delivery: str = ""
    delivery_tone: str = ""
    copies: str = ""
    as_sent: bool = False  # whether its HTML is shown, in which nothing is masked
    confirm: bool = False  # a call that waits for a supervisor's word
    record_owed: str = ""  # what a call or letter still lacks, as its button says
    record_says: str = ""  # how it is on record
    name: str = ""  # whose initials are drawn, where `who` is "You"


@dataclasses.dataclass(slots=True)
class Day:
    """What was said and happened on one day of the reader."""

    label: str
    items: list[Item]


@dataclasses.dataclass(slots=True)
class Thread:
    """The whole conversation: `earlier` is folded under `summary`, `days` is in view."""

    earlier: list[Day]
    days: list[Day]
    summary: str = ""


def thread(
    ticket: Ticket, said: Iterable[Interaction], events: Iterable[TrailEntry], *, user: User, names: bool,
    people: dict[int, str], at: dt.datetime,
) -> Thread:  # fmt: skip
    """Put interactions and trail entries in the order in which they happened."""
    said = list(said)
    reports = [row.inbound_id for row in said if row.purpose == Purpose.AUTOMATIC and row.inbound_id is not None]
    flagged = InboundMessage.objects.filter(pk__in=reports, flags__contains=["doubtful_report"])
    doubtful = set(flagged.values_list("pk", flat=True)) if reports else set()
    items = [_said(row, ticket, user=user, names=names, doubtful=doubtful) for row in said]
    items += [_event(row, people) for row in events]
    # at the same instant what was said stands before what the product made of it
    items.sort(key=lambda item: (item.at, item.kind == "event"))
    days = _days(items, at)
    spoken = sum(item.kind != "event" for item in items)
    if spoken <= SHOWN_AT_ONCE or len(days) <= 2:
        return Thread([], days)
    earlier, days = days[:-2], days[-2:]
    hidden = sum(item.kind != "event" for day in earlier for item in day.items)
    summary = ngettext("%(n)d earlier interaction", "%(n)d earlier interactions", hidden) % {"n": hidden}
    return Thread(earlier, days, summary)


def _days(items: list[Item], at: dt.datetime) -> list[Day]:
    today = timezone.localtime(at).date()
    days: list[Day] = []
    last = None
    for item in items:
        date = timezone.localtime(item.at).date()
        if date != last:
            written = dateformat.format(date, "D j M" if date.year == today.year else "D j M Y")
            days.append(Day(_("Today, %(date)s") % {"date": written} if date == today else written, []))
            last = date
        days[-1].items.append(item)
    return days


# ---------------------------------------------------------------- what was said


def _said(row: Interaction, ticket: Ticket, *, user: User, names: bool, doubtful: set[int]) -> Item:
    if row.purpose == Purpose.ACKNOWLEDGEMENT:
        item = Item("event", row.occurred_at, who=_("Acknowledged automatically"), icon="mail", clause="3.1", row=row)
        item.how = _delivery(row)[0]
        return item
    item = Item(_kind(row), row.occurred_at, row=row, pieces=pieces(row), files=list(row.attachments.all()))
    item.as_sent = names
    if not names:
        for piece in item.pieces:
            piece.text = without_names(piece.text, row.customer or ticket.customer, row.sender_name)
    if row.direction == Direction.IN:
        sender = row.sender_name or (row.customer.name if row.customer else "") or row.sender_address
        item.who = sender if names and sender else customer_name(row.customer or ticket.customer, names=names)
        item.how = {Kind.MAIL: _("by e-mail"), Kind.FORM: _("by contact form"), Kind.CALL: _("called"),
                    Kind.LETTER: _("by letter"), Kind.VISIT: _("came in")}.get(Kind(row.kind), "")  # fmt: skip
        if row.purpose == Purpose.AUTOMATIC:
            item.pill, item.tone = _("Automatic, nothing is owed"), ""
            if row.inbound_id in doubtful:
                item.pill, item.tone = _("Says that a message came back, but anybody could have sent it"), "soon"
    else:
        item.name = row.author.name if row.author else ""
        item.who = _("You") if row.author_id == user.pk else (row.author.name if row.author else _("The product"))
        if row.direction == Direction.OUT:
            item.how = (
                _("called the customer")
                if row.kind == Kind.CALL
                else _("sent a holding message")
                if row.purpose == Purpose.HOLDING
                else _("replied by e-mail")
            )
            item.delivery, item.delivery_tone = _delivery(row)
    call = getattr(row, "call", None)
    if call is not None:
        _call(item, call)
    record = getattr(row, "contact_record", None)
    if record is not None:
        _on_record(item, record)
    copies = row.cc if names else [masked(address) for address in row.cc]
    if copies:
        item.copies = _("Copy to %(addresses)s") % {"addresses": ", ".join(copies)}
    return item


def _call(item: Item, call: Call) -> None:
    """What there is to say of a call: its length, whether it was answered, and whether it counts."""
    minutes = int((call.ended_at - call.interaction.occurred_at).total_seconds() // 60) if call.is_answered else 0
    parts = [
        item.how,
        "" if call.is_answered else _("nobody answered"),
        _("%(n)d min") % {"n": minutes} if minutes else "",
    ]
    item.how = ", ".join(part for part in parts if part)
    if call.recording_basis:  # never without having been announced, as the database asks
        where = _("kept as %(where)s") % {"where": call.recording_ref} if call.recording_ref else ""
        said = [call.get_recording_basis_display(), _("announced at the start"), where]
        item.record_says = ", ".join(str(part) for part in said if part)
    if call.waits:
        item.pill, item.tone, item.confirm = _("Written down late: meets nothing until it is confirmed"), "soon", True
    elif call.is_typed_late and not call.is_confirmed:
        item.pill, item.tone = _("Not confirmed: meets nothing"), "over"
    elif call.answers_customer:
        item.pill, item.tone = _("Answers the customer"), "met"


def _on_record(item: Item, record: ContactRecord) -> None:
    """Whether there is a transcript or scan, or why not."""
    is_letter, says = record.interaction.kind == Kind.LETTER, ""
    if record.is_owed:
        item.record_owed = _("Add the scan") if is_letter else _("Add the transcript")
    elif record.reason:
        says = _("No record: %(reason)s") % {"reason": record.get_reason_display()}
    elif record.kept_in_id != record.interaction_id:
        says = _("Scan added below") if is_letter else _("Transcript added below")
    item.record_says = " · ".join(filter(None, (item.record_says, says)))


def _kind(row: Interaction) -> str:
    if row.kind == Kind.NOTE or row.direction == Direction.INTERNAL:
        return "note"
    if row.kind == Kind.CALL:
        return "call"
    return "in" if row.direction == Direction.IN else "out"


def pieces(row: Interaction) -> list[Piece]:
    """The text with what was quoted and the signature folded; what we wrote ourselves is shown as it is."""
    text = row.body.strip("\n")
    if row.direction != Direction.IN or row.kind != Kind.MAIL:
        return [Piece(text[:LONGEST])]
    found = []
    for kind, part in quoting.fold(text[:LONGEST], forwarded=quoting.is_forward(row.subject)):
        lines = part.strip("\n").count("\n") + 1
        if not part.strip():
            continue
        if kind == quoting.Kind.WORDS:
            found.append(Piece(part.strip("\n")))
        elif kind == quoting.Kind.QUOTE:
            found.append(
                Piece(part, ngettext("Quoted text, %(n)d line", "Quoted text, %(n)d lines", lines) % {"n": lines})
            )
        else:
            found.append(Piece(part, _("Signature")))
    return found


def _delivery(row: Interaction) -> tuple[str, str]:
    """What became of an outgoing message outside, in words."""
    delivery = getattr(row, "delivery", None)
    if delivery is None:
        return "", ""
    message = delivery.message
    written = time_of_day(row.occurred_at)
    if delivery.bounced_at is not None or message.state == OutboundMessage.State.BOUNCED:
        reason = delivery.bounce_status or message.answer
        return _("written %(time)s, returned: %(reason)s") % {"time": written, "reason": reason[:120]}, "over"
    if message.state == OutboundMessage.State.ACCEPTED:
        accepted = time_of_day(message.accepted_at, beside=row.occurred_at)
        lost = [address for address in message.to if address in message.lost]
        if lost:
            text = ngettext(
                "written %(time)s, accepted outside %(accepted)s, but for %(n)d address: %(reason)s",
                "written %(time)s, accepted outside %(accepted)s, but for %(n)d addresses: %(reason)s",
                len(lost),
            )
            said = {"time": written, "accepted": accepted, "n": len(lost), "reason": message.lost[lost[0]][:120]}
            return text % said, "over"
        return _("written %(time)s, accepted outside %(accepted)s") % {"time": written, "accepted": accepted}, "met"
    if message.state == OutboundMessage.State.FAILED:
        return _("written %(time)s, refused: %(reason)s") % {"time": written, "reason": message.answer[:120]}, "over"
    if message.state == OutboundMessage.State.CANCELLED:
        return _("written %(time)s, taken back") % {"time": written}, ""
    return _("written %(time)s, waiting to be sent") % {"time": written}, "soon"


def time_of_day(moment: dt.datetime, *, beside: dt.datetime | None = None) -> str:
    """The time of day; with the date where it is not the day that stands beside it."""
    local = timezone.localtime(moment)
    if beside is not None and timezone.localtime(beside).date() != local.date():
        return dateformat.format(local, "D j M H:i")
    return dateformat.format(local, "H:i")


# ---------------------------------------------------------------- what happened


def actors(events: Iterable[TrailEntry]) -> set[int]:
    """The ids of the people named by these entries: who acted, and to whom a ticket was given."""
    found: set[int] = set()
    for row in events:
        if row.actor.startswith("user:"):
            found.add(int(row.actor[5:]))
        if row.act in (Act.TICKET_ASSIGNED, Act.ESCALATED, Act.ESCALATION_HANDED_ON):
            to = json.loads(row.facts).get("to")
            found |= {to} if isinstance(to, int) else set()
    return found


def _event(row: TrailEntry, people: dict[int, str]) -> Item:
    facts, personal = json.loads(row.facts), json.loads(row.personal or "{}")
    by = people.get(int(row.actor[5:]), _("Somebody")) if row.actor.startswith("user:") else ""
    by = _("the customer") if row.actor.startswith("customer:") else by
    act = Act(row.act)
    what, detail, clause = _words(act, facts, personal, people, by)
    return Item("event", row.at, who=what, how=detail, icon=ICONS.get(act, "history"), clause=clause)


def _words(
    act: Act, facts: dict[str, Any], personal: dict[str, Any], people: dict[int, str], by: str
) -> tuple[str, str, str]:
    """(what happened, by whom and how, clause) of one entry."""
    reason = personal.get("reason") or personal.get("note") or ""
    said = f"“{reason}”" if reason else ""
    hand = _("by %(name)s") % {"name": by} if by else _("by the product")
    rule = OBLIGATIONS.get(facts.get("obligation", ""))
    clause = facts.get("clause", rule.clause if rule else "")
    clause = clause if clause in CLAUSES else ""
    if act == Act.TICKET_OPENED:
        return _("Opened"), hand, ""
    if act == Act.TICKET_ASSIGNED:
        to = people.get(facts.get("to") or 0)
        return (_("Assigned to %(name)s") % {"name": to} if to else _("Given back to the team")), hand, ""
    if act == Act.TICKET_STATE:
        state = dict(Ticket.State.choices).get(facts.get("to", ""), "")
        return _("%(state)s") % {"state": state}, " ".join([hand, personal.get("resolution", "")]), ""
    if act == Act.TICKET_MERGED:
        other = facts.get("into") or facts.get("from")
        text = _("Merged into #%(n)s") if "into" in facts else _("#%(n)s was merged into this")
        return text % {"n": other}, hand, ""
    if act == Act.TICKET_UNMERGED:
        return _("Merge with #%(n)s undone") % {"n": facts.get("from") or facts.get("out")}, hand, ""
    if act == Act.CUSTOMER_SET:
        return (_("Customer corrected") if facts.get("from") else _("Customer set")), hand, ""
    if act == Act.TICKET_LINKED:
        return _("Linked to #%(n)s") % {"n": facts.get("other")}, hand, ""
    if act == Act.TICKET_COMPLEX:
        return _("Marked complex"), f"{hand} {said}", "3.3"
    if act == Act.TICKET_WITHIN_AUTHORITY:
        return _("Decided within own authority"), f"{hand} {said}", "3.3"
    if act == Act.COMPLEX_DISMISSED:
        return _("Not complex, though proposed"), f"{hand} {said}", "3.3"
    if act == Act.NO_REPLY_NEEDED:
        return _("No reply needed"), f"{hand} {said}", "3.1"
    if act == Act.DEADLINE_BREACHED and rule:
        return _("Promise broken"), _(rule.verb), clause
    if act == Act.DEADLINE_WAIVED and rule:
        return _("Waived: %(duty)s") % {"duty": _(rule.verb)}, f"{hand} {said}", clause
    if act == Act.DEADLINE_REOPENED and rule:
        why = hand if facts.get("reason") == TAKEN_BACK else _("the message came back")
        return _("Owed again: %(duty)s") % {"duty": _(rule.verb)}, why, clause
    if act == Act.ESCALATED:
        to = people.get(facts.get("to") or 0)
        text = _("Escalated to %(name)s") % {"name": to} if to else _("Escalated")
        return text, f"{hand} {said}", "3.3"
    if act == Act.ESCALATION_HANDED_ON:
        text = _("Escalation put before %(name)s") % {"name": people.get(facts.get("to") or 0, _("Somebody"))}
        return text, hand, "3.3"
    if act == Act.ESCALATION_UNDONE:
        text = {
            Act.ESCALATED: _("Escalation taken back"), Act.ESCALATION_ACCEPTED: _("Acceptance taken back"),
            Act.ESCALATION_DECIDED: _("Decision taken back"),
        }.get(Act(facts["act"]), _("Handing back undone"))  # fmt: skip
        return text, hand, "3.3"
    if act == Act.ESCALATION_DECIDED:
        decision = dict(Escalation.Decision.choices).get(facts.get("decision", ""), "")
        return _("%(decision)s") % {"decision": decision}, f"{hand} {said}", "3.3"
    if act == Act.ASSESSMENT_DECIDED:
        return (_("Assessment agreed") if facts.get("agreed") else _("Assessment rejected")), f"{hand} {said}", ""
    text = str(act.label)
    return text[:1].upper() + text[1:], f"{hand} {said}", "3.3" if act.value.startswith("escalation.") else ""
