"""The supervisors' board: what must reach them, what arrived, what is in hand, what was decided (clauses 3.3, 2.2)."""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections import Counter, defaultdict
from typing import Any
from urllib.parse import urlencode

from django.db.models import BooleanField, ExpressionWrapper, Q, Window
from django.db.models.functions import RowNumber
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from csp import access, clock, clockface
from csp.access import Refused
from csp.horizon import Due, Lane, horizon
from csp.models import User
from csp.roles import Permission, Role
from tickets import assignment, changes, cover, escalation, forms, standing_in
from tickets.conversation import receipts
from tickets.models import Escalation, Ticket
from tickets.views import standing_in as standing_in_page
from tickets.views.acts import undo_of
from tickets.views.door import (
    Step,
    customer_name,
    face_of,
    go,
    is_fragment,
    load,
    local_zone,
    next_page,
    number_in,
    path_of,
    person,
    refuse,
    sees_names,
    take_step,
    why,
)

COLUMN = 50
LANES = 600  # tickets whose clocks are drawn


@dataclasses.dataclass(slots=True)
class Tile:
    """One card of the board."""

    ticket: Ticket
    name: str
    face: clockface.ClockFace | None
    text: str
    who: str = ""
    since: str = ""  # time since receipt
    row: Escalation | None = None
    clause: str = "3.3"
    is_precaution: bool = False


@dataclasses.dataclass(slots=True)
class Gap:
    """A ticket whose promise falls due before anyone who answers for it is on shift, and who could stand in."""

    ticket: Ticket
    face: clockface.ClockFace | None
    proposed: User | None


@require_GET
@access.requires(Permission.SEE_ESCALATIONS)
def board(request: HttpRequest) -> HttpResponse:
    at, user = clock.now(), person(request)
    cursor = changes.of_escalations(user)
    is_waiting = ExpressionWrapper(Q(accepted_at__isnull=True), output_field=BooleanField())
    place = Window(RowNumber(), partition_by=is_waiting, order_by=("raised_at", "pk"))
    open_ones = _mine(user).filter(closed_at__isnull=True).annotate(place=place).filter(place__lte=COLUMN)
    arrived: list[Escalation] = []
    in_hand: list[Escalation] = []
    for row in open_ones.order_by("raised_at", "pk"):
        (arrived if row.accepted_at is None else in_hand).append(row)
    tiles = _tiles([*arrived, *in_hand], user, at)
    columns = [
        _column(
            _("Must reach you"), _coming(user, at), _("still with representatives"), _("Nothing is on its way to you.")
        ),
        _column(
            _("Arrived"), tiles[: len(arrived)], _("to accept"),
            _("Everything that arrived has been accepted."),
        ),
        _column(
            _("In hand"), tiles[len(arrived) :],
            _("with supervisors"), _("Nothing is in hand."),
        ),
        _column(
            _("Decided today"), _decided(user, at), _("back with representatives"), _("Nothing was decided today.")
        ),
    ]  # fmt: skip
    ahead = _running(user)
    waiting = next((tile for tile in columns[1]["tiles"]), None)
    context = {
        "at": at,
        "columns": columns,
        "lanes": _lanes(ahead, at),
        "gaps": _gaps(ahead, user, at),
        "open": len(arrived) + len(in_hand),
        "may_decide": access.may(user, Permission.DECIDE_ESCALATIONS),
        "first": waiting.row if waiting else None,
        "changes_url": f"{reverse('changes')}?scope=escalations",
        "cursor": cursor,
    }
    if is_fragment(request, "board"):
        return render(request, "tickets/escalations.html#board", context)
    context["away"] = [standing_in_page.banner(row, user) for row in standing_in.away_from(user, at)]
    return render(request, "tickets/escalations.html", context)


def _mine(user: User) -> Any:
    """The escalations that this person may see: of own teams as their supervisor, of own contracts as an auditor."""
    scope = access.scope_of(user)
    rows = Escalation.objects.filter(
        Q(team__in=scope.teams(Role.SUPERVISOR)) | Q(ticket__contract__in=scope.contracts(Role.AUDITOR))
    )
    rows = rows.filter(Q(ticket__about__isnull=True) | ~Q(ticket__about=user.pk))
    rows = rows.exclude(ticket__origin=Ticket.Origin.PRACTICE)
    return rows.select_related(
        "ticket__customer", "ticket__escalate", "take_up", "accepted_by", "from_user", "to_user"
    ).prefetch_related("causes__breach")


def _column(title: str, tiles: list[Tile], what: str, empty: str) -> dict[str, Any]:
    return {"title": title, "tiles": tiles, "count": f"{len(tiles)} {what}", "empty": empty}


def _since(ticket: Ticket, received: dict[int, dt.datetime], at: dt.datetime) -> str:
    """Time since receipt; `received` is that of the whole matter (conversation.receipts)."""
    return _("received %(time)s ago") % {"time": clockface.short(at - received.get(ticket.pk, ticket.received_at))}


def _tiles(rows: list[Escalation], user: User, at: dt.datetime) -> list[Tile]:
    received = receipts([row.ticket_id for row in rows])
    return [_tile(row, user, at, received) for row in rows]


