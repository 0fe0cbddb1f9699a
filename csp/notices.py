"""Telling people inside: on the page at once, by mail collected so that a bad minute is one mail and not fifty."""

from __future__ import annotations

import dataclasses
import datetime as dt
import functools
import logging
from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

from django.conf import settings
from django.db import transaction
from django.template.loader import render_to_string
from django.utils import dateformat, timezone, translation
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop, ngettext

from csp import access, batches, offices, outbox, shifts
from csp.contract import OBLIGATIONS
from csp.models import Deadline, Exercise, KeptFrom, Notice, RoleGrant, User
from csp.roles import Role

log = logging.getLogger(__name__)

MAIL_EVERY = dt.timedelta(minutes=1)

# What notices about non-compliance, measures and co-signatures say; `facts["says"]` names the sentence.
SAYINGS = {
    "case.opened": gettext_noop("%(ref)s: non-compliance with §%(clause)s reported: %(refs)s."),
    "case.reported": gettext_noop("%(ref)s: a person reported non-compliance with §%(clause)s."),
    "case.joined": gettext_noop("%(ref)s: %(count)s more broken promises of §%(clause)s joined the case: %(refs)s."),
    "case.split": gettext_noop("%(ref)s was split from %(refs)s."),
    "case.confidence": gettext_noop("%(ref)s was reported in confidence."),
    "case.unheld": gettext_noop("A report waits, and the office that may read it is empty. Appoint somebody."),
    "case.lead": gettext_noop("%(ref)s: you lead its correction, due %(due)s."),
    "case.reopened": gettext_noop("%(ref)s was opened again: the correction had no effect."),
    "action.yours": gettext_noop("%(ref)s: a corrective action is yours, due %(due)s."),
    "action.implemented": gettext_noop("%(ref)s: an action was implemented and waits to be verified."),
    "action.rejected": gettext_noop("%(ref)s: the implementation was rejected; the first due time stands: %(due)s."),
    "measure.proposed": gettext_noop("%(ref)s: a measure (§8.2) was proposed. A person decides."),
    "measure.hear": gettext_noop("A measure (§8.2) was proposed that concerns you. Say what you think by %(due)s."),
    "measure.heard": gettext_noop("%(ref)s: the person concerned was heard. The measure can be decided."),
    "measure.adopted": gettext_noop("A measure (§8.2) concerns your work until %(due)s. You may appeal."),
    "measure.declined": gettext_noop("The measure (§8.2) that was proposed is not taken."),
    "measure.ended": gettext_noop("The measure (§8.2) on your work has ended."),
    "measure.appealed": gettext_noop("%(ref)s: there is an appeal against a measure. Somebody independent decides."),
    "measure.appeal_decided": gettext_noop("Your appeal against a measure (§8.2) was decided."),
    "audit.planned": gettext_noop("%(ref)s: you are to audit. The plan is on its page."),
    "audit.requested": gettext_noop("%(ref)s: access for a quality audit was asked for, to be given by %(due)s."),
    "audit.let_in": gettext_noop("%(ref)s: you have been let in to audit, until %(due)s. What you read is recorded."),
    "audit.second": gettext_noop("%(ref)s: the sample is drawn. You score %(count)s of it a second time."),
    "audit.finding": gettext_noop("%(ref)s: a quality audit found something in your team. Answer by %(due)s."),
    "audit.answered": gettext_noop("%(ref)s: the team answered the finding."),
    "audit.closed": gettext_noop("%(ref)s: the quality audit is closed. Its report is on its page."),
    "audit.opened": gettext_noop("%(ref)s: %(who)s opened masked personal data for an audit. The reason is on record."),
    "feedback.inbox": gettext_noop("%(ref)s: feedback waits for a supervisor."),
    "feedback.opened": gettext_noop("%(ref)s: %(who)s opened who said it. The reason is in the trail."),
    "feedback.recurs": gettext_noop("%(ref)s: %(count)s texts of the last %(days)s days are alike (§2.3)."),
    "feedback.flood": gettext_noop("More than %(count)s forms in an hour. What expects an answer waits for a person."),
    "finding.written": gettext_noop("%(ref)s: a finding waits for an action or a refusal by %(due)s (§7.2)."),
    "finding.refused": gettext_noop("%(ref)s: the finding is not acted on. The reason stands with it (§7.2)."),
    "item.yours": gettext_noop("%(ref)s: an action item is yours, due %(due)s (§7.2)."),
    "item.done": gettext_noop("%(ref)s: an action item was done and waits to be verified (§7.2)."),
    "item.rejected": gettext_noop("%(ref)s: what was done was rejected; the first due time stands: %(due)s."),
    "item.effect": gettext_noop("%(ref)s: its figures before and after are complete (§7.2)."),
    "training.owed": gettext_noop("%(course)s: to be passed by %(due)s (§%(clause)s)."),
    "training.gate": gettext_noop("%(course)s: until you have passed it, your work is limited (§%(clause)s)."),
    "training.lifted": gettext_noop("%(course)s: passed. Your work is not limited for it any more."),
    "training.appealed": gettext_noop("There is an appeal against waiting for training. Somebody independent decides."),
    "training.appeal_decided": gettext_noop("Your appeal against waiting for training was decided."),
    "review.yours": gettext_noop("%(ref)s: a review is yours to hold by %(due)s (§7.3)."),
    "review.compiled": gettext_noop(
        "%(ref)s: the evidence for your review (§7.3) is compiled. Read it, and write your view."
    ),
    "review.held": gettext_noop(
        "%(ref)s: your review (§7.3) is written down. Read it and sign by %(due)s; you may disagree."
    ),
    "review.commented": gettext_noop("%(ref)s: the person has written their own view of the review (§7.3)."),
    "review.signed": gettext_noop("%(ref)s: the person has signed the review (§7.3). Your signature closes it."),
    "review.closed": gettext_noop("%(ref)s: the review (§7.3) is closed."),
    "review.another": gettext_noop(
        "%(ref)s: the person asks for another reviewer (§7.3). Somebody independent decides."
    ),
    "review.another_given": gettext_noop("%(ref)s: somebody else holds your review (§7.3), as you asked."),
    "review.another_refused": gettext_noop(
        "%(ref)s: the reviewer of your review (§7.3) stays. The reasons are on its page."
    ),
    "assessment.proposed": gettext_noop("%(ref)s: how a breach (§%(clause)s) is to be read was proposed. You decide."),
    "statement.owed": gettext_noop("%(ref)s: the figures of %(month)s can be looked at and signed (§6.2)."),
    "retention.due": gettext_noop("Records have had their time and should be disposed of (§4.3)."),
    "retention.unended": gettext_noop("Records have been open for more than a year; close or explain them (§4.3)."),
    "privacy.request": gettext_noop("%(ref)s: a person asks for their data; to be answered by %(due)s (§6.1)."),
    "privacy.extension_fell": gettext_noop("%(ref)s: the extension was not told in time. The first month counts."),
    "privacy.undelivered": gettext_noop("%(ref)s: a mail about this request did not arrive. Try another way."),
    "privacy.breach": gettext_noop("%(ref)s: a breach of personal data. Notify or decide by %(due)s (§6.1)."),
    "privacy.breach_undelivered": gettext_noop("%(ref)s: a mail about this breach did not arrive. Try another way."),
    "cosign.waiting": gettext_noop("%(ref)s: an answer waits for your signature."),
    "cosign.returned": gettext_noop("%(ref)s: your answer was handed back unsigned."),
    "amount.asked": gettext_noop("%(ref)s: an amount above the limit waits for approval by another person."),
    "amount.agreed": gettext_noop("%(ref)s: the amount was approved."),
    "amount.refused": gettext_noop("%(ref)s: the amount was not approved. The reason is on the ticket."),
    "step.waiver": gettext_noop("%(ref)s: a step of its procedure is to be left out. You decide."),
    "step.waived": gettext_noop("%(ref)s: the step was waived."),
    "step.needed": gettext_noop("%(ref)s: the step is needed; it was not waived."),
    "cosign.call": gettext_noop("%(ref)s: an answer was given live; look at it afterwards."),
    "cosign.call_wrong": gettext_noop("%(ref)s: what you told the customer live was not right. See the note."),
    "mail.unsorted": gettext_noop("Mail waits to be sorted; somebody has to rule on it by %(due)s (§3.1)."),
    "call_back.soon": gettext_noop("%(ref)s: the customer was promised a call now."),
    "call_back.missed": gettext_noop("%(ref)s: a promised call was not made in time."),
    "cosign.signed": gettext_noop("%(ref)s: your answer was signed and is on its way."),
}

