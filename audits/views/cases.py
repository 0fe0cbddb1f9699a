"""Cases of non-compliance: all that one may see, one of them as a whole, and reporting one (clause 8.1)."""

from __future__ import annotations

import dataclasses
import datetime as dt
from typing import Any

from django.db.models import Count, Q
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from audits import independence, noncompliance, proposals
from audits.forms import ReportForm
from audits.models import CorrectiveAction, Deviation, Measure, Membership, NonCompliance
from csp import access, clock, clockface, trail
from csp.access import Refused, person, requires
from csp.clockface import ClockFace
from csp.contract import CLAUSES
from csp.events import Act
from csp.horizon import Term, term
from csp.models import Deadline, KeptFrom, Notice, TrailEntry, User
from csp.roles import Permission
from tickets.conversation import visible_number
from tickets.models import Ticket
from tickets.views.door import go, local_zone

PAGE = 50
ENTRIES = 40
State, Doing = NonCompliance.State, CorrectiveAction.State
TONES = {State.OPEN: "pen", State.IMPLEMENTED: "pen", State.VERIFIED: "pen", State.CLOSED: "met", State.DISMISSED: ""}
REPORTED = ("case.opened", "case.reported", "case.confidence", "case.split")


def load(request: HttpRequest, pk: int) -> NonCompliance:
    """The case, if this person may see it; otherwise it does not exist."""
    rows = NonCompliance.objects.visible_to(person(request))
    rows = rows.select_related("contract", "team", "lead", "reported_by", "cause_by", "correct", "effect", "report")
    return get_object_or_404(rows, pk=pk)


def clock_of(case: NonCompliance) -> Deadline:
    """What the case owes next: its correction, then the check of its effect."""
    return case.effect if case.effect is not None and case.state == State.VERIFIED else case.correct


@requires()
@require_GET
def index(request: HttpRequest) -> HttpResponse:
    """Open ones first, by what falls due; the closed ones behind a tab, newest first."""
    user, at = person(request), clock.now()
    visible = NonCompliance.objects.visible_to(user)
    counts = visible.aggregate(
        open=Count("pk", filter=Q(state__in=NonCompliance.UNFINISHED), distinct=True),
        closed=Count("pk", filter=~Q(state__in=NonCompliance.UNFINISHED), distinct=True),
    )
    is_closed = request.GET.get("show") == "closed"
    rows = visible.exclude(state__in=NonCompliance.UNFINISHED) if is_closed else visible.unfinished()
    rows = rows.select_related("team", "lead", "correct", "effect").annotate(breaches=Count("memberships")).distinct()
    after = request.GET.get("after", "")
    if is_closed:
        if after.isdecimal() and len(after) < 19:
            rows = rows.filter(pk__lt=int(after))
        found = list(rows.order_by("-pk")[: PAGE + 1])
    else:
        found = sorted(rows, key=lambda case: (clock_of(case).due_at, case.pk))
    shown = found[:PAGE] if is_closed else found
    context = {
        "at": at,
        "cases": [(case, clock_of(case), TONES[State(case.state)]) for case in shown],
        "counts": counts,
        "is_closed": is_closed,
        "after": shown[-1].pk if len(found) > len(shown) else "",
        "report_url": reverse("report_noncompliance"),
    }
    return render(request, "audits/cases.html", context)


