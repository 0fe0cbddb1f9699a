"""Exercises: begun and handed in by whoever practises, looked at by whoever oversees them."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from csp import access, clock
from csp.access import Refused, person, requires
from csp.roles import Permission
from tickets.models import Interaction
from tickets.views.door import go, refuse
from training import matrix, practice
from training.models import CourseVersion, PracticeAttempt, PracticeScript


def load(request: HttpRequest, pk: int) -> PracticeAttempt:
    """One's own, or that of somebody whom one oversees."""
    user = person(request)
    rows = PracticeAttempt.objects.select_related("version__course__contract", "ticket", "user")
    row = get_object_or_404(rows, pk=pk)
    if row.user_id != user.pk:
        people = matrix.people_of(user, clock.now())
        may = access.may(user, Permission.SEE_TRAINING)
        get_object_or_404(people if may else people.none(), pk=row.user_id)
    return row


@requires()
@require_POST
def start(request: HttpRequest, pk: int) -> HttpResponse:
    """Begin the exercise of a version; it opens in the desk."""
    mine = access.contracts_of(person(request))
    rows = CourseVersion.objects.filter(course__contract__in=mine, published_at__isnull=False)
    version = get_object_or_404(rows.select_related("course__contract"), pk=pk)
    try:
        attempt = practice.start(version, by=person(request), at=clock.now())
    except Refused as refusal:
        return refuse(request, refusal, reverse("course_take", args=[version.pk]))
    return go(request, attempt.ticket.path)


@requires()
@require_GET
def show(request: HttpRequest, pk: int) -> HttpResponse:
    """One attempt: where to go on, and after it what was graded. Whoever oversees the person reads what they did."""
    user, attempt = person(request), load(request, pk)
    is_mine = attempt.user_id == user.pk
    is_over = attempt.finished_at is not None
    context = {
        "at": clock.now(),
        "attempt": attempt,
        "is_mine": is_mine,
        "results": practice.results(attempt),
        # Only once it is over: before, it would say what is graded.
        "script": PracticeScript.objects.filter(version=attempt.version_id).first() if is_over else None,
        "said": Interaction.objects.filter(ticket=attempt.ticket_id)
        .select_related("author").order_by("occurred_at", "pk") if is_over or not is_mine else [],
        "escalations": attempt.ticket.escalations.order_by("raised_at") if is_over or not is_mine else [],
        "left": practice.attempts_left(attempt.version, attempt.user),
        "oversees": access.may(user, Permission.SEE_TRAINING),
    }  # fmt: skip
    return render(request, "training/practice.html", context)


@requires()
@require_GET
def of(request: HttpRequest, number: int) -> HttpResponse:
    """The exercise that a ticket belongs to."""
    attempt = get_object_or_404(PracticeAttempt, ticket=number, user=person(request))
    return redirect("practice", attempt.pk)


@requires()
@require_POST
def hand_in(request: HttpRequest, pk: int) -> HttpResponse:
    """Have it graded as it stands."""
    attempt = get_object_or_404(PracticeAttempt, pk=pk, user=person(request))
    where = reverse("practice", args=[pk])
    try:
        practice.hand_in(attempt, by=person(request), at=clock.now())
    except Refused as refusal:
        return refuse(request, refusal, where)
    return go(request, where, _("Handed in."))
