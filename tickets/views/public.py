"""Pages for customers: write to us without an account, in English or German, with the promise before and after.

What is sent is landed before it is understood, like every message. A flood is let wait for a person, never dropped.
"""

from __future__ import annotations

import datetime as dt
import functools
from collections.abc import Callable
from typing import Any, TypeVar

from django.conf import settings
from django.core.signing import BadSignature, Signer
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.utils import translation
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods

from csp import access, agreement, clock, clockface, throttle
from csp.models import Contract, Mailbox, PrivacyNotice, Team
from csp.privacy import published
from tickets import files, opening
from tickets.acknowledging import zone_of
from tickets.intake import sheet, taking_in
from tickets.models import InboundMessage, Ticket
from tickets.public_forms import ContactForm

View = Callable[..., HttpResponseBase]
Answer = TypeVar("Answer", bound=HttpResponseBase)

HOUR = dt.timedelta(hours=1)
OF_ONE = 10  # sheets of one network address within an hour; those beyond wait for a person's word
OF_ALL = 300  # sheets of one form within an hour; the same
REFUSED = 100  # of one network address; those beyond are not taken, and the page says so and keeps the words
SENT_FOR = dt.timedelta(days=1)  # how long the page shows what became of a sheet

NAMES = {"en-gb": "English", "de": "Deutsch"}  # each in its own language

_sent = Signer(key=settings.LINK_KEY, salt="csp.sheet-sent")


