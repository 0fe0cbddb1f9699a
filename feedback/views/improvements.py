"""Findings and what is done about them: written, decided, done, verified, measured (clause 7.2)."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.core.exceptions import PermissionDenied
from django.core.files.uploadedfile import UploadedFile
from django.db.models import Count
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from csp import access, clock, clockface, exporting, trail, vault
from csp.access import Refused, person, requires, scope_of
from csp.events import Act
from csp.models import Deadline, Team, User
from csp.roles import Permission as P
from csp.roles import Role
from feedback import effects, improvements, themes
from feedback.effects import Figure
from feedback.forms import AgreeForm, DoneForm, FindingForm, OneReasonForm, ProcedureChoiceForm, VerdictForm
from feedback.models import ActionItem, Finding, Remark, Theme, Work, WorkFile
from feedback.views.tabs import shell
from feedback.views.themes import load as load_theme
from tickets import files
from tickets.models import Ticket
from tickets.views.door import Step, local_zone, number_in, take_step

PAGE = 50
Doing = ActionItem.State


@requires(P.SEE_FEEDBACK, P.SEE_FEEDBACK_GROUPS)
@require_GET
def index(request: HttpRequest) -> HttpResponse:
    """Findings and action items that this person sees; what runs first, by what falls due."""
    user, at = person(request), clock.now()
    findings = Finding.objects.visible_to(user).select_related("team", "act", "written_by", "theme")
    items = ActionItem.objects.visible_to(user).select_related("finding__team", "owner", "deadline", "effect")
    open_ = items.filter(state__in=[Doing.PLANNED, Doing.DONE]).order_by("deadline__due_at", "pk")
    ended = items.filter(state__in=[Doing.VERIFIED, Doing.WITHDRAWN]).order_by("-pk")
    after = number_in(request.GET.get("after", ""))
    decided = findings.exclude(state=Finding.State.OPEN).order_by("-pk")
    page = list((decided.filter(pk__lt=after) if after is not None else decided)[: PAGE + 1])
    context = {
        "at": at,
        "waiting": list(findings.filter(state=Finding.State.OPEN).order_by("act__due_at", "pk")),
        "decided": page[:PAGE],
        "after": page[PAGE - 1].pk if len(page) > PAGE else "",
        "running": [(item, _clock_of(item)) for item in open_[:PAGE]],
        "ended": [(item, *_figures(item, at)) for item in ended[:PAGE]],
        "may_write": access.may(user, P.WRITE_FINDINGS),
        "sees_findings": access.may(user, P.SEE_FEEDBACK),
        **shell(user, "findings"),
    }
    return render(request, "feedback/findings.html", context)


def _clock_of(item: ActionItem) -> Deadline:
    """What runs: that it is done, or that somebody verifies it."""
    if item.state == Doing.DONE and (work := item.works.select_related("verify").order_by("-pk").first()) is not None:
        return work.verify
    return item.deadline


def _figures(item: ActionItem, at: dt.datetime) -> tuple[Figure, Figure | None, bool]:
    """Before, after, and whether the days after are over. Without a verified work there is no after."""
    before = Figure.of_json(item.before)
    effect = getattr(item, "effect", None)
    if effect is not None:
        return before, Figure.of_json(effect.after), True
    moment = improvements.done_at(item)
    return before, effects.after(item, moment, at) if moment is not None else None, False


# ---------------------------------------------------------------- findings


def _teams(user: User) -> Any:
    scope = scope_of(user)
    rows = Team.objects.filter(is_active=True)
    mine = rows.filter(pk__in=scope.teams(Role.SUPERVISOR)) | rows.filter(contract__in=scope.contracts(Role.ANALYST))
    return mine.order_by("name", "pk")


@requires(P.WRITE_FINDINGS)
@require_http_methods(["GET", "POST"])
def write(request: HttpRequest) -> HttpResponse:
    """A finding by hand."""
    return _write(request, None)


@requires(P.WRITE_FINDINGS)
@require_http_methods(["GET", "POST"])
def write_from(request: HttpRequest, pk: int) -> HttpResponse:
    """A finding out of a theme."""
    return _write(request, load_theme(request, pk))


def _write(request: HttpRequest, theme: Theme | None) -> HttpResponse:
    user, at = person(request), clock.now()
    initial: dict[str, Any] = {}
    if theme is not None:
        initial = {"clause": theme.clause, "team": theme.team_id or _most_told(theme), "title": theme.name}
    form = FindingForm(request.POST or None, teams=_teams(user), theme=theme, initial=initial)
    step = Step(
        title=_("Write a finding"), submit=_("Put it to the supervisors"), form=form,
        back=theme.path if theme is not None else reverse("findings"),
        text=_("They act on it within ten days, or say why not."),
    )  # fmt: skip

    def verb(typed: dict[str, Any]) -> str:
        remarks, tickets = improvements.named_in(typed.pop("about"), user)
        finding = improvements.write(
            typed.pop("team"), theme=theme, remarks=remarks, tickets=tickets, by=user, at=at, **typed
        )
        step.back = finding.path
        return _("Written down as %(reference)s.") % {"reference": finding.reference}

    return take_step(request, step, verb)


def _most_told(theme: Theme) -> int | None:
    """The team that heard most of a theme that is of no team in particular."""
    rows = themes.remarks_of(theme).order_by().values("team").annotate(n=Count("pk")).order_by("-n", "team")
    return next((row["team"] for row in rows[:1]), None)


def load(request: HttpRequest, pk: int) -> Finding:
    rows = Finding.objects.visible_to(person(request)).select_related(
        "contract", "team", "theme", "act", "written_by", "refusal__by"
    )
    return get_object_or_404(rows, pk=pk)


@requires()
@require_GET
def show(request: HttpRequest, pk: int) -> HttpResponse:
    """What was found, what it rests on, what was decided, and how far that has come."""
    user, at, finding = person(request), clock.now(), load(request, pk)
    items = list(finding.items.select_related("owner", "deadline", "effect").order_by("pk"))
    may_decide = improvements.can_decide(finding, user, at=at)
    is_refused = finding.state == Finding.State.REFUSED
    evidence = finding.evidence
    remarks = Remark.objects.visible_to(user).filter(pk__in=evidence["remarks"]).order_by("-received_at", "-pk")
    tickets = Ticket.objects.visible_to(user) if access.may(user, P.SEE_TICKETS) else Ticket.objects.none()
    context = {
        "at": at,
        "finding": finding,
        "evidence": evidence,
        "since": _day(evidence["since"]),
        "until": _day(evidence["until"]),
        "remarks": list(remarks.select_related("team")[:10]),
        "tickets": list(tickets.filter(pk__in=evidence["tickets"])),
        "items": [(item, _clock_of(item)) for item in items],
        "chain": improvements.chain_of(finding),
        "refusal": getattr(finding, "refusal", None),
        "may_agree": may_decide and not is_refused,
        "may_refuse": may_decide and finding.state == Finding.State.OPEN and finding.written_by_id != user.pk,
        "may_change": may_decide and not is_refused,
        "may_texts": access.may(user, P.MANAGE_TEXTS),
        "may_courses": access.may(user, P.SEE_TRAINING),
    }
    return render(request, "feedback/finding.html", context)


def _day(moment: str | None) -> dt.datetime | None:
    return dt.datetime.fromisoformat(moment) if moment else None


@requires(P.DECIDE_FINDINGS)
@require_http_methods(["GET", "POST"])
def agree(request: HttpRequest, pk: int) -> HttpResponse:
    """Agree an action item."""
    user, at, finding = person(request), clock.now(), load(request, pk)
    form = AgreeForm(request.POST or None, finding=finding, at=at)
    step = Step(
        title=_("Agree an action"), submit=_("Agree it"), form=form, back=finding.path, text=finding.title,
        face=_face(finding, at),
    )  # fmt: skip

    def verb(typed: dict[str, Any]) -> str:
        day = typed.pop("day") + dt.timedelta(days=1)
        due_at = dt.datetime.combine(day, dt.time(), finding.contract.zoneinfo)
        item = improvements.agree(finding, due_at=due_at, by=user, at=at, **typed)
        return _("Agreed as %(reference)s. %(name)s was told.") % {
            "reference": item.reference, "name": item.owner.name
        }  # fmt: skip

    return take_step(request, step, verb)


def _face(finding: Finding, at: dt.datetime) -> clockface.ClockFace:
    return clockface.of(finding.act, now=at, zone=local_zone())


@requires(P.DECIDE_FINDINGS)
@require_http_methods(["GET", "POST"])
def refuse_finding(request: HttpRequest, pk: int) -> HttpResponse:
    """Decide not to act on it."""
    user, at, finding = person(request), clock.now(), load(request, pk)
    step = Step(
        title=_("Do not act on it"), submit=_("Decide not to act"), form=OneReasonForm(request.POST or None),
        back=finding.path, text=_("It shows as not acted on, with your reason."), face=_face(finding, at),
    )  # fmt: skip

    def verb(typed: dict[str, Any]) -> str:
        improvements.refuse(finding, reason=typed["reason"], by=user, at=at)
        return _("Decided. Whoever wrote it was told.")

    return take_step(request, step, verb)


@requires(P.DECIDE_FINDINGS)
@require_http_methods(["GET", "POST"])
def procedure(request: HttpRequest, pk: int) -> HttpResponse:
    """Begin the next version of a procedure because of it."""
    user, at, finding = person(request), clock.now(), load(request, pk)
    form = ProcedureChoiceForm(request.POST or None, contract=finding.contract)
    step = Step(
        title=_("Change a procedure"), submit=_("Open the draft"), form=form, back=finding.path, text=finding.title
    )

    def verb(typed: dict[str, Any]) -> str:
        change = improvements.change_procedure(finding, typed["category"], by=user, at=at)
        step.back = reverse("procedure", args=[change.version.procedure_id])
        return _("Write what changes; the finding is named as the reason.")

    return take_step(request, step, verb)


# ---------------------------------------------------------------- action items


def load_item(request: HttpRequest, pk: int) -> ActionItem:
    rows = ActionItem.objects.visible_to(person(request)).select_related(
        "finding__contract", "finding__team", "finding__theme", "owner", "agreed_by", "deadline", "effect"
    )
    return get_object_or_404(rows.distinct(), pk=pk)


def _waiting(item: ActionItem) -> Work | None:
    """The work that nobody has judged yet."""
    return item.works.filter(check_made__isnull=True).select_related("item__finding").order_by("-pk").first()


@requires()
@require_GET
def item(request: HttpRequest, pk: int) -> HttpResponse:
    """One action item: what is done, what was, and the figure before and after."""
    user, at, row = person(request), clock.now(), load_item(request, pk)
    works = list(row.works.select_related("by", "verify", "check_made__by").prefetch_related("files").order_by("pk"))
    waiting = _waiting(row)
    before, after, is_whole = _figures(row, at)
    change = after.value - before.value if after and after.value is not None and before.value is not None else None
    context = {
        "at": at,
        "item": row,
        "finding": row.finding,
        "sees_finding": Finding.objects.visible_to(user).filter(pk=row.finding_id).exists(),
        "works": works,
        "clock": _clock_of(row),
        "before": before,
        "after": after,
        "is_whole": is_whole,
        "change": change,
        "is_better": change is not None and effects.is_better(row.measure, change),
        "is_share": row.measure in (ActionItem.Measure.LATE, ActionItem.Measure.LOW),
        "may_do": row.state == Doing.PLANNED and improvements.may_do(row, user),
        "may_verify": waiting is not None and _may_verify(waiting, user, at),
        "may_withdraw": row.state == Doing.PLANNED and improvements.can_decide(row.finding, user, at=at),
    }
    return render(request, "feedback/item.html", context)


def _may_verify(work: Work, user: User, at: dt.datetime) -> bool:
    try:
        improvements.check_can_verify(work, user, at)
    except Refused:
        return False
    return True


def _evidence(upload: UploadedFile[Any]) -> improvements.File:
    content = upload.read()
    name = "".join(sign for sign in (upload.name or "") if sign.isprintable()).strip()
    return improvements.File(name, files.kind_of(content), content)


@requires()
@require_http_methods(["GET", "POST"])
def done(request: HttpRequest, pk: int) -> HttpResponse:
    """Say that it is done."""
    user, at, row = person(request), clock.now(), load_item(request, pk)
    if not improvements.may_do(row, user):
        raise PermissionDenied
    form = DoneForm(request.POST or None, request.FILES or None)
    face = clockface.of(row.deadline, now=at, zone=local_zone())
    step = Step(
        title=_("Say that it is done"), submit=_("It is done"), form=form, back=row.path, text=row.what, face=face
    )

    def verb(typed: dict[str, Any]) -> str:
        uploads = [_evidence(upload) for upload in typed["evidence"]]
        improvements.do(row, text=typed["text"], files=uploads, by=user, at=at)
        return _("Done. Somebody independent verifies it.")

    return take_step(request, step, verb)


@requires()
@require_http_methods(["GET", "POST"])
def verify(request: HttpRequest, pk: int) -> HttpResponse:
    """Verify what was done."""
    user, at, row = person(request), clock.now(), load_item(request, pk)
    work = _waiting(row)
    if work is None:
        raise Http404
    if not improvements.may_judge(row.finding, user, at=at):
        raise PermissionDenied
    step = Step(
        title=_("Verify it"), submit=_("Save the result"), form=VerdictForm(request.POST or None), back=row.path,
        text=work.text[:500], face=clockface.of(work.verify, now=at, zone=local_zone()),
    )  # fmt: skip

    def verb(typed: dict[str, Any]) -> str:
        accepted = typed["verdict"] == "yes"
        improvements.verify(work, accepted=accepted, note=typed["note"], by=user, at=at)
        return _("Verified.") if accepted else _("Rejected. The first due time stands.")

    return take_step(request, step, verb)


@requires(P.DECIDE_FINDINGS)
@require_http_methods(["GET", "POST"])
def withdraw(request: HttpRequest, pk: int) -> HttpResponse:
    """Take back what is not going to be done."""
    user, at, row = person(request), clock.now(), load_item(request, pk)
    step = Step(
        title=_("Withdraw the action"), submit=_("Withdraw"), form=OneReasonForm(request.POST or None),
        back=row.finding.path, text=row.what,
    )  # fmt: skip

    def verb(typed: dict[str, Any]) -> str:
        improvements.withdraw(row, reason=typed["reason"], by=user, at=at)
        return _("Withdrawn. It stays on record.")

    return take_step(request, step, verb)


@requires()
@require_GET
def file(request: HttpRequest, pk: int) -> HttpResponse:
    """A file of evidence, as a download that no browser runs. Each reading is recorded."""
    user, at = person(request), clock.now()
    seen = ActionItem.objects.visible_to(user)
    row = get_object_or_404(
        WorkFile.objects.select_related("blob__key", "work__item").filter(work__item__in=seen), pk=pk
    )
    try:
        content = vault.read(row.blob)
    except vault.Unreadable as error:
        raise Http404 from error
    trail.record(
        Act.ITEM_EVIDENCE_READ, f"evidence:{row.pk}:{user.pk}", by=user, at=at,
        context=row.work.item.trail_subject, facts={"file": row.pk},
    )  # fmt: skip
    return exporting.download(content, row.name)
