"""What the database knows about a message: whose it is to answer, who its sender is, how much that sender wrote."""

from __future__ import annotations

import datetime as dt
import functools
from collections.abc import Iterable
from typing import Any

from django.conf import settings
from django.db import models
from django.db.models import Q

from csp.models import Mailbox, OutboundMessage, Team
from tickets.customers import find_customer
from tickets.intake import verdicts
from tickets.intake.message import Message
from tickets.intake.threading import KEYS, Thread
from tickets.models import InboundMessage, MailText, SenderRule

State = InboundMessage.State

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


def mailbox_for(row: InboundMessage, recipients: Iterable[str]) -> Mailbox | None:
    """The mailbox that it was sent to: the one it was fetched from, by recipient, else the default one."""
    if row.mailbox is not None:
        return row.mailbox
    ours = {
        mailbox.address.lower(): mailbox for mailbox in Mailbox.objects.filter(is_active=True).select_related("team")
    }
    for address in recipients:
        for spelling in (address.strip().lower(), bare(address)):
            if spelling in ours:
                return ours[spelling]
    return next((mailbox for mailbox in ours.values() if mailbox.is_default), None)


def team_for(mailbox: Mailbox | None) -> Team:
    """The team that answers it; a fresh installation has one. Raises Team.DoesNotExist."""
    if mailbox is not None:
        return mailbox.team
    team = Team.objects.filter(is_active=True).order_by("pk").first()
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


def facts_of(message: Message, thread: Thread | None, mailbox: Mailbox | None) -> verdicts.Facts:
    """What verdicts wants to know of a message to this mailbox."""
    own = {bare(address) for address in Mailbox.objects.values_list("address", flat=True)}
    own.add(bare(settings.DEFAULT_FROM_EMAIL.rpartition("<")[2].rstrip("> ")))
    domains = {address.rpartition("@")[2] for address in own} | {settings.MAIL_DOMAIN.lower()}
    sender = message.sender.address
    return verdicts.Facts(
        own_addresses=frozenset(own),
        own_domains=frozenset(domains),
        sender_rule=rule_for(sender, team_for(mailbox).contract_id) if sender else verdicts.SenderRule.NONE,
        answers_ours=thread is not None and thread.is_participant,
        known_customer=bool(sender) and find_customer(sender) is not None,
        keys=KEYS,
        trusted_checkers=frozenset(name.lower() for name in settings.TRUSTED_CHECKERS),
    )


def is_our_own(message: Message) -> bool:
    """Whether it is a message that we sent, come back: nobody else's bears our Message-ID."""
    ids = [f"<{each.strip().lower()}>" for each in message.message_ids]
    return bool(ids) and OutboundMessage.objects.filter(message_id__in=ids).exists()


def flood(row: InboundMessage) -> str:
    """Why this sender's message is one too many for now, or empty."""
    if not row.sender_address:
        return ""
    written = InboundMessage.objects.filter(sender_address=row.sender_address).exclude(pk=row.pk)
    lately = written.filter(received_at__gt=row.received_at - HOUR, received_at__lte=row.received_at)
    taken = lately.filter(state__in=[State.OPENED, State.THREADED, State.PARKED]).count()
    if taken >= settings.MAIL_FLOOD:
        return f"More than {settings.MAIL_FLOOD} messages of this sender within an hour."
    if _answers_itself(row, written):
        return "It answers our acknowledgements at once, time after time: perhaps another machine."
    return ""


def _answers_itself(row: InboundMessage, written: models.QuerySet[InboundMessage]) -> bool:
    """Whether the sender, for the third time within a day, wrote right after an acknowledgement of ours reached it."""
    acknowledged = list(
        OutboundMessage.objects.filter(
            kind=OutboundMessage.Kind.ACKNOWLEDGEMENT,
            to__contains=[row.sender_address],
            accepted_at__gt=row.received_at - DAY,
            accepted_at__lte=row.received_at,
            created_at__gt=row.received_at - 2 * DAY,
        ).values_list("accepted_at", flat=True)
    )
    if not any(row.received_at - at <= AT_ONCE for at in acknowledged if at):
        return False
    times = list(written.filter(received_at__gt=row.received_at - DAY).values_list("received_at", flat=True))
    rounds = sum(any(dt.timedelta(0) <= each - at <= AT_ONCE for each in times) for at in acknowledged if at)
    return rounds >= _ROUNDS


# ---------------------------------------------------------------- the language


def language_of(message: Message) -> str:
    """The language it is written in, of those that we have texts for; empty where nobody can tell."""
    ours = sorted({language.split("-")[0].lower() for language in MailText.objects.values_list("language", flat=True)})
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