# What a supervisor made of an escalation, for whoever has the ticket now.
DECISIONS = {
    "approve": gettext_noop("%(ref)s: your supervisor approves: %(note)s"),
    "reject": gettext_noop("%(ref)s: your supervisor rejects: %(note)s"),
    "instruct": gettext_noop("%(ref)s: your supervisor instructs: %(note)s"),
    "take_over": gettext_noop("%(ref)s: your supervisor takes it over: %(note)s"),
    "": gettext_noop("%(ref)s: your supervisor hands it back: %(note)s"),
}


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
    words: str = ""
    by_mail: bool = True


def tell(*tellings: Telling, at: dt.datetime) -> None:
    """Write the notices in one statement; those already written stay as they are.

    Nobody hears of what is kept from them; where that leaves nobody, administrators do.
    """
    _spare(tellings, at)
    rows = [
        Notice(
            user=user,
            kind=telling.kind,
            key=telling.key,
            deadline=telling.deadline,
            subject_ref=telling.subject_ref,
            path=telling.path,
            facts=dict(telling.facts),
            words=telling.words[:500],
            created_at=at,
            by_mail=telling.by_mail,
        )
        for telling in tellings
        for user in {user.pk: user for user in telling.to}.values()
        if user.is_active
    ]
    Notice.objects.bulk_create(rows, ignore_conflicts=True)


