"""A database of N tickets, a quarter of them unfinished, three messages each, written by COPY; 100,000 in a minute.

Eight teams; people grow with the desk, so that one person has some three hundred open tickets. Kinds, channels,
priorities and categories have common and rare values, because a filter for a rare one is what an index is for.
"""

from __future__ import annotations

import datetime as dt
import io
import random
from collections.abc import Callable, Iterable
from typing import Any

from django.db import connection, models

from csp.models import Address, Contract, Customer, Deadline, Mailbox, RoleGrant, Team, TrailEntry, User, Version
from tickets.models import Category, Escalation, Finish, Interaction, Ticket

TEAMS = 8
OPEN_SHARE = 4  # one in four is unfinished
WAITING_SHARE = 5  # and of these one in five waits for the customer
NAMED = 7  # one in seven has nobody
ESCALATED_SHARE = 40  # one in forty has been handed up once; of the unfinished ones it stands
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


def people_of(count: int) -> int:
    """How many people work on so many tickets."""
    return TEAMS * max(3, count // 10_000)


def is_open(number: int) -> bool:
    return number % OPEN_SHARE == 0


def is_waiting(number: int) -> bool:
    return is_open(number) and number // OPEN_SHARE // 3 % WAITING_SHARE == 0  # not in step with teams and people


def place(number: int, among: int) -> int:
    """Which of so many teams, people or categories has this ticket; open ones are spread like all."""
    return number // OPEN_SHARE % among


def receipt_of(number: int, now: dt.datetime) -> dt.datetime:
    """Open tickets within the last day, so that their clocks run; the others spread over a year."""
    if is_open(number):
        return now - dt.timedelta(seconds=(number * 7919) % 86_000)
    return now - dt.timedelta(days=2, seconds=(number * 7919) % (360 * 86_400))


def busy_ticket() -> int:
    """The number of the ticket with twenty messages; it is open, and in the first team."""
    return OPEN_SHARE * TEAMS * 3


def fill(count: int, now: dt.datetime, say: Callable[[str], None]) -> None:
    """Make `count` tickets with clocks, messages, escalations, history and trail."""
    rng = random.Random(4790)  # noqa: S311  not for secrets
    contract, version = Contract.objects.get(), Version.objects.get()
    teams = [Team.objects.get()] + [
        Team.objects.create(contract=contract, name=f"Team {number}", created_at=now) for number in range(2, TEAMS + 1)
    ]
    Mailbox.objects.create(
        team=teams[0],
        address="desk@desk.example",
        name="Desk",
        is_default=True,
        cut_over_at=now - dt.timedelta(days=400),
        first_mail_at=now,
        created_at=now,
    )
    people = User.objects.bulk_create(
        User(email=f"person{n}@desk.example", name=f"Person {n}", joined_at=now) for n in range(people_of(count))
    )
    sam = User.objects.create(email="supervisor@desk.example", name="Sam Supervisor", joined_at=now)
    vera = User.objects.create(email="auditor@desk.example", name="Vera Auditor", joined_at=now)
    since = now - dt.timedelta(days=400)
    RoleGrant.objects.bulk_create(
        [
            *(
                RoleGrant(user=person, role="representative", team=teams[n % TEAMS], starts_at=since)
                for n, person in enumerate(people)
            ),
            *(RoleGrant(user=sam, role="supervisor", team=team, starts_at=since) for team in teams[:3]),
            RoleGrant(user=vera, role="auditor", contract=contract, starts_at=since),
        ]
    )
    categories = Category.objects.bulk_create(Category(contract=contract, name=f"Category {n:02}") for n in range(24))
    vocabulary = _words(rng, 5000)
    paragraphs = [" ".join(rng.choices(vocabulary, k=60)) for _ in range(4000)]
    customers = max(count // 5, 1)
    _copy(
        Customer,
        "id, name, organisation, language, zone, note, created_at",
        ((n, f"{vocabulary[n % 4999].title()} {vocabulary[n % 4987].title()}", "", "en", "", "", now)
         for n in range(1, customers + 1)),
    )  # fmt: skip
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
            for order, code in enumerate(("acknowledge", "respond")):
                runs = is_open(n) and not is_waiting(n) and code == "respond"
                half = start + dt.timedelta(hours=12)
                yield (
                    2 * n - 1 + order, contract.pk, version.pk, "3.1", code, "f", f"#{n}", f"/tickets/{n}/",
                    f"ticket:{n}",
                    teams[place(n, TEAMS)].pk, people[place(n, len(people))].pk, start, due,
                    "open" if runs else "met", half if runs and half > now else None,
                    None if runs else start + dt.timedelta(hours=2), "", "", "",
                )  # fmt: skip

    _copy(
        Deadline,
        "id, contract_id, version_id, clause, obligation, is_policy, subject_ref, path, context, "
        "team_id, responsible_id, starts_at, due_at, state, next_reminder_at, met_at, met_how, void_why, void_reason",
        deadlines(),
    )
    say("deadlines")

    def tickets() -> Iterable[tuple[Any, ...]]:
        for n in range(1, count + 1):
            start = receipt_of(n, now)
            owed = is_open(n) and not is_waiting(n)
            closed = None if is_open(n) else start + dt.timedelta(days=1)
            state = "closed" if closed else "waiting" if is_waiting(n) else "new" if n % 3 == 0 else "open"
            yield (
                n, contract.pk, teams[place(n, TEAMS)].pk, n % customers + 1, " ".join(rng.choices(vocabulary, k=6)),
                rng.choices(["inquiry", "complaint", "request", "feedback"], [70, 20, 9.8, 0.2])[0],
                rng.choices([2, 1, 3, 4], [90, 5, 4.8, 0.2])[0],
                rng.choices(["mail", "form", "phone", "letter"], [80, 15, 4.8, 0.2])[0], "customer", "en", "",
                start, start, people[place(n, len(people))].pk if place(n, NAMED) else None, state,
                2 * n - 1, 2 * n, "", 0, "respond" if owed else "", "3.1" if owed else "", start if owed else None,
                start + dt.timedelta(hours=24) if owed else None, start, paragraphs[n % 4000][:150], closed,
                closed, start, categories[rng.randrange(24)].pk if n % 3 else None,
            )  # fmt: skip

    _copy(
        Ticket,
        "id, contract_id, team_id, customer_id, subject, kind, priority, channel, origin, language, parked_reason, "
        "received_at, opened_at, assignee_id, state, acknowledge_id, respond_id, complex_reason, answered_through, "
        "next_obligation, next_clause, next_starts_at, next_due_at, last_interaction_at, excerpt, "
        "resolved_at, closed_at, changed_at, category_id",
        tickets(),
    )
    say(f"{count} tickets")
    _copy(
        Finish,
        "ticket_id, at, by_id",
        ((n, receipt_of(n, now) + dt.timedelta(days=1), people[place(n, len(people))].pk)
         for n in range(1, count + 1) if not is_open(n)),
    )  # fmt: skip

    def interactions() -> Iterable[tuple[Any, ...]]:
        number = 0
        for n in range(1, count + 1):
            start = receipt_of(n, now)
            for order in range(20 if n == busy_ticket() else 3):
                number += 1
                body = paragraphs[(n * 3 + order) % 4000]
                if number % 83 == 0:
                    body += f" {COMMON}"
                if number % 25_000 == 0:
                    body += f" {RARE}"
                is_in = order % 2 == 0
                address = f"customer{n % customers + 1}@example.org"
                yield (
                    number, n, "mail", "in" if is_in else "out", "" if is_in else "answer",
                    None if is_in else people[place(n, len(people))].pk, n % customers + 1, address if is_in else "",
                    "", "{}", "{}", "", body, "", f"<{number}@example.org>", start + dt.timedelta(minutes=order),
                    start, 0,
                )  # fmt: skip

    _copy(
        Interaction,
        'id, ticket_id, kind, direction, purpose, author_id, customer_id, sender_address, sender_name, "to", cc, '
        "subject, body, html, message_id, occurred_at, recorded_at, seen_through",
        interactions(),
    )
    say("messages")
    handed_up = [n for n in range(1, count + 1) if n // 3 % ESCALATED_SHARE == 0 and not is_waiting(n)]
    _copy(
        Escalation,
        "ticket_id, team_id, origin, reason, authority_needed, raised_at, closed_at, outcome, decision, outcome_note",
        (
            (n, teams[place(n, TEAMS)].pk, "person", "Above my limit", "", receipt_of(n, now),
             *((None, "", "", "") if is_open(n) else
               (receipt_of(n, now) + dt.timedelta(hours=3), "decided", "approve", "Yes")))
            for n in handed_up
        ),
    )  # fmt: skip
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
        past = Ticket.history.model._meta
        columns = ", ".join(f.column for f in past.concrete_fields if not f.name.startswith("history_"))
        cursor.execute(
            f"insert into {past.db_table} ({columns}, history_date, history_type) "  # noqa: S608  names of ours
            f"select {columns}, opened_at, '+' from tickets_ticket"
        )
        for model in (Customer, Deadline, Ticket, Interaction):
            table = model._meta.db_table
            move = f"select setval(pg_get_serial_sequence('{table}', 'id'), (select max(id) from {table}))"  # noqa: S608
            cursor.execute(move)
        cursor.execute("vacuum analyze")
    say("escalations, history, trail, statistics")
