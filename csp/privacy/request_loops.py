"""What happens to data-subject requests by itself: a mail that is taken outside ends one, an extension falls.

    settle(at)             a request ends when its answer was taken outside
    undo_extensions(at)    the first term counts again where the longer one was not told in time
    tell_undelivered(at)   the privacy owner hears of each mail that did not arrive
    follow_office(at)      open clocks go to whoever holds the office now

The acts of persons are in csp.privacy.requests.
"""

from __future__ import annotations

import datetime as dt
import functools

from django.db import transaction
from django.db.models import F, Min, Q, QuerySet

from csp import batches, deadlines, notices, offices, trail
from csp.events import Act
from csp.models import DataRequest, DataRequestStep, Notice, PrivacyTerms, User
from csp.privacy import requests
from csp.roles import Office

State, Step = DataRequest.State, DataRequestStep.Kind


def undo_extensions(at: dt.datetime, *, limit: int = 100) -> int:
    """Let the first term count again where the person was not told of the longer one in time. Returns how many."""
    untold = _untold(at)
    numbers = list(
        DataRequest.objects.filter(state=State.OPEN, answer__due_at__gt=F("first_answer__due_at"))
        .filter(untold)
        .order_by("pk").distinct().values_list("pk", flat=True)[: batches.FAR]
    )  # fmt: skip
    return batches.each(numbers, functools.partial(_undo_extension, at=at), limit=limit)


def _untold(at: dt.datetime) -> Q:
    return Q(steps__kind=Step.EXTENDED) & (
        Q(steps__message__state__in=requests.GONE)
        | Q(steps__message__accepted_at__gt=F("first_answer__due_at"))
        | Q(steps__message__isnull=False, steps__message__accepted_at__isnull=True, first_answer__due_at__lt=at)
    )


@transaction.atomic(durable=True)
def _undo_extension(number: int, *, at: dt.datetime) -> int:
    row = requests.lock(DataRequest(pk=number))
    step = row.steps.filter(kind=Step.EXTENDED).select_related("message").order_by("-pk").first()
    if not row.is_open or not requests.is_extended(row) or step is None or step.message is None:
        return 0
    assert row.first_answer is not None
    message, first_due = step.message, row.first_answer.due_at
    is_told = (
        message.accepted_at is not None and message.accepted_at <= first_due and message.state not in requests.GONE
    )
    if is_told or (message.state not in requests.GONE and message.accepted_at is None and at <= first_due):
        return 0
    deadlines.lapse([row.answer], at=at, by=requests.ACTOR, reason="the extension was not told in time")
    row.answer = requests.start_clock(row, due=first_due, at=at)
    row.save(update_fields=["answer"])
    requests.record_step(row, Step.EXTENSION_FELL, by=requests.ACTOR, at=at, facts={"due": first_due})
    people = offices.to_tell(row.contract_id, [Office.PRIVACY_OWNER], at=at)
    notices.tell(requests.telling(row, "privacy.extension_fell", people, key=f"fell:{step.pk}"), at=at)
    return 1


def _taken() -> QuerySet[DataRequestStep]:
    """Steps whose mail a server outside has taken and whose request is still open."""
    return DataRequestStep.objects.filter(
        request__state=State.OPEN,
        kind__in=[Step.ANSWERED, Step.REFUSED, Step.DELIVERED, Step.FORWARDED],
        message__accepted_at__isnull=False,
    ).exclude(message__state__in=requests.GONE)


def _processed() -> Q:
    """Of what was forwarded only a processor's requests end by that: the controller answers."""
    return ~Q(kind=Step.FORWARDED) | Q(request__contract__privacy_terms__part=PrivacyTerms.Part.PROCESSOR)


def settle(at: dt.datetime, *, limit: int = 100) -> int:
    """End the requests whose answer a server outside has taken, at that instant. Returns how many."""
    numbers = list(_taken().filter(_processed()).order_by("pk").values_list("pk", flat=True)[: batches.FAR])
    return batches.each(numbers, functools.partial(_settle, at=at), limit=limit)


@transaction.atomic(durable=True)
def _settle(number: int, *, at: dt.datetime) -> int:
    step = DataRequestStep.objects.select_related("message", "by").get(pk=number)
    row = requests.lock(DataRequest(pk=step.request_id))
    message = step.message
    if not row.is_open or message is None or message.accepted_at is None:
        return 0
    state = {Step.REFUSED: State.REFUSED, Step.FORWARDED: State.FORWARDED}.get(Step(step.kind), State.ANSWERED)
    requests.end(row, state, by=step.by or requests.ACTOR, at=message.accepted_at, recorded_at=at)
    return 1


def perhaps_kept() -> list[int]:
    """Deadlines of requests whose answer was taken outside in time, and which the next settling judges."""
    in_time = _taken().filter(_processed(), message__accepted_at__lte=F("request__answer__due_at"))
    return list(in_time.values_list("request__answer", flat=True))


def unsettled_since() -> dt.datetime | None:
    """The oldest acceptance of an answer that has not been acted on."""
    oldest: dt.datetime | None = _taken().filter(_processed()).aggregate(oldest=Min("message__accepted_at"))["oldest"]
    return oldest


def tell_undelivered(at: dt.datetime, *, limit: int = 100) -> int:
    """Tell the privacy owner of each mail about a request that did not arrive. Returns how many."""
    waiting = DataRequestStep.objects.filter(
        request__state=State.OPEN, message__state__in=requests.GONE
    ).select_related("request__contract", "request__answer")  # fmt: skip
    tellings = []
    for step in waiting.order_by("pk")[: batches.FAR]:
        key = f"undelivered:{step.pk}"
        if not Notice.objects.filter(key=f"data-request:{step.request_id}:{key}").exists():
            people = offices.to_tell(step.request.contract_id, [Office.PRIVACY_OWNER], at=at)
            tellings.append(requests.telling(step.request, "privacy.undelivered", people, key=key))
        if len(tellings) == limit:
            break
    if tellings:
        notices.tell(*tellings, at=at)
    return len([one for one in tellings if list(one.to)])


def follow_office(at: dt.datetime, *, limit: int = 100) -> int:
    """Hand the clocks of open requests to whoever holds the office now. Returns how many changed hands."""
    open_ones = DataRequest.objects.filter(state=State.OPEN, answer__met_at__isnull=True)
    done = 0
    for contract in open_ones.order_by("contract").values_list("contract", flat=True).distinct():
        owner = requests.owner_of(contract, at)
        if owner is not None:
            rows = open_ones.filter(contract=contract).exclude(answer__responsible=owner).order_by("pk")
            numbers = list(rows.values_list("pk", flat=True)[: batches.FAR])
            done += batches.each(numbers, functools.partial(_follow, owner=owner, at=at), limit=limit)
    return done


@transaction.atomic(durable=True)
def _follow(number: int, *, owner: User, at: dt.datetime) -> int:
    row = requests.lock(DataRequest(pk=number))
    if not row.is_open or row.answer.responsible_id == owner.pk:
        return 0
    deadlines.hand_over([row.answer], responsible=owner, team=row.team, at=at)
    trail.record(
        Act.DATA_REQUEST_STEP, row.trail_subject, by=requests.ACTOR, at=at,
        facts={"step": "handed_over", "to": owner.pk, "from": row.answer.responsible_id},
    )  # fmt: skip
    return 1
