"""Breaches of personal data (clause 6.1): seventy-two hours from awareness, across nights, week-ends and holidays.

The authority is notified within them, or somebody decides with reasons that nobody is at risk. Where the risk is high
the persons concerned are told. Whoever is processor tells the controller at once, which the controller's mail server
proves.
"""

from __future__ import annotations

import datetime as dt
import functools
from collections.abc import Iterable

from django.db import connection, transaction
from django.db.models import F, Min, Q, QuerySet
from django.utils import translation
from django.utils.translation import gettext as _

from csp import access, agreement, batches, deadlines, notices, offices, outbox, trail
from csp.access import Refused
from csp.events import Act
from csp.models import Customer, DataBreach, DataBreachStep, Notice, OutboundMessage, PrivacyTerms, Team, User
from csp.privacy import requests, terms
from csp.roles import Office, Role

CODE = "data_breach"
ACTOR = "privacy"
Decision, Step = DataBreach.Decision, DataBreachStep.Kind
_GONE = (OutboundMessage.State.FAILED, OutboundMessage.State.BOUNCED, OutboundMessage.State.CANCELLED)


def visible_to(user: User) -> QuerySet[DataBreach]:
    """Breaches of the contracts one is privacy owner of, all for administrators, and those of one's part in them."""
    if terms.is_administrator(user):
        return DataBreach.objects.all()
    scope = access.scope_of(user)
    return DataBreach.objects.filter(
        Q(contract__in=terms.owned(user))
        | Q(contract__in=scope.contracts(Role.AUDITOR))
        | Q(team__in=scope.teams(Role.SUPERVISOR))
        | Q(recorded_by=user)
    )


@transaction.atomic
def open_breach(
    *, team: Team, nature: DataBreach.Nature, what: str, aware_at: dt.datetime, by: User, at: dt.datetime
) -> DataBreach:
    """Write down a breach of personal data, with its clock from awareness. Anybody who works here may. Raises Refused.

    The privacy owner and the administrators are told in the same transaction; as processor, the controller is.
    """
    if not access.scope_of(by, at).grants and not offices.held_by(by, at):
        raise Refused(_("Your role does not allow this. Ask a supervisor or an administrator."))
    if aware_at > at:
        raise Refused(_("It cannot have been noticed in the future. Check date and time."))
    if not what.strip():
        raise Refused(_("Say what happened; one sentence is enough."))
    contract = team.contract
    row = DataBreach(
        contract=contract, team=team, nature=nature, what=what.strip(), aware_at=aware_at, recorded_at=at,
        recorded_by=by,
    )  # fmt: skip
    with connection.cursor() as cursor:  # its deadline names it and is stored first
        cursor.execute("select nextval(pg_get_serial_sequence('csp_databreach', 'id'))")
        row.pk = int(cursor.fetchone()[0])
    owner = offices.holders(contract.pk, [Office.PRIVACY_OWNER], at=at)[Office.PRIVACY_OWNER]
    subject = deadlines.Subject(
        ref=row.reference, path=row.path, contract=contract, team=team, responsible=owner, context=row.trail_subject
    )
    draft = deadlines.draft(CODE, subject, agreement.in_force(contract, aware_at), starts_at=aware_at)
    [row.notify] = deadlines.start([draft], at=at)
    row.save(force_insert=True)
    DataBreachStep.objects.create(breach=row, kind=Step.AWARE, at=at, by=by)
    trail.record(
        Act.DATA_BREACH_OPENED, row.trail_subject, by=by, at=at,
        facts={"nature": nature, "aware": aware_at, "deadline": row.notify_id, "due": row.notify.due_at},
        personal={"what": row.what}, evidence=[row],
    )  # fmt: skip
    notices.tell(_telling(row, "privacy.breach", _told(row, at)), at=at)
    _forward(row, at=at)
    return row


