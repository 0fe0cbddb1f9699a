"""What the database knows about a message: whose it is to answer, who its sender is, how much that sender wrote."""

from __future__ import annotations

import dataclasses
import datetime as dt
import functools
from collections.abc import Iterable, Sequence
from typing import Any

from django.conf import settings
from django.db import connection
from django.db.models import Q

from csp.models import Mailbox, OutboundMessage, Team
from tickets.intake import verdicts
from tickets.intake.message import Message
from tickets.intake.threading import KEYS, Thread
from tickets.models import InboundMessage, SenderRule

HOUR, DAY = dt.timedelta(hours=1), dt.timedelta(days=1)
AT_ONCE = dt.timedelta(minutes=2)  # no person reads and writes back so soon, time after time
_ROUNDS = 2
_COMMON = [
    "cs",
    "da",
    "de",
    "el",
    "en",
    "es",
    "fi",
    "fr",
    "hu",
    "it",
    "nl",
    "no",
    "pl",
    "pt",
    "ro",
    "ru",
    "sv",
    "tr",
    "uk",
]


def bare(address: str) -> str:
    """The address without its +tag, to compare with our own."""
    local, at, domain = address.strip().lower().rpartition("@")
    return f"{local.split('+')[0]}{at}{domain}"


def mailboxes() -> list[Mailbox]:
    """All of ours, those that rest too, with what a ticket takes from them."""
    return list(Mailbox.objects.select_related("team__contract"))


def mailbox_for(row: InboundMessage, recipients: Iterable[str], among: Iterable[Mailbox]) -> Mailbox | None:
    """The mailbox that it was sent to: the one it was fetched from, by recipient, else the default one."""
    if row.mailbox is not None:
        return row.mailbox
    ours = {mailbox.address.lower(): mailbox for mailbox in among if mailbox.is_active}
    for address in recipients:
        for spelling in (address.strip().lower(), bare(address)):
            if spelling in ours:
                return ours[spelling]
    return next((mailbox for mailbox in ours.values() if mailbox.is_default), None)


def team_for(mailbox: Mailbox | None) -> Team:
    """The team that answers it; a fresh installation has one. Raises Team.DoesNotExist."""
    if mailbox is not None:
        return mailbox.team
    team = Team.objects.filter(is_active=True).select_related("contract").order_by("pk").first()
    if team is None:
        raise Team.DoesNotExist("There is no active team that could answer this. Make one.")
    return team


def rule_for(address: str, contract: int) -> verdicts.SenderRule:
    """What the contract's list of senders says: of the address itself before its domain."""
    value = address.strip().lower()
    domain = f"@{value.rpartition('@')[2]}"
    rules = {
        rule.pattern.lower(): rule.verdict
        for rule in SenderRule.objects.filter(is_active=True, contract=contract).filter(
            Q(pattern__iexact=value) | Q(pattern__iexact=domain)
        )
    }
    verdict = rules.get(value) or rules.get(domain)
    if verdict is None:
        return verdicts.SenderRule.NONE
    return verdicts.SenderRule.ALLOWED if verdict == SenderRule.Verdict.ALLOW else verdicts.SenderRule.BLOCKED


def facts_of(
    message: Message, thread: Thread | None, mailbox: Mailbox | None, *, ours: Iterable[Mailbox], is_known: bool
) -> verdicts.Facts:
    """What verdicts wants to know of a message to this mailbox; `is_known` says whether its sender is a customer."""
    own = {bare(each.address) for each in ours}
    own.add(bare(settings.DEFAULT_FROM_EMAIL.rpartition("<")[2].rstrip("> ")))
    domains = {address.rpartition("@")[2] for address in own} | {settings.MAIL_DOMAIN.lower()}
    sender = message.sender.address
    return verdicts.Facts(
        own_addresses=frozenset(own),
        own_domains=frozenset(domains),
        sender_rule=rule_for(sender, team_for(mailbox).contract_id) if sender else verdicts.SenderRule.NONE,
        answers_ours=thread is not None and thread.is_participant,
        known_customer=is_known,
        keys=KEYS,
        trusted_checkers=frozenset(name.lower() for name in settings.TRUSTED_CHECKERS),
    )


