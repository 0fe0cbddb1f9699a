"""Categories, texts that go out by themselves, and canned replies."""

from __future__ import annotations

from functools import partial
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from csp import access, clock
from csp.access import requires
from csp.roles import Permission
from csp.views import trying
from tickets import texts
from tickets.models import CannedReply, Category, MailText
from tickets.text_forms import CategoryForm, NewTextForm, ReplyForm, TextForm

for_texts = requires(Permission.MANAGE_TEXTS)
for_replies = requires(Permission.WORK_TICKETS, Permission.APPROVE_CANNED)


@for_texts
def categories(request: HttpRequest) -> HttpResponse:
    """Every category, and a form for one more."""
    form = CategoryForm(request.POST or None)
    by, at = access.person(request), clock.now()
    if request.method == "POST":
        row = trying.in_form(form, lambda: texts.categorise(by=by, at=at, **form.cleaned_data))
        if row is not None:
            messages.success(request, _("The category %(name)s is there.") % {"name": row.name})
            return redirect("categories")
    rows = Category.objects.select_related("contract").order_by("-is_active", "name")
    context = {"form": form, "categories": rows}
    return render(request, "csp/categories.html", context, status=422 if form.errors else 200)


@for_texts
def category(request: HttpRequest, pk: int) -> HttpResponse:
    """Rename a category, or let it rest."""
    row = get_object_or_404(Category, pk=pk)
    begun = {"name": row.name, "is_active": row.is_active, "contract": row.contract}
    form = CategoryForm(request.POST or None, initial=begun)
    form.fields["contract"].disabled = True
    by, at = access.person(request), clock.now()
    if request.method == "POST":
        verb = partial(texts.categorise, category=row, by=by, at=at)
        if trying.in_form(form, lambda: verb(**form.cleaned_data)) is not None:
            messages.success(request, _("Saved."))
            return redirect("categories")
    context = {"form": form, "heading": row.name, "submit": _("Save"), "back": ".."}
    return render(request, "csp/form.html", context, status=422 if form.errors else 200)


# ---------------------------------------------------------------- texts


@for_texts
def mail_texts(request: HttpRequest) -> HttpResponse:
    """Every text that goes out by itself, by kind and language."""
    rows = MailText.objects.select_related("changed_by").order_by("kind", "language")
    return render(request, "csp/texts.html", {"texts": rows})


@for_texts
def mail_text(request: HttpRequest, pk: int | None = None) -> HttpResponse:
    """Change a text, or write one for another language; shown as a customer would read it."""
    row = get_object_or_404(MailText, pk=pk) if pk is not None else None
    by, at = access.person(request), clock.now()
    form: TextForm = (
        TextForm(request.POST or None, initial={"subject": row.subject, "body": row.body})
        if row
        else NewTextForm(request.POST or None)
    )
    if request.method == "POST" and form.is_valid():
        which: dict[str, Any] = {"kind": MailText.Kind(row.kind), "language": row.language} if row else {}
        if "preview" not in request.POST:
            if trying.in_form(form, lambda: texts.write(by=by, at=at, **which, **form.cleaned_data)) is not None:
                messages.success(request, _("Saved. It goes out from now on."))
                return redirect("texts")
        else:
            trying.in_form(form, lambda: texts.check_placeholders(form.cleaned_data["body"], texts.IN_MAIL))
    words = {"subject": form["subject"].value() or "", "body": form["body"].value() or ""}
    context = {
        "form": form,
        "text": row,
        "known": texts.IN_MAIL,
        "preview": {name: texts.preview(value, texts.IN_MAIL) for name, value in words.items()},
    }
    return render(request, "csp/text.html", context, status=422 if form.errors else 200)


# ---------------------------------------------------------------- canned replies


@for_replies
def replies(request: HttpRequest) -> HttpResponse:
    """Every reply of the person's contracts: those that wait for approval first."""
    person = access.person(request)
    rows = CannedReply.objects.filter(contract__in=access.contracts_of(person), is_active=True)
    context = {
        "replies": rows.select_related("written_by", "approved_by").order_by("approved_at", "title", "pk"),
        "may_approve": access.may(person, Permission.APPROVE_CANNED),
    }
    return render(request, "csp/canned_replies.html", context)


@for_replies
def reply(request: HttpRequest, pk: int | None = None) -> HttpResponse:
    """Write a reply, or change one."""
    by, at = access.person(request), clock.now()
    mine = access.contracts_of(by)
    row = get_object_or_404(CannedReply, pk=pk, contract__in=mine) if pk is not None else None
    begun = {name: getattr(row, name) for name in ("title", "language", "body", "contract")} if row else {}
    form = ReplyForm(request.POST or None, initial=begun, contracts=mine)
    if row is not None:
        form.fields["contract"].disabled = True
    if request.method == "POST":
        done = trying.in_form(form, lambda: texts.write_reply(reply=row, by=by, at=at, **form.cleaned_data))
        if done is not None:
            messages.success(request, _("Saved. A supervisor approves it before anybody can use it."))
            return redirect("canned_replies")
    context = {
        "form": form,
        "heading": row.title if row else _("Write a reply"),
        "hint": _("These are filled in: %(names)s.") % {"names": ", ".join(f"{{{name}}}" for name in texts.IN_REPLY)},
        "submit": _("Save"),
        "back": "..",
    }
    return render(request, "csp/form.html", context, status=422 if form.errors else 200)


@for_replies
@require_POST
def approve(request: HttpRequest, pk: int) -> HttpResponse:
    """Let a reply be used."""
    person = access.person(request)
    row = get_object_or_404(CannedReply, pk=pk, contract__in=access.contracts_of(person))
    trying.and_say(request, partial(texts.approve_reply, row, by=person, at=clock.now()), _("Approved."))
    return redirect("canned_replies")


@for_replies
@require_POST
def retire(request: HttpRequest, pk: int) -> HttpResponse:
    """Take a reply out of use."""
    person = access.person(request)
    row = get_object_or_404(CannedReply, pk=pk, contract__in=access.contracts_of(person))
    trying.and_say(request, partial(texts.retire_reply, row, by=person, at=clock.now()), _("Taken out of use."))
    return redirect("canned_replies")
