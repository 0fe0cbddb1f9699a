"""The page of a customer's own request, opened by a signed link: what we promised, what was said, a place to add to it.

Looking changes nothing. The link is the only key: it is in the address of every form here, so that no other site can
make a browser send one, and a cookie is not asked for. The page tells nobody where it was (Referrer-Policy), is kept by
nobody, and names no person of the company.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import functools
from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from csp import access, clock, clockface, exporting, throttle, vault
from csp.access import Refused
from csp.clockface import NBSP, ClockFace, State
from csp.models import Address, Customer, Deadline
from tickets import call_backs, files, handling, request_links, resolving
from tickets.acknowledging import zone_of
from tickets.conversation import Direction, Kind, Purpose, family, obligations, received_at
from tickets.intake import sheet, taking_in
from tickets.models import Attachment, InboundMessage, Interaction, Resolution, Ticket
from tickets.public_forms import LinkForm, ReplyForm
from tickets.request_links import Link
from tickets.views.public import HOUR, OF_ONE, REFUSED, in_their_language, keep_language, languages, private
from tickets.views.thread import Piece, pieces

ASKED = 10  # links that one network address may ask for within an hour

# What a customer is shown of our clocks, in a customer's words: (running, met, headline).
PROMISES: dict[str, tuple[Any, Any, Any]] = {
    "acknowledge": (gettext_lazy("Confirm"), gettext_lazy("Confirmed"), gettext_lazy("Confirmed by %(when)s")),
    "respond": (gettext_lazy("Answer"), gettext_lazy("Answered"), gettext_lazy("Answer by %(when)s")),
    "follow_up": (gettext_lazy("Answer"), gettext_lazy("Answered"), gettext_lazy("Answer by %(when)s")),
    "escalate": (
        gettext_lazy("Reaches a supervisor"),
        gettext_lazy("Reached a supervisor"),
        gettext_lazy("Reaches a supervisor by %(when)s"),
    ),
    "resolve": (gettext_lazy("Settle"), gettext_lazy("Settled"), gettext_lazy("Settled by %(when)s")),
}

STATES = {
    Ticket.State.NEW: gettext_lazy("We have it; nobody has answered yet."),
    Ticket.State.OPEN: gettext_lazy("We are working on it."),
    Ticket.State.WAITING: gettext_lazy("We have answered and wait for you."),
    Ticket.State.RESOLVED: gettext_lazy("Settled, as far as we know. Is it not? Add something below."),
    Ticket.State.CLOSED: gettext_lazy("Closed. What you add opens a new request that is linked to this one."),
}


@dataclasses.dataclass(frozen=True, slots=True)
class Promise:
    """One clock as its customer sees it."""

    face: ClockFace
    due: str
    headline: str
    is_running: bool
    code: str

    @property
    def left(self) -> str:
        """Days or hours, for the middle of the dial."""
        return NBSP.join(self.face.words.split(NBSP)[:2]) if self.face.state != State.OVER else "!"


@dataclasses.dataclass(slots=True)
class Entry:
    """One thing said, or an event without words of its own."""

    kind: str  # in, out, event
    who: str
    at: dt.datetime
    when: str
    icon: str = ""
    pieces: list[Piece] = dataclasses.field(default_factory=list)
    files: list[Attachment] = dataclasses.field(default_factory=list)


View = Callable[..., HttpResponseBase]


def by_link(view: View) -> View:
    """Hand the view what the link in the address opens; one page for all that open nothing, without a reason."""

    @functools.wraps(view)
    def opened(request: HttpRequest, token: str, *args: Any, **kwargs: Any) -> HttpResponseBase:
        at = clock.now()
        try:
            link = request_links.read(token, at)
        except request_links.NotGood:
            context = {"at": at, "languages": languages(request)}
            return private(render(request, "public/no_link.html", context, status=404))
        with timezone.override(zone_of(link.ticket)):
            answer = view(request, link, at, *args, **kwargs)
        return private(answer)

    return opened


@access.open_to_all
@csrf_exempt  # the token in the address is what a forger would need, and no cookie opens anything here
@require_http_methods(["GET", "POST"])
@in_their_language
@by_link
def page(request: HttpRequest, link: Link, at: dt.datetime) -> HttpResponse:
    """Where the request stands; by POST, something is added to it."""
    bound = (request.POST, request.FILES) if request.method == "POST" else (None, None)
    form = ReplyForm(*bound, initial={"token": sheet.fresh_token()})
    status = 200
    if request.method == "POST":
        who = str(getattr(request, "address", ""))
        if throttle.is_over("request-refused", who, most=REFUSED, within=HOUR):
            form.add_error(None, _("Too much was sent from here. Nothing was taken. Wait an hour, or write us a mail."))
            status = 429
        elif form.is_valid():
            row = sheet.land(_added(form, link, who), mailbox=link.ticket.mailbox, at=at)
            taking_in.take_in_now(row, at)
            return HttpResponseRedirect(_onwards(request, link, row))
        else:
            status = 422
    context = _standing(link, at) | {
        "at": at,
        "form": form,
        "lost_files": status != 200 and bool(request.FILES),
        "added": "added" in request.GET,
        "answered": request.GET.get("answered", ""),
        "languages": languages(request),
        "organisation": link.ticket.contract.company or settings.ORGANISATION,
    }
    return render(request, "public/request.html", context, status=status)


def _onwards(request: HttpRequest, link: Link, row: InboundMessage) -> str:
    """Back to the page; to that of the new request, where this one was closed."""
    row.refresh_from_db()
    token = link.token
    if row.state == InboundMessage.State.OPENED and row.ticket is not None:
        token = request_links.token(row.ticket, link.address, at=row.landed_at)
    url = keep_language(request, reverse("request", args=[token]))
    return f"{url}{'&' if '?' in url else '?'}added=1"


def _added(form: ReplyForm, link: Link, who: str) -> sheet.Sheet:
    """What was added, as a sheet of whoever holds the link: nobody can write as somebody else."""
    good = form.cleaned_data
    over = throttle.is_over("request", f"{link.address.pk} {who}", most=OF_ONE, within=HOUR)
    return sheet.Sheet(
        token=sheet.token_of(good["token"]),
        email=link.address.value,
        name=link.address.customer.name,
        subject=f"Re: {link.ticket.subject}",
        text=good["text"],
        language=(translation.get_language() or "en").partition("-")[0],
        ticket=link.ticket.pk,
        doubt=f"More than {OF_ONE} messages were added from one place within an hour." if over else "",
        files=[files.uploaded(upload) for upload in good["files"]],
    )


# ---------------------------------------------------------------- what is shown


def _standing(link: Link, at: dt.datetime) -> dict[str, Any]:
    ticket = link.ticket
    numbers = family(ticket)
    promises = _promises(obligations(ticket, numbers), at)
    running = [each for each in promises if each.is_running]
    # an answer confirms as well, so where both are due at once it is the answer that is promised
    first = min(running, key=lambda each: (each.face.due_at, each.code == "acknowledge"), default=None)
    waits = InboundMessage.objects.filter(
        ticket__in=numbers, state__in=[InboundMessage.State.UNSORTED, InboundMessage.State.SPAM],
        sender_address=link.address.value.lower(), door=InboundMessage.Door.FORM,
    )  # fmt: skip
    return {
        "link": link,
        "ticket": ticket,
        "contract": ticket.contract,
        "received": clockface.exact(received_at(ticket), zone_of(ticket)),
        "state": STATES.get(Ticket.State(ticket.state), ""),
        "promises": promises,
        "first": first,
        "entries": [_entry(row, ticket, at) for row in visible(link, numbers)],
        "waits": waits.exists(),
        "call_backs": [clockface.exact(row.due_at, zone_of(ticket)) for row in call_backs.open_on(ticket, numbers)]
        if link.ticket.customer_id == link.address.customer_id
        else [],
        "may_accept": _may_accept(link),
        "resolution": resolving.current(ticket),
    }


def _promises(rows: list[Deadline], at: dt.datetime) -> list[Promise]:
    """Of each promise what still runs, else the last one; a supervisor's only while it runs: how it ended is ours."""
    zone = timezone.get_current_timezone()
    found = []
    for code, (verb, past, headline) in PROMISES.items():
        own = [row for row in rows if row.obligation == code and row.state != Deadline.State.VOID]
        running = [row for row in own if row.is_running]
        for row in running or (own[-1:] if code != "escalate" else []):
            due = clockface.exact(row.due_at, zone)
            face = clockface.read(
                verb=str(verb), past=str(past), starts_at=row.starts_at, due_at=row.due_at, now=at, zone=zone,
                met_at=row.met_at, known_late=row.state == Deadline.State.MET_LATE,
            )  # fmt: skip
            found.append(Promise(face, due, headline % {"when": due}, row.is_running, code))
    return found


