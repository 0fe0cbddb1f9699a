"""Writing on a ticket: an answer, a holding message, a note, a draft; approved texts; no reply needed."""

from __future__ import annotations

import datetime as dt
from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from csp import access, clock
from csp.access import Refused
from csp.outbox import BadHeader
from csp.roles import Permission
from tickets import complexity, desk, files, handling
from tickets.forms import ComposerForm, NoReplyForm
from tickets.models import CoSignature, Draft, Interaction, Ticket
from tickets.views.door import Step, face_of, go, is_fragment, load, path_of, person, refuse, take_step
from tickets.views.ticket import composer, workspace

Purpose = Interaction.Purpose


@require_http_methods(["GET", "POST"])
@access.requires(Permission.WORK_TICKETS)
def write(request: HttpRequest, number: int) -> HttpResponse:
    """Send or store what was written. Only a reply or a holding message can leave; a note has another verb."""
    at, user, ticket = clock.now(), person(request), load(request, number)
    if request.method == "GET":  # somebody signed in again on the way
        return HttpResponseRedirect(f"{path_of(ticket)}#write")
    form = ComposerForm(request.POST, request.FILES)
    unseen: list[Interaction] = []
    status = 422
    if form.is_valid():
        good = form.cleaned_data
        try:
            done = _do(ticket, form, good, user=user, at=at)
        except handling.NewMessageMeanwhile as meanwhile:
            status, unseen = 409, meanwhile.unseen
        except (Refused, BadHeader) as refusal:
            form.add_error(None, str(refusal))
        else:
            return go(request, path_of(ticket), done)
    if access.may(user, Permission.WORK_TICKETS, team_id=ticket.team_id):
        _keep(ticket, request, at=at)
    context = workspace(ticket, user, at=at) | {"at": at}
    context |= composer(request, ticket, user, context, form)
    context["meanwhile"] = [row for row in context["heard"] if row.pk in {item.pk for item in unseen}]
    template = "tickets/ticket.html#write" if is_fragment(request) else "tickets/ticket.html"
    return render(request, template, context, status=status)


def _do(ticket: Ticket, form: ComposerForm, good: dict[str, Any], *, user: Any, at: Any) -> str:
    sent = [files.uploaded(upload) for upload in good["files"]]
    if good["kind"] == ComposerForm.NOTE:
        handling.note(ticket, by=user, at=at, body=form.body, files=sent)
        return _("Note added. Only your team sees it.")
    holding = good["kind"] == ComposerForm.HOLDING
    written = handling.respond(
        ticket,
        by=user,
        at=at,
        body=form.body,
        purpose=Purpose.HOLDING if holding else Purpose.ANSWER,
        seen_through=good["seen_through"],
        cc=good["cc"],
        files=sent,
        then=Ticket.State(good["then"] or Ticket.State.WAITING),
        decision=complexity.Decision(good["decision"] == ComposerForm.COMPLEX, good["why"]),
    )
    if isinstance(written, CoSignature):
        return _("Your answer waits for a co-signature. The clock runs on until it has left.")
    if holding:
        return _("Holding message sent. The clock runs on.")
    return _("Sent. Counts when the mail server has accepted it.")


@require_POST
@access.requires(Permission.WORK_TICKETS)
def draft(request: HttpRequest, number: int) -> HttpResponse:
    """Keep what stands in the composer, each kind for itself; others on the ticket see that somebody writes."""
    at, user, ticket = clock.now(), person(request), load(request, number)
    try:
        _keep(ticket, request, at=at)
    except Refused as refusal:
        return refuse(request, refusal, path_of(ticket))
    desk.arrive(ticket, by=user, at=at, is_writing=True)
    return HttpResponse(status=204)


def _keep(ticket: Ticket, request: HttpRequest, *, at: dt.datetime) -> None:
    """What stands in the composer becomes the writer's drafts. Raises Refused."""
    said = {name: request.POST.get(name, "").replace("\x00", "") for name in ("cc", *Draft.Mode.values)}
    for mode in (Draft.Mode.REPLY, Draft.Mode.HOLDING, Draft.Mode.NOTE):
        cc = said["cc"] if mode == Draft.Mode.REPLY else ""
        desk.keep_draft(ticket, by=person(request), mode=mode, body=said[mode], cc=cc, at=at)


@require_GET
@access.requires(Permission.WORK_TICKETS)
def canned(request: HttpRequest, number: int) -> HttpResponse:
    """The approved replies, filled from the ticket; each can be put in at the caret, or by its address."""
    ticket, user = load(request, number), person(request)
    replies = [
        {"row": row, "text": desk.fill(row.body, ticket, user), "url": f"{path_of(ticket)}?canned={row.pk}#write"}
        for row in desk.canned(ticket)[:100]
    ]
    in_menu = is_fragment(request)
    template = "tickets/canned.html#list" if in_menu else "tickets/canned.html"
    return render(request, template, {"ticket": ticket, "replies": replies, "in_menu": in_menu, "at": clock.now()})


@require_http_methods(["GET", "POST"])
@access.requires(Permission.WORK_TICKETS)
def no_reply_needed(request: HttpRequest, number: int) -> HttpResponse:
    at, user, ticket = clock.now(), person(request), load(request, number)
    form = NoReplyForm(
        request.POST or None,
        initial={"seen_through": request.GET.get("seen", "")},
        hint=_("It stands in the evidence; a share of these rulings is looked at by somebody else."),
    )
    step = Step(
        title=_("No reply needed"),
        submit=_("No reply needed"),
        form=form,
        back=path_of(ticket),
        text=_("The customer’s last message asks for nothing, for example “Thank you!”. Never on a first message."),
        face=face_of(ticket, at=at),
    )

    def verb(good: dict[str, Any]) -> str:
        handling.no_reply_needed(ticket, by=user, at=at, reason=good["reason"], seen_through=good["seen_through"])
        return _("Ruled: no reply needed.")

    return take_step(request, step, verb)
