"""Mail that waits for a ruling: genuine or spam, by a person, with a reason, within twenty hours (clause 3.1)."""

from __future__ import annotations

import dataclasses
import datetime as dt
from typing import Any

from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from csp import access, clock, clockface, vault
from csp.access import Refused
from csp.models import User
from csp.privacy import masking
from csp.roles import Permission
from tickets import changes, forms, no_reply, sorting
from tickets.intake import reading
from tickets.models import InboundMessage, NoReplyRuling, Ruling, SenderRule, Ticket
from tickets.views.door import go, is_fragment, local_zone, number_in, person, refuse

SHOWN = 100
RULINGS = 50
PREVIEW = 20_000  # characters


@dataclasses.dataclass(slots=True)
class Waiting:
    """One message of the list, with the clock of its ruling."""

    row: InboundMessage
    face: clockface.ClockFace
    since: str
    remarks: list[str]


def _waiting(row: InboundMessage, at: dt.datetime) -> Waiting:
    face = clockface.read(
        verb=_("Sort"), past=_("Sorted"), starts_at=row.received_at, due_at=sorting.sort_by(row), now=at,
        zone=local_zone(),
    )  # fmt: skip
    since = _("%(time)s ago") % {"time": clockface.short(at - row.received_at)}
    return Waiting(row, face, since, sorting.sentences(row))


def _tabs(current: str, user: User) -> list[dict[str, Any]]:
    labels = {"unsorted": _("To sort"), "rulings": _("Rulings"), "senders": _("Senders")}
    return [{"url": reverse(name), "label": label, "on": name == current} for name, label in labels.items()]


@require_GET
@access.requires(Permission.SORT_MAIL)
def unsorted(request: HttpRequest) -> HttpResponse:
    at, user = clock.now(), person(request)
    return _page(request, at, user)


def _page(
    request: HttpRequest, at: dt.datetime, user: User, *, form: forms.RulingForm | None = None, status: int = 200
) -> HttpResponse:
    cursor = changes.of_unsorted(user)
    rows = list(InboundMessage.objects.visible_to(user).unsorted().select_related("mailbox")[: SHOWN + 1])
    lines = [_waiting(row, at) for row in rows[:SHOWN]]
    late = sum(line.face.state == clockface.State.OVER for line in lines)
    context = {
        "at": at,
        "tabs": _tabs("unsorted", user),
        "lines": lines,
        "late": late,
        "has_more": len(rows) > SHOWN,
        "form": form,
        "chosen": request.POST.getlist("m") if form is not None else [],
        "changes_url": f"{reverse('changes')}?scope=unsorted",
        "cursor": cursor,
    }
    template = "tickets/unsorted.html#list" if is_fragment(request, "list") else "tickets/unsorted.html"
    return render(request, template, context, status=status)


@require_POST
@access.requires(Permission.SORT_MAIL)
def rule(request: HttpRequest) -> HttpResponse:
    """Rule on the marked messages, one verb for each; what was refused is said and changes nothing for the others."""
    at, user = clock.now(), person(request)
    form = forms.RulingForm(request.POST)
    chosen = [number for value in request.POST.getlist("m") if (number := number_in(value)) is not None]
    if form.is_valid() and not chosen:
        form.add_error(None, _("Mark some messages first."))
    if not form.is_valid():
        return _page(request, at, user, form=form, status=422)
    verdict = Ruling.Verdict(form.cleaned_data["verdict"])
    done, refused = 0, []
    for row in InboundMessage.objects.visible_to(user).filter(pk__in=chosen[:SHOWN]).order_by("pk"):
        try:
            sorting.rule(
                row, verdict, by=user, at=at, reason=form.cleaned_data["reason"],
                also_rule_sender=form.cleaned_data["also_rule_sender"],
            )  # fmt: skip
            done += 1
        except (Refused, vault.Unreadable) as refusal:
            refused.append(str(refusal))
    if verdict == Ruling.Verdict.GENUINE:
        text = ngettext("%(n)d message is a ticket now.", "%(n)d messages are tickets now.", done) % {"n": done}
    else:
        text = ngettext("%(n)d message ruled spam.", "%(n)d messages ruled spam.", done) % {"n": done}
    return go(request, reverse("unsorted"), " ".join([text, *dict.fromkeys(refused)]))


def _load(request: HttpRequest, number: int) -> InboundMessage:
    row: InboundMessage = get_object_or_404(
        InboundMessage.objects.visible_to(person(request)).select_related("mailbox", "blob__key", "ticket"), pk=number
    )
    return row


