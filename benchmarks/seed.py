"""A database of N tickets, a quarter of them open, three messages each, written by COPY: 100,000 take some seconds."""

from __future__ import annotations

import datetime as dt
import io
import random
from collections.abc import Callable, Iterable
from typing import Any

from django.db import connection, models

from csp.models import Address, Contract, Customer, Deadline, RoleGrant, Team, TrailEntry, User, Version
from tickets.models import Interaction, Ticket

TEAMS, PEOPLE = 4, 20
OPEN_SHARE = 4  # one in four is open
COMMON, RARE = "kerbside", "zyzzyva"  # in 1.2 % of the texts, and in one in 25,000
_SYLLABLES = ["ba", "ce", "di", "fo", "gu", "ha", "je", "ki", "lo", "mu", "na", "pe", "ri", "so", "tu", "va", "we"]


def _words(rng: random.Random, count: int) -> list[str]:
    return ["".join(rng.choice(_SYLLABLES) for _ in range(rng.randint(2, 4))) for _ in range(count)]


def _copy(model: type[models.Model], columns: str, rows: Iterable[tuple[Any, ...]]) -> None:
    """COPY rows into a model's table; columns that are not named get the model's defaults."""
    named = [name.strip().strip('"') for name in columns.split(",")]
    rest = [
        field
        for field in model._meta.concrete_fields
        if not (field.column in named or field.null or field.primary_key or field.generated or field.has_db_default())
    ]
    constants = tuple(_plain(field.get_db_prep_save(field.get_default(), connection)) for field in rest)
    text = io.StringIO()
    for row in rows:
        text.write("\t".join(r"\N" if value is None else str(value) for value in (*row, *constants)) + "\n")
    text.seek(0)
    every = ", ".join(connection.ops.quote_name(name) for name in (*named, *(field.column for field in rest)))
    with connection.cursor() as cursor:
        cursor.copy_expert(f"copy {model._meta.db_table} ({every}) from stdin", text)


def _plain(value: Any) -> Any:
    """A default as COPY reads it; lists and JSON are empty here."""
    if isinstance(value, bool):
        return "t" if value else "f"
    return "{}" if value == [] else getattr(value, "adapted", value)


def receipt_of(number: int, now: dt.datetime) -> dt.datetime:
    """Open tickets within the last day, so that their clocks run; the others spread over a year."""
    if number % OPEN_SHARE == 0:
        return now - dt.timedelta(seconds=(number * 7919) % 86_000)
    return now - dt.timedelta(days=2, seconds=(number * 7919) % (360 * 86_400))


def busy_ticket() -> int:
    """The number of the ticket with twenty messages; its team and person are the first ones."""
    return OPEN_SHARE * PEOPLE * TEAMS


