"""The matrix of people and courses; what is recorded about others: training elsewhere, more attempts."""

from __future__ import annotations

import dataclasses

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from csp import access, clock
from csp.access import Refused, person, requires
from csp.models import RoleGrant, Team
from csp.roles import Permission, Role
from tickets.views.door import Step, go, local_zone, take_step
from training import courses, gate, matrix, records
from training.forms import EvidenceForm, ReasonForm
from training.matrix import Line
from training.models import Course, CourseVersion
from training.views.teaching import uploaded

PAGE = 50


@dataclasses.dataclass(frozen=True, slots=True)
class Total:
    """How many of those of whom a course is required have it."""

    percent: int
    state: str


@requires(Permission.SEE_TRAINING)
@require_GET
def index(request: HttpRequest) -> HttpResponse:
    """Everybody whom one oversees, by what runs out next."""
    user, at = person(request), clock.now()
    contracts = access.contracts_of(user)
    people = matrix.people_of(user, at).order_by("name", "pk")
    offered = matrix.offered_to([contract.pk for contract in contracts])
    facts = matrix.read(list(people), offered, at=at, zone=local_zone())
    lines = sorted((matrix.line(one, facts) for one in people), key=lambda row: row.key)
    counts = {"soon": sum(row.has("soon") for row in lines), "over": sum(row.has("over") for row in lines)}
    teams = Team.objects.filter(contract__in=contracts, is_active=True).order_by("name", "pk")
    team, role, show = (request.GET.get(name, "") for name in ("team", "role", "show"))
    held = facts.grants
    if team.isdecimal():
        lines = [row for row in lines if any(str(grant.team_id) == team for grant in held.get(row.user.pk, []))]
    if role in Role.values:
        lines = [row for row in lines if any(grant.role == role for grant in held.get(row.user.pk, []))]
    if show in counts:
        lines = [row for row in lines if row.has(show)]
    shown, after = _page(lines, request.GET.get("after", ""))
    context = {
        "at": at,
        "courses": [(course, term_of(course)) for course in offered],
        "lines": shown,
        "after": after,
        "totals": [_total(lines, place) for place in range(len(offered))],
        "people": len(facts.grants),
        "counts": counts,
        "teams": teams,
        "roles": Role.choices,
        "chosen": {"team": team, "role": role, "show": show},
        "rules": [(contract, gate.in_force(contract, at)) for contract in contracts],
        "manages": access.may(user, Permission.MANAGE_TRAINING),
        "oversees": True,
    }
    return render(request, "training/matrix.html", context)


def term_of(course: Course) -> str:
    return _("6 months") if course.repeats else _("once")


def _page(lines: list[Line], after: str) -> tuple[list[Line], str]:
    """The lines after the person whom the cursor names."""
    start = next((place + 1 for place, row in enumerate(lines) if str(row.user.pk) == after), 0)
    shown = lines[start : start + PAGE]
    return shown, str(shown[-1].user.pk) if shown and start + PAGE < len(lines) else ""


def _total(lines: list[Line], place: int) -> Total:
    cells = [row.cells[place] for row in lines]
    asked = [cell for cell in cells if cell.is_required]
    percent = round(100 * sum(cell.is_valid for cell in asked) / len(asked)) if asked else 100
    return Total(percent, "over" if any(cell.state == "over" for cell in cells) else "")


@requires(Permission.MANAGE_TRAINING)
@require_http_methods(["GET", "POST"])
def evidence(request: HttpRequest) -> HttpResponse:
    """Record that somebody was trained elsewhere or in person."""
    user, at = person(request), clock.now()
    people = matrix.people_of(user, at).exclude(pk=user.pk)
    offered = matrix.offered_to([contract.pk for contract in access.contracts_of(user)])
    first = {"passed_at": at, "person": request.GET.get("person"), "course": request.GET.get("course")}
    form = EvidenceForm(request.POST or None, request.FILES or None, people=people, offered=offered, initial=first)
    if request.method == "POST" and form.is_valid():
        good = form.cleaned_data
        version = courses.current(good["course"])
        try:
            if version is None:
                raise Refused(_("This course has no version yet."))
            done = records.record_evidence(
                version, good["person"], passed_at=good["passed_at"], note=good["note"], by=user, at=at,
                files=[uploaded(upload) for upload in good["attachments"]],
            )  # fmt: skip
        except Refused as refusal:
            form.add_error(None, str(refusal))
        else:
            return go(request, reverse("certificate", args=[done.pk]), _("Recorded."))
    context = {
        "at": at, "form": form, "title": _("Record training"), "submit": _("Record it"), "oversees": True,
        "hint": _("A course elsewhere, or one that you held in person. Nobody records own attendance."),
    }  # fmt: skip
    return render(request, "training/form.html", context, status=422 if form.errors else 200)


@requires(Permission.SEE_TRAINING)
@require_GET
def one(request: HttpRequest, pk: int, course: int) -> HttpResponse:
    """One cell of the matrix: everything that is on record about this person and this course."""
    user, at = person(request), clock.now()
    someone = get_object_or_404(matrix.people_of(user, at), pk=pk)
    taught = get_object_or_404(Course.objects.filter(contract__in=access.contracts_of(user)), pk=course)
    version = courses.current(taught)
    context = {
        "at": at,
        "someone": someone,
        "may_hold": someone.pk != user.pk
        and RoleGrant.objects.filter(user=someone, team__in=access.scope_of(user).teams(Role.SUPERVISOR)).exists(),
        "course": taught,
        "version": version,
        "owed": someone.training_owed.filter(course=taught).select_related("deadline", "version").order_by("-pk")[:50],
        "done": someone.completions.filter(version__course=taught)
        .select_related("version")
        .order_by("-passed_at")[:50],
        "attempts": someone.attempts.filter(version__course=taught)
        .select_related("version")
        .order_by("-started_at")[:50],
        "exercises": someone.practice_attempts.filter(version__course=taught)
        .select_related("version__course")
        .order_by("-started_at")[:50],
        "no_attempt_left": version is not None and not records.attempts_left(version, someone),
        "manages": access.may(user, Permission.MANAGE_TRAINING) and someone != user,
        "oversees": True,
    }
    return render(request, "training/one.html", context)


@requires(Permission.MANAGE_TRAINING)
@require_http_methods(["GET", "POST"])
def again(request: HttpRequest, pk: int, version: int) -> HttpResponse:
    """Give somebody another series of attempts."""
    user, at = person(request), clock.now()
    someone = get_object_or_404(matrix.people_of(user, at), pk=pk)
    taught = get_object_or_404(
        CourseVersion.objects.select_related("course").filter(course__contract__in=access.contracts_of(user)),
        pk=version,
    )
    step = Step(
        title=_("Another series of attempts"), submit=_("Let them try again"), text=f"{someone.name}: {taught}",
        form=ReasonForm(request.POST or None, label=_("What you went through together")),
        back=reverse("training_one", args=[pk, taught.course_id]),
    )  # fmt: skip

    def verb(good: dict[str, str]) -> str:
        records.let_try_again(taught, someone, by=user, at=at, reason=good["text"])
        return _("They may try again.")

    return take_step(request, step, verb)
