"""Data-subject requests (clause 6.1): received by any channel, answered within a calendar month.

    open_request(...)                            a request and its clock, from receipt
    sort, ask_identity, prove, doubt, note       what is done on the way; the clock pauses for none of it
    extend(request, reason=...)                  two months more, if the person is told why inside month one
    answer, refuse, withdraw                     its end; a mail ends it when a server outside has taken it

What happens by itself meanwhile, and when a mail is taken, is in csp.privacy.request_loops. Whoever is processor
forwards at once: the proof is the controller's server taking the mail.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping
from typing import Any

from django.db import connection, transaction
from django.db.models import Q, QuerySet
from django.utils import dateformat, timezone, translation
from django.utils.translation import gettext as _

from csp import access, agreement, deadlines, notices, offices, outbox, trail
from csp.access import Refused
from csp.contract import OBLIGATIONS, Term
from csp.events import Act
from csp.models import (
    Customer,
    DataRequest,
    DataRequestStep,
    Deadline,
    Notice,
    OutboundMessage,
    Team,
    User,
    Version,
)
from csp.privacy import calendars, terms
from csp.roles import Office, Permission, Role

CODE = "data_request"
ACTOR = "privacy"
Kind, State, Identity, Step = DataRequest.Kind, DataRequest.State, DataRequest.Identity, DataRequestStep.Kind
# What is asked for is done before it is answered.
TO_BE_DONE = (Kind.RECTIFICATION, Kind.ERASURE, Kind.RESTRICTION, Kind.OBJECTION)
GONE = (OutboundMessage.State.FAILED, OutboundMessage.State.BOUNCED, OutboundMessage.State.CANCELLED)


# ---------------------------------------------------------------- who sees, what is shown


def visible_to(user: User) -> QuerySet[DataRequest]:
    """Requests of the contracts one is privacy owner of, all for administrators, and those of one's part in them.

    An auditor reads them without knowing who asked; supervisors those of their teams; others what they recorded.
    """
    if terms.is_administrator(user):
        return DataRequest.objects.all()
    scope = access.scope_of(user)
    return DataRequest.objects.filter(
        Q(contract__in=terms.owned(user))
        | Q(contract__in=scope.contracts(Role.AUDITOR))
        | Q(team__in=scope.teams(Role.SUPERVISOR))
        | Q(recorded_by=user)
    )


def sees_names(user: User, request: DataRequest) -> bool:
    """Whether this person may know who asked."""
    scope = access.scope_of(user)
    return (
        terms.may_act(user, request.contract_id)
        or request.recorded_by_id == user.pk
        or request.team_id in scope.teams(Role.SUPERVISOR)
    )


def may_record(user: User, team: Team, *, at: dt.datetime | None = None) -> bool:
    """Whoever works for a team's customers writes down what they ask; so do the privacy owner and administrators."""
    return access.may(user, Permission.WORK_TICKETS, team_id=team.pk, at=at) or terms.may_act(
        user, team.contract_id, at=at
    )


# ---------------------------------------------------------------- the clock


def term_of(version: Version) -> Term:
    """The term for an answer under this version."""
    own = version.terms.get(CODE)
    term = Term(**own) if own else OBLIGATIONS[CODE].term
    assert term is not None
    return term


def due_at(team: Team, received_at: dt.datetime, *, extended: bool = False) -> dt.datetime:
    """By when a request received then is answered."""
    contract = team.contract
    version = agreement.in_force(contract, received_at)
    count = calendars.extended_due_at if extended else calendars.due_at
    return count(received_at, term_of(version), contract.zoneinfo, terms.days_off(terms.of(contract)))


def owner_of(contract_id: int, at: dt.datetime) -> User | None:
    return offices.holders(contract_id, [Office.PRIVACY_OWNER], at=at)[Office.PRIVACY_OWNER]


