"""The standard resolution procedures in the settings: which is in force, the next draft, what publishing changes."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from csp import access, clock
from csp.access import person, requires
from csp.models import Contract, User
from csp.roles import Permission
from csp.views import trying
from tickets import procedures
from tickets.models import Category, Procedure, ProcedureVersion
from tickets.text_forms import ProcedureForm

for_procedures = requires(Permission.MANAGE_TEXTS)


def _contracts(user: User) -> list[Contract]:
    return [one for one in access.contracts_of(user) if access.may(user, Permission.MANAGE_TEXTS, contract_id=one.pk)]


@for_procedures
@require_GET
def index(request: HttpRequest) -> HttpResponse:
    """Every procedure, and every category that has none of its own."""
    mine = _contracts(person(request))
    for contract in mine:
        procedures.default_of(contract)
    rows = Procedure.objects.filter(contract__in=mine).select_related("category").prefetch_related("versions")
    lines: list[dict[str, Any]] = []
    for row in sorted(rows, key=lambda row: (row.category is not None, str(row.category or ""))):
        versions = sorted(row.versions.all(), key=lambda version: version.number)
        published = [version for version in versions if version.published_at]
        draft = next((version for version in versions if version.published_at is None), None)
        lines.append({"row": row, "now": published[-1] if published else None, "draft": draft})
    known = {line["row"].category_id for line in lines}
    others = Category.objects.filter(contract__in=mine, is_active=True).exclude(pk__in=known - {None})
    context = {"lines": lines, "others": list(others.order_by("name"))}
    return render(request, "csp/procedures.html", context)


@for_procedures
@require_http_methods(["GET", "POST"])
def draft(request: HttpRequest, pk: int) -> HttpResponse:
    """Write the next version of a procedure, beside the versions that there were."""
    row = get_object_or_404(Procedure.objects.select_related("contract", "category"), pk=pk)
    return _draft(request, row.contract, row.category, row)


@for_procedures
@require_http_methods(["GET", "POST"])
def begin(request: HttpRequest, pk: int) -> HttpResponse:
    """Write the first version for a category that has followed the standard so far."""
    category = get_object_or_404(Category.objects.select_related("contract"), pk=pk)
    row = Procedure.objects.filter(contract=category.contract, category=category).first()
    return _draft(request, category.contract, category, row)


def _draft(request: HttpRequest, contract: Contract, category: Category | None, row: Procedure | None) -> HttpResponse:
    by, at = person(request), clock.now()
    get_object_or_404(Contract.objects.filter(pk__in=[one.pk for one in _contracts(by)]), pk=contract.pk)
    versions = list(row.versions.select_related("published_by", "drafted_by").order_by("-number")) if row else []
    begun = versions[0] if versions else procedures.latest(procedures.default_of(contract))
    assert begun is not None  # there is always a standard
    names = ("title", "text", "resolve_days", "progress_days")
    initial = {name: getattr(begun, name) for name in names}
    initial["reason"] = begun.reason if begun.published_at is None else ""
    form = ProcedureForm(request.POST or None, initial=initial)
    if request.method == "POST":
        done = trying.in_form(
            form, lambda: procedures.draft(contract, category, by=by, at=at, **form.cleaned_data)
        )  # fmt: skip
        if done is not None:
            messages.success(request, _("Kept as a draft. A supervisor reads the changes and publishes it."))
            return redirect("procedure_version", done.pk)
    context = {"form": form, "heading": category or _("Every other complaint"), "versions": versions}
    return render(request, "csp/procedure.html", context, status=422 if form.errors else 200)


def _version(request: HttpRequest, pk: int) -> ProcedureVersion:
    rows = ProcedureVersion.objects.filter(procedure__contract__in=_contracts(person(request)))
    people = ("drafted_by", "published_by")
    return get_object_or_404(rows.select_related("procedure__contract", "procedure__category", *people), pk=pk)


@for_procedures
@require_GET
def version(request: HttpRequest, pk: int) -> HttpResponse:
    """One version, with what it changes; a draft is published from here."""
    row = _version(request, pk)
    earlier = row.procedure.versions.filter(number__lt=row.number, published_at__isnull=False)
    before = earlier.order_by("-number").first()
    if before is None and row.procedure.category_id is not None:
        before = procedures.latest(procedures.default_of(row.procedure.contract))
    context = {
        "version": row,
        "before": before,
        "lines": procedures.changes(before, row),
        "seen": procedures.seal_of(row),
        "may_publish": row.published_at is None
        and access.may(person(request), Permission.PUBLISH_PROCEDURES, contract_id=row.procedure.contract_id),
    }
    return render(request, "csp/procedure_version.html", context)


@requires(Permission.PUBLISH_PROCEDURES)
@require_POST
def publish(request: HttpRequest, pk: int) -> HttpResponse:
    """Put the draft in force whose changes were on screen."""
    row, by, at, seen = _version(request, pk), person(request), clock.now(), request.POST.get("seen", "")
    done = trying.and_say(
        request,
        lambda: procedures.publish(row, by=by, at=at, seen=seen),
        _("Published. Complaints that are received from now on follow it."),
    )
    return redirect("procedures") if done else redirect("procedure_version", row.pk)
