"""What people do with a ticket besides writing on it: each a small page, or a dialog over the ticket."""

from __future__ import annotations

from typing import Any

from django.core.files.uploadedfile import UploadedFile
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _lazy
from django.views.decorators.http import require_http_methods, require_POST

from csp import access, assessing, clock, clockface
from csp.access import Refused
from csp.events import Act
from csp.models import Assessment, Deadline, User
from csp.roles import Permission, Role
from tickets import assignment, complexity, desk, escalation, files, forms, lifecycle, merging, resolving, undoing
from tickets.assessment_forms import AssessmentForm
from tickets.conversation import family, visible_number
from tickets.models import Ticket, TicketLink
from tickets.views.door import Step, face_of, go, load, local_zone, next_page, path_of, person, refuse, take_step

BOTH = require_http_methods(["GET", "POST"])


@BOTH
@access.requires(Permission.WORK_TICKETS)
def assign(request: HttpRequest, number: int) -> HttpResponse:
    at, user, ticket = clock.now(), person(request), load(request, number)
    people = [one for one in desk.people_of([ticket.team_id], at=at) if one.pk != ticket.about_id]
    form = forms.AssignForm(request.POST or None, people=people, initial={"to": ticket.assignee_id or user.pk})
    step = Step(
        _("Assign %(ref)s") % {"ref": ticket.reference}, _("Assign"), form, path_of(ticket), face=face_of(ticket, at=at)
    )

    def verb(good: dict[str, Any]) -> str:
        assignment.assign(ticket, to=good["to"], by=user, at=at)
        if good["to"] is None:
            return _("Given back to the team.")
        return _("Assigned to %(name)s.") % {"name": good["to"].name}

    return take_step(request, step, verb, undo=reverse("undo_assign", args=[ticket.pk]))


@require_POST
@access.requires(Permission.WORK_TICKETS)
def undo_assign(request: HttpRequest, number: int) -> HttpResponse:
    """Take one's own latest assignment back: the ticket goes to whoever had it."""
    ticket = load(request, number)
    back = next_page(request, path_of(ticket))
    try:
        ticket = assignment.undo(ticket, by=person(request), at=clock.now())
    except Refused as refusal:
        return refuse(request, refusal, back)
    if ticket.assignee is None:
        return go(request, back, _("Undone: %(ref)s is back with its team.") % {"ref": ticket.reference})
    said = _("Undone: %(ref)s is back with %(name)s.")
    return go(request, back, said % {"ref": ticket.reference, "name": ticket.assignee.name})


@require_POST
@access.requires(Permission.WORK_TICKETS)
def assign_to_me(request: HttpRequest, number: int) -> HttpResponse:
    ticket = load(request, number)
    try:
        assignment.assign(ticket, to=person(request), by=person(request), at=clock.now())
    except Refused as refusal:
        return refuse(request, refusal, path_of(ticket))
    return go(request, path_of(ticket), _("The ticket is yours."), undo=reverse("undo_assign", args=[ticket.pk]))


@BOTH
@access.requires(Permission.WORK_TICKETS)
def move(request: HttpRequest, number: int) -> HttpResponse:
    at, ticket = clock.now(), load(request, number)
    teams = forms.active_teams(ticket.contract_id)
    if request.method == "GET":  # whoever chose it before a colleague did is answered by the verb
        teams = teams.exclude(pk=ticket.team_id)
    form = forms.TeamForm(request.POST or None, teams=teams)
    step = Step(
        _("Move %(ref)s to another team") % {"ref": ticket.reference}, _("Move"), form, path_of(ticket),
        text=_("Nobody is assigned there yet. The clocks run on."), face=face_of(ticket, at=at),
    )  # fmt: skip

    def verb(good: dict[str, Any]) -> str:
        assignment.move(ticket, team=good["team"], by=person(request), at=at)
        return _("Moved to %(team)s.") % {"team": good["team"]}

    # whoever moves it to a team that is not theirs does not see it any more
    return take_step(request, step, verb, onwards=reverse("queue"))


@BOTH
@access.requires(Permission.WORK_TICKETS)
def change_state(request: HttpRequest, number: int) -> HttpResponse:
    at, ticket = clock.now(), load(request, number)
    known = resolving.current(ticket)
    initial = {"state": request.GET.get("to") or ticket.state, "resolution": known.text if known else ""}
    form = forms.StateForm(request.POST or None, initial=initial)
    step = Step(
        _("State of %(ref)s") % {"ref": ticket.reference}, _("Set state"), form, path_of(ticket),
        text=_("A state meets no promise: only an answer does."), face=face_of(ticket, at=at),
    )  # fmt: skip

    def verb(good: dict[str, Any]) -> str:
        to = Ticket.State(good["state"])
        lifecycle.change_state(ticket, to=to, by=person(request), at=at, resolution=good["resolution"])
        return _("State: %(state)s.") % {"state": to.label}

    return take_step(request, step, verb)


