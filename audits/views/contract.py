"""The contract: what was signed, in the version's own words, how each clause stands, and how open points are read."""

from __future__ import annotations

import dataclasses
from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_GET

from audits import board
from audits.board import Line
from audits.views.board import contract_of, face_of
from csp import access, agreement, clock
from csp.access import person, requires
from csp.clockface import ClockFace
from csp.contract import CLAUSES, READINGS, Clause, Obligation, Term, obligations_of
from csp.models import Contract, Version
from csp.roles import Permission
from tickets.views.door import number_in

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


@dataclasses.dataclass(frozen=True, slots=True)
class Entry:
    """One clause: what the version says, what is owed under it and by when, and how it stands."""

    clause: Clause
    words: str
    owed: list[tuple[Obligation, str]]
    line: Line | None
    face: ClockFace | None


@requires()
@require_GET
def show(request: HttpRequest) -> HttpResponse:
    """The version in force, or an earlier one that the address names; the live state beside the one in force only."""
    user, at = person(request), clock.now()
    contract: Contract | None = None
    mine: list[Contract] = []
    if board.contracts_of(user):
        contract, mine = contract_of(request)
    elif not access.may(user, Permission.SEE_CONTRACT):
        raise PermissionDenied
    version, in_force = _versions(request, contract, at)
    lines = {}
    if contract is not None and version is not None and version == in_force:
        lines = {line.clause.number: line for line in board.standing(contract, version, at) if not line.part}
    words = agreement.wording(version) if version is not None else {}
    entries = [
        Entry(
            clause, words.get(number, ""), _owed(clause, version), lines.get(number),
            face_of(lines[number], at) if number in lines else None,
        )
        for number, clause in CLAUSES.items()
    ]  # fmt: skip
    context: dict[str, Any] = {
        "at": at,
        "contracts": mine,
        "contract": contract,
        "version": version,
        "in_force": in_force,
        "versions": list(contract.versions.order_by("-number")) if contract else [],
        "signatures": version.signatures.select_related("signed_by").order_by("signed_at") if version else [],
        "parts": [
            (number, title, [one for one in entries if one.clause.number.partition(".")[0] == number])
            for number, title in SECTIONS.items()
        ],
        "readings": [
            (why, agreement.reading(version, key) if version else value) for key, (value, why) in READINGS.items()
        ],
    }
    return render(request, "audits/contract.html", context)


def _versions(request: HttpRequest, contract: Contract | None, at: Any) -> tuple[Version | None, Version | None]:
    """The version to show, and the one in force."""
    if contract is None:
        return None, None
    in_force = agreement.in_force(contract, at)
    asked = request.GET.get("version", "")
    if not asked:
        return in_force, in_force
    number = number_in(asked)
    if number is None:
        raise Http404
    return get_object_or_404(contract.versions, number=number), in_force


def _owed(clause: Clause, version: Version | None) -> list[tuple[Obligation, str]]:
    """What is owed under the clause, each with its term: the version's own, else the contract's."""
    own = version.terms if version else {}
    rules = obligations_of(clause.number)
    return [(rule, str(Term(**own[rule.code]) if rule.code in own else rule.term or "")) for rule in rules]
