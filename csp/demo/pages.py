"""The page that shows what customers of the demonstration received.

A view of the product rather than a server of its own: it stands under the product's sign-in, policy and design, and
needs no further port. Anywhere but in the demonstration there is no such page.
"""

from __future__ import annotations

import dataclasses

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from csp.access import requires
from csp.demo import post

NEWEST = 300


@dataclasses.dataclass(slots=True)
class Thread:
    """Messages that a mail program would show together; the newest last."""

    subject: str
    messages: list[post.Received]


@requires()
@never_cache
@require_safe
def received(request: HttpRequest) -> HttpResponse:
    """Mailboxes on the left, the threads of the chosen one beside them."""
    if not settings.DEMO:
        raise Http404
    mailboxes: dict[str, list[post.Received]] = {}
    for message in post.received(NEWEST):
        for address in message.recipients:
            mailboxes.setdefault(address, []).append(message)
    chosen = request.GET.get("mailbox", "").strip().lower()
    threads: dict[str, Thread] = {}
    for message in reversed(mailboxes.get(chosen, [])):
        threads.setdefault(message.thread, Thread(message.subject, [])).messages.append(message)
    newest_first = sorted(threads.values(), key=lambda thread: thread.messages[-1].at, reverse=True)
    return render(
        request,
        "demo/post.html",
        {"mailboxes": [(address, len(rows)) for address, rows in mailboxes.items()], "chosen": chosen,
         "threads": newest_first},
    )  # fmt: skip
