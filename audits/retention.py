"""Every root of records, uppermost first, each from the app that owns it; and the loops that keep their terms."""

from __future__ import annotations

import dataclasses
import datetime as dt

from django.db.models import Q

from audits.models import NonCompliance, Papers
from csp import disposing, notices, retention, staff
from csp.models import Contract, DataBreach, DataRequest, Notice
from csp.records import Kept
from csp.retention import Root
from csp.working_state import ROUTINES as CSP
from feedback.retention import REMARKS
from tickets import retention as tickets
from training import retention as training

CASES = Root(
    kind="noncompliance",
    model=NonCompliance,
    kept=Kept.CASE,
    ended=Q(state__in=[NonCompliance.State.CLOSED, NonCompliance.State.DISMISSED]),
    ended_at="closed_at",
    prefix="NC-",
    owns=tickets.OWNS,
    along=frozenset({Kept.TICKET}),
    belongs={"audits.membership": "case", "audits.measure": "case"},
    named={"audits.measure": "measure", "audits.correctiveaction": "action"},
)

# A survey goes with the ticket that it asked about; what was answered is kept apart from it, and by its own term.
TICKETS = dataclasses.replace(tickets.TICKETS, takes=frozenset({"feedback.survey"}))
# What was said in a review goes two years after it was closed; that it was held, when, and its clock stay.
PAPERS = Root(
    kind="papers",
    model=Papers,
    kept=Kept.REVIEW,
    ended=Q(state=Papers.State.CLOSED),
    ended_at="closed_at",
    prefix="PP-",
)
# What was asked with its steps, packages and mails, and what was leaked with whom it was told to.
REQUESTS = Root(
    kind="data-request",
    model=DataRequest,
    kept=Kept.PRIVACY,
    ended=~Q(state=DataRequest.State.OPEN),
    ended_at="ended_at",
    prefix="DR-",
    customer="customer_id",
    owns=tickets.OWNS,
    along=frozenset({Kept.TICKET}),
)
BREACHES = Root(
    kind="data-breach",
    model=DataBreach,
    kept=Kept.PRIVACY,
    ended=Q(closed_at__isnull=False),
    ended_at="closed_at",
    prefix="PB-",
    owns=tickets.OWNS,
    along=frozenset({Kept.TICKET}),
)
ROOTS: tuple[Root, ...] = (CASES, PAPERS, REQUESTS, BREACHES, REMARKS, training.TRAINING, TICKETS, staff.STAFF)
ROUTINES = (*tickets.ROUTINES, *CSP)
BY_KIND = {root.kind: root for root in ROOTS}


def set_terms(at: dt.datetime) -> int:
    """Write the term of what has ended (clause 4.3)."""
    files = training.set_files() + staff.set_files()
    return files + sum(retention.set_terms(root) for root in ROOTS)


def carry_out(at: dt.datetime) -> int:
    """Remove the next records of approved disposals."""
    return disposing.carry_out(ROOTS, at)


def routine(at: dt.datetime) -> int:
    """Remove what has no minimum and has had its time."""
    return disposing.routine(ROUTINES, at)


def tell(at: dt.datetime) -> int:
    """Tell administrators once a month that records have had their time, and once a year what was never closed."""
    people = notices.Rungs(at).administrators()
    tellings = []
    for contract in Contract.objects.order_by("pk"):
        for says, key, waiting in (
            ("retention.due", f"{at:%Y-%m}", any(
                retention.due(root, at - dt.timedelta(days=root.delete_after.days)).filter(contract=contract).exists()
                for root in ROOTS)),
            ("retention.unended", f"{at:%Y}", any(
                retention.without_end(root, at).filter(contract=contract).exists() for root in ROOTS)),
        ):  # fmt: skip
            name = f"{says}:{contract.pk}:{key}"
            if waiting and people and not Notice.objects.filter(key=name).exists():
                tellings.append(
                    notices.Telling(
                        kind=Notice.Kind.CASE, key=name, to=people, path="/retention/", facts={"says": says}
                    )
                )
    notices.tell(*tellings, at=at)
    return len(tellings)
