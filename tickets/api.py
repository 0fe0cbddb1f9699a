"""The desk's verbs for programs: tickets, what is said in them, their clocks, customers and files."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from typing import Any, ClassVar

from django.db.models import BigIntegerField, Exists, Func, OuterRef, Q, QuerySet, Value
from django.db.models.functions import Cast
from django.http import Http404
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404
from django.utils import timezone
from django.utils.translation import gettext as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from csp import access, clock, exporting, vault
from csp.access import Refused
from csp.api import Input, Named, Refusal, Shape, View, asked, moment, number, person, query, wrong
from csp.models import Customer, Deadline, Team, User
from csp.privacy import locking
from csp.roles import Permission, Role
from tickets import (
    assignment,
    complexity,
    customers,
    desk,
    disclosure,
    escalation,
    forms,
    handling,
    lifecycle,
    queues,
    search,
)
from tickets.conversation import clocks_of, family, inbound, root_number, seen_of, spell, spelled
from tickets.models import Attachment, CoSignature, Interaction, Ticket
from tickets.views.door import customer_name, masked, sees_names, without_names
from tickets.views.opening import open_by

PAGE, LARGEST_PAGE = 50, 100
LONGEST = 100_000  # characters of a text, as in the composer
WRONG = {400: Refusal, 401: Refusal, 403: Refusal, 404: Refusal, 429: Refusal}
NOT_DONE = {**WRONG, 422: Refusal}
KEY = OpenApiParameter(
    "Idempotency-Key", str, OpenApiParameter.HEADER,
    description="Up to 100 characters of your own. Sent again within 24 hours it gets the same answer.",
)  # fmt: skip


def parameter(name: str, kind: Any, words: str) -> OpenApiParameter:
    return OpenApiParameter(name, kind, OpenApiParameter.QUERY, description=words)


AFTER = parameter("after", str, "The `next` of the page before.")


# ---------------------------------------------------------------- what is answered


class ClockOut(Shape):
    """One obligation, as `./run manage obligations --json` has it."""

    clause = serializers.CharField()
    obligation = serializers.CharField()
    subject = serializers.CharField()
    due = serializers.CharField()
    state = serializers.ChoiceField(choices=Deadline.State.choices)
    breached_at = serializers.CharField(allow_null=True)
    met_at = serializers.CharField(allow_null=True)


class NextOut(Shape):
    """The obligation that is next."""

    obligation = serializers.CharField()
    clause = serializers.CharField()
    due = serializers.CharField()
    is_overdue = serializers.BooleanField()


class TicketLine(Shape):
    """A ticket as a list shows it."""

    number = serializers.IntegerField()
    reference = serializers.CharField()
    subject = serializers.CharField()
    excerpt = serializers.CharField()
    state = serializers.ChoiceField(choices=Ticket.State.choices)
    kind = serializers.ChoiceField(choices=Ticket.Kind.choices)
    priority = serializers.ChoiceField(choices=Ticket.Priority.choices)
    channel = serializers.ChoiceField(choices=Ticket.Channel.choices)
    team = serializers.IntegerField()
    customer = Named(allow_null=True)
    assignee = Named(allow_null=True)
    received_at = serializers.CharField()
    last_interaction_at = serializers.CharField()
    next = NextOut(allow_null=True)


class TicketOut(TicketLine):
    """A ticket with its clocks."""

    is_complex = serializers.BooleanField()
    merged_into = serializers.CharField(allow_null=True)
    resolved_at = serializers.CharField(allow_null=True)
    closed_at = serializers.CharField(allow_null=True)
    seen_through = serializers.CharField()
    obligations = ClockOut(many=True)


class FileOut(Shape):
    """A file; its bytes are at /api/v1/attachments/<id>/."""

    id = serializers.IntegerField()
    name = serializers.CharField()
    content_type = serializers.CharField()
    size = serializers.IntegerField()


class InteractionOut(Shape):
    """One contact or note."""

    id = serializers.IntegerField()
    ticket = serializers.CharField()
    kind = serializers.ChoiceField(choices=Interaction.Kind.choices)
    direction = serializers.ChoiceField(choices=Interaction.Direction.choices)
    purpose = serializers.CharField(allow_blank=True)
    author = Named(allow_null=True)
    sender = serializers.CharField(allow_blank=True)
    subject = serializers.CharField(allow_blank=True)
    body = serializers.CharField(allow_blank=True)
    occurred_at = serializers.CharField()
    attachments = FileOut(many=True)


class AnswerOut(Shape):
    """What was written. An answer that waits for a co-signature is no interaction yet, and its clock runs on."""

    interaction = InteractionOut(allow_null=True)
    waits_for_cosignature = serializers.BooleanField()


class CustomerOut(Shape):
    """A customer whom the person serves; addresses are masked as they are on the screen."""

    id = serializers.IntegerField()
    name = serializers.CharField()
    organisation = serializers.CharField(allow_blank=True)
    language = serializers.CharField(allow_blank=True)
    addresses = serializers.ListField(child=serializers.CharField())


class TicketPage(Shape):
    items = TicketLine(many=True)
    next = serializers.CharField(allow_blank=True)


class InteractionPage(Shape):
    items = InteractionOut(many=True)
    next = serializers.CharField(allow_blank=True)


class ClockPage(Shape):
    items = ClockOut(many=True)
    next = serializers.CharField(allow_blank=True)


class CustomerList(Shape):
    items = CustomerOut(many=True)


def _line(ticket: Ticket, user: User, at: dt.datetime) -> dict[str, Any]:
    names = sees_names(user, ticket)
    plain: Callable[[str], str] = (lambda text: text) if names else (lambda text: without_names(text, ticket.customer))
    customer, assignee, due = ticket.customer, ticket.assignee, ticket.next_due_at
    return {
        "number": ticket.pk,
        "reference": ticket.reference,
        "subject": plain(ticket.subject),
        "excerpt": plain(ticket.excerpt),
        "state": ticket.state,
        "kind": ticket.kind,
        "priority": ticket.priority,
        "channel": ticket.channel,
        "team": ticket.team_id,
        "customer": {"id": customer.pk, "name": customer_name(customer, names=names)} if customer else None,
        "assignee": {"id": assignee.pk, "name": assignee.name} if assignee else None,
        "received_at": moment(ticket.received_at),
        "last_interaction_at": moment(ticket.last_interaction_at),
        "next": {
            "obligation": ticket.next_obligation, "clause": ticket.next_clause, "due": moment(due),
            "is_overdue": due < at,
        } if due else None,
    }  # fmt: skip


def _clock(row: Deadline) -> dict[str, Any]:
    breach = getattr(row, "breach", None)
    return {
        "clause": row.clause,
        "obligation": row.obligation,
        "subject": row.subject_ref,
        "due": moment(row.due_at),
        "state": row.state,
        "breached_at": moment(breach.breached_at) if breach else None,
        "met_at": moment(row.met_at),
    }


def _said(row: Interaction, ticket: Ticket, *, names: bool) -> dict[str, Any]:
    customer = row.customer or ticket.customer

    def plain(text: str) -> str:
        return text if names else without_names(text, customer, row.sender_name)

    is_theirs = row.direction == Interaction.Direction.IN
    sender = row.sender_name if is_theirs and names else customer_name(customer, names=names) if is_theirs else ""
    return {
        "id": row.pk,
        "ticket": f"#{row.ticket_id}",
        "kind": row.kind,
        "direction": row.direction,
        "purpose": row.purpose,
        "author": {"id": row.author.pk, "name": row.author.name} if row.author else None,
        "sender": sender,
        "subject": plain(row.subject),
        "body": plain(row.body),
        "occurred_at": moment(row.occurred_at),
        "attachments": [
            {"id": each.pk, "name": plain(each.name), "content_type": each.content_type, "size": each.size}
            for each in row.attachments.all()
        ],
    }


def _load(request: Request, ticket: int) -> Ticket:
    """The ticket, if the person may see it; otherwise it does not exist."""
    visible = Ticket.objects.visible_to(person(request))
    return get_object_or_404(visible.select_related("contract", "team", "assignee", "customer"), pk=ticket)


def _note_reading(ticket: Ticket, request: Request, at: dt.datetime) -> None:
    if not access.may(person(request), Permission.WORK_TICKETS, team_id=ticket.team_id, at=at):
        disclosure.read_ticket(ticket, by=person(request), at=at)


def _whole(request: Request, ticket: int, at: dt.datetime) -> dict[str, Any]:
    row = _load(request, ticket)
    numbers = family(row)
    clocks = clocks_of(numbers).select_related("breach").order_by("starts_at", "pk")
    return _line(row, person(request), at) | {
        "is_complex": row.escalate_id is not None,
        "merged_into": f"#{row.merged_into_id}" if row.merged_into_id else None,
        "resolved_at": moment(row.resolved_at),
        "closed_at": moment(row.closed_at),
        "seen_through": spell(seen_of(inbound(row, numbers))),
        "obligations": [_clock(each) for each in clocks],
    }


# ---------------------------------------------------------------- tickets


class NewTicket(Input):
    """A contact that did not come by mail, or our own first word; the fields are those of the page."""

    direction = serializers.ChoiceField(choices=["contact", "outbound"], default="contact")
    channel = serializers.ChoiceField(choices=["phone", "letter", "visit"], default="phone")
    team = serializers.IntegerField(min_value=1, max_value=2**62)
    customer = serializers.IntegerField(required=False, min_value=1, max_value=2**62)
    name = serializers.CharField(required=False, allow_blank=True, max_length=200)
    email = serializers.CharField(required=False, allow_blank=True, max_length=254)
    phone = serializers.CharField(required=False, allow_blank=True, max_length=40)
    subject = serializers.CharField(max_length=300)
    body = serializers.CharField(max_length=LONGEST, trim_whitespace=False)
    kind = serializers.ChoiceField(choices=Ticket.Kind.choices, default=Ticket.Kind.INQUIRY)
    priority = serializers.ChoiceField(choices=Ticket.Priority.choices, default=Ticket.Priority.NORMAL)
    received_at = serializers.DateTimeField(required=False)
    minutes = serializers.IntegerField(required=False, min_value=0, max_value=720)
    is_answered = serializers.BooleanField(default=True)
    answers = serializers.BooleanField(default=False)
    assign_to_me = serializers.BooleanField(default=False)


class Tickets(View):
    guards: ClassVar = {"GET": Permission.SEE_TICKETS, "POST": Permission.OPEN_TICKETS}

    @extend_schema(
        operation_id="list_tickets", tags=["tickets"], responses={200: TicketPage, **WRONG},
        parameters=[
            OpenApiParameter("queue", str, enum=[each.value for each in queues.View], description="`team` if empty."),
            OpenApiParameter("kind", str, many=True, enum=Ticket.Kind.values),
            OpenApiParameter("channel", str, many=True, enum=Ticket.Channel.values),
            OpenApiParameter("priority", int, many=True, enum=Ticket.Priority.values),
            parameter("category", int, "The number of a category."), parameter("team", int, "The number of a team."),
            parameter("due", str, "`4h`: overdue, or due within four hours."),
            parameter("attention", bool, "`1`: new, or waiting for us."),
            parameter("q", str, "A reference, or words of the subject or the customer's name."),
            parameter("limit", int, "How many; at most 100."), AFTER,
        ],
    )  # fmt: skip
    def get(self, request: Request) -> Response:
        """The tickets of a queue by what falls due, the longest overdue first."""
        query(request, *forms.QueueForm.base_fields, "queue", "limit", "after")
        form = forms.QueueForm(request.query_params)
        name = request.query_params.get("queue", queues.View.TEAM)
        if not form.is_valid():
            raise wrong(form)
        if name not in list(queues.View):
            raise serializers.ValidationError({"queue": [_("There is no such queue.")]})
        at, user, view = clock.now(), person(request), queues.View(name)
        filters = forms.filters(request.query_params)
        page = queues.page(
            queues.narrow(queues.select(view, user), filters, user=user, at=at),
            view=view, teams=queues.merged(view, filters, user), after=request.query_params.get("after", ""),
            size=number(request, "limit", otherwise=PAGE, most=LARGEST_PAGE), also=("kind", "priority"),
        )  # fmt: skip
        return Response({"items": [_line(row, user, at) for row in page.tickets], "next": page.after})

    @extend_schema(
        operation_id="open_ticket", tags=["tickets"], request=NewTicket, parameters=[KEY],
        responses={201: TicketOut, **NOT_DONE},
    )  # fmt: skip
    def post(self, request: Request) -> Response:
        """Take down a call, a letter or a visit, or write to a customer first. Clocks run from `received_at`."""
        at, user, good = clock.now(), person(request), asked(request, NewTicket)
        own = access.scope_of(user, at).teams(Role.REPRESENTATIVE, Role.SUPERVISOR)
        teams = Team.objects.filter(pk__in=own, is_active=True).order_by("name")
        with timezone.override(user.zoneinfo):
            form = forms.NewTicketForm(good, teams=teams, at=at)
            if not form.is_valid():
                raise wrong(form)

        def do() -> tuple[int, int]:
            return 201, open_by(form, user, at).pk

        return self.once(request, do, lambda _status, made: _whole(request, made, at))


class TicketView(View):
    """A view of one ticket, with something to do that answers with the ticket."""

    def act(self, request: Request, ticket: int, verb: Callable[[Ticket, User, dt.datetime], object]) -> Response:
        at, user, row = clock.now(), person(request), _load(request, ticket)

        def do() -> tuple[int, int]:
            verb(row, user, at)
            return 200, row.pk

        return self.once(request, do, lambda _status, made: _whole(request, made, at))


class OneTicket(View):
    guards: ClassVar = {"GET": Permission.SEE_TICKETS}

    @extend_schema(operation_id="read_ticket", tags=["tickets"], responses={200: TicketOut, **WRONG})
    def get(self, request: Request, ticket: int) -> Response:
        """A ticket with its clocks. That somebody who only watches has read it is on record."""
        query(request)
        at = clock.now()
        _note_reading(_load(request, ticket), request, at)
        return Response(_whole(request, ticket, at))


class Interactions(View):
    guards: ClassVar = {"GET": Permission.SEE_TICKETS}

    @extend_schema(
        operation_id="list_interactions", tags=["tickets"], responses={200: InteractionPage, **WRONG},
        parameters=[AFTER],
    )  # fmt: skip
    def get(self, request: Request, ticket: int) -> Response:
        """What was said, in the order in which it was recorded; also of what was merged into this ticket."""
        query(request, "after")
        at, row = clock.now(), _load(request, ticket)
        _note_reading(row, request, at)
        said = Interaction.objects.filter(ticket__in=family(row), pk__gt=number(request, "after"))
        rows = said.select_related("author", "customer").defer("search", "html").prefetch_related("attachments")
        found = list(rows.order_by("pk")[: PAGE + 1])
        names = sees_names(person(request), row)
        items = [_said(each, row, names=names) for each in found[:PAGE]]
        return Response({"items": items, "next": str(found[PAGE - 1].pk) if len(found) > PAGE else ""})


# ---------------------------------------------------------------- writing


class SeenField(serializers.CharField):
    """`seen_through` of the ticket as it was read: whoever answers has seen what the customer wrote last."""

    def run_validation(self, data: Any = serializers.empty) -> Any:
        return {} if data == "" else super().run_validation(data)  # nothing was said by the customer

    def to_internal_value(self, data: Any) -> Any:
        try:
            return spelled(super().to_internal_value(data))
        except ValueError:
            raise serializers.ValidationError(_("Give the seen_through of the ticket as you read it.")) from None


class Reply(Input):
    """An answer, and with it whether the case is complex."""

    body = serializers.CharField(max_length=LONGEST, trim_whitespace=False)
    seen_through = SeenField(max_length=20_000, allow_blank=True)
    cc = serializers.ListField(child=serializers.EmailField(max_length=254), default=list, max_length=20)
    then = serializers.ChoiceField(choices=["waiting", "open", "resolved"], default="waiting")
    decision = serializers.ChoiceField(choices=["within", "complex"], default="within")
    why = serializers.CharField(max_length=500, default="", allow_blank=True)


class Holding(Input):
    """Word to the customer that we are at it; it answers nothing, and the clock runs on."""

    body = serializers.CharField(max_length=LONGEST, trim_whitespace=False)
    seen_through = SeenField(max_length=20_000, allow_blank=True)


class NoteIn(Input):
    """Words that never leave the building."""

    body = serializers.CharField(max_length=LONGEST, trim_whitespace=False)


class NewMessage(Refused):
    """The customer wrote again: read the ticket, then answer what it says now."""

    status, code = 409, "new_message"


class WritingView(View):
    guards: ClassVar = {"POST": Permission.WORK_TICKETS}

    def written(
        self, request: Request, ticket: int, verb: Callable[[Ticket, User, dt.datetime], Interaction | CoSignature]
    ) -> Response:
        at, user, row = clock.now(), person(request), _load(request, ticket)

        def do() -> tuple[int, int]:
            try:
                made = verb(row, user, at)
            except handling.NewMessageMeanwhile as meanwhile:
                raise NewMessage(str(meanwhile)) from None
            return (202 if isinstance(made, CoSignature) else 201), made.pk

        def show(status: int, made: int) -> Mapping[str, Any]:
            if status == 202:
                return {"interaction": None, "waits_for_cosignature": True}
            said = Interaction.objects.select_related("author", "customer").get(pk=made)
            now = _load(request, row.pk)
            return {"interaction": _said(said, now, names=sees_names(user, now)), "waits_for_cosignature": False}

        return self.once(request, do, show)


class Replies(WritingView):
    @extend_schema(
        operation_id="reply", tags=["writing"], request=Reply, parameters=[KEY],
        responses={201: AnswerOut, 202: AnswerOut, **NOT_DONE, 409: Refusal},
    )  # fmt: skip
    def post(self, request: Request, ticket: int) -> Response:
        """Answer the customer. Nothing is met before the first server outside accepts the mail."""
        good = asked(request, Reply)
        return self.written(request, ticket, lambda row, user, at: handling.respond(
            row, by=user, at=at, body=good["body"], seen_through=good["seen_through"], cc=good["cc"],
            then=Ticket.State(good["then"]), decision=complexity.Decision(good["decision"] == "complex", good["why"]),
        ))  # fmt: skip


class Holdings(WritingView):
    @extend_schema(
        operation_id="send_holding_message", tags=["writing"], request=Holding, parameters=[KEY],
        responses={201: AnswerOut, 202: AnswerOut, **NOT_DONE, 409: Refusal},
    )  # fmt: skip
    def post(self, request: Request, ticket: int) -> Response:
        """Tell the customer that we are at it. Meets nothing."""
        good = asked(request, Holding)
        return self.written(request, ticket, lambda row, user, at: handling.respond(
            row, by=user, at=at, body=good["body"], purpose=Interaction.Purpose.HOLDING,
            seen_through=good["seen_through"],
        ))  # fmt: skip


class Notes(WritingView):
    @extend_schema(
        operation_id="add_note", tags=["writing"], request=NoteIn, parameters=[KEY],
        responses={201: AnswerOut, **NOT_DONE},
    )  # fmt: skip
    def post(self, request: Request, ticket: int) -> Response:
        """Add a note, which only the team sees."""
        good = asked(request, NoteIn)
        return self.written(
            request, ticket, lambda row, user, at: handling.note(row, by=user, at=at, body=good["body"])
        )


# ---------------------------------------------------------------- doing


class To(Input):
    """Somebody of the ticket's team, or nobody."""

    to = serializers.IntegerField(allow_null=True, min_value=1, max_value=2**62)


