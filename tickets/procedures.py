"""Standard resolution procedures (clause 3.2): drafted by anybody who keeps the texts, published by a supervisor.

A version that was published never changes; the next one replaces it for complaints that are received from then on. A
contract always has one for every complaint: the product brings its own, until a supervisor publishes another.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import difflib
import hashlib
import re
from collections.abc import Sequence

from django.db import transaction
from django.db.models import Max
from django.utils.translation import gettext as _

from csp import access, trail
from csp.access import Refused
from csp.events import Act
from csp.models import Contract, User
from csp.roles import Permission
from tickets import steps
from tickets.models import Category, Procedure, ProcedureVersion

# What a fresh contract begins with.
STANDARD_TITLE = "Standard resolution"
STANDARD_TEXT = """\
Write down what went wrong and what the customer asks for
- What is asked for
Look at the order, earlier visits and earlier tickets
Find the cause
Decide the remedy, or escalate it §3.3
Tell the customer what will be done, and by when §3.1
Do it, and check that it is done
- What was done"""
STANDARD_DAYS = {"resolve_days": 5, "progress_days": 3}


def default_of(contract: Contract) -> Procedure:
    """The procedure for every complaint that has none of its own; it comes into being with its first version."""
    row, is_new = Procedure.objects.get_or_create(
        contract=contract, category=None, defaults={"created_at": contract.created_at}
    )
    if is_new or not row.versions.filter(published_at__isnull=False).exists():
        ProcedureVersion.objects.get_or_create(
            procedure=row,
            number=0,
            defaults={
                "title": STANDARD_TITLE,
                "text": STANDARD_TEXT,
                "drafted_at": contract.created_at,
                "published_at": contract.created_at,
                **STANDARD_DAYS,
            },
        )
    return row


def in_force(contract: Contract, category: Category | None, at: dt.datetime) -> ProcedureVersion:
    """The version for a complaint of this category that was received then; the first for anything older."""
    if category is not None:
        own = _in_force(Procedure.objects.filter(contract=contract, category=category).first(), at)
        if own is not None:
            return own
    standard = _in_force(default_of(contract), at)
    assert standard is not None  # default_of made it
    return standard


def _in_force(procedure: Procedure | None, at: dt.datetime) -> ProcedureVersion | None:
    if procedure is None:
        return None
    published = procedure.versions.filter(published_at__isnull=False)
    row = published.filter(published_at__lte=at).order_by("-number").first()
    if row is None and procedure.category_id is None:
        row = published.order_by("number").first()  # a category without one then had the standard
    return row


def latest(procedure: Procedure) -> ProcedureVersion | None:
    """The version that is in force now."""
    return procedure.versions.filter(published_at__isnull=False).order_by("-number").first()


# ---------------------------------------------------------------- drafting and publishing


@transaction.atomic
def draft(
    contract: Contract,
    category: Category | None,
    *,
    title: str,
    text: str,
    resolve_days: int,
    progress_days: int,
    by: User,
    at: dt.datetime,
    reason: str = "",
) -> ProcedureVersion:
    """Write the next version, or change the one that is not published yet. Raises Refused, which names the line."""
    access.check(by, Permission.MANAGE_TEXTS, contract_id=contract.pk, at=at)
    if category is not None and category.contract_id != contract.pk:
        raise Refused(_("This category belongs to another contract."))
    try:
        found = steps.read(text)
    except steps.Unreadable as error:
        raise Refused(str(error)) from error
    Contract.objects.select_for_update(no_key=True).get(pk=contract.pk)
    if category is None:
        procedure = default_of(contract)
    else:
        procedure, _new = Procedure.objects.get_or_create(
            contract=contract, category=category, defaults={"created_at": at}
        )
    row = procedure.versions.filter(published_at__isnull=True).first()
    if row is None:
        highest = procedure.versions.aggregate(highest=Max("number"))["highest"]
        row = ProcedureVersion(procedure=procedure, number=1 if highest is None else highest + 1)
    row.title, row.text, row.reason = " ".join(title.split()), steps.spell(found), reason.strip()
    row.resolve_days, row.progress_days = resolve_days, progress_days
    row.drafted_at, row.drafted_by = at, by
    row.save()
    _record(Act.PROCEDURE_DRAFTED, row, by, at)
    return row


def seal_of(version: ProcedureVersion) -> str:
    """What a page carries to say which words were on it: publishing asks for it, so that nobody publishes others."""
    said = (version.title, version.text, str(version.resolve_days), str(version.progress_days), version.reason)
    return hashlib.sha256("\0".join(said).encode()).hexdigest()


@transaction.atomic
def publish(version: ProcedureVersion, *, by: User, at: dt.datetime, seen: str) -> ProcedureVersion:
    """Put a draft in force, as a supervisor who has its changes on screen (`seen`, of seal_of). Raises Refused."""
    row = (
        ProcedureVersion.objects.select_for_update(of=("self",), no_key=True)
        .select_related("procedure__contract", "procedure__category")
        .get(pk=version.pk)
    )
    access.check(by, Permission.PUBLISH_PROCEDURES, contract_id=row.procedure.contract_id, at=at)
    if row.published_at is not None:
        raise Refused(_("This version is published already, and does not change any more."))
    if seal_of(row) != seen:
        raise Refused(_("The draft was changed since you looked at it. Read the changes again."))
    row.published_at, row.published_by = at, by
    row.save(update_fields=["published_at", "published_by"])
    _record(Act.PROCEDURE_PUBLISHED, row, by, at)
    return row


def _record(act: Act, row: ProcedureVersion, by: User, at: dt.datetime) -> None:
    facts = {"version": row.pk, "number": row.number, "digest": seal_of(row)}
    trail.record(act, f"procedure:{row.procedure_id}", by=by, at=at, facts=facts)


# ---------------------------------------------------------------- what changes


@dataclasses.dataclass(frozen=True, slots=True)
class Line:
    """One line of a comparison: kept, added or removed."""

    text: str
    sign: str  # " ", "+" or "-"
    is_field: bool = False


def changes(before: ProcedureVersion | None, after: ProcedureVersion) -> list[Line]:
    """What publishing `after` changes, line by line."""
    return compare(_lines(before) if before is not None else [], _lines(after))


def compare(before: Sequence[str], after: Sequence[str]) -> list[Line]:
    found = []
    for line in difflib.ndiff(list(before), list(after)):
        if line.startswith("?"):
            continue  # difflib's own hints at characters
        words = line[2:]
        found.append(Line(re.sub(r"^- ", "", words), line[0], words.startswith("- ")))
    return found


def _lines(version: ProcedureVersion) -> list[str]:
    return [
        version.title,
        _("Resolved within %(n)d days") % {"n": version.resolve_days},
        _("A word to the customer every %(n)d days") % {"n": version.progress_days},
        *version.text.splitlines(),
    ]
