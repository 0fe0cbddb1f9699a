"""Mailboxes: set up, changed, tried. For administrators."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from csp import access, clock, mailboxes
from csp.access import requires
from csp.forms import MailboxForm
from csp.models import Mailbox
from csp.roles import Permission
from csp.views import trying
from tickets.intake.doors import imap

guarded = requires(Permission.MANAGE_MAILBOXES)


@guarded
def index(request: HttpRequest) -> HttpResponse:
    """Every mailbox, with when it was last fetched and what went wrong."""
    rows = Mailbox.objects.select_related("team").order_by("-is_active", "address")
    return render(request, "csp/mailboxes.html", {"mailboxes": rows})


def secrets(request: HttpRequest) -> dict[str, str]:
    return {name: request.POST.get(name, "") for name in ("secret", "client_secret")}


@guarded
def add(request: HttpRequest) -> HttpResponse:
    """A new mailbox; its cut-over is now unless another instant is given."""
    at, by = clock.now(), access.person(request)
    form = MailboxForm(request.POST or None, initial={"cut_over_at": at})
    if request.method == "POST":
        row = trying.in_form(form, lambda: mailboxes.add(form.cleaned_data, **secrets(request), by=by, at=at))
        if row is not None:
            messages.success(request, _("The mailbox is set up. Now try whether it receives and sends."))
            return redirect("mailbox", row.pk)
    context = {"form": form, "heading": _("Add a mailbox")}
    return render(request, "csp/mailbox.html", context, status=422 if form.errors else 200)


@guarded
def mailbox(request: HttpRequest, pk: int) -> HttpResponse:
    """Change a mailbox."""
    row = get_object_or_404(Mailbox, pk=pk)
    at, by = clock.now(), access.person(request)
    form = MailboxForm(request.POST or None, instance=row)
    if request.method == "POST":
        changed = trying.in_form(
            form, lambda: mailboxes.change(row, form.cleaned_data, **secrets(request), by=by, at=at)
        )
        if changed is not None:
            messages.success(request, _("Saved."))
            return redirect("mailbox", pk)
    context = {"form": form, "heading": row.address, "mailbox": row}
    return render(request, "csp/mailbox.html", context, status=422 if form.errors else 200)


@guarded
@require_POST
def test(request: HttpRequest, pk: int) -> HttpResponse:
    """Try receiving and sending; nothing is read, flagged or sent."""
    row = get_object_or_404(Mailbox, pk=pk)
    receiving, sending = imap.test_connection(row)
    context = {"form": MailboxForm(instance=row), "heading": row.address, "mailbox": row}
    trials = [(_("Receiving"), receiving), (_("Sending"), sending)]
    return render(request, "csp/mailbox.html", {**context, "trials": trials})