def start_clock(request: DataRequest, *, due: dt.datetime, at: dt.datetime) -> Deadline:
    subject = deadlines.Subject(
        ref=request.reference, path=request.own_path, contract=request.contract, team=request.team,
        responsible=owner_of(request.contract_id, at), context=request.trail_subject,
    )  # fmt: skip
    version = agreement.in_force(request.contract, request.received_at)
    draft = deadlines.draft(CODE, subject, version, starts_at=request.received_at, due_at=due)
    [row] = deadlines.start([draft], at=at)
    return row


# ---------------------------------------------------------------- receipt


@transaction.atomic
def open_request(
    *,
    team: Team,
    kind: DataRequest.Kind,
    channel: DataRequest.Channel,
    received_at: dt.datetime,
    by: trail.Actor,
    at: dt.datetime,
    customer: Customer | None = None,
    name: str = "",
    address: str = "",
    words: str = "",
    language: str = "",
    about_surveys: bool = False,
    subject_ref: str = "",
    path: str = "",
    once: str | None = None,
    proven: str = "",
) -> DataRequest:
    """Write down what a person asks for their data, with its clock from receipt. Raises Refused.

    `proven` says by what the person's identity is proven already, such as a link that only their address had. Opening
    the same `once` again returns the first one.
    """
    if isinstance(by, User) and not may_record(by, team, at=at):
        raise Refused(_("Your role does not allow this. Ask a supervisor or an administrator."))
    if received_at > at:
        raise Refused(_("It cannot have been received in the future. Check date and time."))
    if about_surveys and kind != Kind.OBJECTION:
        raise Refused(_("Only an objection is against surveys."))
    if not (customer or name.strip() or address.strip() or words.strip()):
        raise Refused(_("Say who asks, or what was asked."))
    if once is not None:
        _one_at_a_time(once)
        before = DataRequest.objects.filter(once=once).first()
        if before is not None:
            return before
    if customer is not None:
        name = name or customer.name
        language = language or customer.language
        address = address or mail_of(customer)
    request = DataRequest(
        contract=team.contract, team=team, kind=kind, about_surveys=about_surveys, channel=channel, customer=customer,
        name=name.strip()[:200], address=address.strip().lower()[:320], words=words.strip(), language=language[:10],
        subject_ref=subject_ref, path=path, received_at=received_at, recorded_at=at,
        recorded_by=by if isinstance(by, User) else None, once=once,
        identity=Identity.PROVEN if proven else Identity.UNCHECKED,
    )  # fmt: skip
    with connection.cursor() as cursor:  # its deadline names it and is stored first
        cursor.execute("select nextval(pg_get_serial_sequence('csp_datarequest', 'id'))")
        request.pk = int(cursor.fetchone()[0])
    request.answer = start_clock(request, due=due_at(team, received_at), at=at)
    request.save(force_insert=True)
    _step(request, Step.RECEIVED, by=by, at=at, words=words)
    if proven:
        _step(request, Step.IDENTITY_PROVEN, by=by, at=at, words=proven)
    trail.record(
        Act.DATA_REQUESTED, request.trail_subject, by=by, at=at,
        facts={"kind": kind, "channel": channel, "received": received_at, "deadline": request.answer_id,
               "due": request.answer.due_at, "customer": customer.pk if customer else None, "in": path},
        personal={"name": request.name, "address": request.address, "words": request.words}, evidence=[request],
    )  # fmt: skip
    notices.tell(
        telling(request, "privacy.request", offices.to_tell(request.contract_id, [Office.PRIVACY_OWNER], at=at)),
        at=at,
    )
    _forward(request, at=at)
    return request


