"""Findings of a quality audit: recorded, answered by the team, followed up by a case, closed (clause 6.3)."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from audits import audit_findings
from audits.audit_forms import AnswerForm, FindingForm
from audits.forms import TextForm
from audits.models import AuditFinding, NonCompliance
from audits.views.programme import load_scores
from csp import access, clock, clockface
from csp.access import Refused, person, requires
from csp.roles import Permission
from tickets.views.door import Step, go, local_zone, number_in, refuse, take_step

both = require_http_methods(["GET", "POST"])
State = AuditFinding.State
TONES = {State.OPEN: "soon", State.ANSWERED: "pen", State.CLOSED: "met"}


def load_finding(request: HttpRequest, pk: int, number: int) -> AuditFinding:
    audit = load_scores(request, pk)
    related = ("team", "draw", "answer_by", "found_by", "answered_by", "closed_by")
    row = get_object_or_404(AuditFinding.objects.select_related(*related), audit=audit, number=number)
    row.audit = audit
    return row


@requires()
@both
def add(request: HttpRequest, pk: int) -> HttpResponse:
    """Record a finding, about a drawn ticket or the audit as a whole."""
    audit, user, at = load_scores(request, pk), person(request), clock.now()
    if user.pk not in (audit.auditor_id, audit.second_id):
        raise PermissionDenied
    drawn = audit.draws.filter(rank=number_in(request.GET.get("draw", "")) or 0).first()
    form = FindingForm(request.POST or None, audit=audit, initial={"draw": drawn})
    back = drawn.path if drawn is not None else reverse("audit", args=[pk])
    step = Step(title=_("Record a finding"), submit=_("Record it"), form=form, back=back, icon="flag")

    def verb(good: dict[str, Any]) -> str:
        row = audit_findings.record(audit, **good, by=user, at=at)
        return _("%(ref)s is recorded. The team is told and owes an answer.") % {"ref": row.reference}

    return take_step(request, step, verb)


@requires()
@require_GET
def show(request: HttpRequest, pk: int, number: int) -> HttpResponse:
    """One finding with its answer, its case, and what comes next."""
    finding, user = load_finding(request, pk, number), person(request)
    case = audit_findings.case_of(finding)
    sees = case is not None and NonCompliance.objects.visible_to(user).filter(pk=case.pk).exists()
    audits = access.may(user, Permission.AUDIT, contract_id=finding.audit.contract_id)
    context = {
        "at": clock.now(),
        "finding": finding,
        "audit": finding.audit,
        "tone": TONES[State(finding.state)],
        "case": case if sees else None,
        "may_answer": finding.state == State.OPEN and audit_findings.may_answer(finding, user),
        "may_follow_up": finding.state != State.CLOSED and finding.case_number is None
        and audits and user.pk in (finding.audit.auditor_id, finding.audit.second_id),
        "may_close": finding.state == State.ANSWERED and audits,
    }  # fmt: skip
    return render(request, "audits/audit_finding.html", context)


def _step(finding: AuditFinding, form: Any, title: str, submit: str) -> Step:
    face = clockface.of(finding.answer_by, now=clock.now(), zone=local_zone())
    return Step(title=title, submit=submit, form=form, back=finding.path, text=finding.text, face=face)


@requires()
@both
def answer(request: HttpRequest, pk: int, number: int) -> HttpResponse:
    """What the audited say to it."""
    finding, user, at = load_finding(request, pk, number), person(request), clock.now()
    if not audit_findings.may_answer(finding, user, at=at):
        raise PermissionDenied
    form = AnswerForm(request.POST or None)

    def verb(good: dict[str, Any]) -> str:
        audit_findings.answer(finding, accepted=good["verdict"] == "yes", text=good["text"], by=user, at=at)
        return _("Answered. The auditor is told.")

    return take_step(request, _step(finding, form, _("Answer the finding"), _("Answer")), verb)


@requires()
@require_POST
def follow_up(request: HttpRequest, pk: int, number: int) -> HttpResponse:
    """Report a non-compliance for the finding."""
    finding, user, at = load_finding(request, pk, number), person(request), clock.now()
    try:
        case = audit_findings.follow_up(finding, by=user, at=at)
    except Refused as refusal:
        return refuse(request, refusal, finding.path)
    return go(request, finding.path, _("%(ref)s is reported; its seven days run.") % {"ref": case.reference})


@requires()
@both
def close(request: HttpRequest, pk: int, number: int) -> HttpResponse:
    """The auditor is content."""
    finding, user, at = load_finding(request, pk, number), person(request), clock.now()
    if not access.may(user, Permission.AUDIT, contract_id=finding.audit.contract_id):
        raise PermissionDenied
    form = TextForm(request.POST or None, label=_("What you looked at"))

    def verb(good: dict[str, Any]) -> str:
        audit_findings.close(finding, note=good["text"], by=user, at=at)
        return _("The finding is closed.")

    return take_step(request, _step(finding, form, _("Close the finding"), _("Close")), verb)