def _told(row: DataBreach, at: dt.datetime) -> list[User]:
    return offices.to_tell(row.contract_id, [Office.PRIVACY_OWNER, "administrators"], at=at)


def _telling(row: DataBreach, says: str, to: Iterable[User], *, key: str = "") -> notices.Telling:
    return notices.Telling(
        kind=Notice.Kind.PRIVACY, key=f"data-breach:{row.pk}:{key or says}", to=to, subject_ref=row.reference,
        path=row.path, deadline=row.notify, facts={"says": says, "due": notices.fact(row.notify.due_at)},
    )  # fmt: skip


def _forward(row: DataBreach, *, at: dt.datetime) -> None:
    part = terms.of(row.contract)
    if not part.forwards:
        return
    message = outbox.post(
        kind=OutboundMessage.Kind.PRIVACY, dedupe_key=f"data-breach:{row.pk}:forward", to=[part.controller_mail],
        subject=_("%(reference)s: breach of personal data") % {"reference": row.reference},
        body="\n\n".join([
            _("We became aware of a breach of personal data (%(nature)s) on %(when)s.") % {
                "nature": row.get_nature_display(), "when": notices.fact(row.aware_at)},
            row.what,
        ]) + "\n",
        at=at,
    )  # fmt: skip
    record_step(row, Step.FORWARDED, by=ACTOR, at=at, words=part.controller, message=message)


def record_step(
    row: DataBreach, kind: DataBreachStep.Kind, *, by: trail.Actor, at: dt.datetime, words: str = "",
    message: OutboundMessage | None = None, facts: dict[str, object] | None = None,
) -> DataBreachStep:  # fmt: skip
    """One step in the timeline and in the trail; the caller holds the breach's lock."""
    step = DataBreachStep.objects.create(
        breach=row, kind=kind, at=at, by=by if isinstance(by, User) else None, words=words.strip(), message=message
    )
    trail.record(
        Act.DATA_BREACH_STEP, row.trail_subject, by=by, at=at,
        facts={"step": kind, "message": message.pk if message else None} | (facts or {}), personal={"words": words},
        evidence=[step],
    )  # fmt: skip
    return step


def _lock(row: DataBreach) -> DataBreach:
    rows = DataBreach.objects.select_for_update(of=("self",), no_key=True)
    return rows.select_related("contract", "team", "notify").get(pk=row.pk)


def _for_change(row: DataBreach, by: User, at: dt.datetime) -> DataBreach:
    locked = _lock(row)
    terms.check_may_act(by, locked.contract_id, at=at)
    if locked.closed_at is not None:
        raise Refused(_("This case is closed."))
    return locked


@transaction.atomic
def describe(
    row: DataBreach, *, data: str, persons: int | None, consequences: str, measures: str, by: User, at: dt.datetime
) -> DataBreach:
    """Write down what is known by now, which a notification has to say. Raises Refused."""
    row = _for_change(row, by, at=at)
    row.data, row.persons = data.strip(), persons
    row.consequences, row.measures = consequences.strip(), measures.strip()
    row.save(update_fields=["data", "persons", "consequences", "measures"])
    record_step(row, Step.WRITTEN_DOWN, by=by, at=at, facts={"persons": persons})
    return row


@transaction.atomic
def assess(row: DataBreach, *, is_high_risk: bool, reason: str, by: User, at: dt.datetime) -> DataBreach:
    """Say whether the risk for the persons is high, and why; then they are told. Raises Refused."""
    row = _for_change(row, by, at=at)
    if not reason.strip():
        raise Refused(_("Say why; the reason stands in the evidence."))
    if is_high_risk and row.decision == Decision.NO_RISK:
        raise Refused(_("It was decided that nobody is at risk. Notify the authority first."))
    row.is_high_risk = is_high_risk
    row.save(update_fields=["is_high_risk"])
    record_step(row, Step.ASSESSED, by=by, at=at, words=reason, facts={"high": is_high_risk})
    return row