def visible(link: Link, numbers: list[int]) -> list[Interaction]:
    """What whoever holds the link said, and what was said to them. No note, no draft, nobody else's words."""
    own = {value.lower() for value in _addresses_of(link)}
    rows = (
        Interaction.objects.filter(ticket__in=numbers)
        .exclude(direction=Direction.INTERNAL)
        .exclude(purpose=Purpose.AUTOMATIC)
        .select_related("customer", "call")
        .prefetch_related("attachments")
        .defer("html", "search")
        .order_by("occurred_at", "pk")
    )
    is_customer = link.ticket.customer_id == link.address.customer_id
    known_as = Customer.known_as([link.address.customer_id])
    return [
        row
        for row in rows
        if (row.direction == Direction.IN and row.customer_id in known_as)
        or (row.direction == Direction.IN and is_customer and row.customer_id is None and "@" not in row.sender_address)
        or (row.direction == Direction.OUT and own & {value.lower() for value in (*row.to, *row.cc)})
        or (row.kind == Kind.CALL and row.direction == Direction.OUT and is_customer)
    ]


def _addresses_of(link: Link) -> list[str]:
    rows = Address.objects.filter(kind=Address.Kind.MAIL, customer=link.address.customer_id)
    return list(rows.values_list("value", flat=True))


