"""The questions that a quality audit asks of every drawn ticket: versioned, weighted, tied to clauses (clause 6.3)."""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Sequence

from django.db import transaction
from django.utils.translation import gettext as _

from audits.models import Criterion, Scorecard
from csp import access, offices, trail
from csp.access import Refused
from csp.contract import CLAUSES
from csp.events import Act
from csp.models import Contract, User
from csp.roles import Office, Permission


@dataclasses.dataclass(frozen=True, slots=True)
class Asked:
    """One question to be published."""

    clause: str
    question: str
    weight: int = 1
    is_critical: bool = False
    asks_accuracy: bool = False


# What every contract begins with. The words are the same in every language: a scorecard is a text on record.
STANDARD = (
    Asked("3.1", "Was the answer accurate and helpful?", 3, is_critical=True, asks_accuracy=True),
    Asked("3.2", "Did the case follow the procedure for complaints?", 2),
    Asked("3.3", "Did it reach a supervisor in time, if it had to?", 2, is_critical=True),
    Asked("4.1", "Is every contact on record, with what was said and how it was resolved?", 2),
    Asked("6.1", "Was personal data kept to what was needed?", 2, is_critical=True),
    Asked("5.1", "Were tone and language right?", 1),
)


def may_publish(contract: Contract, user: User, *, at: dt.datetime | None = None) -> bool:
    """Auditors of the contract and its compliance owner."""
    return access.may(user, Permission.AUDIT, contract_id=contract.pk, at=at) or contract.pk in offices.contracts_of(
        user, Office.COMPLIANCE_OWNER, at=at
    )


@transaction.atomic
def current(contract: Contract, *, at: dt.datetime) -> Scorecard:
    """The newest card; of a contract that has none yet, the standard one is published by the product."""
    found = contract.scorecards.order_by("-number").first()
    if found is not None:
        return found
    Contract.objects.select_for_update(no_key=True).get(pk=contract.pk)
    return contract.scorecards.order_by("-number").first() or _publish(contract, STANDARD, "", by=None, at=at)


@transaction.atomic
def publish(contract: Contract, asked: Sequence[Asked], *, because: str, by: User, at: dt.datetime) -> Scorecard:
    """Publish the next version. Audits that are planned keep the one that they were planned with. Raises Refused."""
    if not may_publish(contract, by, at=at):
        raise Refused(_("An auditor of the contract or its compliance owner publishes the scorecard."))
    if not asked:
        raise Refused(_("A scorecard has at least one question."))
    for one in asked:
        if one.clause not in CLAUSES:
            raise Refused(_("The contract has no clause “%(clause)s”.") % {"clause": one.clause})
        if not one.question.strip() or not 1 <= one.weight <= 100:
            raise Refused(_("Each question has words and a weight of 1 to 100."))
        if one.asks_accuracy and one.clause != "3.1":
            raise Refused(_("Whether an answer was accurate is a question of clause 3.1."))
    if not any(one.asks_accuracy for one in asked):
        raise Refused(_("One question has to ask whether the answer was accurate: clause 3.1 is shown by it alone."))
    if not because.strip():
        raise Refused(_("Say why the card is changed; whoever compares two audits reads it."))
    Contract.objects.select_for_update(no_key=True).get(pk=contract.pk)
    return _publish(contract, asked, because.strip(), by=by, at=at)


def _publish(
    contract: Contract, asked: Sequence[Asked], because: str, *, by: User | None, at: dt.datetime
) -> Scorecard:  # fmt: skip
    last = contract.scorecards.order_by("-number").first()
    card = Scorecard.objects.create(
        contract=contract, number=last.number + 1 if last else 1, because=because[:300], published_at=at,
        published_by=by,
    )  # fmt: skip
    rows = Criterion.objects.bulk_create(
        Criterion(
            scorecard=card, position=place, clause=one.clause, question=one.question.strip()[:300], weight=one.weight,
            is_critical=one.is_critical, asks_accuracy=one.asks_accuracy,
        )
        for place, one in enumerate(asked, start=1)
    )  # fmt: skip
    trail.record(
        Act.SCORECARD_PUBLISHED, f"scorecard:{card.pk}", by=by or "scorecards", at=at,
        facts={"contract": contract.pk, "number": card.number, "criteria": len(rows)}, evidence=[card, *rows],
    )  # fmt: skip
    return card
