"""Surveys after a resolved matter (clause 7.1): the product asks by rule, nobody picks who is asked.

    send(at)     every resolved ticket whose survey is still to be decided

A survey is recorded when its form is sent, never when its link is opened: mail scanners open links. A link is good
once and for thirty days. One customer is asked at most once within the cap, and never again after asking for that.
"""

from __future__ import annotations

import datetime as dt
import functools

from django.conf import settings
from django.core import signing
from django.db import transaction
from django.urls import reverse
from django.utils.translation import gettext as _

from csp import access, batches, outbox, trail
from csp.access import Refused
from csp.events import Act
from csp.models import Contract, Customer, LockItem, OutboundMessage, User
from csp.roles import Permission
from feedback import log
from feedback.models import Remark, StoppedSurveys, Survey, SurveyRule
from tickets import acknowledging, customers
from tickets.conversation import lock, recipients
from tickets.models import MailText, Ticket

ACTOR = "surveys"
GOOD_FOR = dt.timedelta(days=30)
# What was resolved longer ago is not asked about any more: after an outage the question would come out of the blue.
STALE_AFTER = dt.timedelta(days=14)
_ANSWER, _STOP = "feedback.survey", "feedback.stop"
BATCH = 100


class NotGood(Exception):
    """A link that was made up, altered or is too old."""


def rule_of(contract: Contract) -> SurveyRule:
    return SurveyRule.objects.filter(contract=contract).first() or SurveyRule(contract=contract)


@transaction.atomic
def change_rule(
    contract: Contract, *, is_on: bool, wait_hours: int, cap_days: int, by: User, at: dt.datetime
) -> SurveyRule:
    """Set how the customers of a contract are asked."""
    access.check(by, Permission.MANAGE_SURVEYS, contract_id=contract.pk, at=at)
    Contract.objects.select_for_update().get(pk=contract.pk)
    rule = rule_of(contract)
    rule.is_on, rule.wait_hours, rule.cap_days = is_on, wait_hours, cap_days
    rule.changed_at, rule.changed_by = at, by
    rule.save()
    facts = {"on": is_on, "wait_hours": wait_hours, "cap_days": cap_days}
    trail.record(Act.SETTING_CHANGED, f"surveys:{contract.pk}", by=by, at=at, facts=facts)
    return rule


# ---------------------------------------------------------------- asking


def send(at: dt.datetime, *, limit: int = BATCH) -> int:
    """Decide about every resolved ticket that lacks its survey. Returns how many were decided."""
    done = 0
    for contract in Contract.objects.order_by("pk"):
        rule = rule_of(contract)
        if not rule.is_on:
            continue
        waiting = Ticket.objects.filter(
            contract=contract,
            state__in=[Ticket.State.RESOLVED, Ticket.State.CLOSED],
            resolved_at__lte=at - dt.timedelta(hours=rule.wait_hours),
            resolved_at__gt=at - STALE_AFTER,
            origin=Ticket.Origin.CUSTOMER,
            customer__erased_at__isnull=True,
            customer__isnull=False,
            survey__isnull=True,
        ).exclude(LockItem.standing_on("ticket"))
        found = list(waiting.order_by("resolved_at", "pk").values_list("pk", flat=True)[: batches.FAR])
        decide = functools.partial(_decide, at=at, cap=dt.timedelta(days=rule.cap_days))
        done += batches.each(found, decide, limit=limit)
    return done


@transaction.atomic(durable=True)
def _decide(number: int, *, at: dt.datetime, cap: dt.timedelta) -> int:
    ticket = lock(Ticket(pk=number))
    if ticket.pk != number or ticket.is_unfinished or Survey.objects.filter(ticket=ticket).exists():
        return 0
    customer = ticket.customer
    if customer is None:
        return 0
    Customer.objects.select_for_update(no_key=True).get(pk=customer.pk)  # two tickets of one customer at once: one mail
    to = recipients(ticket, [])[:1]
    survey = Survey(ticket=ticket, customer=customer, decided_at=at, decision=Survey.Decision.SENT)
    known_as = Customer.known_as([customer.pk])
    if StoppedSurveys.objects.filter(customer__in=known_as).exists():
        survey.decision = Survey.Decision.STOPPED
    elif Survey.objects.filter(customer__in=known_as, decision=survey.decision, decided_at__gt=at - cap).exists():
        survey.decision = Survey.Decision.CAPPED
    elif not to:
        survey.decision = Survey.Decision.NO_ADDRESS
    else:
        survey.message = _mail(ticket, to[0], at=at)
    survey.save(force_insert=True)
    facts = {"decision": survey.decision, "message": survey.message_id}
    trail.record(Act.SURVEY_DECIDED, ticket.trail_subject, by=ACTOR, at=at, facts=facts)
    return 1