class StateIn(Input):
    """The state; a resolved complaint says what resolved it."""

    state = serializers.ChoiceField(choices=["open", "waiting", "resolved", "closed"])
    resolution = serializers.CharField(max_length=20_000, default="", allow_blank=True)


class Escalate(Input):
    """Why a supervisor has to decide; to whom, or whoever is first."""

    reason = serializers.CharField(max_length=500)
    to = serializers.IntegerField(allow_null=True, default=None, min_value=1, max_value=2**62)
    authority_needed = serializers.CharField(max_length=200, default="", allow_blank=True)


class Complex(Input):
    """What makes it complex."""

    reason = serializers.CharField(max_length=500)


def _one_of(people: list[User], pk: int | None, *, name: str = "to") -> User | None:
    """The person of that number among these. Raises ValidationError."""
    if pk is None:
        return None
    for each in people:
        if each.pk == pk:
            return each
    raise serializers.ValidationError({name: [_("Nobody of this number can be chosen here.")]})


class Assignment(TicketView):
    guards: ClassVar = {"POST": Permission.WORK_TICKETS}

    @extend_schema(
        operation_id="assign", tags=["tickets"], request=To, parameters=[KEY],
        responses={200: TicketOut, **NOT_DONE, 409: Refusal},
    )  # fmt: skip
    def post(self, request: Request, ticket: int) -> Response:
        """Give the ticket to somebody of its team, or back to the team (`null`)."""
        good = asked(request, To)

        def verb(row: Ticket, user: User, at: dt.datetime) -> object:
            return assignment.assign(row, to=_one_of(desk.people_of([row.team_id], at=at), good["to"]), by=user, at=at)

        return self.act(request, ticket, verb)


