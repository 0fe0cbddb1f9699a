"""The ticket workspace: what is owed here, what was said, what to write next (clauses 3.1, 3.2, 3.3, 4.1)."""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections import defaultdict
from typing import Any
from urllib.parse import parse_qs, urlsplit

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import BooleanField, Exists, ExpressionWrapper, OuterRef, Q
from django.db.models.functions import JSONObject
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from csp import access, clock, clockface, horizon
from csp.access import Refused
from csp.models import Address, Deadline, Held, TrailEntry, User
from csp.roles import Permission, Role
from tickets import call_backs, changes, closing, complexity, cover, desk, disclosure, resolving
from tickets.conversation import family, received_at, recipients, seen_of, spell
from tickets.forms import ComposerForm, IdentityForm
from tickets.models import CallBack, ComplexityProposal, Draft, Escalation, Interaction, Resolution, Ticket, TicketLink
from tickets.queues import TITLES
from tickets.views.complaints import panel
from tickets.views.door import (
    customer_name,
    face_of,
    is_fragment,
    load,
    masked,
    number_in,
    path_of,
    person,
    refuse,
    sees_names,
    why,
)
from tickets.views.thread import EVENTS, actors, is_shown, thread, time_of_day

EARLIER = 20


@dataclasses.dataclass(slots=True)
class Duty:
    """One obligation in the sidebar: its clock, its story, and what this person may do about it."""

    row: Deadline
    story: list[str]
    waive: bool = False
    assess: str = ""  # propose, decide, or nothing
    assessment: Any = None


@require_GET
@access.requires(Permission.SEE_TICKETS)
def page(request: HttpRequest, number: int) -> HttpResponse:
    """The whole workspace; for htmx the part that changes while somebody reads."""
    at, user = clock.now(), person(request)
    ticket = load(request, number)
    if ticket.merged_into_id is not None:
        return HttpResponseRedirect(reverse("ticket", args=[ticket.merged_into_id]))
    is_live = is_fragment(request, "thread")
    may_work = access.may(user, Permission.WORK_TICKETS, team_id=ticket.team_id)
    if may_work and not is_live:
        desk.arrive(ticket, by=user, at=at)
    elif not may_work and not is_live:
        disclosure.read_ticket(ticket, by=user, at=at)
    context = workspace(ticket, user, at=at) | {"at": at, "list": _list_of(request)}
    if may_work and not is_live:
        context |= composer(request, ticket, user, context)
    template = "tickets/ticket.html#live" if is_live else "tickets/ticket.html"
    return render(request, template, context)


def _list_of(request: HttpRequest) -> str:
    """The list that the ticket was opened from, for the one beside it: by its address, else by where the click was."""
    came_from = urlsplit(request.headers.get("Referer", ""))
    queue = came_from.path.removeprefix(reverse("queue")).strip("/")
    wanted = [request.GET.get("list", ""), queue, *parse_qs(came_from.query).get("list", [])]
    return next((name for name in wanted if name in TITLES), "")