def fill(count: int, now: dt.datetime, say: Callable[[str], None]) -> User:
    """Make `count` tickets with clocks and messages. Returns the representative who has a twentieth of them."""
    rng = random.Random(4790)  # noqa: S311  not for secrets
    contract, version = Contract.objects.get(), Version.objects.get()
    teams = [Team.objects.get()] + [
        Team.objects.create(contract=contract, name=f"Team {number}", created_at=now) for number in range(2, TEAMS + 1)
    ]
    people = [
        User.objects.create(email=f"person{n}@desk.example", name=f"Person {n}", joined_at=now) for n in range(PEOPLE)
    ]
    RoleGrant.objects.bulk_create(
        RoleGrant(user=person, role="representative", team=teams[n % TEAMS], starts_at=now - dt.timedelta(days=400))
        for n, person in enumerate(people)
    )
    vocabulary = _words(rng, 5000)
    paragraphs = [" ".join(rng.choices(vocabulary, k=60)) for _ in range(4000)]
    customers = max(count // 5, 1)
    _copy(
        Customer,
        "id, name, organisation, language, zone, note, created_at",
        ((n, f"Customer {vocabulary[n % 5000].title()} {n}", "", "en", "", "", now) for n in range(1, customers + 1)),
    )
    _copy(
        Address,
        "customer_id, kind, value, is_primary, created_at",
        ((n, "mail", f"customer{n}@example.org", "t", now) for n in range(1, customers + 1)),
    )
    say(f"{customers} customers")

    def deadlines() -> Iterable[tuple[Any, ...]]:
        for n in range(1, count + 1):
            start = receipt_of(n, now)
            due = start + dt.timedelta(hours=24)
            for place, code in enumerate(("acknowledge", "respond")):
                runs = n % OPEN_SHARE == 0 and code == "respond"
                half = start + dt.timedelta(hours=12)
                yield (
                    2 * n - 1 + place, contract.pk, version.pk, "3.1", code, "f", f"#{n}", f"/tickets/{n}/",
                    teams[n % TEAMS].pk, people[n % PEOPLE].pk, start, due, "open" if runs else "met",
                    half if runs and half > now else None, None if runs else start + dt.timedelta(hours=2), "", "",
                )  # fmt: skip

    _copy(
        Deadline,
        "id, contract_id, version_id, clause, obligation, is_policy, subject_ref, path, team_id, responsible_id, "
        "starts_at, due_at, state, next_reminder_at, met_at, met_how, void_reason",
        deadlines(),
    )

    def tickets() -> Iterable[tuple[Any, ...]]:
        for n in range(1, count + 1):
            start = receipt_of(n, now)
            is_open = n % OPEN_SHARE == 0
            closed = None if is_open else start + dt.timedelta(days=1)
            yield (
                n, contract.pk, teams[n % TEAMS].pk, n % customers + 1, " ".join(rng.choices(vocabulary, k=6)),
                rng.choice(["inquiry", "complaint"]), 2, rng.choice(["mail", "form", "phone"]), "customer", "en", "",
                start, start, people[n % PEOPLE].pk if n % 7 else None, "open" if is_open else "closed",
                2 * n - 1, 2 * n, "", 0, "respond" if is_open else "", "3.1" if is_open else "",
                start if is_open else None, start + dt.timedelta(hours=24) if is_open else None, start,
                paragraphs[n % 4000][:150], closed, closed, start,
            )  # fmt: skip

    _copy(
        Ticket,
        "id, contract_id, team_id, customer_id, subject, kind, priority, channel, origin, language, parked_reason, "
        "received_at, opened_at, assignee_id, state, acknowledge_id, respond_id, complex_reason, answered_through, "
        "next_obligation, next_clause, next_starts_at, next_due_at, last_interaction_at, excerpt, "
        "resolved_at, closed_at, changed_at",
        tickets(),
    )
    say(f"{count} tickets")

    def interactions() -> Iterable[tuple[Any, ...]]:
        number = 0
        for n in range(1, count + 1):
            start = receipt_of(n, now)
            for place in range(20 if n == busy_ticket() else 3):
                number += 1
                body = paragraphs[(n * 3 + place) % 4000]
                if number % 83 == 0:
                    body += f" {COMMON}"
                if number % 25_000 == 0:
                    body += f" {RARE}"
                is_in = place % 2 == 0
                address = f"customer{n % customers + 1}@example.org"
                yield (
                    number, n, "mail", "in" if is_in else "out", "" if is_in else "answer",
                    None if is_in else people[n % PEOPLE].pk, n % customers + 1, address if is_in else "", "", "{}",
                    "{}", "", body, "", f"<{number}@example.org>", start + dt.timedelta(minutes=place), start, 0,
                )  # fmt: skip

    _copy(
        Interaction,
        'id, ticket_id, kind, direction, purpose, author_id, customer_id, sender_address, sender_name, "to", cc, '
        "subject, body, html, message_id, occurred_at, recorded_at, seen_through",
        interactions(),
    )
    _copy(
        TrailEntry,
        "recorded_at, at, actor, act, subject, version, context, source, facts, personal, salt, commitment, leaf",
        (
            (now, receipt_of(n, now), f"customer:{n % customers + 1}", "ticket.opened", f"ticket:{n}", 0,
             f"ticket:{n}", "task take_in", "{}", "", r"\\x00", r"\\x00", r"\\x00")
            for n in range(1, count + 1)
        ),
    )  # fmt: skip
    with connection.cursor() as cursor:
        for model in (Customer, Deadline, Ticket, Interaction):
            table = model._meta.db_table
            move = f"select setval(pg_get_serial_sequence('{table}', 'id'), (select max(id) from {table}))"  # noqa: S608
            cursor.execute(move)
        cursor.execute("vacuum analyze")
    say("messages, trail, statistics")
    return people[0]
