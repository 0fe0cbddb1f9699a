"""The words that the company has ready: categories, the texts of acknowledgements, approved replies.

A text with a placeholder that nobody fills is refused: better a sentence to its author than braces to a customer.
"""

from __future__ import annotations

import datetime as dt
import re

from django.db import transaction
from django.utils.translation import gettext as _

from csp import access, trail
from csp.access import Refused
from csp.events import Act
from csp.models import Contract, User
from csp.roles import Permission
from tickets.models import CannedReply, Category, MailText

# What is filled in, and an example of each for the preview; filled by tickets.acknowledging and tickets.desk.
IN_MAIL = {
    "reference": "#4790",
    "promised": "23 November 2026, 10:05 (UTC+00:00)",
    "list": "#4790: 23 November 2026, 10:05 (UTC+00:00)",
    "name": "Eleanor Whitfield",
    "team": "Service desk",
    "company": "Lakeside Home",
    "privacy": "https://example.com/privacy",
    "link": "https://example.com/request/…",
    "stop": "https://example.com/survey/stop/…",
}
IN_REPLY = {
    "customer": "Eleanor Whitfield",
    "reference": "#4790",
    "subject": "Water damage to kitchen floor",
    "me": "Maya Lindqvist",
    "team": "Service desk",
}
# Without these the text does not do its work (clause 3.1: number and promised time).
NEEDED = {
    MailText.Kind.ACKNOWLEDGEMENT: {"reference", "promised"},
    MailText.Kind.LATE: {"reference"},
    MailText.Kind.SEVERAL: {"list"},
    MailText.Kind.SURVEY: {"link", "stop"},
}
_PLACEHOLDER = re.compile(r"\{([^{}\n]*)\}")


def check_placeholders(text: str, known: dict[str, str]) -> None:
    """Refuse a placeholder that nobody fills, and a brace that stands alone."""
    unknown = sorted({name for name in _PLACEHOLDER.findall(text) if name not in known})
    possible = ", ".join(f"{{{name}}}" for name in known)
    if unknown:
        raise Refused(
            _("Nobody fills %(unknown)s. Use one of %(possible)s.")
            % {"unknown": ", ".join(f"{{{name}}}" for name in unknown), "possible": possible}
        )
    if "{" in _PLACEHOLDER.sub("", text) or "}" in _PLACEHOLDER.sub("", text):
        raise Refused(_("A brace stands alone. Placeholders look like these: %(possible)s.") % {"possible": possible})


def preview(text: str, known: dict[str, str]) -> str:
    """The text as a customer would read it, with examples filled in."""
    return _PLACEHOLDER.sub(lambda match: known.get(match[1], match[0]), text)


@transaction.atomic
def write(kind: MailText.Kind, language: str, *, subject: str, body: str, by: User, at: dt.datetime) -> MailText:
    """Set a text that the product sends by itself, in one language."""
    access.check(by, Permission.MANAGE_TEXTS, at=at)
    subject = " ".join(subject.split())
    check_placeholders(subject, IN_MAIL)
    check_placeholders(body, IN_MAIL)
    for name in sorted(NEEDED[kind]):
        if f"{{{name}}}" not in subject + body:
            raise Refused(_("Without {%(name)s} this text does not say what was promised.") % {"name": name})
    row = MailText.objects.select_for_update().filter(kind=kind, language=language).first()
    row = row or MailText(kind=kind, language=language)
    row.subject, row.body, row.changed_at, row.changed_by = subject, body, at, by
    row.save()
    trail.record(
        Act.SETTING_CHANGED, f"text:{row.pk}", by=by, at=at,
        facts={"kind": kind, "language": language}, evidence=[row],
    )  # fmt: skip
    return row


# ---------------------------------------------------------------- categories


@transaction.atomic
def categorise(
    contract: Contract, name: str, *, by: User, at: dt.datetime, category: Category | None = None,
    is_active: bool = True,
) -> Category:  # fmt: skip
    """Add a category, rename it or let it rest."""
    access.check(by, Permission.MANAGE_TEXTS, at=at)
    Contract.objects.select_for_update().get(pk=contract.pk)
    same = Category.objects.filter(contract=contract, name__iexact=name)
    if (same.exclude(pk=category.pk) if category else same).exists():
        raise Refused(_("There is a category with this name already."))
    row = category or Category(contract=contract)
    row.name, row.is_active = name, is_active
    row.save()
    facts = {"name": name, "active": is_active}
    trail.record(Act.SETTING_CHANGED, f"category:{row.pk}", by=by, at=at, facts=facts)
    return row


# ---------------------------------------------------------------- canned replies


@transaction.atomic
def write_reply(
    contract: Contract, *, title: str, language: str, body: str, by: User, at: dt.datetime,
    reply: CannedReply | None = None,
) -> CannedReply:  # fmt: skip
    """Write a reply for others to use, or change one; either way a supervisor approves it before anybody can use it."""
    if not access.may(by, Permission.APPROVE_CANNED, contract_id=contract.pk, at=at):
        access.check(by, Permission.WORK_TICKETS, contract_id=contract.pk, at=at)
    check_placeholders(body, IN_REPLY)
    row = CannedReply.objects.select_for_update().get(pk=reply.pk) if reply else CannedReply(contract=contract)
    if reply and not row.is_active:
        raise Refused(_("This reply is not used any more. Write a new one."))
    row.title, row.language, row.body = title, language, body
    row.written_by, row.written_at, row.approved_by, row.approved_at = by, at, None, None
    row.save()
    trail.record(Act.SETTING_CHANGED, f"canned:{row.pk}", by=by, at=at, facts={"written": True}, evidence=[row])
    return row


@transaction.atomic
def approve_reply(reply: CannedReply, *, by: User, at: dt.datetime) -> CannedReply:
    """Let a reply be used. Who wrote it does not approve it."""
    access.check(by, Permission.APPROVE_CANNED, contract_id=reply.contract_id, at=at)
    row = CannedReply.objects.select_for_update().get(pk=reply.pk)
    if row.written_by_id == by.pk:
        raise Refused(_("You wrote it, so another supervisor approves it."))
    if row.approved_at is not None or not row.is_active:
        raise Refused(_("There is nothing to approve here any more."))
    row.approved_by, row.approved_at = by, at
    row.save()
    trail.record(Act.SETTING_CHANGED, f"canned:{row.pk}", by=by, at=at, facts={"approved": True}, evidence=[row])
    return row


@transaction.atomic
def retire_reply(reply: CannedReply, *, by: User, at: dt.datetime) -> CannedReply:
    """Take a reply out of use; it stays on record."""
    row = CannedReply.objects.select_for_update().get(pk=reply.pk)
    if row.written_by_id != by.pk:
        access.check(by, Permission.APPROVE_CANNED, contract_id=row.contract_id, at=at)
    row.is_active = False
    row.save()
    trail.record(Act.SETTING_CHANGED, f"canned:{row.pk}", by=by, at=at, facts={"retired": True})
    return row
