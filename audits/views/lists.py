"""The lists of assurance as pages and as files: what lies behind the figures, and every exception a person made."""

from __future__ import annotations

import datetime as dt
import itertools
from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST

from audits import listing, periods
from audits.listing import Cursor, Filters, List, Row
from audits.lists import LISTS
from audits.views.board import contract_of, period_of
from csp import access, clock, exporting, trail
from csp.access import Refused, person, requires
from csp.contract import CLAUSES, OBLIGATIONS
from csp.events import Act
from csp.models import Contract, Team
from csp.roles import Role
from tickets.views.door import number_in, refuse


def _load(request: HttpRequest, code: str, at: dt.datetime) -> tuple[List, Filters, list[Contract]]:
    """The list and what it is narrowed to; only for whoever may see evidence of the contract."""
    one = LISTS.get(code)
    if one is None:
        raise Http404
    contract, mine = contract_of(request)
    user = person(request)
    if not listing.may_see(user, contract):
        raise PermissionDenied
    asked = request.GET
    obligation = asked.get("obligation", "")
    clause = asked.get("clause", "")
    if clause and clause not in CLAUSES:
        messages.error(request, _("The contract has no clause “%(asked)s”; shown are all.") % {"asked": clause[:10]})
    state = asked.get("state", "")
    return (
        one,
        Filters(
            contract=contract,
            period=period_of(request, at, contract.zoneinfo),
            teams=listing.teams_open_to(user, contract),
            clause=clause if one.by_clause and clause in CLAUSES else "",
            obligation=obligation if one.by_clause and obligation in {*OBLIGATIONS, listing.DUTIES} else "",
            team=number_in(asked.get("team", "")),
            state=state if state in one.states else "",
        ),
        mine,
    )


def cursor_in(text: str) -> Cursor | None:
    """Where a page begins, as the address says it; what cannot be one is the beginning."""
    moment, _underscore, number = text.partition("_")
    pk = number_in(number)
    try:
        at = dt.datetime.fromisoformat(moment)
    except ValueError:
        return None
    return (at, pk) if pk is not None and at.tzinfo is not None else None


def spelled(cursor: Cursor | None) -> str:
    return f"{cursor[0].astimezone(dt.UTC).isoformat()}_{cursor[1]}" if cursor is not None else ""


@requires()
@require_GET
def show(request: HttpRequest, code: str) -> HttpResponse:
    """One page of one list. An auditor's reading is recorded, like every reading of an auditor's."""
    user, at = person(request), clock.now()
    one, filters, mine = _load(request, code, at)
    zone = filters.contract.zoneinfo
    rows, after = listing.page(one, filters, cursor_in(request.GET.get("after", "")), zone)
    rows = list(listing.not_about(user, rows))
    if Role.AUDITOR in access.scope_of(user).roles():
        trail.record(Act.RECORD_READ, f"reader:{user.pk}", by=user, at=at, facts=_facts(one, filters, len(rows)))
    teams = Team.objects.filter(contract=filters.contract).order_by("name", "pk")
    if filters.teams is not None:
        teams = teams.filter(pk__in=filters.teams)
    context: dict[str, Any] = {
        "at": at,
        "list": one,
        "lists": LISTS.values(),
        "filters": filters,
        "contract": filters.contract,
        "contracts": mine,
        "rows": rows,
        "open_paths": listing.open_paths(user, rows),
        "after": spelled(after),
        "teams": list(teams),
        "clauses": CLAUSES.values(),
        "months": _months(filters, at),
        "obligation": _chip(filters.obligation),
        "query": _query(one, filters),
    }
    return render(request, "audits/list.html", context)


def _chip(obligation: str) -> str:
    """What the list is narrowed to, in words."""
    if obligation == listing.DUTIES:
        return _("Without our own targets")
    return _(OBLIGATIONS[obligation].verb) if obligation else ""


def _months(filters: Filters, at: dt.datetime) -> list[periods.Period]:
    """What the picker offers, with the one that is shown if it is another."""
    zone = filters.contract.zoneinfo
    found = {one.code: one for one in (*periods.offered(at, zone)[2:], *periods.months_back(at, zone))}
    return list({filters.period.code: filters.period, **found}.values())


def _query(one: List, filters: Filters) -> str:
    values = {
        "contract": filters.contract.pk, "period": filters.period.code, "clause": filters.clause,
        "obligation": filters.obligation, "team": filters.team or "", "state": filters.state,
    }  # fmt: skip
    return urlencode({name: value for name, value in values.items() if value != ""})


def _facts(one: List, filters: Filters, count: int) -> dict[str, Any]:
    return {
        "list": one.code, "contract": filters.contract.pk, "period": filters.period.code, "clause": filters.clause,
        "obligation": filters.obligation, "team": filters.team, "state": filters.state, "rows": count,
    }  # fmt: skip


# ---------------------------------------------------------------- as a file


@requires()
@require_POST
def export(request: HttpRequest, code: str) -> HttpResponseBase:
    """The whole list as a file, row by row while it is read; who took it, and what it was narrowed to, is on record."""
    user, at = person(request), clock.now()
    one, filters, _mine = _load(request, code, at)
    try:
        to = exporting.Recipient.read(request.POST.get("recipient", ""))
    except Refused as refusal:
        return refuse(request, refusal, f"{reverse('assurance_list', args=[code])}?{request.GET.urlencode()}")
    zone = filters.contract.zoneinfo
    narrowed = {name: str(value) for name, value in _facts(one, filters, 0).items() if value and name != "list"}

    def rows() -> exporting.Rows:
        found = listing.not_about(user, listing.everything(one, filters, zone))
        while batch := list(itertools.islice(found, listing.EXPORTED_AT_ONCE)):
            whose = listing.customers_of(number for row in batch if (number := ticket_of(row)) is not None)
            for row in batch:
                cells = [row.ref, row.clause, row.team, listing.said(row.at, zone), *row.cells]
                yield whose.get(ticket_of(row), ""), cells

    heads = [_("Matter"), _("Clause"), _("Team"), f"{one.moment} ({zone})", *map(str, one.headings)]
    taking = exporting.Taking(user, f"list.{one.code}", exporting.Format.CSV, narrowed, filters.contract, to)
    return exporting.as_file(taking, heads, rows, name=f"{one.code}-{filters.period.code}", at=at)


def ticket_of(row: Row) -> int | None:
    return number_in(row.path.removeprefix("/tickets/").strip("/")) if row.path.startswith("/tickets/") else None
