"""The queue: what is next, for one person or a team (clauses 3.1, 3.2, 3.3)."""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Sequence
from typing import Any
from urllib.parse import urlencode

from django.db.models import IntegerField, Value
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET, require_POST

from csp import access, clock, clockface
from csp.access import AlreadySo, Refused
from csp.horizon import Due
from csp.models import Team, User
from csp.roles import Permission, Role
from tickets import assignment, changes, cover, desk, disclosure, queues
from tickets.conversation import conversation, obligations
from tickets.forms import filters as read_filters
from tickets.models import Category, Interaction, Ticket
from tickets.queues import View
from tickets.views.door import (
    CHANNEL_ICONS,
    customer_name,
    face_of,
    go,
    is_fragment,
    load,
    next_page,
    number_in,
    path_of,
    person,
    refuse,
    sees_names,
    toast,
    with_what_was_left,
    without_names,
)
from tickets.views.standing_in import of_people
from tickets.views.thread import pieces

MOST_AT_ONCE = 100


@dataclasses.dataclass(slots=True)
class Row:
    """One line of a list, with everything that a template draws."""

    ticket: Ticket
    name: str
    face: clockface.ClockFace | None
    icon: str
    is_unread: bool = False
    is_uncovered: bool = False  # nobody who answers for it is on shift before it falls due
    others: list[User] = dataclasses.field(default_factory=list)


def rows_of(tickets: list[Ticket], user: User, *, at: dt.datetime, seen: bool = True) -> list[Row]:
    """Tickets as lines. A line is bold while something was said that this person has not had open."""
    looked = queues.seen(tickets, user, at=at) if seen else {}
    lines = []
    for ticket in tickets:
        known = looked.get(ticket.pk, queues.Seen())
        names = sees_names(user, ticket)
        if not names:
            ticket.excerpt = without_names(ticket.excerpt, ticket.customer)
        lines.append(
            Row(
                ticket=ticket,
                name=customer_name(ticket.customer, names=names),
                face=face_of(ticket, at=at),
                icon=CHANNEL_ICONS[ticket.channel],
                is_unread=ticket.next_obligation in queues.WAITING_FOR_US
                and (known.last is None or known.last < ticket.last_interaction_at),
                others=known.others,
            )
        )
    return lines


def groups_of(lines: list[Row], *, at: dt.datetime) -> list[clockface.DueGroup[Row]]:
    return clockface.group_by_due(
        lines, due=lambda line: line.ticket.next_due_at, now=at, zone=timezone.get_current_timezone()
    )


@require_GET
@access.requires(Permission.SEE_TICKETS)
def first(request: HttpRequest) -> HttpResponse:
    """The queue that somebody begins with: the own one, or the contract's for who only reads."""
    view = View.MINE if access.may(person(request), Permission.WORK_TICKETS) else View.TEAM
    return HttpResponseRedirect(reverse("queue_view", args=[view.value]))


