"""Opening a ticket again, for whatever reason: no state may hide that somebody has to act (clauses 3.1, 3.2)."""

from __future__ import annotations

import datetime as dt

from csp import trail
from csp.events import Act
from tickets import complaints, finishing, resolving
from tickets.models import Interaction, Resolution, Ticket


def bring_back(
    root: Ticket,
    *,
    at: dt.datetime,
    by: trail.Actor,
    to: Ticket.State = Ticket.State.OPEN,
    message: Interaction | None = None,
) -> Resolution | None:
    """Set a ticket open (or waiting), and take back what had resolved it: the one way out of *resolved* and *closed*.

    A resolution that was in force did not hold, and a complaint is to be resolved again: from the customer's `message`
    where that opened it, else by the first due time. The caller holds the lock, saves `root` and records its own act.
    Returns the resolution that is undone.
    """
    if not root.is_unfinished:
        finishing.opened_again(root, at=at)
    root.state, root.resolved_at, root.closed_at = to, None, None
    undone = resolving.taken_back(root, at=at, message=message)
    if undone is None:
        return None
    if message is not None:
        complaints.came_back(root, since=message.occurred_at, at=at)
    else:
        trail.record(Act.RESOLUTION_UNDONE, root.trail_subject, by=by, at=at, facts={"resolution": undone.pk})
        complaints.taken_back(root, at=at, by=by)
    return undone