@transaction.atomic
def notify(
    row: DataBreach, *, words: str, notified_at: dt.datetime, by: User, at: dt.datetime, authority_ref: str = ""
) -> DataBreach:
    """Record that the authority was notified, when and how: that meets the clock. Raises Refused."""
    row = _for_change(row, by, at=at)
    if row.decision == Decision.NOTIFIED:
        raise Refused(_("The authority was notified already. Write more down as a note to it."))
    if not row.aware_at <= notified_at <= at:
        raise Refused(_("It was notified after we became aware and before now. Check date and time."))
    if not words.strip():
        raise Refused(_("Say what was notified, and by which way."))
    row.authority_ref = authority_ref.strip()
    return _decide(row, Decision.NOTIFIED, Step.NOTIFIED, words, by=by, at=at, decided_at=notified_at)


@transaction.atomic
def decide_no_risk(row: DataBreach, *, reason: str, by: User, at: dt.datetime) -> DataBreach:
    """Decide that nobody is likely to be at risk, and say why: then no authority is notified. Raises Refused."""
    row = _for_change(row, by, at=at)
    if row.decision:
        raise Refused(_("This was decided already."))
    if row.is_high_risk:
        raise Refused(_("The risk was found to be high. Notify the authority."))
    if len(reason.strip()) < 10:
        raise Refused(_("Say why nobody is at risk, so that an authority can follow it."))
    return _decide(row, Decision.NO_RISK, Step.NO_RISK, reason, by=by, at=at, decided_at=at)


def _decide(
    row: DataBreach, decision: DataBreach.Decision, kind: DataBreachStep.Kind, words: str, *, by: trail.Actor,
    at: dt.datetime, decided_at: dt.datetime,
) -> DataBreach:  # fmt: skip
    is_first = not row.decision
    row.decision = decision
    if is_first:
        row.reason, row.decided_at, row.decided_by = words.strip(), decided_at, by if isinstance(by, User) else None
    row.save(update_fields=["decision", "reason", "authority_ref", "decided_at", "decided_by"])
    if is_first:
        deadlines.meet([row.notify], at=decided_at, by=by, how=decision)
    record_step(row, kind, by=by, at=at, words=words, facts={"decision": decision, "decided": decided_at})
    return row


@transaction.atomic
def tell_persons(
    row: DataBreach, customers: Iterable[Customer], *, words: str, by: User, at: dt.datetime
) -> tuple[int, int]:
    """Tell persons by mail what happened; returns how many are written to, and how many must be told by hand.

    Whoever was told before is not told again. Raises Refused.
    """
    row = _for_change(row, by, at=at)
    if not words.strip():
        raise Refused(_("Say what happened, what may follow and what they can do."))
    before = set(row.steps.filter(customer__isnull=False).values_list("customer", flat=True))
    written = by_hand = 0
    for customer in {one.pk: one for one in customers}.values():
        if customer.pk in before or customer.erased_at is not None:
            continue
        address = requests.mail_of(customer)
        message = _mail(row, customer, address, words, at=at) if address else None
        DataBreachStep.objects.create(
            breach=row, kind=Step.TOLD if message else Step.UNTOLD, at=at, by=by, customer=customer, message=message,
            words=words.strip(),
        )  # fmt: skip
        written, by_hand = written + bool(message), by_hand + (not message)
    trail.record(
        Act.DATA_BREACH_STEP, row.trail_subject, by=by, at=at,
        facts={"step": Step.TOLD, "written": written, "by_hand": by_hand}, personal={"words": words},
    )  # fmt: skip
    return written, by_hand


def _mail(row: DataBreach, customer: Customer, address: str, words: str, *, at: dt.datetime) -> OutboundMessage:
    with translation.override(customer.language or "en-gb"):
        subject, hello = _("About your data"), _("Hello,")
    return outbox.post(
        kind=OutboundMessage.Kind.PRIVACY, dedupe_key=f"data-breach:{row.pk}:person:{customer.pk}", to=[address],
        subject=f"{subject} ({row.reference})",
        body="\n\n".join(filter(None, [hello, words.strip(), row.contract.company])) + "\n", at=at,
    )  # fmt: skip


