"""Answers that wait for a second signature: all that one may sign or wrote, and what is done with one (clause 8.2)."""

from __future__ import annotations

import dataclasses

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from csp import clock
from csp.access import Refused, person, requires
from csp.clockface import ClockFace
from csp.models import User
from tickets import cosigning
from tickets.conversation import inbound, seen_of, spell, spelled, unseen
from tickets.forms import ReasonForm
from tickets.handling import NewMessageMeanwhile
from tickets.models import CallReview, CoSignature, Interaction
from tickets.views.door import Step, customer_name, face_of, go, refuse, sees_names, take_step


@dataclasses.dataclass(frozen=True, slots=True)
class Waiting:
    """One answer, with the question it answers and the clock that runs on."""

    row: CoSignature
    customer: str
    face: ClockFace | None
    asked: Interaction | None
    later: list[Interaction]
    seen_through: str
    may_sign: bool


def _load(request: HttpRequest, pk: int) -> CoSignature:
    rows = CoSignature.objects.waiting().visible_to(person(request))
    return get_object_or_404(rows.select_related("ticket", "author", "restriction__cosigner"), pk=pk)


@requires()
@require_GET
def index(request: HttpRequest) -> HttpResponse:
    """What waits for my signature, and what of mine waits for somebody's; by what falls due."""
    user, at = person(request), clock.now()
    rows = list(
        CoSignature.objects.waiting()
        .visible_to(user)
        .select_related("ticket__customer", "author", "restriction__cosigner")
        .prefetch_related("files")
        .order_by("ticket__next_due_at", "pk")
    )
    calls = CallReview.objects.visible_to(user).filter(decided_at__isnull=True).select_related(
        "call__interaction__ticket__customer", "call__interaction__author"
    ).order_by("asked_at", "pk")  # fmt: skip
    context = {"at": at, "waiting": [_waiting(row, user) for row in rows], "calls": list(calls)}
    return render(request, "tickets/cosign.html", context)


def _waiting(row: CoSignature, user: User) -> Waiting:
    at = clock.now()
    heard = inbound(row.ticket)
    later = unseen(heard, row.seen_through)
    before = [one for one in heard if one not in later]
    return Waiting(
        row=row,
        customer=customer_name(row.ticket.customer, names=sees_names(user, row.ticket)),
        face=face_of(row.ticket, at=at),
        asked=before[-1] if before else None,
        later=later,
        seen_through=spell(seen_of(heard)),
        may_sign=_may_sign(row, user),
    )


def _may_sign(row: CoSignature, user: User) -> bool:
    try:
        cosigning.check_can_sign(row, user, clock.now())
    except Refused:
        return False
    return True


@requires()
@require_POST
def sign(request: HttpRequest, pk: int) -> HttpResponse:
    """Sign an answer, which sends it."""
    user, at, row = person(request), clock.now(), _load(request, pk)
    try:
        seen = spelled(request.POST.get("seen_through", ""))
    except ValueError:
        seen = {}  # nothing: whatever came after the author's screen holds the signature up
    try:
        cosigning.sign(row, by=user, at=at, seen_through=seen)
    except NewMessageMeanwhile:
        said = _("The customer wrote meanwhile. Read it below, then sign or hand the answer back.")
        return refuse(request, Refused(said), reverse("cosign"))
    except Refused as refusal:
        return refuse(request, refusal, reverse("cosign"))
    said = _("Signed. It is on its way to the customer as %(name)s's answer.") % {"name": row.author}
    return go(request, reverse("cosign"), said)


@requires()
@require_http_methods(["GET", "POST"])
def hand_back(request: HttpRequest, pk: int) -> HttpResponse:
    """Hand an answer back unsigned."""
    user, at, row = person(request), clock.now(), _load(request, pk)
    form = ReasonForm(request.POST or None)
    form.fields["reason"].label = _("What should be different")
    step = Step(
        title=_("Hand back unsigned"), submit=_("Hand back"), form=form, back=reverse("cosign"),
        face=face_of(row.ticket, at=at), text=_("Its author finds the text again as a draft. The clock runs on."),
    )  # fmt: skip

    def verb(good: dict[str, str]) -> str:
        cosigning.hand_back(row, by=user, at=at, note=good["reason"])
        return _("Handed back to %(name)s.") % {"name": row.author}

    return take_step(request, step, verb)


@requires()
@require_POST
def take_back(request: HttpRequest, pk: int) -> HttpResponse:
    """The author takes an answer back to change it."""
    user, at, row = person(request), clock.now(), _load(request, pk)
    try:
        cosigning.take_back(row, by=user, at=at)
    except Refused as refusal:
        return refuse(request, refusal, reverse("cosign"))
    return go(request, reverse("ticket", args=[row.ticket_id]), _("Taken back. The text is in your draft."))
