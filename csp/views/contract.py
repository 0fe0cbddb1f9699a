"""The contract as the desk knows it: every clause, what is owed under it, and how its open points are read."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils.translation import gettext_lazy as _

from csp import access, agreement, clock
from csp.access import requires
from csp.contract import CLAUSES, READINGS, Clause, Obligation, Term, obligations_of
from csp.models import Contract, Version
from csp.roles import Permission

SECTIONS = {
    "1": _("Purpose and scope"),
    "2": _("Who does what"),
    "3": _("Inquiries, complaints, escalation"),
    "4": _("Records"),
    "5": _("Training"),
    "6": _("Privacy, figures, audits"),
    "7": _("Getting better"),
    "8": _("When it goes wrong"),
    "9": _("Liability"),
    "10": _("Signatures"),
}


@requires(Permission.SEE_CONTRACT)
def show(request: HttpRequest) -> HttpResponse:
    """The clauses in our own words, with the version in force and who signed it."""
    mine = access.contracts_of(access.person(request))
    chosen = request.GET.get("contract", "")
    contract = mine[0] if mine else None
    if chosen.isdecimal() and len(chosen) < 19:
        contract = get_object_or_404(Contract, pk=chosen, pk__in=[one.pk for one in mine])
    version = agreement.in_force(contract, clock.now()) if contract else None
    parts = [
        (
            number,
            title,
            [_owed(clause, version) for clause in CLAUSES.values() if clause.number.split(".")[0] == number],
        )
        for number, title in SECTIONS.items()
    ]
    context = {
        "contracts": mine,
        "contract": contract,
        "version": version,
        "signatures": version.signatures.select_related("signed_by").order_by("signed_at") if version else [],
        "parts": parts,
        "readings": [
            (why, agreement.reading(version, key) if version else value) for key, (value, why) in READINGS.items()
        ],
    }
    return render(request, "csp/contract.html", context)


def _owed(clause: Clause, version: Version | None) -> tuple[Clause, list[tuple[Obligation, str]]]:
    """The clause with what is owed under it, each with its term: the version's own, else the contract's."""
    own = version.terms if version else {}
    rules = obligations_of(clause.number)
    return clause, [(rule, str(Term(**own[rule.code]) if rule.code in own else rule.term or "")) for rule in rules]