def _tile(row: Escalation, user: User, at: dt.datetime, received: dict[int, dt.datetime]) -> Tile:
    ticket = row.ticket
    holder = row.accepted_by or row.to_user or row.from_user
    face, clause = face_of(ticket, at=at), ticket.next_clause or "3.3"
    if row.take_up is not None and row.take_up.is_running:
        face, clause = clockface.of(row.take_up, now=at, zone=local_zone()), row.take_up.clause
    return Tile(
        ticket=ticket,
        name=customer_name(ticket.customer, names=sees_names(user, ticket)),
        face=face,
        text=why(row),
        who=holder.name if holder else "",
        since=_since(ticket, received, at),
        row=row,
        clause=clause,
        is_precaution=row.origin == Escalation.Origin.PRECAUTION,
    )


def _coming(user: User, at: dt.datetime) -> list[Tile]:
    """Complex tickets whose clock of clause 3.3 still runs with a representative."""
    scope = access.scope_of(user)
    rows = list(
        Ticket.objects.unfinished()
        .real()
        .not_about(user)
        .filter(Q(team__in=scope.teams(Role.SUPERVISOR)) | Q(contract__in=scope.contracts(Role.AUDITOR)))
        .filter(escalate__met_at__isnull=True, escalate__voided_at__isnull=True, escalate__isnull=False)
        .exclude(escalations__closed_at__isnull=True, escalations__isnull=False)
        .select_related("customer", "assignee", "escalate")
        .order_by("escalate__due_at", "pk")[:COLUMN]
    )
    received = receipts([row.pk for row in rows])
    return [
        Tile(
            ticket=row,
            name=customer_name(row.customer, names=sees_names(user, row)),
            face=clockface.of(row.escalate, now=at, zone=local_zone()),
            text=row.complex_reason,
            who=row.assignee.name if row.assignee else "",
            since=_since(row, received, at),
        )
        for row in rows
    ]


def _decided(user: User, at: dt.datetime) -> list[Tile]:
    """What was closed since the reader's midnight, with how long it took."""
    midnight = timezone.localtime(at).replace(hour=0, minute=0, second=0, microsecond=0)
    closed = _mine(user).filter(closed_at__gte=midnight).select_related("closed_by").order_by("-closed_at")
    rows = list(closed[:COLUMN])
    tiles = _tiles(rows, user, at)
    for row, tile in zip(rows, tiles, strict=True):
        label = row.get_decision_display() or row.get_outcome_display()
        if row.outcome == Escalation.Outcome.CLOSED and row.outcome_note:
            label = ""  # it did not end with its ticket; the note says how
        tile.text = ": ".join(filter(None, [label, row.outcome_note]))
        tile.who = row.closed_by.name if row.closed_by else ""
        tile.face = clockface.read(
            verb=_("Decide"), past=_("Decided"), starts_at=row.raised_at, due_at=row.closed_at, now=at,
            zone=local_zone(), met_at=row.closed_at,
        )  # fmt: skip
        tile.clause = "3.3"
    return tiles


def _running(user: User) -> list[Ticket]:
    """The tickets of the supervisor's teams that owe something, by when it falls due."""
    scope = access.scope_of(user)
    return list(
        Ticket.objects.unfinished()
        .real()
        .not_about(user)
        .filter(Q(team__in=scope.teams(Role.SUPERVISOR)) | Q(contract__in=scope.contracts(Role.AUDITOR)))
        .filter(next_due_at__isnull=False)
        .select_related("assignee")
        .only(
            "state", "subject", "team", "about", "received_at", "next_obligation", "next_clause", "next_starts_at",
            "next_due_at", "assignee__name",
        )
        .order_by("next_due_at", "pk")[:LANES]
    )  # fmt: skip


def _gaps(tickets: list[Ticket], user: User, at: dt.datetime) -> list[Gap]:
    """Where nobody is on shift before it falls due; the proposals spread over those who are."""
    rota = cover.Rota({ticket.team_id for ticket in tickets}, at=at)
    loads = Counter(ticket.assignee_id for ticket in tickets)
    gaps = []
    for ticket in [ticket for ticket in tickets if rota.is_uncovered(ticket)][:COLUMN]:
        may = access.may(user, Permission.ASSIGN_OTHERS, team_id=ticket.team_id)
        proposed = rota.proposed(ticket, loads) if may else None
        loads[proposed.pk if proposed else None] += 1
        gaps.append(Gap(ticket, face_of(ticket, at=at), proposed))
    return gaps


def _lanes(tickets: list[Ticket], at: dt.datetime) -> list[Lane]:
    """A line for each person, with every running clock of theirs."""
    by_person: dict[int | None, list[Ticket]] = defaultdict(list)
    people: dict[int | None, str] = {}
    for ticket in tickets:
        by_person[ticket.assignee_id].append(ticket)
        people[ticket.assignee_id] = ticket.assignee.name if ticket.assignee else _("Nobody yet")
    lanes = []
    for key in sorted(people, key=lambda key: (key is None, people[key])):
        faces = [(ticket, face_of(ticket, at=at)) for ticket in by_person[key]]
        dues = [Due(str(ticket.pk), ticket.reference, face) for ticket, face in faces if face is not None]
        count = ngettext("%(n)d open", "%(n)d open", len(dues)) % {"n": len(dues)}
        theirs = (
            f"{reverse('queue_view', args=['team'])}?who={key}" if key else reverse("queue_view", args=["unassigned"])
        )
        lanes.append(Lane(people[key], count, horizon(dues, now=at, zone=local_zone()), theirs))
    return lanes