class State(TicketView):
    guards: ClassVar = {"POST": Permission.WORK_TICKETS}

    @extend_schema(
        operation_id="change_state", tags=["tickets"], request=StateIn, parameters=[KEY],
        responses={200: TicketOut, **NOT_DONE, 409: Refusal},
    )  # fmt: skip
    def post(self, request: Request, ticket: int) -> Response:
        """Change the state. A state meets no promise: only an answer does."""
        good = asked(request, StateIn)
        return self.act(request, ticket, lambda row, user, at: lifecycle.change_state(
            row, to=Ticket.State(good["state"]), by=user, at=at, resolution=good["resolution"]
        ))  # fmt: skip


class Escalation(TicketView):
    guards: ClassVar = {"POST": Permission.WORK_TICKETS}

    @extend_schema(
        operation_id="escalate", tags=["tickets"], request=Escalate, parameters=[KEY],
        responses={200: TicketOut, **NOT_DONE},
    )  # fmt: skip
    def post(self, request: Request, ticket: int) -> Response:
        """Hand the ticket up to a supervisor."""
        good = asked(request, Escalate)

        def verb(row: Ticket, user: User, at: dt.datetime) -> object:
            supervisors = access.people_with(Role.SUPERVISOR, at=at, teams=[row.team_id])
            to = _one_of([each for each in supervisors if each.pk != row.about_id], good["to"])
            return escalation.escalate(
                row, by=user, at=at, reason=good["reason"], to=to, authority_needed=good["authority_needed"]
            )

        return self.act(request, ticket, verb)