def _one_at_a_time(once: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute("select pg_advisory_xact_lock(hashtext('csp.data_request'), hashtext(%s))", [once])


def mail_of(customer: Customer) -> str:
    """The mail address that a customer is written to at; empty where none is known."""
    row = customer.addresses.filter(kind="mail").order_by("-is_primary", "pk").first()
    return row.value if row else ""


def telling(request: DataRequest, says: str, to: Iterable[User], *, key: str = "", **facts: object) -> notices.Telling:
    return notices.Telling(
        kind=Notice.Kind.PRIVACY,
        key=f"data-request:{request.pk}:{key or says}",
        to=to,
        subject_ref=request.reference,
        path=request.own_path,
        deadline=request.answer,
        facts={"says": says, "due": notices.fact(request.answer.due_at)} | facts,
    )


def _forward(request: DataRequest, *, at: dt.datetime) -> None:
    """What reaches a processor, or one of joint controllers, goes to the controller at once."""
    row = terms.of(request.contract)
    if not row.forwards:
        return
    lines = [
        _("%(reference)s: a person asks for their data (%(kind)s). It was received on %(when)s.") % {
            "reference": request.reference, "kind": request.get_kind_display(),
            "when": _moment(request.received_at, request),
        },
        "\n".join(filter(None, (request.name, request.address))),
        request.words,
    ]  # fmt: skip
    message = outbox.post(
        kind=OutboundMessage.Kind.PRIVACY, dedupe_key=f"data-request:{request.pk}:forward", to=[row.controller_mail],
        subject=_("%(reference)s: request of a person for their data") % {"reference": request.reference},
        body="\n\n".join(filter(None, lines)) + "\n", at=at,
    )  # fmt: skip
    _step(request, Step.FORWARDED, by=ACTOR, at=at, words=row.controller, message=message)
    trail.record(
        Act.DATA_REQUEST_STEP, request.trail_subject, by=ACTOR, at=at,
        facts={"step": Step.FORWARDED, "message": message.pk, "part": row.part},
    )  # fmt: skip


# ---------------------------------------------------------------- on the way


def lock(request: DataRequest) -> DataRequest:
    """The request as it is now, locked until the transaction ends."""
    rows = DataRequest.objects.select_for_update(of=("self",), no_key=True)
    rows = rows.select_related("contract", "team__contract", "answer", "first_answer", "customer")
    return rows.get(pk=request.pk)


def for_change(request: DataRequest, by: User, at: dt.datetime) -> DataRequest:
    """Locked, for somebody who deals with data protection; raises Refused for anybody else, or where it has ended."""
    row = lock(request)
    terms.check_may_act(by, row.contract_id, at=at)
    if not row.is_open:
        raise Refused(_("This request has ended."))
    return row


def check_proven(request: DataRequest) -> None:
    """Raise Refused unless it is known who asks, so that nobody gets or changes another person's data."""
    if request.identity != Identity.PROVEN:
        raise Refused(_("It is not proven who asks. Record first how the person was recognised."))
    if request.customer is None:
        raise Refused(_("Say first which customer this is."))


def _step(
    request: DataRequest, kind: DataRequestStep.Kind, *, by: trail.Actor, at: dt.datetime, words: str = "",
    message: OutboundMessage | None = None,
) -> DataRequestStep:  # fmt: skip
    return DataRequestStep.objects.create(
        request=request,
        kind=kind,
        at=at,
        by=by if isinstance(by, User) else None,
        words=words.strip(),
        message=message,
    )


def record_step(
    request: DataRequest, kind: DataRequestStep.Kind, *, by: trail.Actor, at: dt.datetime, words: str = "",
    message: OutboundMessage | None = None, facts: Mapping[str, Any] | None = None,
) -> DataRequestStep:  # fmt: skip
    """One step in the timeline and in the trail; the caller holds the request's lock."""
    step = _step(request, kind, by=by, at=at, words=words, message=message)
    trail.record(
        Act.DATA_REQUEST_STEP, request.trail_subject, by=by, at=at,
        facts={"step": kind, "message": message.pk if message else None} | dict(facts or {}),
        personal={"words": words}, evidence=[step],
    )  # fmt: skip
    return step


@transaction.atomic
def sort(
    request: DataRequest, *, kind: DataRequest.Kind, customer: Customer | None, by: User, at: dt.datetime,
    about_surveys: bool = False,
) -> DataRequest:  # fmt: skip
    """Say what is asked for, and by which customer. Raises Refused."""
    row = for_change(request, by, at=at)
    if row.done_at is not None:
        raise Refused(_("What was asked has been done; a further wish is a request of its own."))
    row.kind, row.about_surveys = kind, about_surveys and kind == Kind.OBJECTION
    if customer is not None:
        row.customer = customer
        row.name, row.address = row.name or customer.name, row.address or mail_of(customer)
    row.save(update_fields=["kind", "about_surveys", "customer", "name", "address"])
    record_step(row, Step.SORTED, by=by, at=at, words=row.get_kind_display(),
                facts={"kind": kind, "customer": row.customer_id})  # fmt: skip
    return row


@transaction.atomic
def ask_identity(request: DataRequest, *, what: str, by: User, at: dt.datetime) -> DataRequest:
    """Ask the person for a proof of identity; the clock does not pause. Raises Refused."""
    row = for_change(request, by, at=at)
    if row.identity == Identity.PROVEN:
        raise Refused(_("It is proven who asks. Ask for no more than is needed."))
    if not what.strip():
        raise Refused(_("Say which proof is asked for; no more than is needed."))
    count = row.steps.filter(kind=Step.IDENTITY_ASKED).count()
    with translation.override(language_of(row)):
        message = _mail(row, f"identity:{count}", _("Please show us that it is you"), [what.strip()], at=at)
    row.identity = Identity.ASKED
    row.save(update_fields=["identity"])
    record_step(row, Step.IDENTITY_ASKED, by=by, at=at, words=what, message=message)
    return row


@transaction.atomic
def prove(request: DataRequest, *, how: str, by: User, at: dt.datetime, is_shown: bool = True) -> DataRequest:
    """Record how the person was recognised and by whom, or that they could not be. Raises Refused."""
    row = for_change(request, by, at=at)
    if not how.strip():
        raise Refused(_("Say how the person was recognised, or what was missing. Keep no copy of a passport."))
    row.identity = Identity.PROVEN if is_shown else Identity.DOUBTED
    row.save(update_fields=["identity"])
    record_step(row, Step.IDENTITY_PROVEN if is_shown else Step.IDENTITY_DOUBTED, by=by, at=at, words=how)
    return row


@transaction.atomic
def note(request: DataRequest, *, words: str, by: User, at: dt.datetime) -> DataRequestStep:
    """Write something down that is for colleagues alone. Raises Refused."""
    row = lock(request)
    terms.check_may_act(by, row.contract_id, at=at)
    if not words.strip():
        raise Refused(_("Write something."))
    return record_step(row, Step.NOTED, by=by, at=at, words=words)


# ---------------------------------------------------------------- two months more


def is_extended(request: DataRequest) -> bool:
    """Whether the longer term runs."""
    return request.first_answer is not None and request.answer.due_at > request.first_answer.due_at


@transaction.atomic
def extend(
    request: DataRequest, *, reason: str, by: User, at: dt.datetime, told_at: dt.datetime | None = None
) -> DataRequest:
    """Two months more, because the request is complex or there are many; told with the reasons inside month one.

    Whoever has a mail address is written to, and the time is longer only if that mail is taken outside in time
    (undo_extensions). Otherwise `told_at` says when the letter went or the call was. Raises Refused.
    """
    row = for_change(request, by, at=at)
    first = row.first_answer or row.answer
    if is_extended(row):
        raise Refused(_("It was extended already; the law allows that once."))
    if not reason.strip():
        raise Refused(_("Say why it takes longer; the person is told."))
    if at > first.due_at:
        raise Refused(_("The first month is over. A late answer cannot be made timely any more."))
    message = None
    if told_at is None:
        if not row.address:
            raise Refused(_("No mail address is known. Say when the person was told by letter or telephone."))
        until = due_at(row.team, row.received_at, extended=True)
        count = row.steps.filter(kind=Step.EXTENDED).count()
        with translation.override(language_of(row)):
            said = _("Your request takes us longer than a month. You will have our answer by %(when)s.")
            said %= {"when": _moment(until, row)}
            paragraphs = [said, reason.strip(), _remedies(row)]
            message = _mail(row, f"extend:{count}", _("Your request takes longer"), paragraphs, at=at)
    elif not row.received_at <= told_at <= min(at, first.due_at):
        raise Refused(_("The person has to be told inside the first month, and before now."))
    if row.answer.state == Deadline.State.OPEN:
        deadlines.lapse([row.answer], at=at, by=by, reason="extended by two months")
    row.first_answer = first
    row.answer = start_clock(row, due=due_at(row.team, row.received_at, extended=True), at=at)
    row.save(update_fields=["first_answer", "answer"])
    record_step(
        row, Step.EXTENDED, by=by, at=at, words=reason, message=message,
        facts={"first_due": first.due_at, "due": row.answer.due_at, "told": told_at},
    )  # fmt: skip
    return row


# ---------------------------------------------------------------- the end


@transaction.atomic
def answer(
    request: DataRequest, *, words: str, by: User, at: dt.datetime, told_at: dt.datetime | None = None
) -> DataRequest:
    """Tell the person what was done. By mail it counts when the server outside has taken it; else from `told_at`.

    What was asked has to be done before. Raises Refused.
    """
    row = for_change(request, by, at=at)
    if row.kind == Kind.UNSORTED:
        raise Refused(_("Say first what is asked for."))
    if row.kind in TO_BE_DONE and row.done_at is None:
        raise Refused(_("Do first what was asked, or refuse it with the reasons."))
    wants_copy = row.kind in (Kind.ACCESS, Kind.PORTABILITY) and row.customer is not None
    if wants_copy and not row.packages.exists():
        raise Refused(_("Make the package and send it: that is the answer."))
    if not words.strip():
        raise Refused(_("Say what was done."))
    return _end(row, State.ANSWERED, [words.strip()], words=words, by=by, at=at, told_at=told_at)


@transaction.atomic
def refuse(
    request: DataRequest, *, reason: str, by: User, at: dt.datetime, told_at: dt.datetime | None = None
) -> DataRequest:
    """Do not do what was asked: the person is told why, where to complain, and that a court is open. Raises Refused."""
    row = for_change(request, by, at=at)
    if not reason.strip():
        raise Refused(_("Say why; the person is told."))
    if not terms.of(row.contract).authority:
        raise Refused(_("Name the supervisory authority in the settings first: a refusal says where to complain."))
    with translation.override(language_of(row)):
        said = [_("We cannot do what you asked, for this reason:"), reason.strip(), _remedies(row)]
    return _end(row, State.REFUSED, said, words=reason, by=by, at=at, told_at=told_at)


def _end(
    row: DataRequest, state: DataRequest.State, said: list[str], *, words: str, by: User, at: dt.datetime,
    told_at: dt.datetime | None,
) -> DataRequest:  # fmt: skip
    kind = Step.REFUSED if state == State.REFUSED else Step.ANSWERED
    if told_at is None:
        if not row.address:
            raise Refused(_("No mail address is known. Say when the person was told by letter or telephone."))
        _check_not_under_way(row)
        count = row.steps.filter(kind=kind).count()
        with translation.override(language_of(row)):
            message = _mail(row, f"{state}:{count}", _("Answer to your request"), said, at=at)
        record_step(row, kind, by=by, at=at, words=words, message=message)
        return row
    if not row.received_at <= told_at <= at:
        raise Refused(_("The person was told after receipt and before now. Check date and time."))
    record_step(row, kind, by=by, at=at, words=words, facts={"told": told_at})
    return end(row, state, by=by, at=told_at, recorded_at=at)


def _check_not_under_way(row: DataRequest) -> None:
    if ending(row) is not None:
        raise Refused(_("The answer is on its way already."))


def ending(row: DataRequest) -> DataRequestStep | None:
    """The step whose mail, once a server outside has taken it, ends the request; None where none is under way."""
    rows = row.steps.filter(kind__in=[Step.ANSWERED, Step.REFUSED, Step.DELIVERED], message__isnull=False)
    return rows.exclude(message__state__in=GONE).select_related("message", "by").order_by("-pk").first()


def end(
    row: DataRequest, state: DataRequest.State, *, by: trail.Actor, at: dt.datetime,
    recorded_at: dt.datetime | None = None,
) -> DataRequest:  # fmt: skip
    """End a locked request at that instant, and meet its clock."""
    row.state, row.ended_at, row.ended_by = state, at, by if isinstance(by, User) else None
    row.save(update_fields=["state", "ended_at", "ended_by"])
    deadlines.meet([row.answer], at=at, by=by, how=state)
    trail.record(
        Act.DATA_REQUEST_ENDED, row.trail_subject, by=by, at=recorded_at or at, facts={"state": state, "ended": at},
        evidence=[row],
    )  # fmt: skip
    return row


@transaction.atomic
def withdraw(request: DataRequest, *, words: str, by: User, at: dt.datetime) -> DataRequest:
    """The person does not want it any more; how they said so stands in the evidence. Raises Refused."""
    row = for_change(request, by, at=at)
    if not words.strip():
        raise Refused(_("Say when and how the person said so."))
    record_step(row, Step.WITHDRAWN, by=by, at=at, words=words)
    return end(row, State.WITHDRAWN, by=by, at=at)


@transaction.atomic
def record_done(request: DataRequest, *, words: str, by: User, at: dt.datetime) -> DataRequest:
    """Record that an objection was honoured: what is not done any more. Raises Refused."""
    row = for_change(request, by, at=at)
    if row.kind != Kind.OBJECTION:
        raise Refused(_("What was asked here is done by its own step."))
    if not words.strip():
        raise Refused(_("Say what is not done any more."))
    return mark_done(row, Step.NOTED, by=by, at=at, words=words)


def mark_done(
    row: DataRequest, kind: DataRequestStep.Kind, *, by: trail.Actor, at: dt.datetime, words: str = "",
    facts: Mapping[str, Any] | None = None,
) -> DataRequest:  # fmt: skip
    """What was asked has been done; the caller holds the request's lock."""
    record_step(row, kind, by=by, at=at, words=words, facts=facts)
    if row.done_at is None:
        row.done_at = at
        row.save(update_fields=["done_at"])
    return row


# ---------------------------------------------------------------- mail


def language_of(request: DataRequest) -> str:
    return request.language or (request.customer.language if request.customer else "") or "en-gb"


def _moment(at: dt.datetime, request: DataRequest) -> str:
    """Date, time and offset in the contract's zone, in the active language."""
    return dateformat.format(timezone.localtime(at, request.contract.zoneinfo), "j F Y, H:i (O)")


def _remedies(request: DataRequest) -> str:
    """Where the person can complain, and that a court is open, in the active language."""
    row = terms.of(request.contract)
    if not row.authority:
        return _("You can complain to your data protection authority, and you can go to court.")
    said = _("You can complain to %(authority)s, and you can go to court.") % {"authority": row.authority}
    return f"{said}\n{row.authority_url}".strip()


def _mail(request: DataRequest, key: str, subject: str, said: list[str], *, at: dt.datetime) -> OutboundMessage | None:
    """A mail to the person; nothing where no address is known. `said` are its paragraphs."""
    if not request.address:
        return None
    return post(request, key, subject, said, at=at)


def post(request: DataRequest, key: str, subject: str, said: list[str], *, at: dt.datetime) -> OutboundMessage:
    """Put a mail to the person into the outbox."""
    with translation.override(language_of(request)):
        received = _("About your request %(reference)s of %(when)s") % {
            "reference": request.reference, "when": _moment(request.received_at, request)
        }  # fmt: skip
        body = "\n\n".join([_("Hello,"), received + ".", *said, request.contract.company]).strip() + "\n"
    return outbox.post(
        kind=OutboundMessage.Kind.PRIVACY, dedupe_key=f"data-request:{request.pk}:{key}", to=[request.address],
        subject=f"{subject} ({request.reference})", body=body, at=at,
    )  # fmt: skip