def in_their_language(view: View) -> View:
    """Answer in the language that the address asks for (`?lang=de`), else in the browser's."""

    @functools.wraps(view)
    def translated(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        wanted = request.GET.get("lang", "")
        if wanted not in dict(settings.LANGUAGES):
            return view(request, *args, **kwargs)
        with translation.override(wanted):
            answer = view(request, *args, **kwargs)
        answer["Content-Language"] = wanted
        return answer

    return translated


def languages(request: HttpRequest) -> list[dict[str, str]]:
    """The other languages of this page, each with its address."""
    now = translation.get_language()
    found = []
    for code, _name in settings.LANGUAGES:
        if code != now:
            query = request.GET.copy()
            query["lang"] = code
            found.append({"code": code, "name": NAMES[code], "url": f"?{query.urlencode()}"})
    return found


def keep_language(request: HttpRequest, url: str) -> str:
    wanted = request.GET.get("lang", "")
    return f"{url}?lang={wanted}" if wanted in dict(settings.LANGUAGES) else url


def _desk(number: int | None) -> tuple[Team, Mailbox | None]:
    """Whose form it is: the team's that is named, else that of whoever takes what reaches nobody in particular."""
    teams = Team.objects.filter(is_active=True).select_related("contract").order_by("pk")
    if number is not None:
        team = teams.filter(pk=number).first()
        mailbox = opening.mailbox_of(team) if team else None
        if team is None or mailbox is None:  # a team that cannot answer by mail has no form
            raise Http404
        return team, mailbox
    mailbox = Mailbox.objects.filter(is_active=True, is_default=True).select_related("team__contract").first()
    team = mailbox.team if mailbox else teams.first()
    if team is None:
        raise Http404
    return team, mailbox


def promise(contract: Contract, received_at: dt.datetime) -> dt.datetime:
    """By when a person answers what was received at that moment (clause 3.1)."""
    return agreement.due_at(agreement.in_force(contract, received_at), "respond", received_at)


@access.open_to_all
@require_http_methods(["GET", "POST"])
@in_their_language
def contact(request: HttpRequest, team: int | None = None) -> HttpResponse:
    """The contact form of a team."""
    at = clock.now()
    desk, mailbox = _desk(team)
    bound = (request.POST, request.FILES) if request.method == "POST" else (None, None)
    notice = published.current(desk.contract, translation.get_language() or "")
    initial = {
        "token": sheet.fresh_token(), "kind": request.GET.get("kind") or Ticket.Kind.INQUIRY,
        "notice": notice.pk if notice else None,
    }  # fmt: skip
    form = ContactForm(*bound, contract=desk.contract_id, initial=initial)
    status = 200
    if request.method == "POST":
        who = str(getattr(request, "address", ""))
        if throttle.is_over("contact-refused", who, most=REFUSED, within=HOUR):
            form.add_error(None, _("Too much was sent from here. Nothing was taken. Wait an hour, or write us a mail."))
            status = 429
        elif form.is_valid():
            row = sheet.land(_filled_in(form, _doubt(form, who, desk)), mailbox=mailbox, at=at)
            if shown := _shown(desk.contract, form):
                published.seen(shown, f"mail:{row.pk}", at=at)
            taking_in.take_in_now(row, at)
            url = reverse("contact_sent", args=[_sent.sign_object([row.pk, int((at + SENT_FOR).timestamp())])])
            return HttpResponseRedirect(keep_language(request, url))
        else:
            status = 422
    promised = promise(desk.contract, at)
    context = {
        "at": at,
        "form": form,
        "desk": desk,
        "contract": desk.contract,
        "organisation": desk.contract.company or settings.ORGANISATION,
        "promised": clockface.exact(promised, desk.contract.zoneinfo),
        "hours": round((promised - at).total_seconds() / 3600),
        "lost_files": status != 200 and bool(request.FILES),
        "languages": languages(request),
        "notice": notice,
    }
    return render(request, "public/contact.html", context, status=status)


def _shown(contract: Contract, form: ContactForm) -> PrivacyNotice | None:
    """The version that stood before whoever sent the form: a newer one may have been published since."""
    number = form.cleaned_data["notice"]
    return PrivacyNotice.objects.filter(pk=number, contract=contract).first() if number else None


def _doubt(form: ContactForm, who: str, desk: Team) -> str:
    """Why a person should look at this before it counts, or nothing."""
    if form.cleaned_data["homepage"]:
        return "A field that only programs see was filled in."
    if throttle.is_over("contact", who, most=OF_ONE, within=HOUR):
        return f"More than {OF_ONE} messages of this form came from one place within an hour."
    if throttle.is_over("contact-all", str(desk.pk), most=OF_ALL, within=HOUR):
        return f"More than {OF_ALL} messages came by this form within an hour."
    return ""


def _filled_in(form: ContactForm, doubt: str) -> sheet.Sheet:
    good = form.cleaned_data
    category = good.get("category")
    return sheet.Sheet(
        token=sheet.token_of(good["token"]),
        email=good["email"],
        name=good["name"],
        text=good["text"],
        kind=good["kind"],
        category=category.pk if category else None,
        language=(translation.get_language() or "en").partition("-")[0],
        doubt=doubt,
        files=[files.uploaded(upload) for upload in good["files"]],
    )


@access.open_to_all
@require_GET
@in_their_language
def sent(request: HttpRequest, token: str) -> HttpResponse:
    """What became of a sheet: its number and the promised time. It opens nothing: the link to the request goes by mail,
    to the address that was named, and proves that it is theirs."""
    at = clock.now()
    try:
        number, until = _sent.unsign_object(token)
    except (BadSignature, ValueError, TypeError):
        raise Http404 from None
    row = InboundMessage.objects.select_related("ticket__respond", "ticket__contract", "ticket__customer").filter(
        pk=number
    ).first()  # fmt: skip
    if row is None or at.timestamp() > until:
        raise Http404
    ticket = row.ticket if row.state != InboundMessage.State.UNSORTED else None
    contract = ticket.contract if ticket else _contract_of(row)
    promised = None
    if ticket is not None and ticket.respond.is_running:
        promised = ticket.respond.due_at
    elif ticket is None and row.state == InboundMessage.State.LANDED:  # not taken in yet; its clock will say the same
        promised = promise(contract, row.received_at)
    context = {
        "at": at, "ticket": ticket, "contract": contract, "languages": languages(request),
        "organisation": contract.company or settings.ORGANISATION,
        "promised": clockface.exact(promised, zone_of(ticket) if ticket else contract.zoneinfo) if promised else "",
        "hours": round((promised - row.received_at).total_seconds() / 3600) if promised else 0,
        "waits": row.state in (InboundMessage.State.UNSORTED, InboundMessage.State.SPAM),
    }  # fmt: skip
    return private(render(request, "public/sent.html", context))


def _contract_of(row: InboundMessage) -> Contract:
    team = row.mailbox.team if row.mailbox else Team.objects.filter(is_active=True).order_by("pk").first()
    if team is None:
        raise Http404
    return team.contract


def private(answer: Answer) -> Answer:
    """A page whose address opens something: nobody keeps a copy, and no link on it tells where it was."""
    answer["Cache-Control"] = "no-store"
    answer["Referrer-Policy"] = "no-referrer"
    answer["X-Robots-Tag"] = "noindex"
    return answer
