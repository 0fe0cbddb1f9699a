"""Attachments, the HTML of a mail, and its raw source: each behind the guard, none able to act in our pages."""

from __future__ import annotations

import base64

from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET

from csp import access, browser_policy, clock, exporting, vault
from csp.roles import Permission
from tickets import disclosure, files
from tickets.conversation import root_number
from tickets.intake import html as mail_html
from tickets.models import Attachment, Interaction, Ticket
from tickets.views.door import person, sees_names

PICTURES_TOGETHER = 5_000_000  # bytes of pictures inside one mail
SHOWN = 200_000  # bytes of a source on the page; all of it as a download


def _attachment(request: HttpRequest, number: int) -> Attachment:
    row = get_object_or_404(Attachment.objects.select_related("blob__key", "interaction__ticket"), pk=number)
    _check_sees(request, row.interaction.ticket)
    return row


def _interaction(request: HttpRequest, number: int) -> Interaction:
    row = get_object_or_404(Interaction.objects.select_related("ticket", "inbound__blob__key"), pk=number)
    _check_sees(request, row.ticket)
    return row


def _check_sees(request: HttpRequest, ticket: Ticket) -> None:
    """Whoever may see the ticket that speaks here: since a merge that is another, which shows all that was said."""
    here = ticket.pk if ticket.merged_into_id is None else root_number(ticket.pk)
    if not Ticket.objects.visible_to(person(request)).filter(pk=here).exists():
        raise Http404


def _gone(request: HttpRequest) -> HttpResponse:
    text = _("The content of this file was destroyed; its name, size and digest stay as proof.")
    return render(request, "tickets/gone.html", {"text": text, "at": clock.now()}, status=410)


@require_GET
@access.requires(Permission.SEE_TICKETS)
def attachment(request: HttpRequest, number: int) -> HttpResponseBase:
    """The file as a download; the opening is on record."""
    row = _attachment(request, number)
    try:
        content = disclosure.open_attachment(row, by=person(request), at=clock.now())
    except vault.Unreadable:
        return _gone(request)
    return exporting.download(content, row.name)


@require_GET
@access.requires(Permission.SEE_TICKETS)
def picture(request: HttpRequest, number: int) -> HttpResponseBase:
    """A picture for showing inside a page, if its content is one that cannot carry a script; else it does not exist."""
    row = _attachment(request, number)
    try:
        if access.may(person(request), Permission.WORK_TICKETS, team_id=row.interaction.ticket.team_id):
            content = vault.read(row.blob)
        else:
            content = disclosure.open_attachment(row, by=person(request), at=clock.now())
    except vault.Unreadable as error:
        raise Http404 from error
    kind = files.shown_inline_as(content)
    if not kind:
        raise Http404
    answer = HttpResponse(content, content_type=kind)
    answer[browser_policy.HEADER] = "default-src 'none'; sandbox"
    answer["Content-Disposition"] = "inline"
    answer["Cache-Control"] = "private, max-age=600"
    return answer


@require_GET
@access.requires(Permission.SEE_TICKETS)
def as_sent(request: HttpRequest, number: int) -> HttpResponse:
    """The HTML of a mail, made safe now, for a sandboxed frame. Pictures from elsewhere are never fetched."""
    row = _interaction(request, number)
    if not row.html or not sees_names(person(request), row.ticket):
        raise Http404
    parts = {file.content_id.strip("<>"): file for file in row.attachments.exclude(content_id="")}
    used: dict[str, Attachment] = {}

    def cid_url(name: str) -> str | None:
        if name not in parts:
            return None
        url = reverse("picture", args=[parts[name].pk])
        used[url] = parts[name]
        return url

    body = _with_pictures(mail_html.sanitise(row.html, cid_url=cid_url), used)
    page = f'<!doctype html><html><head><meta charset="utf-8"><base target="_blank"></head><body>{body}</body></html>'
    return browser_policy.sandboxed(HttpResponse(page))


def _with_pictures(body: str, used: dict[str, Attachment]) -> str:
    """The mail's own pictures inside the document: a sandboxed frame is nobody, and is given no file of ours."""
    room = PICTURES_TOGETHER
    for url, row in used.items():
        place = f'src="{url}"'
        size = row.size * body.count(place)  # a mail may show one picture a thousand times, and each would be a copy
        if size > room:
            continue
        try:
            content = vault.read(row.blob)
        except vault.Unreadable:
            continue
        kind = files.shown_inline_as(content)
        if kind:
            room -= size
            body = body.replace(place, f'src="data:{kind};base64,{base64.b64encode(content).decode()}"')
    return body


@require_GET
@access.requires(Permission.SEE_SOURCES)
def source(request: HttpRequest, number: int) -> HttpResponseBase:
    """A message byte for byte, headers first; the reading is on record."""
    row = _interaction(request, number)
    if row.inbound is None:
        raise Http404
    try:
        content = disclosure.open_source(row.ticket, row.inbound, by=person(request), at=clock.now())
    except vault.Unreadable:
        return _gone(request)
    if request.GET.get("download"):
        name = f"message-{row.inbound_id}.eml"
        return exporting.download(content, name)
    context = {
        "at": clock.now(),
        "row": row,
        "text": content[:SHOWN].decode("utf-8", "replace").replace("\x00", "\N{SYMBOL FOR NULL}"),
        "is_cut": len(content) > SHOWN,
        "size": len(content),
        "digest": bytes(row.inbound.sha256).hex(),
    }
    return render(request, "tickets/source.html", context)