class MarkComplex(TicketView):
    guards: ClassVar = {"POST": Permission.WORK_TICKETS}

    @extend_schema(
        operation_id="mark_complex", tags=["tickets"], request=Complex, parameters=[KEY],
        responses={200: TicketOut, **NOT_DONE},
    )  # fmt: skip
    def post(self, request: Request, ticket: int) -> Response:
        """Say that the case is complex: it has to reach a supervisor within 24 hours of receipt."""
        good = asked(request, Complex)
        return self.act(
            request, ticket, lambda row, user, at: complexity.mark_complex(row, by=user, at=at, reason=good["reason"])
        )


# ---------------------------------------------------------------- files


class OneAttachment(View):
    guards: ClassVar = {"GET": Permission.SEE_TICKETS}

    @extend_schema(
        operation_id="read_attachment", tags=["tickets"],
        responses={(200, "application/octet-stream"): OpenApiTypes.BINARY, **WRONG, 410: Refusal},
    )  # fmt: skip
    def get(self, request: Request, attachment: int) -> HttpResponseBase:
        """The bytes of a file, always as a download; the opening is on record."""
        row = get_object_or_404(Attachment.objects.select_related("blob__key", "interaction__ticket"), pk=attachment)
        ticket = row.interaction.ticket
        here = ticket.pk if ticket.merged_into_id is None else root_number(ticket.pk)
        _load(request, here)
        try:
            content = disclosure.open_attachment(row, by=person(request), at=clock.now())
        except vault.Unreadable:
            words = _("The content of this file was destroyed; its name, size and digest stay as proof.")
            return Response({"detail": words, "code": "gone"}, 410)
        return exporting.download(content, row.name)