def _spare(tellings: Iterable[Telling], at: dt.datetime) -> None:
    """Leave out whoever a matter is kept from, be it what is told of or one of several that are named."""
    named = {id(one): {one.subject_ref, *str(one.facts.get("refs", "")).split(", ")} - {""} for one in tellings}
    refs = set().union(*named.values())
    kept = KeptFrom.objects.filter(subject_ref__in=refs, until__isnull=True).values_list("user", "subject_ref")
    hidden = list(kept) if refs else []
    for one in tellings if hidden else ():
        spared = {user for user, ref in hidden if ref in named[id(one)]}
        people = list(one.to)
        one.to = [user for user in people if user.pk not in spared]
        if people and not one.to:
            administrators = access.people_with(Role.ADMINISTRATOR, at=at)
            one.to = [user for user in administrators if user.pk not in spared]
    exercises = dict(Exercise.objects.filter(subject_ref__in=refs).values_list("subject_ref", "user")) if refs else {}
    for one in tellings if exercises else ():
        whose = {exercises[ref] for ref in named[id(one)] if ref in exercises}
        if whose:
            one.to = [user for user in one.to if user.pk in whose]


class Rungs:
    """Who must know about a team's promises at one moment, looked up once for a batch (CLAUSES 2.2, 3.3)."""

    def __init__(self, at: dt.datetime) -> None:
        self._at = at
        self._teams: dict[int, list[User]] = {}
        self._at_work: dict[int, bool] = {}
        self._officers: dict[tuple[int, str], list[User]] = {}
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

    def at_work(self, user: User) -> bool:
        """Whether this person still has a role or an office here, so that what is told to them alone is acted on."""
        if not user.is_active:
            return False
        if user.pk not in self._at_work:
            self._at_work[user.pk] = (
                RoleGrant.objects.in_force(self._at).filter(user=user).exists()
                or bool(offices.held_by(user, self._at))
            )  # fmt: skip
        return self._at_work[user.pk]

    def concerned(self, deadline: Deadline) -> list[User]:
        """The one responsible, and the supervisors of the team."""
        people = [] if deadline.in_confidence else list(self.supervisors(deadline.team_id))
        if deadline.responsible is not None:
            people.append(deadline.responsible)
        return people

    def told_of_breach(self, deadline: Deadline) -> list[User]:
        """Those concerned, and the offices that the register names for the breach of this obligation."""
        if deadline.rule.climbs:
            return [deadline.responsible] if deadline.responsible is not None else []
        people = self.concerned(deadline)
        if deadline.rule.tells and not deadline.in_confidence:
            people += self.officers(deadline.contract_id, deadline.rule.tells)
        if deadline.rule.tells_deputies and not deadline.in_confidence:
            people += self.deputies(deadline.team_id)
        return people

    def deputies(self, team_id: int) -> list[User]:
        """Who stands in for those supervisors of a team who are away."""
        away = shifts.away([user.pk for user in self.supervisors(team_id)], self._at)
        return [absence.deputy for absence in away.values() if absence.deputy is not None]

    def officers(self, contract_id: int, codes: Iterable[str]) -> list[User]:
        """Who holds these offices, with the administrators for an empty one."""
        found = []
        for code in codes:
            if (contract_id, code) not in self._officers:
                self._officers[contract_id, code] = offices.to_tell(contract_id, [code], at=self._at)
            found += self._officers[contract_id, code]
        return found


def mark_read(user: User, *, at: dt.datetime, only: Notice | None = None) -> int:
    """Mark the person's notices read, or one of them. Returns how many were unread."""
    unread = Notice.objects.filter(user=user, read_at__isnull=True)
    return (unread.filter(pk=only.pk) if only is not None else unread).update(read_at=at)