@dataclasses.dataclass(frozen=True, slots=True)
class Past:
    """What went to and fro before: how much the sender wrote within the hour, and whether we had just acknowledged."""

    is_our_own: bool  # nobody else's message bears our Message-ID
    taken: int
    answered_at_once: bool
    languages: Sequence[str]  # that we have texts for


_PAST = """
    select
      exists (select 1 from csp_outboundmessage where message_id = any(%(ids)s)),
      (select count(*) from tickets_inboundmessage where sender_address = %(sender)s and id <> %(row)s
         and received_at > %(hour)s and received_at <= %(received)s and state in ('opened', 'threaded', 'parked')),
      exists (select 1 from csp_outboundmessage where kind = 'acknowledgement' and "to" @> array[%(sender)s]::varchar[]
         and accepted_at >= %(just)s and accepted_at <= %(received)s and created_at > %(days)s),
      array(select distinct language from tickets_mailtext)
"""


def past_of(row: InboundMessage, message: Message) -> Past:
    """All that we must know of the past, in one statement."""
    received = row.received_at
    with connection.cursor() as cursor:
        cursor.execute(
            _PAST,
            {
                "ids": [f"<{each.strip().lower()}>" for each in message.message_ids],
                "sender": row.sender_address,
                "row": row.pk,
                "received": received,
                "hour": received - HOUR,
                "just": received - AT_ONCE,
                "days": received - 2 * DAY,
            },
        )
        own, taken, at_once, languages = cursor.fetchone()
    return Past(own, taken, at_once, sorted({each.split("-")[0].lower() for each in languages}))


def flood(row: InboundMessage, past: Past) -> str:
    """Why this sender's message is one too many for now, or empty."""
    if not row.sender_address:
        return ""
    if past.taken >= settings.MAIL_FLOOD:
        return f"More than {settings.MAIL_FLOOD} messages of this sender within an hour."
    if past.answered_at_once and _answers_itself(row):
        return "It answers our acknowledgements at once, time after time: perhaps another machine."
    return ""


def _answers_itself(row: InboundMessage) -> bool:
    """Whether the sender, for the third time within a day, wrote right after an acknowledgement of ours reached it."""
    written = InboundMessage.objects.filter(sender_address=row.sender_address).exclude(pk=row.pk)
    acknowledged = list(
        OutboundMessage.objects.filter(
            kind=OutboundMessage.Kind.ACKNOWLEDGEMENT,
            to__contains=[row.sender_address],
            accepted_at__gt=row.received_at - DAY,
            accepted_at__lte=row.received_at,
            created_at__gt=row.received_at - 2 * DAY,
        ).values_list("accepted_at", flat=True)
    )
    times = list(written.filter(received_at__gt=row.received_at - DAY).values_list("received_at", flat=True))
    rounds = sum(any(dt.timedelta(0) <= each - at <= AT_ONCE for each in times) for at in acknowledged if at)
    return rounds >= _ROUNDS


# ---------------------------------------------------------------- the language


def language_of(message: Message, ours: Sequence[str]) -> str:
    """The language it is written in, of those that we have texts for; empty where nobody can tell."""
    said = message.header("content-language").split(",")[0].strip().split("-")[0].lower()
    if said in ours:
        return said
    words = " ".join(message.text.split())[:4_000]
    if len(words) < 20:
        return ""
    guess = str(_identifier().classify(words)[0])
    return guess if guess in ours else ""


def warm_up() -> None:
    """Load the model of languages before the first message needs it."""
    _identifier()


@functools.cache
def _identifier() -> Any:
    # Loaded when first needed: the model takes memory that web processes never use.
    from py3langid.langid import MODEL_FILE, LanguageIdentifier

    identifier = LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
    identifier.set_languages(_COMMON)  # among all that it knows, a short text is taken for a rare one too easily
    return identifier