@transaction.atomic
def close(row: DataBreach, *, words: str, by: User, at: dt.datetime) -> DataBreach:
    """Close the case: decided, and where the risk is high the persons told, or why not. Raises Refused."""
    row = _for_change(row, by, at=at)
    if not row.decision:
        raise Refused(_("Notify the authority, or decide that there is no risk, first."))
    if not words.strip():
        raise Refused(_("Say what was learnt, or why nobody had to be told."))
    row.closed_at = at
    row.save(update_fields=["closed_at"])
    record_step(row, Step.CLOSED, by=by, at=at, words=words)
    return row


# ---------------------------------------------------------------- the loops


def _taken() -> QuerySet[DataBreachStep]:
    """Of processors' breaches the mails to the controller that were taken outside, where nothing is decided yet."""
    return DataBreachStep.objects.filter(
        kind=Step.FORWARDED, breach__decision="", message__accepted_at__isnull=False,
        breach__contract__privacy_terms__part=PrivacyTerms.Part.PROCESSOR,
    ).exclude(message__state__in=_GONE)  # fmt: skip


def perhaps_kept() -> list[int]:
    """Deadlines of breaches that the controller was told of in time, and which the next settling judges."""
    in_time = _taken().filter(message__accepted_at__lte=F("breach__notify__due_at"))
    return list(in_time.values_list("breach__notify", flat=True))


def unsettled_since() -> dt.datetime | None:
    """The oldest acceptance of such a mail that has not been acted on."""
    oldest: dt.datetime | None = _taken().aggregate(oldest=Min("message__accepted_at"))["oldest"]
    return oldest


def settle(at: dt.datetime, *, limit: int = 100) -> int:
    """A processor has done its part when the controller's server has taken the mail. Returns how many."""
    numbers = list(_taken().order_by("pk").values_list("pk", flat=True)[: batches.FAR])
    return batches.each(numbers, functools.partial(_settle, at=at), limit=limit)


@transaction.atomic(durable=True)
def _settle(number: int, *, at: dt.datetime) -> int:
    step = DataBreachStep.objects.select_related("message").get(pk=number)
    row = _lock(DataBreach(pk=step.breach_id))
    if row.decision or step.message is None or step.message.accepted_at is None:
        return 0
    row.decision, row.reason, row.decided_at = Decision.FORWARDED, "", step.message.accepted_at
    row.save(update_fields=["decision", "reason", "decided_at"])
    deadlines.meet([row.notify], at=step.message.accepted_at, by=ACTOR, how=Decision.FORWARDED)
    trail.record(
        Act.DATA_BREACH_STEP, row.trail_subject, by=ACTOR, at=at,
        facts={"step": "accepted", "decision": Decision.FORWARDED, "decided": step.message.accepted_at},
    )  # fmt: skip
    return 1


def tell_undelivered(at: dt.datetime, *, limit: int = 100) -> int:
    """Tell those who must know of each mail about a breach that did not arrive. Returns how many."""
    tellings = []
    waiting = DataBreachStep.objects.filter(message__state__in=_GONE, breach__closed_at__isnull=True)
    for step in waiting.select_related("breach__notify").order_by("pk")[: batches.FAR]:
        key = f"undelivered:{step.pk}"
        if not Notice.objects.filter(key=f"data-breach:{step.breach_id}:{key}").exists():
            tellings.append(_telling(step.breach, "privacy.breach_undelivered", _told(step.breach, at), key=key))
        if len(tellings) == limit:
            break
    if tellings:
        notices.tell(*tellings, at=at)
    return len([one for one in tellings if list(one.to)])