def workspace(ticket: Ticket, user: User, *, at: dt.datetime) -> dict[str, Any]:
    """All that the page shows of a ticket. Each set is asked for once."""
    names = sees_names(user, ticket)
    others = desk.others_here(ticket, user, at=at)
    has = Ticket.objects.filter(pk=ticket.pk).values_list(
        Exists(Ticket.objects.filter(merged_into=OuterRef("pk"))),
        Exists(TicketLink.objects.filter(Q(ticket=OuterRef("pk")) | Q(other=OuterRef("pk")))),
        Exists(Escalation.objects.filter(ticket=OuterRef("pk"), closed_at__isnull=True)),
        ArraySubquery(
            ComplexityProposal.objects.filter(ticket=OuterRef("pk"), decided_at__isnull=True)
            .order_by("pk")
            .values(row=JSONObject(id="pk", ticket_id="ticket", rule="rule", found="found"))
        ),
        ArraySubquery(CallBack.objects.filter(ticket=OuterRef("pk")).values("ended_at")),
        Exists(Resolution.objects.filter(ticket=OuterRef("pk"))),
        Exists(others),
    )
    [(has_merged, has_links, is_escalated, proposals, called_back, has_resolutions, has_others)] = has
    numbers = family(ticket) if has_merged else [ticket.pk]
    said = list(
        Interaction.objects.filter(ticket__in=numbers)
        .select_related("author", "customer", "delivery__message", "call__ruled_by", "contact_record")
        .prefetch_related("attachments")
        .annotate(has_html=ExpressionWrapper(~Q(html=""), output_field=BooleanField()))
        .defer("html", "search")
        .order_by("occurred_at", "pk")
    )
    trail = list(
        TrailEntry.objects.filter(context__in=[f"ticket:{n}" for n in numbers])
        .exclude(act__in=changes.READING)
        .only("at", "actor", "act", "context", "facts", "personal")
        .order_by("-pk")[:EVENTS]
    )
    events = [row for row in reversed(trail) if is_shown(row)]
    people = {user.pk: user.name} | {row.author.pk: row.author.name for row in said if row.author}
    if actors(events) - people.keys():
        people |= dict(User.objects.filter(pk__in=actors(events)).values_list("pk", "name"))
    duties = list(
        Deadline.objects.filter(subject_ref__in=[f"#{n}" for n in numbers], path__startswith="/tickets/")
        .select_related("breach__assessment__proposed_by", "responsible", "team", "met_by", "voided_by")
        .order_by("starts_at", "pk")
    )
    heard = [
        row for row in said
        if row.direction == Interaction.Direction.IN and row.purpose != Interaction.Purpose.AUTOMATIC
    ]  # fmt: skip
    may_work = access.may(user, Permission.WORK_TICKETS, team_id=ticket.team_id)
    resolutions = resolving.history(ticket) if has_resolutions else []
    procedure = _procedure(ticket, numbers, user)
    matter = closing.Matter(ticket, numbers=numbers)
    matter.resolution = next((row for row in resolutions if row.undone_at is None), None)
    matter.clocks = [row for row in duties if row.is_running]
    matter.contacts = [row.contact_record.ended_at for row in said if hasattr(row, "contact_record")]
    matter.late_calls = [row.call.ruled_at for row in said if hasattr(row, "call") and row.call.is_typed_late]
    if has_merged:
        matter.proposals = complexity.proposed(ticket, numbers)
    else:
        matter.proposals = [ComplexityProposal(**row) for row in proposals]
        matter.call_backs = called_back
    if "steps" in procedure:
        matter.steps = procedure["steps"]
    lacking = _lacking(matter)
    held = _held(duties, user, ticket)
    running = matter.clocks
    return {
        "ticket": ticket,
        "names": names,
        "name": customer_name(ticket.customer, names=names),
        "received_at": received_at(ticket) if has_merged else ticket.received_at,
        "face": face_of(ticket, at=at),
        "is_uncovered": ticket.next_due_at is not None
        and ticket.next_due_at > at
        and cover.Rota([ticket.team_id], at=at).is_uncovered(ticket),
        "term": _term(ticket, duties, at=at),
        "thread": thread(ticket, said, events, user=user, names=names, people=people, at=at),
        "seen_through": spell(seen_of(heard)),
        "heard": heard,
        "duties": [_duty(row, held[row.pk], user, ticket, at=at) for row in duties],
        "here": list(others) if has_others else [],
        **procedure,
        "resolutions": resolutions,
        "lacking": lacking,
        "lacking_met": sum(need.is_met for need in lacking),
        "is_resolved": ticket.state in (Ticket.State.RESOLVED, Ticket.State.CLOSED) and bool(resolutions),
        "is_closed": ticket.state == Ticket.State.CLOSED,
        "links": _links(numbers, ticket, user) if has_links or has_merged else [],
        "addresses": _addresses(ticket, names=names),
        **(_standing(ticket) if is_escalated else {}),
        "call_backs": list(call_backs.open_on(ticket, numbers)) if not all(matter.call_backs) else [],
        "merged": [number for number in numbers if number != ticket.pk],
        "may_work": may_work,
        "may_decide": access.may(user, Permission.DECIDE_ESCALATIONS, team_id=ticket.team_id),
        "may_hold": access.may(user, Permission.PLACE_HOLDS, team_id=ticket.team_id),
        "may_open_identity": not names and access.may(user, Permission.OPEN_MASKED, contract_id=ticket.contract_id),
        "may_see_sources": access.may(user, Permission.SEE_SOURCES, team_id=ticket.team_id),
        "may_confirm_calls": access.may(user, Permission.CONFIRM_CALLS, team_id=ticket.team_id),
        "is_complex": ticket.escalate_id is not None,
        "proposal": _proposal(matter.proposals),
        "undecided": any(row.obligation == "triage" for row in running),
        "must_escalate": any(row.obligation == "escalate" for row in running),
        "owes_follow_up": any(row.obligation == "follow_up" for row in running)
        and not any(row.obligation == "respond" for row in running),
        "changes_url": f"{reverse('changes')}?scope=ticket:{ticket.pk}",
        "cursor": max((row.pk for row in trail if row.context == ticket.trail_subject), default=0),
    }  # fmt: skip