@require_GET
@access.requires(Permission.SEE_TICKETS)
def queue(request: HttpRequest, name: str) -> HttpResponse:
    try:
        view = View(name)
    except ValueError as error:
        raise Http404 from error
    at, user = clock.now(), person(request)
    filters = read_filters(request.GET)
    tickets = queues.narrow(queues.select(view, user), filters, user=user, at=at)
    cursor = changes.of_queue(view, user, at=at)
    page = queues.page(
        tickets,
        view=view,
        teams=queues.merged(view, filters, user),
        after=request.GET.get("after", ""),
        before=request.GET.get("before", ""),
    )
    lines = rows_of(page.tickets, user, at=at)
    if view is not View.FINISHED:
        rota = cover.Rota({ticket.team_id for ticket in page.tickets}, at=at)
        for line in lines:
            line.is_uncovered = rota.is_uncovered(line.ticket)
    counts = queues.counts(user, at=at, view=view)
    categories, teams = _choices(user)
    colleagues = _colleagues(user, at) if access.may(user, Permission.BULK_WORK) else []
    somebodys = view not in (View.MINE, View.UNASSIGNED) and len(colleagues) > 1
    people = [(one.pk, one.name) for one in colleagues] if somebodys else []
    context = {
        "at": at,
        "view": view,
        "title": queues.TITLES[view],
        "filters": filters,
        "chips": _chips(request, filters, counts, categories, teams, people),
        "page": page,
        "groups": [] if view is View.FINISHED else groups_of(lines, at=at),
        "lines": lines,
        "pins": _pins(lines) if page.is_first else [],
        "counts": counts,
        "here": counts[view.value],
        "tabs": [
            {"view": item, "label": label, "count": counts[item.value], "url": reverse("queue_view", args=[item.value])}
            for item, label in queues.TABS.items()
            if item is not View.MINE or access.may(user, Permission.WORK_TICKETS)
        ],
        "changes_url": f"{reverse('changes')}?scope=queue:{view.value}",
        "cursor": cursor,
        "may_work": access.may(user, Permission.WORK_TICKETS),
        "may_open": access.may(user, Permission.OPEN_TICKETS),
        "colleagues": colleagues,
        # Somebody's whole work is handed on at once: all of the page is marked, and looked at before it goes.
        "marked": len(colleagues) > 1 and request.GET.get("mark") == "all",
        "empty": _empty(view, filters),
    }
    is_part = is_fragment(request, "list")  # then the counts above the list come along
    if not is_part:
        context["away"] = of_people([number for number in (user.pk, filters.assignee) if number], user, at)
    return render(request, f"tickets/queue.html{'#list' if is_part else ''}", context | {"is_part": is_part})


Choice = tuple[int, str]


def _choices(user: User) -> tuple[list[Choice], list[Choice]]:
    """The categories and teams that this person may filter by, by name; one statement."""
    scope = access.scope_of(user)
    contracts = scope.contracts(Role.REPRESENTATIVE, Role.SUPERVISOR, Role.AUDITOR)
    categories = Category.objects.filter(contract__in=contracts, is_active=True)
    rows = categories.values_list(Value(0, output_field=IntegerField()), "pk", "name")
    teams = scope.reads()
    if len(teams) > 1:
        named = Team.objects.filter(pk__in=teams).values_list(Value(1, output_field=IntegerField()), "pk", "name")
        rows = rows.union(named, all=True)
    found: tuple[list[Choice], list[Choice]] = ([], [])
    for which, number, name in rows:
        found[which].append((number, name))
    for choices in found:
        choices.sort(key=lambda choice: choice[1])
    return found


def _chips(
    request: HttpRequest,
    filters: queues.Filters,
    counts: dict[str, Any],
    categories: list[Choice],
    teams: list[Choice],
    people: list[Choice],
) -> dict[str, Any]:
    """What the filter bar shows: menus with what is chosen, and shortcuts that are links."""

    def menu(name: str, label: str, options: Sequence[tuple[Any, Any]], chosen: Any) -> dict[str, Any]:
        picked = [str(text) for value, text in options if value in chosen]
        options_shown = [{"value": value, "label": text, "on": value in chosen} for value, text in options]
        return {"name": name, "label": label, "options": options_shown, "shown": ", ".join(picked)}

    def link(key: str, value: str, *, on: bool) -> str:
        query = request.GET.copy()
        for name in ("after", "before", key):
            query.pop(name, None)
        if not on:
            query[key] = value
        return f"?{query.urlencode()}"

    menus = [
        menu("kind", _("Kind"), list(Ticket.Kind.choices), filters.kinds),
        menu("channel", _("Channel"), list(Ticket.Channel.choices), filters.channels),
        menu("priority", _("Priority"), list(Ticket.Priority.choices), filters.priorities),
    ]
    if categories:
        menus.append(menu("category", _("Category"), categories, (filters.category,)) | {"one": True})
    if teams:
        menus.append(menu("team", _("Team"), teams, (filters.team,)) | {"one": True})
    if people:
        menus.append(menu("who", _("Assignee"), people, (filters.assignee,)) | {"one": True})
    return {
        "menus": menus,
        "due": {"on": filters.due_soon, "url": link("due", "4h", on=filters.due_soon), "count": counts.get("due_soon")},
        "attention": {"on": filters.attention, "url": link("attention", "1", on=filters.attention)},
        "mark": link("mark", "all", on=request.GET.get("mark") == "all") if filters.assignee and people else "",
    }


