"""What follows a broken promise: its case is led, explained, corrected, verified by somebody else and judged."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

from audits import corrective, noncompliance
from audits.models import CorrectiveAction, NonCompliance
from csp.models import User

HOUR = dt.timedelta(hours=1)

# cause, what is done about it, how it was done, what the judge saw
CORRECTIONS = (
    (
        "The ticket was taken over at the end of a shift and nobody looked at it in the morning.",
        "Every shift ends with a look at what falls due before noon.",
        "The look is on the list for the end of the shift since Monday; the list of the first week is signed.",
        "Signed on five days of five. Nothing that fell due before noon was without a name.",
    ),
    (
        "The depot was asked by telephone and the answer was waited for, without a word to the customer.",
        "Who waits for the depot answers the customer first with what is known.",
        "Written into the procedure and gone through with the team; two answers of this week show it.",
        "Read both answers. They say what is known, and by when the rest will be.",
    ),
    (
        "Two colleagues each believed that the other had it.",
        "Nobody takes a ticket by word of mouth; it is assigned.",
        "Said in the team's meeting. Since then every open ticket has one name.",
        "Looked at all open tickets of the team: each has an assignee.",
    ),
)


def correct(case: NonCompliance, *, lead: User, owner: User, judge: User, until: dt.datetime, number: int) -> None:
    """Take the case as far as it had come by `until`. One that somebody leads already is left to them."""
    if case.lead_id is not None or case.state != NonCompliance.State.OPEN:
        return
    cause, what, done, seen = CORRECTIONS[number % len(CORRECTIONS)]
    began = case.reported_at + (2 + number % 5) * HOUR

    def implement(at: dt.datetime) -> None:
        for action in case.actions.all():
            corrective.implement(action, by=owner, at=at, text=done)

    def verify(at: dt.datetime) -> None:
        for action in case.actions.all():
            corrective.verify(action.implementations.get(), by=judge, at=at, accepted=True, note=seen)

    def act(at: dt.datetime) -> None:
        kind = CorrectiveAction.Kind.CORRECTIVE
        corrective.add_action(case, kind=kind, what=what, owner=owner, by=lead, at=at)

    def judged(at: dt.datetime) -> None:
        note = "No further breach of this kind in the team since."
        corrective.check_effect(case, by=judge, at=at, effective=True, note=note)

    steps: list[tuple[dt.datetime, Callable[[dt.datetime], object]]] = [
        (began, lambda at: noncompliance.take_lead(case, to=lead, by=lead, at=at)),
        (began + 2 * HOUR, lambda at: corrective.state_cause(case, by=lead, at=at, text=cause)),
        (began + 3 * HOUR, act),
        (began + (40 + number % 50) * HOUR, implement),
        (began + (70 + number % 50) * HOUR, verify),
        (case.check_at - 3 * HOUR, judged),
    ]
    for at, step in steps:
        if at > until:
            break
        step(at)