# ---------------------------------------------------------------- customers


class NewCustomer(Input):
    """A name, an address, or both. Whoever has the address already is found, not made a second time."""

    name = serializers.CharField(max_length=200, default="", allow_blank=True)
    email = serializers.CharField(max_length=254, default="", allow_blank=True)
    phone = serializers.CharField(max_length=40, default="", allow_blank=True)


def _customer(row: Customer, *, names: bool) -> dict[str, Any]:
    return {
        "id": row.pk,
        "name": customer_name(row, names=names),
        "organisation": row.organisation if names else "",
        "language": row.language,
        "addresses": [masked(each.value) for each in row.addresses.all()] if names else [],
    }


class Customers(View):
    guards: ClassVar = {"GET": Permission.SEE_CUSTOMER_NAMES, "POST": Permission.OPEN_TICKETS}

    @extend_schema(
        operation_id="find_customers", tags=["customers"], responses={200: CustomerList, **WRONG},
        parameters=[parameter("q", str, "Two letters at least of a name, an organisation or an address.")],
    )  # fmt: skip
    def get(self, request: Request) -> Response:
        """Customers by name, organisation or address: those whom the person's teams serve, or by a whole address."""
        query(request, "q")
        words = request.query_params.get("q", "").replace("\x00", "")
        rows = search.customers_like(words, user=person(request), limit=PAGE)
        return Response({"items": [_customer(row, names=True) for row in rows]})

    @extend_schema(
        operation_id="add_customer", tags=["customers"], request=NewCustomer, parameters=[KEY],
        responses={201: CustomerOut, **NOT_DONE},
    )  # fmt: skip
    def post(self, request: Request) -> Response:
        """Add a customer, or find the one who has this address."""
        at, user, good = clock.now(), person(request), asked(request, NewCustomer)

        def do() -> tuple[int, int]:
            return 201, customers.find_or_add(**good, by=user, at=at).pk

        def shown(_status: int, made: int) -> dict[str, Any]:
            row = get_object_or_404(Customer, pk=made)
            return _customer(row, names=not locking.is_locked("customer", row.pk))

        return self.once(request, do, shown)