def _pins(lines: list[Row]) -> list[Due]:
    return [Due(str(line.ticket.pk), line.ticket.reference, line.face) for line in lines if line.face is not None]


def _colleagues(user: User, at: dt.datetime) -> list[User]:
    """To whom this person may hand tickets: everybody of the own teams for a supervisor, themselves for others."""
    teams = access.scope_of(user).teams(Role.SUPERVISOR)
    return desk.people_of(teams, at=at) if teams else [user]


def _empty(view: View, filters: queues.Filters) -> dict[str, str]:
    """What an empty list says: what is next."""
    if filters:
        return {
            "title": _("Nothing here fits these filters"),
            "text": _("Drop a filter, or search everything with Ctrl K."),
            "href": reverse("queue_view", args=[view.value]),
            "action": _("Show all"),
        }
    unassigned = reverse("queue_view", args=[View.UNASSIGNED.value])
    return {
        View.MINE: {
            "title": _("Nothing is yours at the moment"),
            "text": _("Take one that nobody has yet."),
            "href": unassigned,
            "action": _("Unassigned"),
        },
        View.TEAM: {"title": _("No open ticket"), "text": _("New mail appears here by itself.")},
        View.UNASSIGNED: {"title": _("Everything has somebody"), "text": _("New mail appears here by itself.")},
        View.ESCALATED: {
            "title": _("Nothing is with a supervisor"),
            "text": _("What a person or a broken promise hands up stands here until it is decided."),
        },
        View.WAITING: {
            "title": _("Nothing waits for a customer"),
            "text": _("An answered ticket waits here until the customer writes back or it is resolved."),
        },
        View.FINISHED: {"title": _("Nothing is finished yet"), "text": _("Resolved and closed tickets stand here.")},
    }[view]


# ---------------------------------------------------------------- one ticket beside the list


@require_GET
@access.requires(Permission.SEE_TICKETS)
def peek(request: HttpRequest, number: int) -> HttpResponse:
    at, ticket = clock.now(), load(request, number)
    may_work = access.may(person(request), Permission.WORK_TICKETS, team_id=ticket.team_id)
    if not may_work:
        disclosure.read_ticket(ticket, by=person(request), at=at)
    said = conversation(ticket)
    last = next((row for row in reversed(said) if row.direction == Interaction.Direction.IN), None)
    names = sees_names(person(request), ticket)
    words = next((piece.text for piece in pieces(last) if not piece.summary), "") if last else ""
    context = {
        "at": at,
        "ticket": ticket,
        "name": customer_name(ticket.customer, names=names),
        "names": names,
        "face": face_of(ticket, at=at),
        "duties": [row for row in obligations(ticket) if row.voided_at is None],
        "last": last,
        "said": said,
        "words": words if names or last is None else without_names(words, ticket.customer, last.sender_name),
        "files": last.attachments.all() if last else [],
        "may_work": may_work,
    }
    template = "tickets/peek.html#peek" if is_fragment(request) else "tickets/peek.html"
    return render(request, template, context)


def _beside(view: View, user: User) -> queues.Page:
    return queues.page(queues.select(view, user), view=view, teams=queues.merged(view, queues.Filters(), user), size=30)


@require_GET
@access.requires(Permission.SEE_TICKETS)
def rail(request: HttpRequest) -> HttpResponse:
    """A narrow list beside a ticket: the one that it was opened from, else the own one, else the team's."""
    at, user = clock.now(), person(request)
    asked = request.GET.get("list", "")
    view = View(asked) if asked in queues.TITLES else View.MINE
    page = _beside(view, user)
    if view != asked and not page.tickets:
        view = View.TEAM
        page = _beside(view, user)
    context = {
        "at": at,
        "view": view,
        "title": queues.TITLES[view],
        "groups": groups_of(rows_of(page.tickets, user, at=at, seen=False), at=at),
        "current": number_in(request.GET.get("current", "")) or 0,
        "queue_url": reverse("queue_view", args=[view.value]),
    }
    template = "tickets/rail.html#rail" if is_fragment(request) else "tickets/rail.html"
    return render(request, template, context)


