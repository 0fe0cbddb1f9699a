"""Corrective actions: what is mine to do or to verify, one of them, its evidence (clause 8.1)."""

from __future__ import annotations

from typing import Any

from django.core.files.uploadedfile import UploadedFile
from django.db.models import Q
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from audits import corrective, independence
from audits.forms import ImplementForm, TextForm, VerdictForm
from audits.models import CorrectiveAction, EvidenceFile, Implementation, NonCompliance, Verification
from csp import clock, clockface, exporting, offices, trail, vault
from csp.access import Refused, person, requires
from csp.events import Act
from csp.models import User
from tickets import files
from tickets.views.door import Step, go, local_zone, take_step

Doing = CorrectiveAction.State


def visible(user: User) -> Q:
    """Actions that are one's own, of the cases that one sees, and, to judge them, of the contracts one represents."""
    represented = offices.contracts_of(user, *offices.REPRESENTATIVES)
    return (
        Q(owner=user)
        | Q(case__in=NonCompliance.objects.visible_to(user))
        | Q(case__contract__in=represented, state=Doing.IMPLEMENTED)
    )


def load(request: HttpRequest, pk: int) -> CorrectiveAction:
    rows = CorrectiveAction.objects.filter(visible(person(request)))
    return get_object_or_404(rows.select_related("case__correct", "case__contract", "case__team", "owner"), pk=pk)


@requires()
@require_GET
def index(request: HttpRequest) -> HttpResponse:
    """What one has to do, and what one may verify, by when it is due."""
    user, at = person(request), clock.now()
    context = {"at": at, "mine": list(corrective.mine(user)[:200]), "to_verify": corrective.to_verify(user)}
    return render(request, "audits/actions.html", context)


@requires()
@require_GET
def show(request: HttpRequest, pk: int) -> HttpResponse:
    return _page(request, load(request, pk))


def _page(
    request: HttpRequest,
    action: CorrectiveAction,
    *,
    implement_form: ImplementForm | None = None,
    verdict_form: VerdictForm | None = None,
    status: int = 200,
) -> HttpResponse:
    """One action with everything that was said to be done, and the form of what comes next."""
    user, at, case = person(request), clock.now(), action.case
    done = list(
        action.implementations.select_related("by", "verify", "verification__by")
        .prefetch_related("files")
        .order_by("pk")
    )
    waiting = _waiting(done)
    may_do = action.state == Doing.PLANNED and corrective.may_implement(action, user)
    judge = waiting is not None and _may_verify(waiting, user)
    context = {
        "at": at,
        "action": action,
        "case": case,
        "sees_case": NonCompliance.objects.visible_to(user).filter(pk=case.pk).exists(),
        "done": done,
        "clock": waiting.verify if waiting else case.correct if action.state == Doing.PLANNED else None,
        "implement_form": (implement_form or ImplementForm()) if may_do else None,
        "verdict_form": (verdict_form or _verdict_form()) if judge else None,
        "may_withdraw": action.state == Doing.PLANNED and independence.may_lead(case, user, at=at),
    }
    return render(request, "audits/action.html", context, status=status)


def _waiting(done: list[Implementation]) -> Implementation | None:
    """The implementation that nobody has judged yet."""
    judged = set(Verification.objects.filter(implementation__in=done).values_list("implementation", flat=True))
    return next((row for row in reversed(done) if row.pk not in judged), None)


def _may_verify(row: Implementation, user: User) -> bool:
    try:
        corrective.check_can_verify(row, user, clock.now())
    except Refused:
        return False
    return True


def _verdict_form(data: object = None) -> VerdictForm:
    return VerdictForm(
        data,
        question=_("Was it done?"),
        yes=_("Yes, the evidence shows it"),
        no=_("No: it counts as not done, and the first due time stands"),
    )


def _evidence(upload: UploadedFile[Any]) -> corrective.File:
    content = upload.read()
    name = "".join(sign for sign in (upload.name or "") if sign.isprintable()).strip()
    return corrective.File(name, files.kind_of(content), content)


@requires()
@require_POST
def implement(request: HttpRequest, pk: int) -> HttpResponse:
    """Say that it is done, with evidence."""
    action, user, at = load(request, pk), person(request), clock.now()
    form = ImplementForm(request.POST, request.FILES)
    if form.is_valid():
        evidence = [_evidence(upload) for upload in form.cleaned_data["evidence"]]
        try:
            corrective.implement(action, by=user, at=at, text=form.cleaned_data["text"], files=evidence)
        except Refused as refusal:
            form.add_error(None, str(refusal))
        else:
            return go(request, reverse("corrective_action", args=[pk]), _("Done. Somebody independent verifies it."))
    return _page(request, action, implement_form=form, status=422)


@requires()
@require_POST
def verify(request: HttpRequest, pk: int) -> HttpResponse:
    """Accept or reject what was said to be done."""
    action, user, at = load(request, pk), person(request), clock.now()
    waiting = _waiting(list(action.implementations.select_related("action__case").order_by("pk")))
    form = _verdict_form(request.POST)
    if form.is_valid():
        accepted = form.cleaned_data["verdict"] == "yes"
        try:
            if waiting is None:
                raise Refused(_("There is nothing to verify at the moment."))
            corrective.verify(waiting, by=user, at=at, accepted=accepted, note=form.cleaned_data["note"])
        except Refused as refusal:
            form.add_error(None, str(refusal))
        else:
            said = _("Verified.") if accepted else _("Rejected. The first due time stands.")
            return go(request, reverse("corrective_actions"), said)
    return _page(request, action, verdict_form=form, status=422)


@requires()
@require_http_methods(["GET", "POST"])
def withdraw(request: HttpRequest, pk: int) -> HttpResponse:
    """Take an action back that is not going to be done."""
    action, user, at = load(request, pk), person(request), clock.now()
    form = TextForm(request.POST or None, label=_("Why it is not done"))
    face = clockface.of(action.case.correct, now=at, zone=local_zone())
    back = reverse("noncompliance", args=[action.case_id])
    step = Step(title=_("Withdraw the action"), submit=_("Withdraw"), form=form, back=back, face=face, text=action.what)

    def verb(good: dict[str, str]) -> str:
        corrective.withdraw_action(action, by=user, at=at, reason=good["text"])
        return _("Withdrawn. It stays on record.")

    return take_step(request, step, verb)


@requires()
@require_GET
def evidence(request: HttpRequest, pk: int) -> HttpResponse:
    """A file of evidence, as a download that no browser runs. Each reading is recorded."""
    user, at = person(request), clock.now()
    seen = CorrectiveAction.objects.filter(visible(user))
    file = get_object_or_404(
        EvidenceFile.objects.select_related("blob__key", "implementation__action__case").filter(
            implementation__action__in=seen
        ),
        pk=pk,
    )
    try:
        content = vault.read(file.blob)
    except vault.Unreadable as error:
        raise Http404 from error
    trail.record(
        Act.EVIDENCE_READ,
        f"evidence:{file.pk}:{user.pk}",
        by=user,
        at=at,
        context=file.implementation.action.case.trail_subject,
        facts={"file": file.pk},
    )
    return exporting.download(content, file.name)
