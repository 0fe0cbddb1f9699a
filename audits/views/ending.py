"""What becomes of a controller's data when the contract has ended: returned or deleted, by two persons (clause 6.1)."""

from __future__ import annotations

from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from audits import returning
from audits.privacy_forms import EndForm, ReceivedForm
from audits.views.privacy import contract_of, tabs
from csp import clock, exporting
from csp.access import Refused, person, requires
from csp.models import ContractEnd, Erasure
from csp.privacy import contract_end, terms
from tickets.views.door import Step, go, refuse, take_step

both = require_http_methods(["GET", "POST"])


def _load(request: HttpRequest, pk: int) -> ContractEnd:
    rows = ContractEnd.objects.filter(contract__in=terms.acts_for(person(request)))
    return get_object_or_404(rows.select_related("contract", "export"), pk=pk)


def _back(row: ContractEnd) -> str:
    return f"{reverse('contract_end')}?contract={row.contract_id}"


@requires()
@require_GET
def show(request: HttpRequest) -> HttpResponse:
    """How far it is: what was chosen, handed over, confirmed, approved and deleted."""
    user, at = person(request), clock.now()
    mine = [one for one in terms.acts_for(user) if contract_end.is_processor(one)]
    if not mine:
        raise Http404
    contract = contract_of(request, mine)
    row = contract_end.of(contract)
    is_open = row is not None and row.approved_at is None
    erasures = Erasure.objects.filter(request_ref=row.reference) if row is not None else Erasure.objects.none()
    context = {
        "at": at, "contract": contract, "contracts": mine, "tabs": tabs(user, "contract_end"), "row": row,
        "terms": terms.of(contract), "is_open": is_open,
        "returns": row is not None and row.choice == ContractEnd.Choice.RETURNED,
        "file": row.export or contract_end.handed_over(row) if row is not None else None,
        "may_approve": row is not None and is_open and row.recorded_by_id != user.pk,
        "customers": len(contract_end.customers_of(contract)),
        "erased": erasures.filter(finished_at__isnull=False).count(), "ordered": erasures.count(),
    }  # fmt: skip
    return render(request, "privacy/end.html", context)


@requires()
@both
def record(request: HttpRequest) -> HttpResponse:
    """Write down that the contract has ended and what the controller chose."""
    user, at = person(request), clock.now()
    contract = contract_of(request, [one for one in terms.acts_for(user) if contract_end.is_processor(one)])
    chosen = terms.of(contract).at_end
    form = EndForm(request.POST or None, initial={"choice": chosen} if chosen else None)
    back = f"{reverse('contract_end')}?contract={contract.pk}"
    step = Step(
        title=_("After the contract"), submit=_("Write it down"), form=form, back=back,
        text=_("Nothing is deleted by this. A second person approves it first."),
    )  # fmt: skip

    def verb(good: dict[str, Any]) -> str:
        contract_end.record(contract, by=user, at=at, **good)
        return _("Written down.")

    return take_step(request, step, verb)


@requires()
@require_POST
def file(request: HttpRequest, pk: int) -> HttpResponseBase:
    """Everything that is held under the contract, for the controller: an export like any other."""
    row, user, at = _load(request, pk), person(request), clock.now()
    try:
        contract_end.check_can_hand_over(row, user, at)
    except Refused as refusal:
        return refuse(request, refusal, _back(row))
    known = terms.of(row.contract)
    taking = exporting.Taking(
        user, contract_end.WHAT, exporting.Format.LINES, {"end": row.reference}, row.contract,
        exporting.Recipient(known.controller or _("controller"), known.controller_mail),
    )  # fmt: skip
    contract = row.contract
    return exporting.as_file(
        taking, returning.HEADS, lambda: returning.rows(contract), name=f"{row.reference}-{at:%Y-%m-%d}", at=at
    )  # fmt: skip


@requires()
@both
def receive(request: HttpRequest, pk: int) -> HttpResponse:
    """Write down that the controller has the data back."""
    row, user, at = _load(request, pk), person(request), clock.now()
    step = Step(
        title=_("The controller has it"), submit=_("Write it down"),
        form=ReceivedForm(request.POST or None, initial={"received_at": at}), back=_back(row),
    )  # fmt: skip

    def verb(good: dict[str, Any]) -> str:
        contract_end.receive(row, by=user, at=at, **good)
        return _("Written down. A second person may approve now that the data is deleted.")

    return take_step(request, step, verb)


@requires()
@require_POST
def decide(request: HttpRequest, pk: int, act: str) -> HttpResponse:
    """Approve it as a second person, or take it back."""
    row, user, at = _load(request, pk), person(request), clock.now()
    try:
        if act == "approve":
            contract_end.approve(row, by=user, at=at)
        else:
            contract_end.withdraw(row, by=user, at=at)
    except Refused as refusal:
        return refuse(request, refusal, _back(row))
    said = _("Approved. The data is deleted from now on.") if act == "approve" else _("Taken back.")
    return go(request, _back(row), said)


@requires()
@require_GET
def certificate(request: HttpRequest, pk: int) -> HttpResponse:
    """The exact bytes that the digest in the trail is over."""
    row = _load(request, pk)
    if row.finished_at is None:
        raise Http404
    taking = exporting.Taking(person(request), contract_end.WHAT, "json", {"end": row.reference}, row.contract)
    return exporting.at_once(
        taking, row.certificate.encode(), name=f"{row.reference}.json", content_type="application/json", at=clock.now()
    )