# ---------------------------------------------------------------- acting


def _load(request: HttpRequest, number: int) -> Escalation:
    row: Escalation | None = _mine(person(request)).filter(pk=number).first()
    if row is None:
        raise Http404
    return row


@require_GET
@access.requires(Permission.SEE_ESCALATIONS)
def see(request: HttpRequest, number: int) -> HttpResponse:
    """The address of one escalation, which notices name: the ticket that it is about."""
    return HttpResponseRedirect(path_of(_load(request, number).ticket))


@require_POST
@access.requires(Permission.DECIDE_ESCALATIONS)
def accept(request: HttpRequest, number: int) -> HttpResponse:
    row = _load(request, number)
    back = next_page(request, path_of(row.ticket))
    try:
        escalation.accept(row, by=person(request), at=clock.now())
    except Refused as refusal:
        return refuse(request, refusal, back)
    undo = _undo_of(row, person(request), back)
    return go(request, back, _("%(ref)s is in your hand.") % {"ref": row.ticket.reference}, undo=undo)


def _latest(ticket: Ticket) -> str:
    """What the case is about, so that nobody decides without it: its subject, and how the last message begins."""
    return " – ".join(filter(None, [ticket.subject, ticket.excerpt]))


def _undo_of(row: Escalation, user: User, back: str) -> str:
    address = undo_of(row.ticket, user)
    return f"{address}?{urlencode({'next': back})}" if address else ""


@require_http_methods(["GET", "POST"])
@access.requires(Permission.DECIDE_ESCALATIONS)
def decide(request: HttpRequest, number: int) -> HttpResponse:
    at, row = clock.now(), _load(request, number)
    form = forms.DecideForm(request.POST or None)
    since = _since(row.ticket, receipts([row.ticket_id]), at)
    step = Step(
        _("Decide %(ref)s") % {"ref": row.ticket.reference}, _("Decide"), form, path_of(row.ticket),
        text=" · ".join(filter(None, [why(row), row.authority_needed, since])), quote=_latest(row.ticket),
        face=face_of(row.ticket, at=at), icon="gavel",
    )  # fmt: skip

    def verb(good: dict[str, Any]) -> str:
        decision = Escalation.Decision(good["decision"])
        escalation.decide(row, by=person(request), at=at, decision=decision, note=good["note"])
        return _("%(ref)s: %(decision)s.") % {"ref": row.ticket.reference, "decision": decision.label}

    board = reverse("escalations")
    return take_step(request, step, verb, onwards=board, undo=lambda: _undo_of(row, person(request), board))


@require_http_methods(["GET", "POST"])
@access.requires(Permission.DECIDE_ESCALATIONS)
def hand_back(request: HttpRequest, number: int) -> HttpResponse:
    at, row = clock.now(), _load(request, number)
    form = forms.ReasonForm(
        request.POST or None, label=_("Why does it go back?"), hint=_("So that it does not come up again the same way.")
    )
    step = Step(
        _("Hand back %(ref)s") % {"ref": row.ticket.reference}, _("Hand back"), form, path_of(row.ticket),
        text=why(row), quote=_latest(row.ticket), face=face_of(row.ticket, at=at), icon="corner-down-left",
    )  # fmt: skip

    def verb(good: dict[str, Any]) -> str:
        escalation.hand_back(row, by=person(request), at=at, reason=good["reason"])
        return _("%(ref)s handed back.") % {"ref": row.ticket.reference}

    board = reverse("escalations")
    return take_step(request, step, verb, onwards=board, undo=lambda: _undo_of(row, person(request), board))


# ---------------------------------------------------------------- cover


@require_POST
@access.requires(Permission.ASSIGN_OTHERS)
def name_cover(request: HttpRequest, number: int) -> HttpResponse:
    """The supervisor agrees with the proposal: the ticket goes to who is there in time."""
    ticket, board = load(request, number), reverse("escalations")
    had = number_in(request.POST.get("had", "0"))
    to = User.objects.filter(pk=number_in(request.POST.get("to", "")) or 0).first()
    try:
        if to is None:
            raise Refused(_("Choose who gets the tickets."))
        if (ticket.assignee_id or 0) != had:
            raise Refused(_("Somebody has moved %(ref)s since. Nothing was changed.") % {"ref": ticket.reference})
        assignment.assign(ticket, to=to, by=person(request), at=clock.now())
    except Refused as refusal:
        return refuse(request, refusal, board)
    said = _("%(ref)s is assigned to %(name)s.") % {"ref": ticket.reference, "name": to.name}
    return go(request, board, said, undo=f"{reverse('undo_assign', args=[ticket.pk])}?next={board}")