@BOTH
@access.requires(Permission.WORK_TICKETS)
def retype(request: HttpRequest, number: int) -> HttpResponse:
    at, ticket = clock.now(), load(request, number)
    form = forms.TypeForm(request.POST or None, ticket=ticket)
    step = Step(_("What %(ref)s is") % {"ref": ticket.reference}, _("Save"), form, path_of(ticket))

    def verb(good: dict[str, Any]) -> str:
        lifecycle.retype(
            ticket, by=person(request), at=at, kind=Ticket.Kind(good["kind"]), category=good["category"],
            clear_category=good["category"] is None, priority=Ticket.Priority(good["priority"]),
            subject=good["subject"],
        )  # fmt: skip
        return _("Saved.")

    return take_step(request, step, verb)


@BOTH
@access.requires(Permission.WORK_TICKETS)
def pending(request: HttpRequest, number: int) -> HttpResponse:
    at, ticket = clock.now(), load(request, number)
    form = forms.PendingForm(request.POST or None, initial={"until": ticket.pending_until})
    step = Step(_("Remind me of %(ref)s") % {"ref": ticket.reference}, _("Set reminder"), form, path_of(ticket))

    def verb(good: dict[str, Any]) -> str:
        until = good["until"]
        lifecycle.set_pending(ticket, until=until, by=person(request), at=at)
        if until is None:
            return _("No reminder any more.")
        return _("Reminder set for %(when)s.") % {"when": clockface.moment(until, now=at, zone=local_zone())}

    return take_step(request, step, verb)


# ---------------------------------------------------------------- clause 3.3


@BOTH
@access.requires(Permission.WORK_TICKETS)
def escalate(request: HttpRequest, number: int) -> HttpResponse:
    at, ticket = clock.now(), load(request, number)
    supervisors = access.people_with(Role.SUPERVISOR, at=at, teams=[ticket.team_id])
    supervisors = [one for one in supervisors if one.pk != ticket.about_id]
    form = forms.EscalateForm(
        request.POST or None, supervisors=supervisors, label=_("Why does it need a supervisor?"),
        initial={"reason": ticket.complex_reason},
    )  # fmt: skip
    step = Step(
        _("Escalate %(ref)s") % {"ref": ticket.reference}, _("Escalate"), form, path_of(ticket),
        face=face_of(ticket, at=at), icon="chevrons-up",
    )  # fmt: skip

    def verb(good: dict[str, Any]) -> str:
        row = escalation.escalate(
            ticket, by=person(request), at=at, reason=good["reason"], to=good["to"],
            authority_needed=good["authority_needed"],
        )  # fmt: skip
        limit = row.ticket.escalate.due_at if row.ticket.escalate else at
        if limit > at:
            return _("Escalated, %(time)s before the limit.") % {"time": clockface.spoken(limit - at)}
        return _("Escalated.")

    return take_step(request, step, verb, undo=lambda: undo_of(ticket, person(request)))


def undo_of(ticket: Ticket, user: User) -> str:
    """The address that takes this person's latest act on the ticket's escalation back."""
    version = undoing.last_of(ticket, by=user)
    return reverse("undo_escalation", args=[ticket.pk, version]) if version else ""


TAKEN_BACK = {
    Act.ESCALATED: _lazy(
        "Undone: %(ref)s is before no supervisor. It stays marked complex: escalate it, or decide it within your "
        "authority, in time."
    ),
    Act.ESCALATION_ACCEPTED: _lazy("Undone: %(ref)s waits to be accepted again."),
    Act.ESCALATION_DECIDED: _lazy("Undone: %(ref)s is undecided again."),
    Act.ESCALATION_RETURNED: _lazy("Undone: %(ref)s is before the supervisors again."),
}


@require_POST
@access.requires(Permission.WORK_TICKETS)
def undo_escalation(request: HttpRequest, number: int, version: int) -> HttpResponse:
    """Take one's own escalation, acceptance or decision back while nothing has come of it."""
    ticket = load(request, number)
    back = next_page(request, path_of(ticket))
    try:
        act = undoing.undo(ticket, version=version, by=person(request), at=clock.now())
    except Refused as refusal:
        return refuse(request, refusal, back)
    return go(request, back, TAKEN_BACK[act] % {"ref": ticket.reference})