class OneCustomer(View):
    guards: ClassVar = {"GET": Permission.SEE_TICKETS}

    @extend_schema(operation_id="read_customer", tags=["customers"], responses={200: CustomerOut, **WRONG})
    def get(self, request: Request, customer: int) -> Response:
        """A customer of whom the person may see a ticket; named to whoever serves them."""
        query(request)
        at, user = clock.now(), person(request)
        row = get_object_or_404(Customer.objects.filter(joined_into=None, erased_at=None), pk=customer)
        theirs = Ticket.objects.visible_to(user).real().filter(customer=row)
        if locking.is_locked("customer", row.pk) or not theirs.exists():
            raise Http404
        if not customers.may_change(row, user):
            disclosure.read_customer(row, by=user, at=at)
        served = access.scope_of(user, at).teams_where(Permission.SEE_CUSTOMER_NAMES)
        return Response(_customer(row, names=theirs.filter(team__in=served).exists()))


# ---------------------------------------------------------------- clocks


def _owed(user: User) -> QuerySet[Deadline]:
    """The deadlines of the tickets that this person may see; of nothing else, whatever else has a clock."""
    named = Cast(Func(OuterRef("subject_ref"), Value(r"^#(\d{1,18})$"), function="substring"), BigIntegerField())
    visible = Ticket.objects.visible_to(user).filter(pk=named)
    mine = Deadline.objects.filter(team__in=access.scope_of(user).reads(), path__startswith="/tickets/")
    return mine.filter(Exists(visible), in_confidence=False)