# ---------------------------------------------------------------- acting


@require_GET
@access.requires(Permission.WORK_TICKETS)
def go_next(request: HttpRequest) -> HttpResponse:
    """The Next button: what can still be kept within the hour, then what is overdue, then the rest."""
    besides = number_in(request.GET.get("besides", ""))
    ticket = queues.next_for(person(request), at=clock.now(), besides=besides)
    if ticket is None:
        return toast(
            request,
            HttpResponseRedirect(reverse("queue")),
            _("No clock is running on your tickets. New mail appears here by itself."),
        )
    return HttpResponseRedirect(path_of(ticket))


@require_POST
@access.requires(Permission.BULK_WORK)
def bulk(request: HttpRequest) -> HttpResponse:
    """One verb for each marked ticket; what was refused is said, and changes nothing for the others."""
    at, user = clock.now(), person(request)
    chosen = [number for value in request.POST.getlist("t") if (number := number_in(value)) is not None]
    back = next_page(request, reverse("queue"))
    response = HttpResponseRedirect(back)
    to: User | None = None
    if not chosen:
        return toast(request, response, _("Mark some tickets first."))
    target = request.POST.get("to", "")
    if target != "nobody":
        to = user if target in ("", "me") else User.objects.filter(pk=number_in(target) or 0).first()
        if to is None:
            return toast(request, response, _("Choose who gets the tickets."))
    done, refused = [], []
    for ticket in Ticket.objects.visible_to(user).filter(pk__in=chosen[:MOST_AT_ONCE]).order_by("pk"):
        try:
            assignment.assign(ticket, to=to, by=user, at=at)
            done.append(ticket.pk)
        except AlreadySo:
            refused.append(_("%(ref)s: nothing to change.") % {"ref": ticket.reference})
        except Refused as refusal:
            refused.append(f"{ticket.reference}: {refusal}")
    if to is None:
        text = ngettext("%(n)d ticket given back to the team.", "%(n)d tickets given back to their teams.", len(done))
    else:
        text = ngettext("%(n)d ticket assigned to %(name)s.", "%(n)d tickets assigned to %(name)s.", len(done))
    summary = with_what_was_left(text % {"n": len(done), "name": to.name if to else ""} if done else "", refused)
    if done:
        undo = f"{reverse('undo_bulk')}?{urlencode({'t': done, 'at': at.isoformat(), 'next': back}, doseq=True)}"
        return go(request, back, summary, undo=undo)
    return toast(request, response, summary or _("None of these tickets can be seen by you."))


@require_POST
@access.requires(Permission.BULK_WORK)
def undo_bulk(request: HttpRequest) -> HttpResponse:
    """Take one's own assignment of several tickets back, each to whoever had it; what was moved since stays there."""
    at, user = clock.now(), person(request)
    numbers = [number for value in request.GET.getlist("t") if (number := number_in(value)) is not None]
    try:  # whoever has assigned one of them once more since does not undo that instead
        done_at = dt.datetime.fromisoformat(request.GET.get("at", ""))
    except ValueError:
        return refuse(request, Refused(_("There is nothing to undo.")), next_page(request, reverse("queue")))
    done, refused = 0, []
    for ticket in Ticket.objects.visible_to(user).filter(pk__in=numbers[:MOST_AT_ONCE]).order_by("pk"):
        try:
            assignment.undo(ticket, by=user, at=at, done_at=done_at)
            done += 1
        except Refused as refusal:
            refused.append(str(refusal))
    text = ngettext("Undone: %(n)d ticket is back.", "Undone: %(n)d tickets are back.", done) % {"n": done}
    back = next_page(request, reverse("queue"))
    return go(request, back, with_what_was_left(text if done else "", refused) or _("There is nothing to undo."))