@requires()
@require_http_methods(["GET", "POST"])
def report(request: HttpRequest) -> HttpResponse:
    """Report a failure: a place in the navigation, this form, done."""
    user, at = person(request), clock.now()
    first = {
        "noticed_at": at,
        "clause": request.GET.get("clause") if request.GET.get("clause") in CLAUSES else "3.1",
        "about": request.GET.get("about", "")[:40],
    }
    form = ReportForm(request.POST or None, user=user, initial=first)
    if request.method == "POST" and form.is_valid():
        try:
            case = noncompliance.report(by=user, at=at, **form.cleaned_data)
        except Refused as refusal:
            form.add_error(None, str(refusal))
        else:
            seen = NonCompliance.objects.visible_to(user).filter(pk=case.pk).exists()
            url = reverse("noncompliance", args=[case.pk]) if seen else reverse("noncompliances")
            said = (
                _("Reported in confidence as %(ref)s. Only the one who keeps it sees it, you do not either.")
                if case.in_confidence
                else _("Reported as %(ref)s. Everybody who must know has been told.")
            )
            return go(request, url, said % {"ref": case.reference})
    return render(request, "audits/report.html", {"form": form, "at": at}, status=422 if form.errors else 200)


@requires()
@require_GET
def of_deadline(request: HttpRequest, deadline: int) -> HttpResponse:
    """From a broken promise to its case; where there is none to see, to the form that reports it."""
    user = person(request)
    visible = NonCompliance.objects.visible_to(user)
    place = Membership.objects.filter(breach__deadline=deadline, case__in=visible).first()
    if place is not None:
        return HttpResponseRedirect(reverse("noncompliance", args=[place.case_id]))
    row = get_object_or_404(Deadline, pk=deadline)
    ticket = visible_number(user, row.subject_ref)
    query = f"?{urlencode({'clause': row.clause, 'about': ticket.reference})}" if ticket is not None else ""
    return HttpResponseRedirect(reverse("report_noncompliance") + query)


# ---------------------------------------------------------------- one case


@dataclasses.dataclass(frozen=True, slots=True)
class Finding:
    """One breach of the case, as its table shows it; the subject only to somebody who may see the ticket."""

    row: Membership
    subject: str
    url: str
    responsible: User | None


@dataclasses.dataclass(frozen=True, slots=True)
class Doneness:
    """One action with the clock that it runs under."""

    action: CorrectiveAction
    face: ClockFace | None
    evidence: str


@requires()
@require_GET
def show(request: HttpRequest, pk: int) -> HttpResponse:
    """The case as a whole: term, finding, cause, actions, measures, who was told, history."""
    user, at, case = person(request), clock.now(), load(request, pk)
    if case.in_confidence:
        trail.record(
            Act.NONCOMPLIANCE_READ, f"reading:{case.pk}:{user.pk}", by=user, at=at, context=case.trail_subject
        )  # fmt: skip
    actions = doneness(case, at)
    may_lead = independence.may_lead(case, user, at=at)
    context = {
        "at": at,
        "case": case,
        "tone": TONES[State(case.state)],
        "clauses": list(dict.fromkeys(["8.1", "8.2", case.clause])),
        "clock": clock_of(case) if case.is_unfinished else None,
        "term": _term(case, at),
        "findings": _findings(case, user),
        "deviations": _deviations(case, user),
        "report_took": clockface.short(case.reported_at - case.noticed_at),
        "actions": actions,
        "left": sum(done.action.state == Doing.PLANNED for done in actions),
        "measures": list(case.measures.select_related("person", "decided_by").order_by("pk")),
        "kinds": Measure.Kind.choices,
        "rules": [(rule.when, Measure.Kind(rule.proposes).label) for rule in proposals.RULES.values()],
        "reported_to": _told(case),
        "history": _history(case),
        "checks": list(case.effect_checks.select_related("by").order_by("pk")),
        "may_lead": may_lead,
        "is_open": case.state == State.OPEN,
        "may_plan": may_lead and case.state in (State.OPEN, State.IMPLEMENTED),
        "may_check": case.state == State.VERIFIED and independence.may_judge(case, user, at=at),
        "may_hold": access.may(user, Permission.PLACE_HOLDS, team_id=case.team_id),
        "may_dismiss": case.state == State.OPEN and independence.may_judge(case, user, at=at),
    }
    return render(request, "audits/case.html", context)


