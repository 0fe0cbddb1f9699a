"""My training: what I owe and have passed, a course, its test, its certificate; and checking one without signing in."""

from __future__ import annotations

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from csp import access, clock, exporting, vault
from csp.access import Refused, open_to_all, person, requires
from csp.models import Restriction, User
from csp.roles import Permission
from csp.templatetags.components import initials
from tickets.views.door import go, local_zone, refuse
from training import acknowledging, certificates, courses, gate, matrix, practice, records
from training.forms import ReasonForm, TestForm
from training.models import Assignment, Attempt, Completion, CourseFile, CourseVersion, PracticeAttempt, Proof


def may_oversee(user: User) -> bool:
    return access.may(user, Permission.SEE_TRAINING)


@requires()
@require_GET
def index(request: HttpRequest) -> HttpResponse:
    """What I have to pass, by when, what I have passed, what I have to read."""
    user, at = person(request), clock.now()
    offered = matrix.offered_to([contract.pk for contract in access.contracts_of(user)])
    facts = matrix.read([user], offered, at=at, zone=local_zone())
    mine = matrix.line(user, facts)
    latest = {course.pk: courses.current(course) for course in offered}
    pairs = [(course, cell, latest[course.pk]) for course, cell in zip(offered, mine.cells, strict=True)]
    limits = Restriction.objects.in_force(at).filter(user=user, cause__startswith="training:").order_by("pk")
    context = {
        "at": at,
        "line": mine,
        "required": [row for row in pairs if row[1].is_required or row[1].owed],
        "others": [row for row in pairs if not (row[1].is_required or row[1].owed)],
        "limits": {row.get_kind_display(): row.path for row in limits},
        "certificates": Completion.objects.filter(user=user).select_related("version__course").order_by("-passed_at"),
        "texts": acknowledging.texts_for(user, at),
        "oversees": may_oversee(user),
    }
    return render(request, "training/mine.html", context)


def _version(request: HttpRequest, pk: int) -> CourseVersion:
    """A published version of a contract that one works under."""
    rows = CourseVersion.objects.filter(
        published_at__isnull=False, course__contract__in=access.contracts_of(person(request))
    )
    return get_object_or_404(rows.select_related("course__contract"), pk=pk)


@requires()
@require_GET
def course(request: HttpRequest, pk: int) -> HttpResponse:
    """The material, and the way to the test."""
    user, at, version = person(request), clock.now(), _version(request, pk)
    refusal = ""
    try:
        records.check_can_start(version, user)
    except Refused as no:
        refusal = str(no)
    attempts = Attempt.objects.filter(user=user, version=version).order_by("-number")
    context = {
        "at": at,
        "version": version,
        "material": courses.html(version.material),
        "attempts": attempts,
        "going": next((row for row in attempts if row.finished_at is None), None),
        "left": records.attempts_left(version, user),
        "refusal": refusal,
        "latest": courses.current(version.course),
        "practises": records.practises(version, user, at=at),
        "exercises": PracticeAttempt.objects.filter(user=user, version=version).order_by("-number"),
        "exercises_left": practice.attempts_left(version, user),
        "completion": Completion.objects.filter(user=user, version=version).order_by("-passed_at").first(),
        "owed": Assignment.objects.owed().filter(user=user, course=version.course).select_related("deadline").first(),
        "oversees": may_oversee(user),
    }
    return render(request, "training/course.html", context)


@requires()
@require_POST
def start(request: HttpRequest, pk: int) -> HttpResponse:
    version = _version(request, pk)
    try:
        attempt = records.start(version, by=person(request), at=clock.now())
    except Refused as refusal:
        return refuse(request, refusal, reverse("course_take", args=[version.pk]))
    return go(request, reverse("test", args=[attempt.pk]))


@requires()
@require_http_methods(["GET", "POST"])
def test(request: HttpRequest, pk: int) -> HttpResponse:
    """The questions of one's own attempt; after it, the mark."""
    user, at = person(request), clock.now()
    rows = Attempt.objects.filter(user=user).select_related("version__course__contract")
    attempt = get_object_or_404(rows, pk=pk)
    if attempt.finished_at is not None:
        return _graded(request, attempt)
    form = TestForm(request.POST or None, asked=records.asked(attempt))
    if request.method == "POST" and form.is_valid():
        try:
            records.finish(attempt, form.ticked(), by=user, at=at)
        except Refused as refusal:
            form.add_error(None, str(refusal))
        else:
            return go(request, reverse("test", args=[pk]))
    context = {"at": at, "attempt": attempt, "form": form, "oversees": may_oversee(user)}
    return render(request, "training/test.html", context, status=422 if form.errors else 200)


def _graded(request: HttpRequest, attempt: Attempt) -> HttpResponse:
    user = person(request)
    context = {
        "at": clock.now(),
        "attempt": attempt,
        "lacks_practice": records.lacks_practice(attempt.version, user),
        "percent": round(100 * (attempt.right or 0) / attempt.out_of) if attempt.out_of else 0,
        "missed": records.missed(attempt),
        "left": records.attempts_left(attempt.version, user),
        "completion": Completion.objects.filter(attempt=attempt).first(),
        "oversees": may_oversee(user),
    }
    return render(request, "training/graded.html", context)


# ---------------------------------------------------------------- certificates and files


def _completion(request: HttpRequest, pk: int) -> Completion:
    """One's own, or that of somebody whom one oversees."""
    user = person(request)
    rows = Completion.objects.select_related("version__course__contract", "user", "recorded_by")
    row = get_object_or_404(rows, pk=pk)
    if row.user_id != user.pk:
        people = matrix.people_of(user, clock.now())
        get_object_or_404(people if may_oversee(user) else people.none(), pk=row.user_id)
    return row