def _entry(row: Interaction, ticket: Ticket, at: dt.datetime) -> Entry:
    when = clockface.moment(row.occurred_at, now=at, zone=timezone.get_current_timezone())
    if row.purpose == Purpose.ACKNOWLEDGEMENT:
        return Entry("event", _("We confirmed your message"), row.occurred_at, when, "mail")
    if row.kind == Kind.VISIT:
        return Entry("event", _("You came to us"), row.occurred_at, when, "user-round")
    if row.kind == Kind.CALL:  # what our people wrote down of it is theirs; that it was is on record for both
        who = _("You called us") if row.direction == Direction.IN else _("We called you")
        return Entry("event", who, row.occurred_at, when, "phone")
    who = _("You") if row.direction == Direction.IN else (ticket.contract.company or settings.ORGANISATION or "CSP")
    return Entry(row.direction, who, row.occurred_at, when, "", pieces(row), list(row.attachments.all()))


@access.open_to_all
@csrf_exempt  # as above
@require_POST
@in_their_language
@by_link
def accept(request: HttpRequest, link: Link, at: dt.datetime) -> HttpResponse:
    """The customer says whether the resolution is one. A no opens the request again."""
    answers = {"yes": Resolution.Acceptance.YES, "no": Resolution.Acceptance.NO}
    answer = answers.get(request.POST.get("answer", ""))
    back = keep_language(request, reverse("request", args=[link.token]))
    if answer is None or not _may_accept(link):
        return HttpResponseRedirect(back)
    try:
        if answer == Resolution.Acceptance.NO:
            handling.not_settled(link.ticket, by=link.address.customer, address=link.address.value, at=at)
        else:
            resolving.record_acceptance(link.ticket, answer, by=link.address.customer, at=at)
    except Refused:
        return HttpResponseRedirect(back)  # closed meanwhile; the page says what is left to do
    return HttpResponseRedirect(f"{back}{'&' if '?' in back else '?'}answered={request.POST['answer']}")


def _may_accept(link: Link) -> bool:
    """Whether there is a resolution that this person may take or not: it is the customer's to say, nobody's in copy."""
    if link.ticket.customer_id != link.address.customer_id or link.ticket.state not in _ENDED:
        return False
    found = resolving.current(link.ticket)
    if found is None or found.resolved_at is None:
        return False
    return not (found.acceptance and link.ticket.state == Ticket.State.CLOSED)


_ENDED = (Ticket.State.RESOLVED, Ticket.State.CLOSED)


@access.open_to_all
@require_GET
@by_link
def file(request: HttpRequest, link: Link, at: dt.datetime, number: int) -> HttpResponseBase:
    """A file of the conversation that the page shows, as a download."""
    rows = visible(link, family(link.ticket))
    shown = [row.pk for row in rows if row.kind not in (Kind.CALL, Kind.VISIT)]
    row = get_object_or_404(Attachment.objects.select_related("blob__key"), pk=number, interaction__in=shown)
    try:
        content = vault.read(row.blob)
    except vault.Unreadable:
        raise Http404 from None
    return exporting.download(content, row.name)


# ---------------------------------------------------------------- "send me my link"


@access.open_to_all
@require_http_methods(["GET", "POST"])
@in_their_language
def ask(request: HttpRequest) -> HttpResponse:
    """Send me my links. The answer is the same for every address, known or not, and takes as long."""
    at = clock.now()
    form = LinkForm(request.POST or None)
    status, asked = 200, False
    if request.method == "POST":
        who = str(getattr(request, "address", ""))
        if throttle.is_over("links", who, most=ASKED, within=HOUR):
            form.add_error(None, _("Links were asked for too often from here. Wait an hour."))
            status = 429
        elif form.is_valid():
            request_links.ask(form.cleaned_data["email"], language=translation.get_language() or "", at=at)
            asked = True
        else:
            status = 422
    context = {"at": at, "form": form, "asked": asked, "languages": languages(request)}
    return render(request, "public/ask.html", context, status=status)
