"""Telling people inside: on the page at once, by mail collected so that a bad minute is one mail and not fifty."""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

from django.conf import settings
from django.db import transaction
from django.template.loader import render_to_string
from django.utils import translation
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from csp import access, outbox
from csp.contract import OBLIGATIONS
from csp.models import Deadline, Notice, User
from csp.roles import Role

MAIL_EVERY = dt.timedelta(minutes=1)


@dataclasses.dataclass(slots=True)
class Telling:
    """One thing to tell some people. `key` names the thing: told once to each person, whoever finds it."""

    kind: Notice.Kind
    key: str
    to: Iterable[User]
    subject_ref: str = ""
    path: str = ""
    deadline: Deadline | None = None
    facts: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    by_mail: bool = True


def tell(*tellings: Telling, at: dt.datetime) -> None:
    """Write the notices in one statement; those already written stay as they are."""
    rows = [
        Notice(
            user=user,
            kind=telling.kind,
            key=telling.key,
            deadline=telling.deadline,
            subject_ref=telling.subject_ref,
            path=telling.path,
            facts=dict(telling.facts),
            created_at=at,
            by_mail=telling.by_mail,
        )
        for telling in tellings
        for user in {user.pk: user for user in telling.to}.values()
        if user.is_active
    ]
    Notice.objects.bulk_create(rows, ignore_conflicts=True)


class Rungs:
    """Who must know about a team's promises at one moment, looked up once for a batch (CLAUSES 2.2, 3.3)."""

    def __init__(self, at: dt.datetime) -> None:
        self._at = at
        self._teams: dict[int, list[User]] = {}
        self._administrators: list[User] | None = None

    def administrators(self) -> list[User]:
        if self._administrators is None:
            self._administrators = access.people_with(Role.ADMINISTRATOR, at=self._at)
        return self._administrators

    def supervisors(self, team_id: int) -> list[User]:
        """The team's supervisors; with nobody to escalate to, the administrators."""
        if team_id not in self._teams:
            self._teams[team_id] = access.people_with(Role.SUPERVISOR, at=self._at, teams=[team_id])
        return self._teams[team_id] or self.administrators()

    def concerned(self, deadline: Deadline) -> list[User]:
        """The one responsible, and the supervisors of the team."""
        people = list(self.supervisors(deadline.team_id))
        if deadline.responsible is not None:
            people.append(deadline.responsible)
        return people


def sentence(notice: Notice) -> str:
    """What the notice says, in the language that is active."""
    facts = notice.facts
    verb = _(OBLIGATIONS[facts["obligation"]].verb) if "obligation" in facts else ""
    match notice.kind:
        case Notice.Kind.BREACH:
            return _("%(ref)s: “%(verb)s” was due %(due)s and was not kept (§%(clause)s).") % {
                "ref": notice.subject_ref, "verb": verb, "due": facts["due"], "clause": facts["clause"],
            }  # fmt: skip
        case Notice.Kind.REMINDER:
            return _("%(ref)s: “%(verb)s” is due %(due)s (§%(clause)s).") % {
                "ref": notice.subject_ref, "verb": verb, "due": facts["due"], "clause": facts["clause"],
            }  # fmt: skip
        case Notice.Kind.ESCALATION:
            return _("%(ref)s was escalated to you.") % {"ref": notice.subject_ref}
        case Notice.Kind.ASSIGNED:
            return _("%(ref)s was assigned to you.") % {"ref": notice.subject_ref}
        case Notice.Kind.RETURNED:
            return _("%(ref)s was handed back to you.") % {"ref": notice.subject_ref}
        case Notice.Kind.REPLY:
            return _("%(ref)s: the customer wrote.") % {"ref": notice.subject_ref}
        case Notice.Kind.DELIVERY:
            return _("%(ref)s: a message did not reach the customer. Try another channel.") % {
                "ref": notice.subject_ref
            }
        case Notice.Kind.PENDING:
            return _("%(ref)s: your reminder.") % {"ref": notice.subject_ref}
        case _:
            return str(facts.get("text", ""))


def mail_collected(at: dt.datetime) -> int:
    """Give each person who has notices waiting one mail with all of them, at most one a minute. Returns the mails."""
    waiting = Notice.objects.filter(mail__isnull=True, by_mail=True)
    quiet_since = at - MAIL_EVERY
    sent = 0
    for user_id in list(waiting.values_list("user", flat=True).distinct()[:200]):
        if Notice.objects.filter(user=user_id, mail__created_at__gt=quiet_since).exists():
            continue
        with transaction.atomic():
            rows = list(
                waiting.filter(user=user_id).select_related("user").select_for_update(skip_locked=True, of=("self",))
                .order_by("id")
            )  # fmt: skip
            if rows:
                _mail(rows, at)
                sent += 1
    return sent


def _mail(rows: list[Notice], at: dt.datetime) -> None:
    user = rows[0].user
    with translation.override(user.language):
        count = len(rows)
        groups: dict[str, list[tuple[str, str]]] = defaultdict(list)
        for row in rows:
            groups[row.get_kind_display()].append((sentence(row), f"{settings.SITE_URL}{row.path}" if row.path else ""))
        subject = (
            sentence(rows[0])
            if count == 1
            else ngettext("%(count)s notice", "%(count)s notices", count) % {"count": count}
        )
        body = render_to_string("email/notices.txt", {"user": user, "groups": dict(groups)})
    message = outbox.post(
        kind=outbox.Kind.NOTICE,
        dedupe_key=f"notices:{user.pk}:{rows[-1].pk}",
        to=[user.email],
        subject=subject,
        body=body,
        headers={"Auto-Submitted": "auto-generated"},
        at=at,
    )
    Notice.objects.filter(pk__in=[row.pk for row in rows]).update(mail=message)