def _lacking(matter: closing.Matter) -> list[closing.Requirement]:
    """What the record needs before the ticket is closed; nothing where an answer is all that it needs, or it is."""
    if matter.ticket.state == Ticket.State.CLOSED:
        return []
    has_contacts = bool(matter.contacts or matter.late_calls or not all(matter.call_backs))
    return closing.requirements(matter) if matter.ticket.kind == Ticket.Kind.COMPLAINT or has_contacts else []


def _procedure(ticket: Ticket, numbers: list[int], user: User) -> dict[str, Any]:
    """The complaint's checklist; what is no complaint, and has none merged into it, has none."""
    return panel(ticket, user, numbers) if ticket.kind == Ticket.Kind.COMPLAINT or len(numbers) > 1 else {}


def _proposal(rows: list[ComplexityProposal]) -> dict[str, Any] | None:
    """What the rules propose of this ticket, as one sentence."""
    if not rows:
        return None
    said = [complexity.sentence(row) for row in rows]
    return {"text": "; ".join(said), "through": rows[-1].pk, "reason": complexity.suggested(rows)}


def _standing(ticket: Ticket) -> dict[str, Any]:
    """With whom the ticket is, and why."""
    rows = Escalation.objects.filter(ticket=ticket, closed_at__isnull=True)
    row = rows.select_related("to_user", "accepted_by").prefetch_related("causes__breach").first()
    return {"escalation": row, "escalation_why": why(row)} if row is not None else {}


def composer(
    request: HttpRequest, ticket: Ticket, user: User, context: dict[str, Any], form: ComposerForm | None = None
) -> dict[str, Any]:
    """What the composer holds: the form's own text after a refusal, else the drafts kept on the server."""
    drafts = desk.drafts_of(ticket, user)
    if form is None:
        texts = {mode: drafts[mode].body if mode in drafts else "" for mode in ("reply", "holding", "note")}
        latest = max(drafts.values(), key=lambda row: row.saved_at, default=None)
        kind = latest.mode if latest is not None and latest.mode != Draft.Mode.CALL else ComposerForm.REPLY
        asked = number_in(request.GET.get("canned", ""))
        if asked is not None:
            reply = desk.canned(ticket).filter(pk=asked).first()
            if reply is not None:
                kind = ComposerForm.REPLY
                texts["reply"] = "\n\n".join(filter(None, [texts["reply"], desk.fill(reply.body, ticket, user)]))
        wanted = request.GET.get("mode", "")
        kind = wanted if wanted in texts else kind
        copies = drafts["reply"].cc if "reply" in drafts else ""
    else:
        texts = {mode: form.data.get(mode, "") for mode in ("reply", "holding", "note")}
        kind = form.data.get("kind", ComposerForm.REPLY)
        copies = form.data.get("cc", "")
    to = recipients(ticket, context["heard"])
    return {
        "form": form,
        "texts": texts,
        "mode": kind if kind in texts else ComposerForm.REPLY,
        "cc": copies,
        "decision": form.data.get("decision", "") if form is not None else "",
        "why": form.data.get("why", "") if form is not None else _suggested(context),
        "then": form.data.get("then", "waiting") if form is not None else "waiting",
        "to": ", ".join(masked(address) for address in to),
        "draft_at": max((row.saved_at for row in drafts.values()), default=None),
    }


def _suggested(context: dict[str, Any]) -> str:
    """The reason that stands ready for whoever answers within own authority."""
    return str(context["proposal"]["reason"] if context["proposal"] else complexity.suggested([]))


