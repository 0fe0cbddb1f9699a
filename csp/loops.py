"""Every loop of the product, in the order in which one feeds the next: what beat rings for and `tick` runs once.

A loop is "every X that lacks its Y": it takes the instant at which to judge, does a batch, and says how many it did.
It may be run by any number of workers at once, killed at any instant and run again.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping

from audits import corrective, deviations, measures, noncompliance, retention, reviews, statements
from csp import deadlines, notices, outbox, readiness, sealing, signin
from csp.privacy import breaches as data_breaches
from csp.privacy import contract_end, erasing, locking, masking, packages, request_loops
from feedback import improvements, objections, similar, surveys, themes
from tickets import (
    acknowledging,
    assignment,
    call_backs,
    complaints,
    delivery,
    escalation,
    lifecycle,
    request_links,
    sorting,
    taking_up,
)
from tickets.intake import taking_in
from tickets.intake.doors import imap
from training import practice, requirements, rounds, updates

Loop = Callable[[dt.datetime], int]


def sweep(at: dt.datetime, *, limit: int = deadlines.BATCH) -> int:
    """Turn into breaches what is overdue, but for what a mail may have kept that is not acted on yet."""
    spared = [*delivery.perhaps_kept(at), *request_loops.perhaps_kept(), *data_breaches.perhaps_kept()]
    return deadlines.sweep(at, limit=limit, spared=spared)


# What comes in and what goes out: always by the real clock. `tick` runs these first, then the rules at its instant,
# so that what has arrived by now is judged with the rest.
DOORS: Mapping[str, Loop] = {
    "fetch": imap.fetch_mailboxes,
    "take_in": taking_in.take_in,
    "acknowledge": acknowledging.acknowledge,
    "links": request_links.send_asked,
    "password_links": signin.send_asked,
    "deliver": outbox.deliver,
}

# What follows from the rules alone; `./run manage tick --at` runs these at the instant it is given.
RULES: Mapping[str, Loop] = {
    "settle": delivery.settle,
    "data_requests": request_loops.settle,
    "data_breaches": data_breaches.settle,
    "objections": objections.carry_out,
    "extensions": request_loops.undo_extensions,
    "privacy_office": request_loops.follow_office,
    "undelivered": request_loops.tell_undelivered,
    "breach_undelivered": data_breaches.tell_undelivered,
    "packages": packages.destroy_old,
    "orphans": assignment.return_orphaned,
    "orphaned_escalations": escalation.pass_on_orphaned,
    "complaints": complaints.begin_lacking,
    "remind": deadlines.remind,
    "sweep": sweep,
    "escalate": escalation.pull_all,
    "take_up": taking_up.climb,
    "report": noncompliance.pull_all,
    "deviations": deviations.pull,
    "climb": corrective.climb,
    "updates": updates.publish_lacking,
    "require": requirements.require,
    "limit_late": requirements.limit_late,
    "end_unowed": requirements.end_unowed,
    "rounds": rounds.call,
    "practice": practice.follow_up,
    "statements": statements.make_due,
    "reviews": reviews.owe_lacking,
    "reviewers": reviews.pass_on,
    "reviews_end": reviews.end_unowed,
    "measures": measures.end_by_time,
    "pending": lifecycle.remind_pending,
    "unsorted": sorting.warn,
    "call_backs": call_backs.remind,
    "close": lifecycle.close_resolved,
    "surveys": surveys.send,
    "relate": similar.relate,
    "recur": themes.recur,
    "effects": improvements.measure,
    "unsupervised": readiness.tell_unsupervised,
    "terms": retention.set_terms,
    "dispose": retention.carry_out,
    "routine": retention.routine,
    "retention": retention.tell,
    "cards": masking.destroy_keys,
    "erase": erasing.carry_out,
    "contract_end": contract_end.carry_out,
    "erase_again": erasing.take_up_again,
    "erase_expired": erasing.erase_expired,
    "lock_closed": locking.extend,
    "unlock": locking.expire,
    "notify": notices.mail_collected,
}

# What keeps the record: by the real clock again, after everything that writes to it.
RECORD: Mapping[str, Loop] = {
    "seal": sealing.seal,
    "checkpoint": sealing.checkpoint,
    "ledger": erasing.keep_ledger,
}

# Those of them that keep promises on time: every two seconds, in this order, by a worker that does nothing else.
ON_TIME: Mapping[str, Loop] = {
    "settle": delivery.settle,
    "data_requests": request_loops.settle,
    "data_breaches": data_breaches.settle,
    "remind": deadlines.remind,
    "sweep": sweep,
    "escalate": escalation.pull,
    "report": noncompliance.pull,
}


def unsettled_since() -> dt.datetime | None:
    """Since when an accepted mail waits to be acted on, which the clock worker tells readiness."""
    waiting = (delivery.unsettled_since(), request_loops.unsettled_since(), data_breaches.unsettled_since())
    return min(filter(None, waiting), default=None)


def run_dry(loop: Loop, at: dt.datetime, *, rounds: int = 10_000) -> int:
    """Run a loop until it finds nothing to do. Returns how much it did in all."""
    total = 0
    for _round in range(rounds):
        done = loop(at)
        total += done
        if not done:
            break
    return total
