"""What a complaint needs: its procedure, cause and resolution, the customer's answer to it (clauses 3.2 and 4.1)."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from csp import access, clock
from csp.access import AlreadySo, Refused
from csp.models import Team, User
from csp.roles import Permission
from tickets import authority, checklists, complaints, confidence, desk, forms, lifecycle, resolving
from tickets.conversation import family
from tickets.models import ChecklistStep, Resolution, Ticket
from tickets.views.door import Step, face_of, go, is_fragment, load, path_of, person, refuse, take_step, toast

BOTH = require_http_methods(["GET", "POST"])


@BOTH
@access.requires(Permission.WORK_TICKETS)
def resolution(request: HttpRequest, number: int) -> HttpResponse:
    """Write down cause and resolution, and resolve the ticket with it. What was written stays where it lacks more."""
    at, ticket = clock.now(), load(request, number)
    known = resolving.history(ticket)[-1:]  # one that did not hold is where the next begins
    begun = {name: getattr(row, name) for row in known for name in ("cause", "cause_note", "kind", "text", "amount")}
    form = forms.ResolutionForm(request.POST or None, initial=begun | {"then": request.GET.get("to", "")})
    step = Step(
        _("Resolution of %(ref)s") % {"ref": ticket.reference}, _("Save"), form, path_of(ticket),
        text=_("A complaint needs all of it before it is resolved.") if ticket.kind == Ticket.Kind.COMPLAINT else "",
        face=face_of(ticket, at=at), icon="check",
    )  # fmt: skip

    def verb(good: dict[str, Any]) -> str:
        then = good.pop("then")
        resolving.write_down(ticket, by=person(request), at=at, **good)
        if not then:
            return _("Written down.")
        try:
            lifecycle.change_state(ticket, to=Ticket.State.RESOLVED, by=person(request), at=at)
        except AlreadySo:  # it was resolved before, and only its words have changed
            return _("Written down.")
        except Refused as refusal:
            raise Refused(_("Written down, but not resolved yet. %(missing)s") % {"missing": refusal}) from refusal
        return _("Resolved.")

    return take_step(request, step, verb)


@BOTH
@access.requires(Permission.WORK_TICKETS)
def acceptance(request: HttpRequest, number: int) -> HttpResponse:
    """Put on record what the customer said to the resolution."""
    at, ticket = clock.now(), load(request, number)
    row = resolving.current(ticket)
    form = forms.AcceptanceForm(request.POST or None, initial={"answer": row.acceptance if row else ""})
    step = Step(
        _("The customer’s answer on %(ref)s") % {"ref": ticket.reference}, _("Save"), form, path_of(ticket),
        text=_("What the customer said to you about the resolution."),
    )  # fmt: skip

    def verb(good: dict[str, Any]) -> str:
        answer = Resolution.Acceptance(good["answer"])
        resolving.record_acceptance(ticket, answer, person(request), at)
        return _("On record: %(answer)s.") % {"answer": answer.label}

    return take_step(request, step, verb)


@BOTH
@access.requires(Permission.WORK_TICKETS)
def approve(request: HttpRequest, number: int) -> HttpResponse:
    """Agree to an amount above another person's limit, or not."""
    at, user, ticket = clock.now(), person(request), load(request, number)
    row = authority.waiting_on(ticket)
    form = forms.ApprovalForm(request.POST or None)
    said = {"name": row.asked_by.name, "amount": row.amount, "limit": row.limit} if row else {}
    step = Step(
        _("Approval for %(ref)s") % {"ref": ticket.reference}, _("Decide"), form, path_of(ticket),
        text=_("%(name)s would grant %(amount)s; up to %(limit)s needs nobody else.") % said if row
        else _("No amount waits for approval here. Write the resolution down again to ask anew."),
        face=face_of(ticket, at=at), icon="gavel",
    )  # fmt: skip

    def verb(good: dict[str, Any]) -> str:
        authority.decide(ticket, by=user, at=at, agrees=good["agrees"], reason=good["reason"])
        return _("Approved.") if good["agrees"] else _("Not approved.")

    return take_step(request, step, verb)


@BOTH
@access.requires(Permission.WORK_TICKETS)
def about(request: HttpRequest, number: int) -> HttpResponse:
    """Say whom of us the complaint is about; from then on it does not exist for that person."""
    at, user, ticket = clock.now(), person(request), load(request, number)
    teams = Team.objects.filter(contract=ticket.contract_id).values_list("pk", flat=True)
    people = [one for one in desk.people_of(teams, at=at) if one != user]
    form = forms.AboutForm(request.POST or None, people=people, initial={"about": ticket.about_id})
    step = Step(
        _("Whom %(ref)s is about") % {"ref": ticket.reference}, _("Save"), form, path_of(ticket),
        text=_("That colleague does not see it any more, cannot be given it, and hears nothing of it."),
        face=face_of(ticket, at=at),
    )  # fmt: skip

    def verb(good: dict[str, Any]) -> str:
        confidence.say_whom(ticket, about=good["about"], by=user, at=at)
        return _("Saved.")

    return take_step(request, step, verb)


