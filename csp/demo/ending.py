"""How the complaints of the demonstration end: what caused them, what was done, whether the customer took it."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

from csp.demo.plan import Story
from csp.models import User
from tickets import checklists, resolving
from tickets.models import Resolution, Ticket
from tickets.steps import FieldKind

Cause, Kind, Acceptance = Resolution.Cause, Resolution.Kind, Resolution.Acceptance

# By a word of the category: what caused it, in short and at length, and what was done.
ENDINGS = {
    "Delivery": (
        Cause.DELIVERY, Kind.EXPLAINED, "The carrier's slot was confirmed to the customer before the depot had it.",
    ),
    "Damage": (
        Cause.DELIVERY, Kind.REPLACED, "Damaged on the way; the packing of this model leaves its lower edge free.",
    ),
    "Installation": (
        Cause.WORK, Kind.CORRECTED, "The fitter left without the pressure test that the work order asks for.",
    ),
    "Repair": (Cause.PRODUCT, Kind.REPAIRED, "The part that was fitted first came from a batch with a known fault."),
    "Safety": (Cause.PRODUCT, Kind.REPLACED, "A worn cable inside the machine, found by the technician."),
    "Goodwill": (Cause.PROCESS, Kind.GOODWILL, "What was promised was not kept, and nobody had offered anything."),
    "Conduct": (Cause.CONDUCT, Kind.APOLOGY, "What was said on the telephone was as the customer says."),
    "Invoice": (
        Cause.INVOICE, Kind.CORRECTED, "The credit was booked to the wrong order; the reminder went out by itself.",
    ),
    "Refund": (
        Cause.PROCESS, Kind.MONEY_BACK, "The refund waited for a second signature that nobody was asked for.",
    ),
}  # fmt: skip
OTHERS = (Cause.PROCESS, Kind.CORRECTED, "Two departments each waited for the other's word.")


FILLED = {
    FieldKind.TEXT: "See the note of the same day",
    FieldKind.DATE: "2026-01-12",
    FieldKind.AMOUNT: "120.00",
    FieldKind.YES_NO: "no",
}


def write_down(
    ticket: Ticket, story: Story, *, by: User, at: dt.datetime, text: str, amount: Decimal | None = None
) -> None:  # fmt: skip
    """Cause and resolution of a complaint, before it is resolved. An amount that was written down stays."""
    if story.matter.kind != Ticket.Kind.COMPLAINT:
        return
    found = [ending for word, ending in ENDINGS.items() if word in story.matter.category]
    cause, kind, note = (found or [OTHERS])[0]
    follow(ticket, by=by, at=at)
    before = resolving.current(ticket)
    amount = amount if amount is not None or before is None else before.amount
    resolving.write_down(ticket, by=by, at=at, cause=cause, cause_note=note, kind=kind, text=text, amount=amount)


def follow(ticket: Ticket, *, by: User, at: dt.datetime) -> None:
    """Do what the procedure asks for."""
    for step in checklists.steps_of(ticket):
        filled = {field.label: FILLED[field.kind] for field in step.fields()}
        checklists.tick(step, by=by, at=at, values=filled)


def hear(ticket: Ticket, story: Story, *, by: User, at: dt.datetime) -> None:
    """What the customer of a complaint said to its resolution, where they said anything."""
    row = resolving.current(ticket)
    if story.matter.kind != Ticket.Kind.COMPLAINT or row is None or row.acceptance:
        return
    number = int(story.key[1:])
    answer = Acceptance.NO if number % 11 == 5 else Acceptance.NO_ANSWER if number % 3 == 1 else Acceptance.YES
    resolving.record_acceptance(ticket, answer, by if answer != Acceptance.NO_ANSWER else "closing", at)