class Obligations(View):
    guards: ClassVar = {"GET": Permission.SEE_DEADLINES}

    @extend_schema(
        operation_id="list_obligations", tags=["clocks"], responses={200: ClockPage, **WRONG},
        parameters=[
            OpenApiParameter("standing", str, enum=["open", "breached"], description="Neither met nor void; broken."),
            parameter("subject", str, "Those of one ticket, such as `#4790` or `4790`."),
            parameter("limit", int, "How many; at most 100."), AFTER,
        ],
    )  # fmt: skip
    def get(self, request: Request) -> Response:
        """Every promise with a clock on it, by when it is due; broken ones say when (`standing=breached`)."""
        query(request, "standing", "subject", "limit", "after")
        standing = request.query_params.get("standing", "")
        if standing not in ("", "open", "breached"):
            raise serializers.ValidationError({"standing": [_("This is open or breached.")]})
        rows = _owed(person(request))
        if standing == "open":
            rows = rows.filter(met_at__isnull=True, voided_at__isnull=True)
        elif standing == "breached":
            rows = rows.filter(breach__isnull=False)
        if ref := request.query_params.get("subject", "").strip().replace("\x00", ""):
            rows = rows.filter(subject_ref=f"#{ref}" if ref.isdecimal() else ref)
        size = number(request, "limit", otherwise=PAGE, most=LARGEST_PAGE)
        if after := number(request, "after"):
            last = get_object_or_404(_owed(person(request)), pk=after)
            rows = rows.filter(Q(due_at__gt=last.due_at) | Q(due_at=last.due_at, pk__gt=last.pk))
        found = list(rows.select_related("breach").order_by("due_at", "pk")[: size + 1])
        shown = found[:size]
        return Response({
            "items": [_clock(row) for row in shown], "next": str(shown[-1].pk) if len(found) > size else ""
        })  # fmt: skip