def _mail(ticket: Ticket, address: str, *, at: dt.datetime) -> OutboundMessage:
    customer = ticket.customer
    assert customer is not None
    text = acknowledging.text_for(MailText.Kind.SURVEY, customer.language or ticket.language)
    values = {
        "reference": ticket.reference,
        "name": customer.name,
        "team": ticket.mailbox.name if ticket.mailbox else ticket.team.name,
        "company": ticket.contract.company,
        "privacy": ticket.contract.privacy_url,
        "link": f"{settings.SITE_URL}{reverse('survey', args=[answer_token(ticket, at)])}?lang={text.language}",
        "stop": f"{settings.SITE_URL}{reverse('stop_surveys', args=[stop_token(customer)])}?lang={text.language}",
    }
    return outbox.post(
        kind=OutboundMessage.Kind.SURVEY,
        dedupe_key=f"survey:{ticket.pk}",
        to=[address],
        subject=acknowledging.fill(text.subject, values)[:300],
        body=acknowledging.fill(text.body, values).strip() + "\n",
        mailbox=ticket.mailbox,
        headers={"Auto-Submitted": "auto-generated", "X-Auto-Response-Suppress": "All"},
        at=at,
    )


# ---------------------------------------------------------------- the links


def _sign(salt: str, *facts: object) -> str:
    return signing.dumps(facts, key=settings.LINK_KEY.decode(), salt=salt, compress=False)


def _read(salt: str, token: str) -> list[int]:
    try:
        found: list[int] = signing.loads(token, key=settings.LINK_KEY.decode(), salt=salt)
    except signing.BadSignature:
        raise NotGood from None
    return found


def answer_token(ticket: Ticket, at: dt.datetime) -> str:
    """The link's secret: this ticket's survey, until when."""
    return _sign(_ANSWER, ticket.pk, int((at + GOOD_FOR).timestamp()))


def stop_token(customer: Customer) -> str:
    return _sign(_STOP, customer.pk)


def survey_of(token: str, at: dt.datetime) -> Survey:
    """The survey that a link leads to. Raises NotGood."""
    number, until = _read(_ANSWER, token)
    survey = Survey.objects.filter(ticket=number, decision=Survey.Decision.SENT).select_related("ticket__team").first()
    if survey is None or at.timestamp() > until:
        raise NotGood
    return survey


@transaction.atomic
def answer(
    survey: Survey, *, score: int, soon: str, words: str, wants_answer: bool, at: dt.datetime
) -> tuple[Remark | None, bool]:
    """Record what the customer says, once: of a link that was used nothing is recorded again. Raises Refused."""
    rows = Survey.objects.select_for_update(of=("self",), no_key=True)
    row = rows.select_related("ticket__team__contract", "ticket__mailbox", "customer").get(pk=survey.pk)
    if row.used_at is not None:
        return None, False
    remark, is_new = log.record(
        team=row.ticket.team,
        source=Remark.Source.SURVEY,
        received_at=at,
        at=at,
        score=score,
        soon=soon,
        words=words,
        wants_answer=wants_answer,
        who=log.Who(customer=row.customer, ticket=row.ticket),
        once=log.digest("survey", row.pk),
    )
    # The day alone: the moment would lead from the remark back to the ticket.
    row.used_at = at.replace(hour=0, minute=0, second=0, microsecond=0)
    row.save(update_fields=["used_at"])
    return remark, is_new


def customer_of(token: str) -> Customer:
    """Whose surveys a link stops. Raises NotGood."""
    (number,) = _read(_STOP, token)
    customer = Customer.objects.filter(pk=number).first()
    if customer is None:
        raise NotGood
    return customer


@transaction.atomic
def stop(customer: Customer, *, at: dt.datetime, by: User | None = None) -> None:
    """Ask this customer no more; asking twice is once. `by` is whoever of us they said it to. Raises Refused."""
    if by is not None and not customers.may_change(customer, by):
        raise Refused(_("Only whoever works on a ticket of this customer changes the record."))
    Customer.objects.select_for_update(no_key=True).get(pk=customer.pk)
    _row, is_new = StoppedSurveys.objects.get_or_create(customer=customer, defaults={"at": at})
    if is_new:
        trail.record(Act.SURVEYS_STOPPED, f"customer:{customer.pk}", by=by or customer, at=at)
