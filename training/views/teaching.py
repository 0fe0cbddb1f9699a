"""Courses as those who manage training see them: the list, a course with its versions, writing and publishing one."""

from __future__ import annotations

from django.core.files.uploadedfile import UploadedFile
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from csp import access, clock
from csp.access import Refused, person, requires
from csp.roles import Permission, Role
from tickets import files
from tickets.views.door import go, refuse
from training import courses
from training.courses import File
from training.forms import CourseForm, DraftForm, practice_as_typed, questions_as_text
from training.models import Completion, Course, CourseVersion

SEES, MANAGES = Permission.SEE_TRAINING, Permission.MANAGE_TRAINING


def uploaded(upload: UploadedFile[bytes]) -> File:
    content = upload.read()
    name = "".join(sign for sign in (upload.name or "") if sign.isprintable()).strip()
    return File(name or _("file"), files.kind_of(content), content)


def load(request: HttpRequest, pk: int) -> Course:
    rows = Course.objects.filter(contract__in=access.contracts_of(person(request)))
    return get_object_or_404(rows.select_related("contract"), pk=pk)


def load_version(request: HttpRequest, pk: int) -> CourseVersion:
    rows = CourseVersion.objects.filter(course__contract__in=access.contracts_of(person(request)))
    return get_object_or_404(rows.select_related("course__contract", "written_by", "published_by"), pk=pk)


@requires(SEES)
@require_GET
def index(request: HttpRequest) -> HttpResponse:
    """Every course, taught ones first."""
    user = person(request)
    rows = Course.objects.filter(contract__in=access.contracts_of(user)).select_related("contract")
    versions: dict[int, list[CourseVersion]] = {}
    for version in CourseVersion.objects.filter(course__in=rows).defer("material").order_by("-number"):
        versions.setdefault(version.course_id, []).append(version)
    found = []
    for course in rows.order_by("retired_at", "clause", "pk"):
        mine = versions.get(course.pk, [])
        found.append(
            {
                "course": course,
                "roles": [Role(code).label for code in course.roles],
                "current": next((row for row in mine if row.published_at), None),
                "draft": next((row for row in mine if not row.published_at), None),
            }
        )
    context = {"at": clock.now(), "rows": found, "manages": access.may(user, MANAGES), "oversees": True}
    return render(request, "training/courses.html", context)


@requires(SEES)
@require_GET
def show(request: HttpRequest, pk: int) -> HttpResponse:
    """One course: its versions, what changed between them, who passed."""
    user, course = person(request), load(request, pk)
    versions = list(course.versions.select_related("written_by", "published_by").order_by("-number"))
    wanted = request.GET.get("version", "")
    shown = next((row for row in versions if str(row.number) == wanted), versions[0] if versions else None)
    older = next((row for row in versions if shown and row.number < shown.number), None)
    questions = None
    if shown is not None and request.GET.get("answers") == "shown":
        opened = shown.opened_by.filter(user=user).exists()
        questions = list(shown.questions.order_by("number")) if opened else None
    context = {
        "at": clock.now(),
        "course": course,
        "versions": versions,
        "shown": shown,
        "older": older,
        "difference": courses.difference(older, shown) if shown and older else [],
        "material": courses.html(shown.material) if shown else "",
        "files": shown.files.order_by("pk") if shown else [],
        "passed": Completion.objects.filter(version=shown).count() if shown else 0,
        "questions": questions,
        "count": shown.questions.count() if shown else 0,
        "draft": next((row for row in versions if row.published_at is None), None),
        "manages": access.may(user, MANAGES),
        "oversees": True,
    }
    return render(request, "training/teach.html", context)


@requires(MANAGES)
@require_http_methods(["GET", "POST"])
def add(request: HttpRequest) -> HttpResponse:
    user, at = person(request), clock.now()
    form = CourseForm(request.POST or None, contracts=access.contracts_of(user))
    if request.method == "POST" and form.is_valid():
        try:
            draft = courses.add(by=user, at=at, **form.cleaned_data)
        except Refused as refusal:
            form.add_error(None, str(refusal))
        else:
            return go(request, reverse("course_draft", args=[draft.pk]))
    context = {"at": at, "form": form, "title": _("A new course"), "submit": _("Begin"), "oversees": True}
    return render(request, "training/form.html", context, status=422 if form.errors else 200)


@requires(MANAGES)
@require_POST
def revise(request: HttpRequest, pk: int) -> HttpResponse:
    """Begin the next version."""
    course = load(request, pk)
    try:
        draft = courses.revise(course, by=person(request), at=clock.now())
    except Refused as refusal:
        return refuse(request, refusal, reverse("course", args=[pk]))
    return go(request, reverse("course_draft", args=[draft.pk]))


@requires(MANAGES)
@require_http_methods(["GET", "POST"])
def write(request: HttpRequest, pk: int) -> HttpResponse:
    """Write on a draft, look at it, and publish it."""
    user, at, version = person(request), clock.now(), load_version(request, pk)
    back = reverse("course", args=[version.course_id])
    if version.published_at is not None:
        return refuse(request, Refused(_("A published version does not change. Begin a new one.")), back)
    try:
        courses.open_answers(version, by=user, at=at)
    except Refused as refusal:
        return refuse(request, refusal, back)
    first = {name: getattr(version, name) for name in courses.FIELDS} | {"questions": questions_as_text(version)}
    first |= practice_as_typed(version)
    form = DraftForm(request.POST or None, request.FILES or None, initial=first)
    if request.method == "POST" and form.is_valid():
        good = form.cleaned_data
        attached = [uploaded(upload) for upload in good["attachments"]]
        publishes = "publish" in request.POST
        try:
            courses.set_practice(version, form.practice(), by=user, at=at)
            courses.write(version, good, good["questions"], attached, and_publish=publishes, by=user, at=at)
        except Refused as refusal:
            form.add_error(None, str(refusal))
        else:
            return go(request, back if publishes else request.path, _("Published.") if publishes else _("Saved."))
    context = {
        "at": at, "version": version, "form": form, "material": courses.html(version.material), "oversees": True,
        "files": version.files.order_by("pk"),
    }  # fmt: skip
    return render(request, "training/draft.html", context, status=422 if form.errors else 200)


@requires(MANAGES)
@require_POST
def answers(request: HttpRequest, pk: int) -> HttpResponse:
    """Open the right answers of a version: on record, and not of an own test."""
    version = load_version(request, pk)
    back = f"{reverse('course', args=[version.course_id])}?version={version.number}"
    try:
        courses.open_answers(version, by=person(request), at=clock.now())
    except Refused as refusal:
        return refuse(request, refusal, back)
    return go(request, f"{back}&answers=shown")


@requires(MANAGES)
@require_POST
def retire(request: HttpRequest, pk: int) -> HttpResponse:
    course = load(request, pk)
    back = reverse("course", args=[pk])
    try:
        courses.retire(course, by=person(request), at=clock.now())
    except Refused as refusal:
        return refuse(request, refusal, back)
    return go(request, back, _("This course is not taught any more."))