def _term(ticket: Ticket, duties: list[Deadline], *, at: dt.datetime) -> dict[str, Any] | None:
    """The line in the head: the next obligation from its start to its limit, with when the first answer left."""
    zone = timezone.get_current_timezone()
    running = [row for row in duties if row.is_running]
    # The one that the first button names; several of that name run where tickets were merged, then the earliest.
    row = min(running, key=lambda row: (row.obligation != ticket.next_obligation, row.due_at), default=None)
    answered = next((row for row in duties if row.obligation == "respond" and row.met_at is not None), None)
    row = row or answered
    if row is None:
        return None
    face = clockface.of(row, now=at, zone=zone)
    met_at, met_label = row.met_at, ""
    if row.met_at is not None:
        met_label = f"{_(row.rule.past)}, {clockface.short(row.met_at - row.starts_at)}"
    began = _("Received %(when)s") if row.starts_at == ticket.received_at else _("Since %(when)s")
    start = began % {"when": clockface.moment(row.starts_at, now=at, zone=zone)}
    due = _("%(duty)s by %(when)s") % {
        "duty": _(row.rule.verb), "when": time_of_day(row.due_at, beside=at)
    }  # fmt: skip
    line = horizon.term(
        starts_at=row.starts_at, due_at=row.due_at, now=at, start_label=start, due_label=due, state=face.state,
        met_at=met_at, met_label=met_label,
    )  # fmt: skip
    return {"line": line, "sentence": f"{start}. {due}. {face.said}."}


def _held(duties: list[Deadline], user: User, ticket: Ticket) -> dict[int, list[Held]]:
    """Who answered for these before, where that is shown (breaches) or asked (waiving)."""
    may_waive = access.may(user, Permission.WAIVE, team_id=ticket.team_id)
    numbers = [row.pk for row in duties if hasattr(row, "breach") or (may_waive and row.is_running)]
    found: dict[int, list[Held]] = defaultdict(list)
    if numbers:
        for each in Held.objects.filter(deadline__in=numbers).select_related("user", "team").order_by("since", "pk"):
            found[each.deadline_id].append(each)
    return found


def _holders(row: Deadline, held: list[Held]) -> str:
    """Everybody who answered for a broken promise until it was due, each with the time."""
    spans = [(each.user, each.team, each.since, each.until) for each in held if each.since < row.due_at]
    since = held[-1].until if held else row.starts_at
    if since < row.due_at:
        spans.append((row.responsible, row.team, since, row.due_at))
    return ", ".join(
        _("%(name)s %(time)s") % {
            "name": user.name if user else _("nobody in %(team)s") % {"team": team},
            "time": clockface.spoken(min(until, row.due_at) - since),
        }
        for user, team, since, until in spans
    )  # fmt: skip


def _duty(row: Deadline, held: list[Held], user: User, ticket: Ticket, *, at: dt.datetime) -> Duty:
    zone = timezone.get_current_timezone()

    def when(moment: dt.datetime) -> str:
        return clockface.moment(moment, now=at, zone=zone)

    story = [_("Started %(when)s, due %(due)s") % {"when": when(row.starts_at), "due": when(row.due_at)}]
    if row.is_running and row.due_at < at:  # its clock says "Overdue", not what is
        story[0] = f"{_(row.rule.verb)}. {story[0]}"
    if row.is_running and row.responsible is not None:
        story.append(_("%(name)s answers for it") % {"name": row.responsible.name})
    if row.reopens_id is not None:
        story.append(_("Owed again: what met it came back"))
    breach = getattr(row, "breach", None)
    if breach is not None:
        story.append(_("Broken %(when)s, noticed %(noticed)s") % {
            "when": when(breach.breached_at), "noticed": when(breach.detected_at)
        })  # fmt: skip
        story.append(_("Until then with %(holders)s") % {"holders": _holders(row, held)})
    if row.met_at is not None:
        by = row.met_by.name if row.met_by else _("the product")
        story.append(_("Met %(when)s by %(name)s") % {"when": when(row.met_at), "name": by})
    if row.met_how == "within own authority" and ticket.authority_reason:
        story.append(_("Within own authority: %(reason)s") % {"reason": ticket.authority_reason})
    if row.voided_at is not None:
        by = row.voided_by.name if row.voided_by else _("the product")
        story.append(
            _("Not owed, says %(name)s: %(reason)s")
            % {"name": by, "reason": row.void_reason or row.get_void_why_display()}
        )
    duty = Duty(row, story)
    own = access.scope_of(user)
    duty.waive = (
        row.state == Deadline.State.OPEN
        and row.due_at >= at
        and own.may(Permission.WAIVE, team_id=row.team_id)
        and user.pk not in {row.responsible_id, *(each.user_id for each in held)}
    )
    if breach is not None:
        duty.assessment = getattr(breach, "assessment", None)
        if duty.assessment is None and access.may(user, Permission.PROPOSE_ASSESSMENT, team_id=row.team_id):
            duty.assess = "propose"
        elif duty.assessment is not None and duty.assessment.decided_at is None:
            is_outside = row.team_id not in {grant.team_id for grant in own.grants}
            may_decide = own.may(Permission.DECIDE_ASSESSMENT, contract_id=row.contract_id)
            duty.assess = "decide" if is_outside and may_decide else ""
    return duty


