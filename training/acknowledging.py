"""Staff read the contract that they work under and the privacy policy, and say so (clause 5)."""

from __future__ import annotations

import dataclasses
import datetime as dt
import hashlib

from django.db import transaction
from django.utils.translation import gettext as _

from csp import access, agreement, trail
from csp.access import Refused
from csp.events import Act
from csp.models import Contract, User
from csp.roles import Permission
from training.models import Acknowledgement, Policy


@dataclasses.dataclass(frozen=True, slots=True)
class Text:
    """One thing to read: a version of the contract or of the policy."""

    kind: str  # contract, policy
    number: int
    title: str
    body: str
    acknowledged_at: dt.datetime | None


def texts_for(user: User, at: dt.datetime) -> list[Text]:
    """What is in force for this person's work, read or not."""
    found = []
    said = {
        (row.version_id, row.policy_id): row.at
        for row in Acknowledgement.objects.filter(user=user)
    }  # fmt: skip
    for contract in access.contracts_of(user, at=at):
        version = agreement.in_force(contract, at)
        found.append(Text("contract", version.pk, str(version), version.text, said.get((version.pk, None))))
        policy = Policy.objects.filter(contract=contract).order_by("-number").first()
        if policy is not None:
            found.append(Text("policy", policy.pk, str(policy), policy.text, said.get((None, policy.pk))))
    return found


@transaction.atomic
def acknowledge(kind: str, number: int, *, by: User, at: dt.datetime) -> Acknowledgement:
    """Say that one has read this text: the exact one, by its digest."""
    User.objects.select_for_update(no_key=True).get(pk=by.pk)
    text = next((one for one in texts_for(by, at) if (one.kind, one.number) == (kind, number)), None)
    if text is None:
        raise Refused(_("This is not the text that is in force. Read the one that is."))
    if text.acknowledged_at is not None:
        raise Refused(_("You have said so already."))
    row = Acknowledgement.objects.create(
        user=by, at=at, digest=digest_of(text), version_id=number if kind == "contract" else None,
        policy_id=number if kind == "policy" else None,
    )  # fmt: skip
    trail.record(
        Act.READ_AND_UNDERSTOOD, f"user:{by.pk}", by=by, at=at,
        facts={"kind": kind, "number": number, "digest": row.digest}, evidence=[row],
    )  # fmt: skip
    return row


def digest_of(text: Text) -> str:
    return hashlib.sha256(f"{text.title}\n{text.body}".encode()).hexdigest()


@transaction.atomic
def publish_policy(contract: Contract, *, title: str, text: str, by: User, at: dt.datetime) -> Policy:
    """Publish the privacy policy for staff, or its next version; everybody reads it anew."""
    access.check(by, Permission.MANAGE_TRAINING, contract_id=contract.pk, at=at)
    Contract.objects.select_for_update(no_key=True).get(pk=contract.pk)
    if not title.strip() or not text.strip():
        raise Refused(_("The policy needs a title and a text."))
    last = Policy.objects.filter(contract=contract).order_by("-number").first()
    row = Policy.objects.create(
        contract=contract, number=last.number + 1 if last else 1, title=title.strip()[:200], text=text.strip(),
        published_by=by, published_at=at,
    )  # fmt: skip
    trail.record(
        Act.POLICY_PUBLISHED, f"contract:{contract.pk}", by=by, at=at, facts={"number": row.number}, evidence=[row]
    )  # fmt: skip
    return row
