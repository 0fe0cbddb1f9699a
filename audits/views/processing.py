"""The register of processing, and the privacy notices with their versions (clause 6.1)."""

from __future__ import annotations

import json
from typing import Any

from django.core.exceptions import PermissionDenied
from django.db.models import Count
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from audits.privacy_forms import NoticeForm, ProcessingForm
from audits.views.privacy import contract_of, tabs
from csp import access, clock, exporting
from csp.access import Refused, person, requires, scope_of
from csp.models import Contract, PrivacyNotice, Processing, User
from csp.privacy import processing, published, recipients, terms
from csp.roles import Role
from tickets.views.door import Step, go, refuse, take_step

both = require_http_methods(["GET", "POST"])
HEADINGS = ("name", "purpose", "basis", "people", "data", "recipients", "transfers", "kept_for", "safeguards")


def read_by(user: User) -> list[Contract]:
    """The contracts whose register this person reads: those they keep it for, and those they audit."""
    mine = {one.pk: one for one in terms.acts_for(user)}
    audited = scope_of(user).contracts(Role.AUDITOR) - set(mine)
    mine |= {one.pk: one for one in Contract.objects.filter(pk__in=audited)}
    return [mine[number] for number in sorted(mine)]


@requires()
@require_GET
def register(request: HttpRequest) -> HttpResponse:
    """What is done with personal data, and why; printable as it stands."""
    user = person(request)
    mine = read_by(user)
    contract = contract_of(request, mine)
    rows = contract.processings.order_by("name", "pk")
    context = {
        "contract": contract, "contracts": mine, "terms": terms.of(contract), "tabs": tabs(user, "processing"),
        "rows": [(row, _columns(row)) for row in rows.filter(ended_at__isnull=True)],
        "ended": rows.filter(ended_at__isnull=False), "may_keep": terms.may_act(user, contract.pk), "at": clock.now(),
        "handed_on": [(each, recipients.name_of_records(each.what)) for each in recipients.handed_on(contract)[:50]],
    }  # fmt: skip
    return render(request, "privacy/processing.html", context)


def _columns(row: Processing) -> list[tuple[str, str]]:
    names = [name for name in HEADINGS[1:] if getattr(row, name)]
    return [(str(Processing._meta.get_field(name).verbose_name), getattr(row, name)) for name in names]  # type: ignore[union-attr]  # a column


@requires()
@require_GET
def export(request: HttpRequest) -> HttpResponse:
    """The register as JSON, for an authority or another program."""
    user, at = person(request), clock.now()
    contract = contract_of(request, read_by(user))
    row = terms.of(contract)
    found = {
        "company": contract.company, "party": contract.party, "part": row.part, "controller": row.controller,
        "made_at": at.isoformat(timespec="seconds"),
        "activities": [
            {name: getattr(each, name) for name in HEADINGS}
            | {"changed_at": each.changed_at.isoformat(timespec="seconds"),
               "ended_at": each.ended_at.isoformat(timespec="seconds") if each.ended_at else None}
            for each in contract.processings.order_by("name", "pk")
        ],
        "handed_on": [
            {"recipient": each.recipient, "what": recipients.name_of_records(each.what),
             "by": each.by.name if each.by is not None else _("operator of the server"),
             "at": each.begun_at.isoformat(timespec="seconds"), "rows": each.rows, "sha256": each.digest}
            for each in recipients.handed_on(contract)
        ],
    }  # fmt: skip
    content = json.dumps(found, ensure_ascii=False, indent=1).encode()
    return exporting.at_once(
        exporting.Taking(user, "csp.processing", "json", {}, contract), content, name="register-of-processing.json",
        content_type="application/json", at=at,
    )  # fmt: skip


@requires()
@both
def edit(request: HttpRequest, pk: int | None = None) -> HttpResponse:
    """Enter an activity, or change one."""
    user, at = person(request), clock.now()
    row = get_object_or_404(Processing.objects.select_related("contract"), pk=pk) if pk is not None else None
    contract = row.contract if row is not None else contract_of(request, terms.acts_for(user))
    if not terms.may_act(user, contract.pk, at=at):
        raise PermissionDenied
    form: Any = ProcessingForm(request.POST or None, instance=row)
    back = f"{reverse('processing')}?contract={contract.pk}"
    step = Step(title=row.name if row else _("Enter an activity"), submit=_("Save"), form=form, back=back)

    def verb(good: dict[str, Any]) -> str:
        processing.save(contract, good, by=user, at=at, row=row)
        return _("Saved. What it said before is kept.")

    return take_step(request, step, verb)


@requires()
@require_POST
def end(request: HttpRequest, pk: int) -> HttpResponse:
    """It is not done any more."""
    row = get_object_or_404(Processing, pk=pk)
    back = f"{reverse('processing')}?contract={row.contract_id}"
    if not terms.may_act(person(request), row.contract_id):
        raise PermissionDenied
    try:
        processing.end(row, by=person(request), at=clock.now())
    except Refused as refusal:
        return refuse(request, refusal, back)
    return go(request, back, _("It has ended; it stays on record."))


# ---------------------------------------------------------------- the notices


@requires()
@both
def notices(request: HttpRequest) -> HttpResponse:
    """Every version that was published; the next one is written here."""
    user, at = person(request), clock.now()
    mine = read_by(user)
    contract = contract_of(request, mine)
    may = terms.may_act(user, contract.pk, at=at)
    rows = list(
        contract.privacy_notices.select_related("published_by").annotate(times=Count("seen")).order_by("-number")
    )
    holds: dict[str, int] = {}
    for row in rows:
        holds.setdefault(row.language, row.pk)
    form = NoticeForm(request.POST or None, initial={"text": rows[0].text if rows else "", "language": "en-gb"})
    status = 200
    if request.method == "POST":
        if not may:
            raise PermissionDenied
        if form.is_valid():
            try:
                published.publish(contract, by=user, at=at, **form.cleaned_data)
            except access.Refused as refusal:
                form.add_error(None, str(refusal))
            else:
                return go(request, f"{reverse('privacy_notices')}?contract={contract.pk}", _("Published."))
        status = 422
    context = {
        "contract": contract, "contracts": mine, "tabs": tabs(user, "privacy_notices"), "may": may, "form": form,
        "rows": [(row, row.pk in holds.values()) for row in rows], "at": at,
    }  # fmt: skip
    return render(request, "privacy/notices.html", context, status=status)


@requires()
@require_GET
def notice(request: HttpRequest, pk: int) -> HttpResponse:
    """One version, as it was published."""
    mine = [one.pk for one in read_by(person(request))]
    row = get_object_or_404(PrivacyNotice.objects.filter(contract__in=mine).select_related("published_by"), pk=pk)
    return render(request, "privacy/notice.html", {"notice": row, "at": clock.now()})