@BOTH
@access.requires(Permission.WORK_TICKETS)
def mark_complex(request: HttpRequest, number: int) -> HttpResponse:
    at, ticket = clock.now(), load(request, number)
    form = forms.ReasonForm(request.POST or None, label=_("What makes it complex?"))
    step = Step(
        _("Mark %(ref)s complex") % {"ref": ticket.reference}, _("Mark complex"), form, path_of(ticket),
        text=_("It has to reach a supervisor within 24 hours of receipt, not of this moment."),
    )  # fmt: skip

    def verb(good: dict[str, Any]) -> str:
        complexity.mark_complex(ticket, by=person(request), at=at, reason=good["reason"])
        return _("Marked complex. It must reach a supervisor in time.")

    return take_step(request, step, verb)


@BOTH
@access.requires(Permission.WORK_TICKETS)
def within_authority(request: HttpRequest, number: int) -> HttpResponse:
    at, ticket = clock.now(), load(request, number)
    form = forms.ReasonForm(request.POST or None, label=_("Why may you decide this yourself?"))
    step = Step(
        _("Decide %(ref)s within your authority") % {"ref": ticket.reference}, _("Decide it myself"), form,
        path_of(ticket), text=_("The reason stands in the evidence."), face=face_of(ticket, at=at),
    )  # fmt: skip

    def verb(good: dict[str, Any]) -> str:
        complexity.decide_within_authority(ticket, by=person(request), at=at, reason=good["reason"])
        return _("Decided within your authority.")

    return take_step(request, step, verb)


@require_POST
@access.requires(Permission.WORK_TICKETS)
def accept_proposal(request: HttpRequest, number: int) -> HttpResponse:
    """The rules are right: it is complex."""
    ticket = load(request, number)
    try:
        complexity.accept_proposal(ticket, by=person(request), at=clock.now())
    except Refused as refusal:
        return refuse(request, refusal, path_of(ticket))
    return go(request, path_of(ticket), _("Marked complex. It must reach a supervisor in time."))


@BOTH
@access.requires(Permission.WORK_TICKETS)
def dismiss_proposal(request: HttpRequest, number: int) -> HttpResponse:
    """The rules are wrong here."""
    at, ticket = clock.now(), load(request, number)
    rows = complexity.proposed(ticket)
    form = forms.DismissForm(
        request.POST or None, label=_("Why is it not complex?"), hint=_("It stands in the evidence."),
        initial={"through": rows[-1].pk if rows else 0},
    )  # fmt: skip
    step = Step(
        _("%(ref)s is not complex") % {"ref": ticket.reference}, _("Not complex"), form, path_of(ticket),
        text=_("Proposed because: %(signs)s.") % {"signs": "; ".join(map(complexity.sentence, rows))} if rows else "",
        face=face_of(ticket, at=at),
    )  # fmt: skip

    def verb(good: dict[str, Any]) -> str:
        complexity.dismiss_proposal(
            ticket, by=person(request), at=at, reason=good["reason"], through=good["through"]
        )  # fmt: skip
        return _("Dismissed. It is within your authority.")

    return take_step(request, step, verb)


# ---------------------------------------------------------------- belonging together


def _other(request: HttpRequest, typed: str) -> Ticket:
    """Another ticket by its reference. Raises Refused."""
    other = visible_number(person(request), typed)
    if other is None:
        raise Refused(_("There is no ticket %(ref)s that you can see.") % {"ref": typed.strip()[:20]})
    return other


@BOTH
@access.requires(Permission.MERGE_TICKETS)
def merge(request: HttpRequest, number: int) -> HttpResponse:
    at, ticket = clock.now(), load(request, number)
    form = forms.ReferenceForm(request.POST or None, initial={"other": request.GET.get("into", "")})
    others = Ticket.objects.visible_to(person(request)).filter(customer=ticket.customer_id).exclude(pk=ticket.pk)
    same = [] if ticket.customer_id is None else list(
        others.exclude(state__in=(Ticket.State.MERGED, Ticket.State.CLOSED)).order_by("-pk")[:10]
    )  # fmt: skip
    form.fields["other"].label = _("Merge into")
    listed = ", ".join(f"{row.reference} {row.subject[:60]}" for row in same)
    step = Step(
        _("Merge %(ref)s into another ticket") % {"ref": ticket.reference}, _("Merge"), form, path_of(ticket),
        text=_("Open tickets of this customer: %(tickets)s") % {"tickets": listed}
        if same else _("This customer has no other open ticket."),
    )  # fmt: skip

    def verb(good: dict[str, Any]) -> str:
        target = merging.merge(ticket, into=_other(request, good["other"]), by=person(request), at=at)
        return _("%(one)s now speaks through %(other)s. Every clock survives.") % {
            "one": ticket.reference, "other": target.reference
        }  # fmt: skip

    # the merged ticket's own page leads on to the one that speaks for it
    return take_step(request, step, verb)


