"""What persons see of their data, without an account: the notice, asking on the page of their request, the package.

Looking changes nothing. A link is the only key: it is in the address of every form here, and no cookie is asked for.
"""

from __future__ import annotations

import datetime as dt
from typing import Any
from zoneinfo import ZoneInfo

from django import forms
from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_GET, require_http_methods

from csp import clock, clockface, exporting, throttle, trail, vault
from csp.access import Refused, open_to_all
from csp.models import Contract, DataRequest, Team
from csp.privacy import packages, published, requests
from tickets.intake import sheet
from tickets.request_links import Link
from tickets.views.public import HOUR, in_their_language, keep_language, languages, private
from tickets.views.requests import by_link
from training import courses

ASKED = 5  # requests for data by one link within an hour


def language() -> str:
    return translation.get_language() or "en-gb"


@open_to_all
@require_GET
@in_their_language
def notice(request: HttpRequest, contract: int | None = None) -> HttpResponse:
    """How personal data is treated: the version that holds, and since when."""
    team = Team.objects.filter(is_active=True).order_by("pk").first()
    number = contract if contract is not None else (team.contract_id if team else 0)
    row = Contract.objects.filter(pk=number or 0).first()
    found = published.current(row, language()) if row is not None else None
    if row is None or found is None:
        raise Http404
    context = {
        "contract": row, "notice": found, "body": courses.html(found.text), "languages": languages(request),
        "organisation": row.company or settings.ORGANISATION, "at": clock.now(),
    }  # fmt: skip
    return render(request, "public/privacy_notice.html", context)


class AskForm(forms.Form):
    """What the person behind a link wants done with their data."""

    KINDS = [
        ("access", gettext_lazy("Send me a copy of all that you hold on me")),
        ("portability", gettext_lazy("Give me my data to take elsewhere")),
        ("rectification", gettext_lazy("Correct something")),
        ("erasure", gettext_lazy("Erase my data")),
        ("restriction", gettext_lazy("Keep it, but do not use it")),
        ("objection", gettext_lazy("I object to something that you do with it")),
        ("surveys", gettext_lazy("Send me no more surveys")),
    ]

    kind = forms.ChoiceField(label=gettext_lazy("What do you want?"), choices=KINDS, widget=forms.RadioSelect)
    words = forms.CharField(
        label=gettext_lazy("Anything that we should know"), required=False, max_length=5000,
        widget=forms.Textarea(attrs={"rows": 4}), help_text=gettext_lazy("What is wrong, or what you object to."),
    )  # fmt: skip
    token = forms.CharField(required=False, max_length=40, widget=forms.HiddenInput)
    notice = forms.IntegerField(required=False, widget=forms.HiddenInput)

    def clean(self) -> dict[str, Any]:
        good = super().clean() or {}
        if good.get("kind") in ("rectification", "objection") and not good.get("words", "").strip():
            self.add_error("words", _("Say in a few words what it is about."))
        return good


@open_to_all
@csrf_exempt  # the token in the address is what a forger would need, and no cookie opens anything here
@require_http_methods(["GET", "POST"])
@in_their_language
@by_link
def ask(request: HttpRequest, link: Link, at: dt.datetime) -> HttpResponse:
    """Ask for the own data, on the page of a request; and how far earlier wishes are."""
    found = published.current(link.ticket.contract, language())
    form = AskForm(request.POST or None, initial={"token": sheet.fresh_token(), "notice": found.pk if found else None})
    status = 200
    if request.method == "POST":
        if throttle.is_over("data-request", str(link.address.pk), most=ASKED, within=HOUR):
            form.add_error(None, _("Too much was sent from here. Nothing was taken. Wait an hour, or write us a mail."))
            status = 429
        elif form.is_valid():
            try:
                with trail.source("request page"):
                    _take(form, link, at)
            except Refused as refusal:
                form.add_error(None, str(refusal))
                status = 422
            else:
                url = keep_language(request, reverse("request_data", args=[link.token]))
                return HttpResponseRedirect(f"{url}{'&' if '?' in url else '?'}asked=1")
        else:
            status = 422
    zone = timezone.get_current_timezone()
    rows = DataRequest.objects.filter(customer=link.address.customer).select_related("answer").order_by("-pk")[:20]
    context = {
        "at": at, "form": form, "link": link, "contract": link.ticket.contract, "notice": found,
        "asked": "asked" in request.GET,
        "earlier": [(row, clockface.exact(row.answer.due_at, zone)) for row in rows],
        "languages": languages(request), "organisation": link.ticket.contract.company or settings.ORGANISATION,
    }  # fmt: skip
    return render(request, "public/data.html", context, status=status)


def _take(form: AskForm, link: Link, at: dt.datetime) -> DataRequest:
    good, ticket = form.cleaned_data, link.ticket
    is_surveys = good["kind"] == "surveys"
    row = requests.open_request(
        team=ticket.team, kind=DataRequest.Kind.OBJECTION if is_surveys else DataRequest.Kind(good["kind"]),
        about_surveys=is_surveys, channel=DataRequest.Channel.PAGE, received_at=at, at=at, by=link.address.customer,
        customer=link.address.customer, address=link.address.value, words=good["words"],
        language=language() if language() in dict(settings.LANGUAGES) else "", subject_ref=ticket.reference,
        path=ticket.path, once=f"page:{sheet.token_of(good['token'])}",
        proven=_("Opened the page by the link that was sent to the mail address on record."),
    )  # fmt: skip
    shown = ticket.contract.privacy_notices.filter(pk=good["notice"]).first() if good["notice"] else None
    if shown is not None:
        published.seen(shown, row.trail_subject, at=at)
    return row


@open_to_all
@csrf_exempt  # as above
@require_http_methods(["GET", "POST"])
@in_their_language
def package(request: HttpRequest, token: str) -> HttpResponse:
    """The data that a person asked for: a page with a button, so that a scanner of links fetches nothing."""
    at = clock.now()
    try:
        row = packages.read(token, at)
    except packages.NotGood:
        return private(
            render(request, "public/no_package.html", {"at": at, "languages": languages(request)}, status=404)
        )
    if request.method == "POST":
        try:
            with trail.source("data link"):
                content = packages.fetch(row, at=at)
        except vault.Unreadable:
            raise Http404 from None
        return private(exporting.download(content, f"{row.request.reference}.zip", "application/zip"))
    contract = row.request.contract
    zone = zone_of_request(row.request)
    context = {
        "at": at, "row": row, "contract": contract, "languages": languages(request),
        "organisation": contract.company or settings.ORGANISATION, "until": clockface.exact(row.good_until, zone),
    }  # fmt: skip
    return private(render(request, "public/package.html", context))


def zone_of_request(row: DataRequest) -> dt.tzinfo:
    """The zone in which the person is told times: their own where it is known, else the contract's."""
    return ZoneInfo(row.customer.zone) if row.customer and row.customer.zone else row.contract.zoneinfo