def fact(at: dt.datetime) -> str:
    """A moment as `facts` keep it, in no reader's zone."""
    return at.astimezone(dt.UTC).isoformat(timespec="seconds")


def moment(at: dt.datetime | str) -> str:
    """A moment, or one out of `facts`, in the zone and language that are active. Read tomorrow, it is still true."""
    try:
        at = dt.datetime.fromisoformat(at) if isinstance(at, str) else at
    except ValueError:
        return str(at)
    return dateformat.format(timezone.localtime(at), "D j M, H:i")


def sentence(notice: Notice) -> str:
    """What the notice says, in the language and the zone that are active."""
    facts = notice.facts | ({"due": moment(notice.facts["due"])} if notice.facts.get("due") else {})
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
        case Notice.Kind.RETURNED if "decision" in facts:
            said = {"ref": notice.subject_ref, "note": notice.words}
            return (_(DECISIONS[facts["decision"]]) % said).rstrip(": ")
        case Notice.Kind.RETURNED:
            return _("%(ref)s was handed back to you.") % {"ref": notice.subject_ref}
        case Notice.Kind.REPLY:
            return _("%(ref)s: the customer wrote.") % {"ref": notice.subject_ref}
        case Notice.Kind.DELIVERY:
            return _("%(ref)s: a message did not reach the customer. Try another channel.") % {
                "ref": notice.subject_ref
            }
        case Notice.Kind.PENDING if "says" in facts:
            return _(SAYINGS[facts["says"]]) % ({"ref": notice.subject_ref} | facts)
        case Notice.Kind.PENDING:
            return _("%(ref)s: your reminder.") % {"ref": notice.subject_ref}
        case Notice.Kind.SYSTEM if facts.get("code") == "unsupervised":
            return _("The team %(team)s has no supervisor: what it does not keep is told to you.") % {
                "team": facts["team"]
            }
        case Notice.Kind.SYSTEM if facts.get("code") == "late_call":
            return _("%(ref)s: a call was written down late. It counts once you have confirmed it.") % {
                "ref": notice.subject_ref
            }
        case (
            Notice.Kind.CASE
            | Notice.Kind.MEASURE
            | Notice.Kind.COSIGN
            | Notice.Kind.FEEDBACK
            | Notice.Kind.TRAINING
            | Notice.Kind.APPROVAL
            | Notice.Kind.REVIEW
            | Notice.Kind.PRIVACY
            | Notice.Kind.AUDIT
        ):
            return _(SAYINGS[facts["says"]]) % ({"ref": notice.subject_ref} | facts)
        case _:
            return str(facts.get("text", ""))


def mail_collected(at: dt.datetime, *, limit: int = 200) -> int:
    """Give each person who has notices waiting one mail with all of them, at most one a minute. Returns the mails."""
    waiting = Notice.objects.filter(mail__isnull=True, by_mail=True, user__is_active=True)
    people = waiting.exclude(user__notices__mailed_at__gt=at - MAIL_EVERY)
    found = list(people.order_by("user").values_list("user", flat=True).distinct()[: batches.FAR])
    return batches.each(found, functools.partial(_mail_one, at=at), limit=limit)


@transaction.atomic(durable=True)
def _mail_one(user_id: int, *, at: dt.datetime) -> int:
    # The person's row is the lock: two collectors would else split one minute between them.
    user = User.objects.select_for_update(skip_locked=True, no_key=True).filter(pk=user_id, is_active=True).first()
    rows = list(Notice.objects.filter(user=user_id, mail__isnull=True, by_mail=True).order_by("id"))
    lately = Notice.objects.filter(user=user_id, mailed_at__gt=at - MAIL_EVERY)
    if user is None or not rows or lately.exists():
        return 0
    _mail(user, rows, at)
    return 1


def _mail(user: User, rows: list[Notice], at: dt.datetime) -> None:
    with translation.override(user.language), timezone.override(user.zoneinfo):
        count = len(rows)
        groups: dict[str, list[tuple[str, str]]] = defaultdict(list)
        for row in rows:
            groups[row.get_kind_display()].append((line(row), f"{settings.SITE_URL}{row.path}" if row.path else ""))
        subject = (
            line(rows[0]) if count == 1 else ngettext("%(count)s notice", "%(count)s notices", count) % {"count": count}
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
    Notice.objects.filter(pk__in=[row.pk for row in rows]).update(mail=message, mailed_at=at)


def line(notice: Notice) -> str:
    """Its sentence; of one whose facts are not what its kind needs, at least what it is about."""
    try:
        return sentence(notice)
    except KeyError:
        log.exception("Notice %s cannot be said in full", notice.pk)
        return f"{notice.get_kind_display()}: {notice.subject_ref}"