def _term(case: NonCompliance, at: dt.datetime) -> tuple[Term, str]:
    row = case.correct
    face = clockface.of(row, now=at, zone=local_zone())
    gone = (row.met_at - row.starts_at) / (row.due_at - row.starts_at) if row.met_at else 0.0
    line = term(
        starts_at=row.starts_at,
        due_at=row.due_at,
        now=at,
        start_label=_("Reported %(when)s") % {"when": clockface.moment(row.starts_at, now=at, zone=local_zone())},
        due_label=_("Correct by %(when)s") % {"when": face.when},
        state=face.state,
        met_at=row.met_at,
        met_label=_("Implemented") if 0.3 < gone < 0.7 else "",  # else it would stand on the labels of the ends
    )
    return line, f"{face.head}, {face.said}"


def _findings(case: NonCompliance, user: User) -> list[Finding]:
    rows = list(
        case.memberships.select_related("breach__deadline", "breach__responsible").order_by("breach__breached_at", "pk")
    )
    kept = set(KeptFrom.objects.filter(user=user, until__isnull=True).values_list("subject_ref", flat=True))
    rows = [row for row in rows if row.breach.deadline.subject_ref not in kept]
    refs = {row.breach.deadline.subject_ref for row in rows}
    numbers = [int(ref[1:]) for ref in refs if ref.startswith("#") and ref[1:].isdecimal()]
    seen = Ticket.objects.visible_to(user).filter(pk__in=numbers) if numbers else Ticket.objects.none()
    subjects = {f"#{number}": subject for number, subject in seen.values_list("pk", "subject")}
    return [
        Finding(
            row,
            subjects.get(row.breach.deadline.subject_ref, ""),
            row.breach.deadline.path if row.breach.deadline.subject_ref in subjects else "",
            row.breach.responsible,
        )
        for row in rows
    ]


def _deviations(case: NonCompliance, user: User) -> list[tuple[Deviation, str]]:
    """The steps that were left out, each with its ticket's address where this person may see that."""
    people = ("step__asked_by", "step__waived_by")
    rows = list(case.deviations.select_related("step__checklist__ticket", *people).order_by("pk"))
    numbers = [row.step.checklist.ticket_id for row in rows]
    seen = set(Ticket.objects.visible_to(user).filter(pk__in=numbers).values_list("pk", flat=True)) if rows else set()
    return [(row, row.step.checklist.ticket.path if row.step.checklist.ticket_id in seen else "") for row in rows]


def doneness(case: NonCompliance, at: dt.datetime) -> list[Doneness]:
    """The case's actions, each under the case's clock until it was implemented."""
    found = []
    rows = case.actions.select_related("owner").prefetch_related("implementations__files")
    for action in rows.order_by("pk"):
        last = max(action.implementations.all(), key=lambda row: row.pk, default=None)
        is_done = action.state in (Doing.IMPLEMENTED, Doing.VERIFIED)
        face = None
        if action.state != Doing.WITHDRAWN:
            face = clockface.read(
                verb=_("Correct"),
                past=_("Done"),
                starts_at=case.correct.starts_at,
                due_at=case.correct.due_at,
                now=at,
                zone=local_zone(),
                met_at=last.at if last is not None and is_done else None,
            )
        found.append(Doneness(action, face, last.text if last is not None and is_done else ""))
    return found


def _told(case: NonCompliance) -> list[Notice]:
    """Who was told of the case first, when, and whether the mail has left the building."""
    keys = [f"case:{case.pk}:{says}" for says in REPORTED]
    return list(Notice.objects.filter(key__in=keys).select_related("user", "mail").order_by("created_at", "pk"))


def _history(case: NonCompliance) -> list[dict[str, Any]]:
    rows = TrailEntry.objects.filter(context=case.trail_subject).order_by("-pk")[:ENTRIES]
    return [
        {"act": Act(row.act).label, "at": row.at, "proof": f"{bytes(row.leaf).hex()[:4]}…{bytes(row.leaf).hex()[-2:]}"}
        for row in rows
    ]