@require_GET
@access.requires(Permission.SORT_MAIL)
def look(request: HttpRequest, number: int) -> HttpResponse:
    """One message as words only: nothing of it is run, fetched or linked."""
    at, row = clock.now(), _load(request, number)
    try:
        message = reading.read(masking.source_of(row.blob))
    except vault.Unreadable:
        message = None
    context = {
        "at": at,
        "line": _waiting(row, at),
        "row": row,
        "text": message.text[:PREVIEW] if message else "",
        "files": message.attachments if message else (),
        "to": ", ".join(message.recipients[:5]) if message else "",
        "can_rule": row.state == InboundMessage.State.UNSORTED,
    }
    return render(request, "tickets/unsorted_one.html", context)


# ---------------------------------------------------------------- rulings


@require_GET
@access.requires(Permission.SORT_MAIL)
def rulings(request: HttpRequest) -> HttpResponse:
    """The latest rulings: a share waits for the eyes of somebody else, a ruling "spam" can be taken back."""
    at, user = clock.now(), person(request)
    visible = Ruling.objects.filter(inbound__in=InboundMessage.objects.visible_to(user), undone_at__isnull=True)
    visible = visible.select_related("inbound", "ruled_by", "reviewed_by")
    supervised = access.scope_of(user).teams_where(Permission.REVIEW_SORTING)
    theirs = Q(inbound__mailbox__team__in=supervised) | Q(inbound__mailbox__isnull=True)
    to_check = visible.filter(theirs, is_sampled=True, reviewed_at__isnull=True).exclude(ruled_by=user).order_by("pk")
    context = {
        "at": at,
        "tabs": _tabs("rulings", user),
        "to_check": list(to_check[:RULINGS]) if supervised else [],
        "no_replies": list(no_reply.to_check(user)[:RULINGS]),
        "rulings": list(visible.order_by("-pk")[:RULINGS]),
    }
    return render(request, "tickets/rulings.html", context)


def _ruling(request: HttpRequest, number: int) -> Ruling:
    visible = InboundMessage.objects.visible_to(person(request))
    return get_object_or_404(Ruling.objects.filter(inbound__in=visible), pk=number)


@require_POST
@access.requires(Permission.SORT_MAIL)
def undo(request: HttpRequest, number: int) -> HttpResponse:
    ruling = _ruling(request, number)
    try:
        sorting.undo(ruling, by=person(request), at=clock.now())
    except Refused as refusal:
        return refuse(request, refusal, reverse("rulings"))
    return go(request, reverse("rulings"), _("Taken back: the message waits for a ruling again."))


@require_POST
@access.requires(Permission.REVIEW_SORTING)
def review(request: HttpRequest, number: int) -> HttpResponse:
    ruling = _ruling(request, number)
    agrees = request.POST.get("agrees") == "yes"
    try:
        sorting.review(ruling, by=person(request), at=clock.now(), agrees=agrees)
    except Refused as refusal:
        return refuse(request, refusal, reverse("rulings"))
    text = _("Checked.") if agrees else _("Taken back: the message waits for a ruling again.")
    return go(request, reverse("rulings"), text)


@require_POST
@access.requires(Permission.REVIEW_SORTING)
def review_no_reply(request: HttpRequest, number: int) -> HttpResponse:
    user = person(request)
    ruling = get_object_or_404(NoReplyRuling.objects.filter(ticket__in=Ticket.objects.visible_to(user)), pk=number)
    agrees = request.POST.get("agrees") == "yes"
    try:
        no_reply.review(ruling, by=user, at=clock.now(), agrees=agrees)
    except Refused as refusal:
        return refuse(request, refusal, reverse("rulings"))
    text = _("Checked.") if agrees else _("Taken back: the customer waits for an answer again.")
    return go(request, reverse("rulings"), text)


# ---------------------------------------------------------------- senders


@require_http_methods(["GET", "POST"])
@access.requires(Permission.SORT_MAIL)
def senders(request: HttpRequest) -> HttpResponse:
    """Who is always let in, and who always waits for a ruling. No rule ever drops mail."""
    at, user = clock.now(), person(request)
    contracts = access.contracts_of(user)
    form = forms.SenderForm(request.POST or None, contracts=contracts)
    status = 200
    if request.method == "POST":
        if form.is_valid():
            good = form.cleaned_data
            verdict = SenderRule.Verdict(good["verdict"]) if good["verdict"] else None
            try:
                sorting.set_sender_rule(
                    good["pattern"], verdict, by=user, at=at, reason=good["reason"], contract=good["contract"]
                )
            except Refused as refusal:
                form.add_error(None, str(refusal))
            else:
                return go(request, reverse("senders"), _("The rule for this sender is set."))
        status = 422
    own = SenderRule.objects.filter(is_active=True, contract__in=contracts)
    rules = own.select_related("created_by").order_by("pattern")[:500]
    context = {"at": at, "tabs": _tabs("senders", user), "form": form, "rules": list(rules)}
    return render(request, "tickets/senders.html", context, status=status)
