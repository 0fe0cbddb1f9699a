"""The monthly statement: a list of the months, one month as it stands or as it was signed, signing it, its file."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET, require_http_methods

from audits import listing, metric_table, metrics, periods, statements
from audits.metrics import Scope
from audits.models import Statement, StatementVersion
from audits.views.board import contract_of
from audits.views.metrics import PART_HEADS, TITLES, Part, Shown
from csp import access, clock, exporting, trail
from csp.access import person, requires
from csp.contract import OBLIGATIONS
from csp.events import Act
from csp.roles import Permission, Role
from tickets.models import Ticket
from tickets.views.door import Step, number_in, take_step


def _load(request: HttpRequest, pk: int) -> Statement:
    """The statement, if this person may see evidence of its contract; otherwise it does not exist."""
    rows = Statement.objects.select_related("contract", "deadline")
    row = get_object_or_404(rows, pk=pk)
    if not listing.may_see(person(request), row.contract):
        raise Http404
    return row


@requires()
@require_GET
def index(request: HttpRequest) -> HttpResponse:
    """Every month of a contract that owes a statement, newest first."""
    contract, contracts = contract_of(request)
    if not listing.may_see(person(request), contract):
        raise PermissionDenied
    rows = list(Statement.objects.filter(contract=contract).select_related("deadline").order_by("-month")[:120])
    signed: dict[int, StatementVersion] = {}
    for one in StatementVersion.objects.filter(statement__in=rows).select_related("signed_by").order_by("number"):
        signed[one.statement_id] = one
    context = {
        "at": clock.now(), "contract": contract, "contracts": contracts,
        "rows": [(row, signed.get(row.pk)) for row in rows],
    }  # fmt: skip
    return render(request, "audits/statements.html", context)


@requires()
@require_GET
def show(request: HttpRequest, pk: int) -> HttpResponse:
    """A version as it was signed, the newest where none is named; before that, the month as it stands now."""
    row, at, user = _load(request, pk), clock.now(), person(request)
    versions = list(row.versions.select_related("signed_by").order_by("-number"))
    asked = number_in(request.GET.get("version", ""))
    version = next((one for one in versions if asked in (None, one.number)), None)
    if asked is not None and version is None:
        raise Http404
    if Role.AUDITOR in access.scope_of(user).roles():
        facts = {"statement": row.pk, "version": version.number if version else 0}
        trail.record(Act.RECORD_READ, f"reader:{user.pk}", by=user, at=at, facts=facts)
    context: dict[str, Any] = {
        "at": at,
        "row": row,
        "contract": row.contract,
        "versions": versions,
        "version": version,
        "may_sign": access.may(user, Permission.SIGN_STATEMENTS, contract_id=row.contract_id),
        "metrics_url": f"{reverse('metrics')}?contract={row.contract_id}&period={row.code}",
        "part_heads": PART_HEADS[:-1],
        **(_frozen(row, version) if version else _live(row, at)),
    }
    return render(request, "audits/statement.html", context)


def _live(row: Statement, at: Any) -> dict[str, Any]:
    period = periods.read(row.code, at, row.contract.zoneinfo)
    scope = Scope(row.contract, period, at, dated=True)
    found = metrics.compute(scope, statements.DIMENSIONS)
    scores = sum(metrics.feedback(scope).values(), metrics.Scores())
    names = statements.names(row.contract)
    return _said(found[""][None], {name: found[name] for name in statements.DIMENSIONS}, scores,
                 statements.promises(scope), names)  # fmt: skip


def _frozen(row: Statement, version: StatementVersion) -> dict[str, Any]:
    found, parts, scores, promises = statements.read(version)
    return _said(found, parts, scores, promises, statements.names_in(version)) | {
        "intact": statements.digest(version.document) == version.digest
    }


def _said(found: Any, parts: Any, scores: Any, promises: Any, names: dict[str, dict[str, str]]) -> dict[str, Any]:
    """Frozen or live, the same lines in the same words."""
    called = names | {"channel": {code: str(label) for code, label in Ticket.Channel.choices}}
    called["category"] = called["category"] | {"0": _("No category")}

    def rows(name: str) -> list[tuple[str, list[str]]]:
        shown = []
        for key, one in parts[name].items():
            lines = {line.code: line for line in metric_table.lines(one)}
            part = Part(called[name].get(str(key), str(key)), lines, "", "")
            shown.append((part.name, part.cells[:-1]))
        return sorted(shown)

    return {
        "lines": [Shown(line, "", []) for line in metric_table.lines(found, scores)],
        "parts": [(TITLES[name], rows(name)) for name in statements.DIMENSIONS],
        "promises": [
            (
                one["clause"], _(OBLIGATIONS[code].verb) if code != "follow_up" else _("Follow-up"),
                OBLIGATIONS[code].policy, metric_table.share(one["kept"], one["kept"] + one["broken"]), one["broken"],
                metric_table.share(
                    one["kept"] + one["recorded_late"],
                    one["kept"] + one["broken"] - one["not_owed"] - one["unreachable"],
                ),
            )
            for code, one in promises.items()
        ],
    }  # fmt: skip


class SignForm(forms.Form):
    """What a supervisor says in freezing a month; a correction says why."""

    comment = forms.CharField(
        label=gettext_lazy("Comment"), required=False, max_length=4000, widget=forms.Textarea(attrs={"rows": 4}),
        help_text=gettext_lazy("What a reader of the figures should know. Names of customers do not belong here."),
    )  # fmt: skip
    reason = forms.CharField(label=gettext_lazy("Why it is corrected"), max_length=1000)
    intent = forms.BooleanField(
        label=gettext_lazy("I have looked at every figure of this month, and sign them as they stand at this moment.")
    )
    last = forms.IntegerField(widget=forms.HiddenInput, min_value=0)


@requires(Permission.SIGN_STATEMENTS)
@require_http_methods(["GET", "POST"])
def sign(request: HttpRequest, pk: int) -> HttpResponse:
    """Freeze and sign the month; once it is signed, a corrected version of it."""
    row, user, at = _load(request, pk), person(request), clock.now()
    if not access.may(user, Permission.SIGN_STATEMENTS, contract_id=row.contract_id):
        raise PermissionDenied
    last = row.versions.count()
    form = SignForm(request.POST or None, initial={"last": last})
    if not last:
        del form.fields["reason"]
    step = Step(
        title=_("Correct the statement") if last else _("Freeze and sign"),
        submit=_("Sign"), form=form, back=row.path, text=str(row),
    )  # fmt: skip

    def verb(good: dict[str, Any]) -> str:
        statements.sign(row, by=user, at=at, comment=good["comment"], reason=good.get("reason", ""), last=good["last"])
        return _("Frozen and signed.")

    return take_step(request, step, verb)


@requires()
@require_GET
def file(request: HttpRequest, pk: int, number: int) -> HttpResponse:
    """The exact bytes that were signed. Who took them is on record."""
    row, user, at = _load(request, pk), person(request), clock.now()
    version = get_object_or_404(row.versions, number=number)
    narrowed = {"statement": str(row.pk), "version": str(number)}
    taking = exporting.Taking(user, "audits.statementversion", "json", narrowed, row.contract)
    return exporting.at_once(
        taking, version.document.encode(), name=f"statement-{row.code}-{number}.json", content_type="application/json",
        at=at,
    )  # fmt: skip