@require_POST
@access.requires(Permission.MERGE_TICKETS)
def unmerge(request: HttpRequest, number: int) -> HttpResponse:
    ticket = load(request, number)
    try:
        merging.unmerge(ticket, by=person(request), at=clock.now())
    except Refused as refusal:
        return refuse(request, refusal, path_of(ticket))
    return go(request, path_of(ticket), _("%(ref)s speaks for itself again.") % {"ref": ticket.reference})


@BOTH
@access.requires(Permission.WORK_TICKETS)
def link(request: HttpRequest, number: int) -> HttpResponse:
    at, ticket = clock.now(), load(request, number)
    form = forms.ReferenceForm(request.POST or None)
    step = Step(
        _("Link %(ref)s to another ticket") % {"ref": ticket.reference}, _("Link"), form, path_of(ticket),
        text=_("Both stay tickets of their own; each customer is answered."),
    )  # fmt: skip

    def verb(good: dict[str, Any]) -> str:
        other = _other(request, good["other"])
        merging.link(ticket, other=other, kind=TicketLink.Kind.RELATED, by=person(request), at=at)
        return _("Linked to %(ref)s.") % {"ref": other.reference}

    return take_step(request, step, verb)


@require_POST
@access.requires(Permission.MERGE_TICKETS)
def join(request: HttpRequest, number: int) -> HttpResponse:
    """The stranger who quoted our reference does belong to that ticket."""
    ticket = load(request, number)
    try:
        target = merging.join_stranger(ticket, by=person(request), at=clock.now())
    except Refused as refusal:
        return refuse(request, refusal, path_of(ticket))
    return go(request, path_of(target), _("Joined to %(ref)s.") % {"ref": target.reference})


# ---------------------------------------------------------------- deadlines


def _deadline(ticket: Ticket, number: int) -> Deadline:
    refs = [f"#{pk}" for pk in family(ticket)]
    rows = Deadline.objects.filter(subject_ref__in=refs, path__startswith="/tickets/")
    return get_object_or_404(rows.select_related("breach__assessment"), pk=number)


@BOTH
@access.requires(Permission.WAIVE)
def waive(request: HttpRequest, number: int, deadline: int) -> HttpResponse:
    at, ticket = clock.now(), load(request, number)
    row = _deadline(ticket, deadline)
    form = forms.ReasonForm(request.POST or None, label=_("Why is it not owed?"))
    step = Step(
        _("Waive “%(duty)s” on %(ref)s") % {"duty": _(row.rule.verb), "ref": row.subject_ref}, _("Waive"), form,
        path_of(ticket), text=_("The deadline ends as not owed; reason and name stand in the evidence."),
        face=clockface.of(row, now=at, zone=local_zone()),
    )  # fmt: skip

    def verb(good: dict[str, Any]) -> str:
        lifecycle.waive(ticket, row, by=person(request), at=at, reason=good["reason"])
        return _("Waived.")

    return take_step(request, step, verb)


def _shown(upload: UploadedFile[Any]) -> assessing.File:
    content = upload.read()
    return assessing.File(files.name_of(upload), files.kind_of(content), content)


@BOTH
@access.requires(Permission.PROPOSE_ASSESSMENT)
def assess(request: HttpRequest, number: int, deadline: int) -> HttpResponse:
    at, ticket = clock.now(), load(request, number)
    row = _deadline(ticket, deadline)
    breach = getattr(row, "breach", None)
    if breach is None:
        raise Http404
    form = AssessmentForm(request.POST or None, request.FILES or None, label=_("Why?"))
    step = Step(
        _("Assess the broken promise on %(ref)s") % {"ref": row.subject_ref}, _("Propose"), form, path_of(ticket),
        text=_("The breach itself never changes. Somebody outside the team decides about this proposal."),
        face=clockface.of(row, now=at, zone=local_zone()),
    )  # fmt: skip

    def verb(good: dict[str, Any]) -> str:
        verdict = Assessment.Verdict(good["verdict"])
        assessing.propose(
            breach, by=person(request), at=at, verdict=verdict, reason=good["reason"],
            files=[_shown(upload) for upload in good["shown_by"]],
            attempts=form.tried, only_way=good["only_way"],
        )  # fmt: skip
        return _("Proposed. Somebody outside the team decides.")

    return take_step(request, step, verb)