@requires()
@require_GET
def certificate(request: HttpRequest, pk: int) -> HttpResponse:
    done = _completion(request, pk)
    context = {
        "at": clock.now(),
        "done": done,
        "files": done.files.order_by("pk"),
        "later": records.superseded_by(done),
        "verify_url": f"{settings.SITE_URL}{reverse('verify_code', args=[done.code])}",
        "oversees": may_oversee(person(request)),
    }
    return render(request, "training/certificate.html", context)


@requires()
@require_GET
def certificate_pdf(request: HttpRequest, pk: int) -> HttpResponse:
    done = _completion(request, pk)
    address = f"{settings.SITE_URL}{reverse('verify')}"
    content = certificates.pdf(done, address=address, zone=done.version.course.contract.zoneinfo)
    name = f"{done.version.course.code}-{done.code}.pdf"
    return _hand_out(request, done, content, name, "application/pdf")


def _hand_out(
    request: HttpRequest, done: Completion, content: bytes, name: str, kind: str = "application/octet-stream"
) -> HttpResponse:
    """A paper of somebody's training. That somebody else takes it is on record."""
    user, contract = person(request), done.version.course.contract
    if user.pk == done.user_id:
        return exporting.download(content, name, kind)
    taking = exporting.Taking(user, "training.completion", kind.partition("/")[2][:8], {"name": name}, contract)
    return exporting.at_once(
        taking, content, name=name, content_type=kind, at=clock.now(), about=[f"user:{done.user_id}"]
    )


@requires()
@require_GET
def file(request: HttpRequest, pk: int) -> HttpResponseBase:
    """A file of a course's material."""
    rows = CourseFile.objects.filter(version__course__contract__in=access.contracts_of(person(request)))
    if not access.may(request.user, Permission.MANAGE_TRAINING):
        rows = rows.filter(version__published_at__isnull=False)
    row = get_object_or_404(rows.select_related("blob__key"), pk=pk)
    return exporting.download(vault.read(row.blob), row.name)


@requires()
@require_GET
def proof(request: HttpRequest, pk: int) -> HttpResponseBase:
    """A file that shows that somebody attended."""
    row = get_object_or_404(Proof.objects.select_related("blob__key"), pk=pk)
    return _hand_out(request, _completion(request, row.completion_id), vault.read(row.blob), row.name)


@open_to_all
@require_GET
def verify(request: HttpRequest, code: str = "") -> HttpResponse:
    """Whether a certificate is genuine: the course, the day and initials, and only for whoever has the code."""
    typed = code or request.GET.get("code", "")[:60]
    done = records.by_code(typed) if typed else None
    context = {
        "typed": typed,
        "done": done,
        "initials": initials(done.user.name) if done else "",
        "later": records.superseded_by(done) if done else None,
    }
    return render(request, "training/verify.html", context, status=404 if typed and done is None else 200)


# ---------------------------------------------------------------- what I owe, read and appeal


@requires()
@require_http_methods(["GET", "POST"])
def owed(request: HttpRequest, pk: int) -> HttpResponse:
    """One course that somebody owes: since when, by when, what it limits; the one concerned may appeal."""
    user, at = person(request), clock.now()
    rows = Assignment.objects.select_related("course", "user", "gate", "deadline", "version", "completion", "contract")
    row = get_object_or_404(rows, pk=pk)
    may_decide = gate.can_decide(row, user, at)
    if row.user_id != user.pk and not may_decide:
        get_object_or_404(matrix.people_of(user, at) if may_oversee(user) else User.objects.none(), pk=row.user_id)
    appeal = getattr(row, "appeal", None)
    may_appeal = row.user_id == user.pk and row.ended_at is None and row.restricted_at is not None and appeal is None
    form = ReasonForm(
        request.POST or None, label=_("Why it is wrong"),
        hint=_("Your work stays limited until somebody who had no part in it has decided."),
    )  # fmt: skip
    if request.method == "POST" and form.is_valid():
        try:
            gate.appeal(row, by=user, at=at, text=form.cleaned_data["text"])
        except Refused as refusal:
            form.add_error(None, str(refusal))
        else:
            return go(request, reverse("training_owed", args=[pk]), _("Your appeal is on its way."))
    limits = Restriction.objects.filter(cause=row.trail_subject).order_by("pk")
    context = {
        "at": at,
        "row": row,
        "appeal": appeal,
        "latest": courses.current(row.course),
        "limits": [(limit, limit.ends_at is None or limit.ends_at > at) for limit in limits],
        "form": form if may_appeal else None,
        "may_decide": may_decide and appeal is not None and appeal.decided_at is None,
        "oversees": may_oversee(user),
    }
    return render(request, "training/owed.html", context, status=422 if form.errors else 200)


@requires()
@require_http_methods(["GET", "POST"])
def text(request: HttpRequest, kind: str, pk: int) -> HttpResponse:
    """The contract or the privacy policy, to be read and acknowledged."""
    user, at = person(request), clock.now()
    found = next((one for one in acknowledging.texts_for(user, at) if (one.kind, one.number) == (kind, pk)), None)
    if found is None:
        raise Http404
    if request.method == "POST":
        back = reverse("training")
        try:
            acknowledging.acknowledge(kind, pk, by=user, at=at)
        except Refused as refusal:
            return refuse(request, refusal, back)
        return go(request, back, _("Recorded: you have read it."))
    context = {"at": at, "text": found, "body": courses.html(found.body), "oversees": may_oversee(user)}
    return render(request, "training/text.html", context)