# ---------------------------------------------------------------- the procedure


def panel(ticket: Ticket, user: User, numbers: list[int] | None = None) -> dict[str, Any]:
    """What the procedure's part of the ticket page shows."""
    rows = checklists.steps_of(ticket, numbers)
    return {
        "checklist": complaints.checklist_of(ticket) if rows else None,
        "steps": rows,
        "steps_settled": sum(row.is_settled for row in rows),
        "may_tick": ticket.state != Ticket.State.CLOSED
        and access.may(user, Permission.WORK_TICKETS, team_id=ticket.team_id),
        "may_waive_steps": access.may(user, Permission.DECIDE_COMPLAINTS, team_id=ticket.team_id)
        and user.pk != ticket.assignee_id,
    }


def _step(ticket: Ticket, number: int) -> ChecklistStep:
    rows = ChecklistStep.objects.filter(checklist__ticket__in=family(ticket)).select_related("checklist", "asked_by")
    return get_object_or_404(rows, pk=number)


@require_POST
@access.requires(Permission.WORK_TICKETS)
def tick(request: HttpRequest, number: int, step: int) -> HttpResponse:
    """A box of the checklist: it posts at once, and without scripts by its own button."""
    at, user, ticket = clock.now(), person(request), load(request, number)
    row, said = _step(ticket, step), ""
    try:
        if request.POST.get("done"):
            checklists.tick(row, by=user, at=at, values=row.values)
        else:
            checklists.untick(row, by=user, at=at)
    except Refused as refusal:
        if not is_fragment(request):
            return refuse(request, refusal, f"{path_of(ticket)}#proc")
        said = str(refusal)
    if not is_fragment(request):
        return go(request, f"{path_of(ticket)}#proc")
    context = {"ticket": ticket, "at": at} | panel(ticket, user)
    answer = render(request, "tickets/parts/procedure.html", context)
    return toast(request, answer, said) if said else answer


@BOTH
@access.requires(Permission.WORK_TICKETS)
def fill_in(request: HttpRequest, number: int, step: int) -> HttpResponse:
    """A step that counts once something is filled in."""
    at, ticket = clock.now(), load(request, number)
    row = _step(ticket, step)
    form = forms.FilledStepForm(request.POST or None, step=row)
    page = Step(row.title, _("Done"), form, f"{path_of(ticket)}#proc", face=face_of(ticket, at=at), icon="check")

    def verb(good: dict[str, Any]) -> str:
        checklists.tick(row, by=person(request), at=at, values=form.values())
        return _("Done: %(step)s.") % {"step": row.title}

    return take_step(request, page, verb)


@BOTH
@access.requires(Permission.WORK_TICKETS)
def leave_out(request: HttpRequest, number: int, step: int) -> HttpResponse:
    at, ticket = clock.now(), load(request, number)
    row = _step(ticket, step)
    form = forms.ReasonForm(request.POST or None, label=_("Why is this step left out?"))
    page = Step(
        _("Leave out “%(step)s”") % {"step": row.title}, _("Ask a supervisor"), form, f"{path_of(ticket)}#proc",
        text=_("Another person decides. A step that is left out is reported as a deviation from the procedure."),
        face=face_of(ticket, at=at),
    )  # fmt: skip

    def verb(good: dict[str, Any]) -> str:
        checklists.ask_waiver(row, by=person(request), at=at, reason=good["reason"])
        return _("Asked. A supervisor who does not work on it decides.")

    return take_step(request, page, verb)


@BOTH
@access.requires(Permission.DECIDE_COMPLAINTS)
def decide_waiver(request: HttpRequest, number: int, step: int) -> HttpResponse:
    at, ticket = clock.now(), load(request, number)
    row = _step(ticket, step)
    form = forms.WaiverForm(request.POST or None)
    asker = row.asked_by.name if row.asked_by else ""
    page = Step(
        _("Leave out “%(step)s”?") % {"step": row.title}, _("Decide"), form, f"{path_of(ticket)}#proc",
        text=f"{asker}: {row.waive_reason}" if asker else "", face=face_of(ticket, at=at), icon="gavel",
    )  # fmt: skip

    def verb(good: dict[str, Any]) -> str:
        checklists.decide_waiver(row, by=person(request), at=at, agrees=good["agrees"], reason=good["reason"])
        return _("Waived, and reported.") if good["agrees"] else _("Not waived.")

    return take_step(request, page, verb)