def _links(numbers: list[int], ticket: Ticket, user: User) -> list[dict[str, Any]]:
    """Tickets that have to do with this one, as far as this person may see them."""
    rows = TicketLink.objects.filter(Q(ticket__in=numbers) | Q(other__in=numbers)).select_related("ticket", "other")
    scope = access.scope_of(user)
    teams = scope.teams(Role.REPRESENTATIVE, Role.SUPERVISOR)
    found = []
    for row in rows:
        other = row.other if row.ticket_id in numbers else row.ticket
        if other.about_id == user.pk:
            continue
        if other.team_id in teams or other.contract_id in scope.contracts(Role.AUDITOR):
            joins = row.kind == TicketLink.Kind.STRANGER and row.ticket_id == ticket.pk
            found.append({"ticket": other, "kind": row.get_kind_display(), "joins": joins})
    return found


def _addresses(ticket: Ticket, *, names: bool) -> list[dict[str, Any]]:
    if ticket.customer_id is None or not names:
        return []
    rows = Address.objects.filter(customer=ticket.customer_id).order_by("kind", "-is_primary", "pk")
    return [{"row": row, "masked": masked(row.value)} for row in rows[:10]]


# ---------------------------------------------------------------- parts and small acts


@require_GET
@access.requires(Permission.SEE_TICKETS)
def earlier(request: HttpRequest, number: int) -> HttpResponse:
    """The customer's other tickets."""
    at, ticket = clock.now(), load(request, number)
    others = []
    if ticket.customer_id is not None:
        rows = Ticket.objects.visible_to(person(request)).filter(customer=ticket.customer_id).exclude(pk=ticket.pk)
        others = list(rows.order_by("-pk")[:EARLIER])
    template = "tickets/earlier.html#earlier" if is_fragment(request) else "tickets/earlier.html"
    context = {"at": at, "ticket": ticket, "others": [{"ticket": row, "face": face_of(row, at=at)} for row in others]}
    return render(request, template, context)


@require_POST
@access.requires(Permission.SEE_CUSTOMER_NAMES)
def show_address(request: HttpRequest, number: int, address: int) -> HttpResponse:
    """A masked address in full; the reading is on record."""
    ticket = load(request, number)
    row = get_object_or_404(Address, pk=address, customer=ticket.customer_id)
    try:
        value = disclosure.show_address(ticket, row, by=person(request), at=clock.now())
    except Refused as refusal:
        return refuse(request, refusal, path_of(ticket))
    template = "tickets/address.html#value" if is_fragment(request) else "tickets/address.html"
    return render(request, template, {"ticket": ticket, "value": value, "kind": row.get_kind_display()})


@access.requires(Permission.OPEN_MASKED)
@never_cache
@require_http_methods(["GET", "POST"])
def identity(request: HttpRequest, number: int) -> HttpResponse:
    """Who the customer is, for whoever audits: shown once, for a reason."""
    ticket = load(request, number)
    form = IdentityForm(request.POST or None)
    context: dict[str, Any] = {"ticket": ticket, "form": form}
    if request.method == "POST" and form.is_valid():
        try:
            context["shown"] = disclosure.open_identity(
                ticket, reason=form.cleaned_data["reason"], by=person(request), at=clock.now()
            )
        except Refused as refusal:
            form.add_error(None, str(refusal))
    return render(request, "tickets/identity.html", context, status=422 if form.errors else 200)
