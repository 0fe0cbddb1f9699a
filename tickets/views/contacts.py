"""Contacts that did not come by mail: calls, visits and letters, their records, and what was promised in them."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from csp import access, clock, clockface
from csp.models import Address
from csp.roles import Permission
from tickets import call_backs, call_reviews, calls, contact_records, desk, files, forms, opening, request_links
from tickets.contact_forms import CallBackForm, CallForm, ConfirmCallForm, KeepForm, LetterForm, ReviewForm
from tickets.conversation import family
from tickets.models import Call, CallBack, CallReview, ContactRecord, Ticket
from tickets.views.door import Step, face_of, load, local_zone, path_of, person, take_step


@require_http_methods(["GET", "POST"])
@access.requires(Permission.WORK_TICKETS)
def call(request: HttpRequest, number: int) -> HttpResponse:
    """Write down a call with the customer of this ticket."""
    at, ticket = clock.now(), load(request, number)
    bound = (request.POST, request.FILES) if request.method == "POST" else (None, None)
    form = CallForm(*bound, at=at, initial={"number": _phone(ticket)})
    step = Step(
        title=_("Log a call on %(ref)s") % {"ref": ticket.reference},
        submit=_("Log call"),
        form=form,
        back=path_of(ticket),
        text=_("Later than a quarter of an hour after the call, a supervisor has to confirm it before it counts."),
        face=face_of(ticket, at=at),
        icon="phone",
    )

    def verb(good: dict[str, Any]) -> str:
        talk = form.talk()
        row = calls.log_call(ticket, talk, by=person(request), at=at, seen_until=good["seen_until"])
        _say_problem(request, calls.words(talk)[1])
        if row.contact_record.is_owed:
            return _("The call is on record; its transcript is owed within a day.")
        return _("The call is on record.")

    return take_step(request, step, verb)


def _say_problem(request: HttpRequest, problem: str) -> None:
    """What is wrong with a transcript's file, on the page that comes next."""
    if problem:
        said = _("This is no transcript. %(problem)s The file is kept as it is; add a better one within a day.")
        messages.warning(request, said % {"problem": problem})


def _phone(ticket: Ticket) -> str:
    if ticket.customer_id is None:
        return ""
    known = Address.objects.filter(customer=ticket.customer_id, kind=Address.Kind.PHONE)
    return known.order_by("-is_primary", "pk").values_list("value", flat=True).first() or ""


@require_http_methods(["GET", "POST"])
@access.requires(Permission.CONFIRM_CALLS)
def confirm_call(request: HttpRequest, number: int, interaction: int) -> HttpResponse:
    """A supervisor's word on a call that was written down late."""
    at, ticket = clock.now(), load(request, number)
    rows = Call.objects.filter(interaction__ticket__in=family(ticket)).select_related("interaction__author")
    row = get_object_or_404(rows, interaction=interaction)
    form = ConfirmCallForm(request.POST or None, label=_("How do you know?"))
    said = row.interaction
    step = Step(
        title=_("A call written down late on %(ref)s") % {"ref": ticket.reference},
        submit=_("Say so"),
        form=form,
        back=path_of(ticket),
        text=_("%(name)s wrote down %(typed)s that a call ended %(ended)s. Look at the telephone system's record.") % {
            "name": said.author.name if said.author else "",
            "typed": clockface.moment(said.recorded_at, now=at, zone=local_zone()),
            "ended": clockface.moment(row.ended_at, now=at, zone=local_zone()),
        },
        icon="phone",
    )  # fmt: skip

    def verb(good: dict[str, Any]) -> str:
        calls.confirm(row, by=person(request), at=at, agrees=good["agrees"], reason=good["reason"])
        return _("Confirmed: the call counts.") if good["agrees"] else _("The call meets nothing.")

    return take_step(request, step, verb)


@require_http_methods(["GET", "POST"])
@access.requires(Permission.WORK_TICKETS)
def withdraw_links(request: HttpRequest, number: int) -> HttpResponse:
    """Let every link to this request that customers have stop working."""
    at, ticket = clock.now(), load(request, number)
    form = forms.ReasonForm(request.POST or None, label=_("Why?"))
    step = Step(
        title=_("Withdraw the links to %(ref)s") % {"ref": ticket.reference},
        submit=_("Withdraw"),
        form=form,
        back=path_of(ticket),
        text=_("No link that was mailed opens this request any more. The next mail carries a new one."),
        icon="ban",
    )

    def verb(good: dict[str, Any]) -> str:
        request_links.withdraw(ticket, by=person(request), at=at, reason=good["reason"])
        return _("The links are withdrawn.")

    return take_step(request, step, verb)


# ---------------------------------------------------------------- letters, and what a contact is kept in


@require_http_methods(["GET", "POST"])
@access.requires(Permission.WORK_TICKETS)
def letter(request: HttpRequest, number: int) -> HttpResponse:
    """Write down a letter of this ticket's customer."""
    at, ticket = clock.now(), load(request, number)
    bound = (request.POST, request.FILES) if request.method == "POST" else (None, None)
    form = LetterForm(*bound)
    step = Step(
        title=_("A letter on %(ref)s") % {"ref": ticket.reference},
        submit=_("Write down"),
        form=form,
        back=path_of(ticket),
        face=face_of(ticket, at=at),
        icon="file-text",
    )

    def verb(good: dict[str, Any]) -> str:
        scans = [files.uploaded(upload) for upload in good["files"]]
        opening.log_letter(
            ticket, received_at=good["received_at"], body=good["body"], files=scans, by=person(request), at=at
        )
        return (
            _("The letter is on record.") if scans else _("Written down; its scan is owed within a day of the stamp.")
        )

    return take_step(request, step, verb)


@require_http_methods(["GET", "POST"])
@access.requires(Permission.WORK_TICKETS)
def keep_next_record(request: HttpRequest, number: int) -> HttpResponse:
    """The oldest contact of this ticket whose record is owed."""
    ticket = load(request, number)
    owed = ContactRecord.objects.filter(interaction__ticket__in=family(ticket), ended_at__isnull=True)
    row = owed.order_by("clock__due_at", "pk").first()
    if row is None:
        raise Http404
    return keep_record(request, number, row.interaction_id)


@require_http_methods(["GET", "POST"])
@access.requires(Permission.WORK_TICKETS)
def keep_record(request: HttpRequest, number: int, interaction: int) -> HttpResponse:
    """Add a contact's transcript or scan, or say why there is none."""
    at, user, ticket = clock.now(), person(request), load(request, number)
    rows = ContactRecord.objects.filter(interaction__ticket__in=family(ticket), ended_at__isnull=True)
    row = get_object_or_404(rows.select_related("interaction", "clock"), interaction=interaction)
    is_talk = row.interaction.kind != "letter"
    bound = (request.POST, request.FILES) if request.method == "POST" else (None, None)
    form = KeepForm(*bound, is_talk=is_talk)
    when = clockface.moment(row.interaction.occurred_at, now=at, zone=local_zone())
    step = Step(
        title=_("The record of a contact on %(ref)s") % {"ref": ticket.reference},
        submit=_("Add to the record"),
        form=form,
        back=path_of(ticket),
        text=_("%(kind)s, %(when)s. What was written then stays; this is added under it.") % {
            "kind": row.interaction.get_kind_display(), "when": when,
        },
        face=clockface.of(row.clock, now=at, zone=local_zone()),
        icon="file-check",
    )  # fmt: skip

    def verb(good: dict[str, Any]) -> str:
        if good["reason"]:
            contact_records.explain(row, by=user, at=at, reason=good["reason"], note=good["note"])
            return _("Put on record that there is none. It counts as not kept.")
        file = files.uploaded(good["file"]) if good["file"] is not None else None
        _note, problem = contact_records.keep(row, by=user, at=at, body=good.get("body", ""), file=file)
        _say_problem(request, problem)
        return _("The file is kept.") if problem else _("The record is on file.")

    return take_step(request, step, verb)


# ---------------------------------------------------------------- calls that were promised


@require_http_methods(["GET", "POST"])
@access.requires(Permission.WORK_TICKETS)
def call_back(request: HttpRequest, number: int) -> HttpResponse:
    """Write down that the customer was promised a call."""
    at, user, ticket = clock.now(), person(request), load(request, number)
    form = CallBackForm(request.POST or None, people=desk.people_of([ticket.team_id], at=at), me=user)
    step = Step(
        title=_("Promise a call on %(ref)s") % {"ref": ticket.reference},
        submit=_("Promise"),
        form=form,
        back=path_of(ticket),
        text=_("The customer sees the time on their page. Whoever calls is reminded a quarter of an hour before."),
        icon="phone",
    )

    def verb(good: dict[str, Any]) -> str:
        row = call_backs.promise(
            ticket, due_at=good["due_at"], responsible=good["responsible"], by=user, at=at, note=good["note"]
        )
        return _("Promised for %(when)s.") % {"when": clockface.moment(row.due_at, now=at, zone=local_zone())}

    return take_step(request, step, verb)


@require_http_methods(["GET", "POST"])
@access.requires(Permission.WORK_TICKETS)
def withdraw_call_back(request: HttpRequest, number: int, pk: int) -> HttpResponse:
    """Take a promised call back."""
    at, ticket = clock.now(), load(request, number)
    row = get_object_or_404(CallBack.objects.filter(ticket__in=family(ticket), ended_at__isnull=True), pk=pk)
    form = forms.ReasonForm(request.POST or None, label=_("Why is it not needed?"))
    step = Step(_("The promised call on %(ref)s") % {"ref": ticket.reference}, _("Take back"), form, path_of(ticket))

    def verb(good: dict[str, Any]) -> str:
        call_backs.withdraw(row, by=person(request), at=at, note=good["reason"])
        return _("Taken back.")

    return take_step(request, step, verb)


# ---------------------------------------------------------------- what was told live, looked at afterwards


@require_http_methods(["GET", "POST"])
@access.requires(Permission.WORK_TICKETS)
def review_call(request: HttpRequest, pk: int) -> HttpResponse:
    """A second person's word on what somebody under co-signature told a customer."""
    at, user = clock.now(), person(request)
    rows = CallReview.objects.visible_to(user).filter(decided_at__isnull=True)
    row = get_object_or_404(rows.select_related("call__interaction__ticket", "restriction__cosigner"), pk=pk)
    form = ReviewForm(request.POST or None)
    step = Step(
        title=_("An answer given live on %(ref)s") % {"ref": row.call.interaction.ticket.reference},
        submit=_("Say so"),
        form=form,
        back=reverse("cosign"),
        text=_("It counts, whatever you say. What was wrong is to be put right with the customer."),
        icon="phone",
    )

    def verb(good: dict[str, Any]) -> str:
        call_reviews.decide(row, by=user, at=at, agrees=good["agrees"], note=good["note"])
        return _("Looked at.") if good["agrees"] else _("The ticket is open; its author is told.")

    return take_step(request, step, verb)
