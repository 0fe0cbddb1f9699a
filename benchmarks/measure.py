"""Measures one database of a given size; started by `benchmarks.__main__` with DATABASE_URL pointing at it."""

from __future__ import annotations

import dataclasses
import datetime as dt
import logging
import os
import re
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from email.message import EmailMessage

import django
import psutil

os.environ["DJANGO_SETTINGS_MODULE"] = "csp.settings"
django.setup()

from django.conf import settings  # noqa: E402
from django.core.management import call_command  # noqa: E402
from django.db import connection, reset_queries  # noqa: E402
from django.test import Client  # noqa: E402
from django.test.utils import override_settings  # noqa: E402

from audits import metrics, periods, statements  # noqa: E402
from benchmarks import seed  # noqa: E402
from csp import clock, deadlines  # noqa: E402
from csp.models import Contract, User  # noqa: E402
from tickets import handling  # noqa: E402
from tickets.conversation import Direction, Kind, Said  # noqa: E402
from tickets.intake import landing, taking_in  # noqa: E402
from tickets.models import InboundMessage, Interaction, Ticket  # noqa: E402


@dataclasses.dataclass
class Cost:
    """Median cost of one call: CPU of this process and of the database backend, wall, statements."""

    cpu: float
    wall: float
    statements: int

    def __str__(self) -> str:
        return f"{self.cpu * 1000:8.2f} ms CPU {self.wall * 1000:8.2f} ms wall {self.statements:4d} statements"


class Meter:
    """Runs calls in turns and weighs each with process CPU plus the CPU of our own database backend."""

    def __init__(self, rounds: int) -> None:
        self.rounds = rounds
        with connection.cursor() as cursor:
            # What another process did for a statement would not be weighed.
            cursor.execute("set max_parallel_workers_per_gather = 0")
            cursor.execute("select pg_backend_pid()")
            self._backend = psutil.Process(cursor.fetchone()[0])

    def _cpu(self) -> float:
        times = self._backend.cpu_times()
        return time.process_time() + times.user + times.system

    def in_turns(self, calls: dict[str, Callable[[], object]]) -> dict[str, Cost]:
        """The backend's CPU comes in hundredths of a second, so it is summed over all rounds, not taken by round."""
        cpu = dict.fromkeys(calls, 0.0)
        wall: dict[str, list[float]] = {name: [] for name in calls}
        statements = {}
        for name, call in calls.items():
            call()  # warm
            with override_settings(DEBUG=True):
                reset_queries()
                call()
                statements[name] = len(
                    [q for q in connection.queries if not q["sql"].startswith(("SAVEPOINT", "RELEASE"))]
                )
        batch = 5
        for _ in range(max(1, self.rounds // batch)):
            for name, call in calls.items():
                before, started = self._cpu(), time.perf_counter()
                for _ in range(batch):
                    at = time.perf_counter()
                    call()
                    wall[name].append(time.perf_counter() - at)
                del started
                cpu[name] += self._cpu() - before
        count = max(1, self.rounds // batch) * batch
        return {name: Cost(cpu[name] / count, statistics.median(wall[name]), statements[name]) for name in calls}


def get(client: Client, path: str) -> Callable[[], object]:
    def call() -> object:
        answer = client.get(path)
        if answer.status_code != 200:
            raise SystemExit(f"{path} answered {answer.status_code}")
        return answer

    return call


def mail(number: int, sender: str) -> bytes:
    message = EmailMessage()
    message["From"] = f"Customer {number} <{sender}>"
    message["To"] = "desk@desk.example"
    message["Subject"] = f"Where is my order {number}"
    message["Message-ID"] = f"<bench{number}@example.org>"
    message.set_content("Hello, I ordered a week ago and have heard nothing since. When does it come?\n" * 5)
    return message.as_bytes()


class Desk:
    """The jobs: create, reply, take in a mail, sweep; each call a new piece of work."""

    def __init__(self, person: User) -> None:
        self.person, self.number = person, 0
        self.open = list(
            Ticket.objects.filter(state__in=["new", "open"], assignee=person)
            .order_by("-pk")
            .values_list("pk", flat=True)
        )

    def create(self) -> None:
        self.number += 1
        at = clock.now()
        handling.open_ticket(
            team=self.person.grants.get().team,
            subject=f"Order {self.number}",
            channel=Ticket.Channel.MAIL,
            received_at=at,
            at=at,
            by=self.person,
            said=Said(kind=Kind.MAIL, direction=Direction.IN, body="Where is it? " * 20, occurred_at=at),
        )

    def reply(self) -> None:
        ticket = Ticket.objects.get(pk=self.open.pop())
        last = Interaction.objects.filter(ticket=ticket, direction="in").order_by("-pk").values_list("pk", flat=True)[0]
        self.person.scope_cache = None
        handling.respond(
            ticket, by=self.person, at=clock.now(), body="It comes on Friday. " * 10, seen_through={ticket.pk: last}
        )  # fmt: skip

    def take_in(self) -> None:
        """From somebody whom we know."""
        self._take_in(f"customer{self.number + 1}@example.org")

    def take_in_new(self) -> None:
        """From somebody who never wrote before."""
        self._take_in(f"bench{self.number + 1}@example.org")

    def _take_in(self, sender: str) -> None:
        self.number += 1
        at = clock.now()
        landing.land(mail(self.number, sender), door=InboundMessage.Door.COMMAND, at=at)
        taking_in.take_in(at, limit=1)

    def sweep(self) -> None:
        """Nothing is due: everything open is younger than a day."""
        deadlines.sweep(clock.now() - dt.timedelta(days=2))

    def select_one(self) -> None:
        with connection.cursor() as cursor:
            cursor.execute("select 1")


PAGES = {  # what is asked of the queue: every view, every filter, common and rare values
    "queue, mine": "mine/",
    "queue, the team's": "team/",
    "queue, unassigned": "unassigned/",
    "queue, escalated": "escalated/",
    "queue, waiting": "waiting/",
    "queue, finished": "finished/",
    "queue, complaints": "team/?kind=complaint",
    "queue, feedback (rare)": "team/?kind=feedback",
    "queue, by letter (rare)": "team/?channel=letter",
    "queue, urgent (rare)": "team/?priority=4",
    "queue, of a category": "team/?category=7",
    "queue, due in 4 h": "team/?due=4h",
    "queue, waits for us": "team/?attention=1",
    "queue, a word": "team/?q=bace",
    "mine, feedback (rare)": "mine/?kind=feedback",
}
WIDE = ("queue, the team's", "queue, unassigned", "queue, waiting", "queue, finished", "queue, feedback (rare)",
        "queue, a word")  # fmt: skip


def browser(email: str) -> Client:
    client = Client()
    client.force_login(User.objects.get(email=email), backend="csp.access.TableBackend")
    return client


def second_page(client: Client, path: str) -> str:
    """The address that the Next link of a list leads to."""
    found = re.search(r"after=([^\"&]+)", client.get(path).content.decode())
    return f"{path}?after={found[1]}" if found else path


def pages_of(rita: Client, sam: Client, vera: Client) -> dict[str, Callable[[], object]]:
    """Rita serves one team, Sam supervises three, Vera audits the contract with all eight."""
    calls = {name: get(rita, f"/queue/{rest}") for name, rest in PAGES.items()}
    calls["queue, second page"] = get(rita, second_page(rita, "/queue/team/"))
    for who, client in (("three teams", sam), ("auditor", vera)):
        calls |= {f"{who}: {name}": get(client, f"/queue/{PAGES[name]}") for name in WIDE}
        calls |= {f"{who}: escalations": get(client, "/escalations/")}
        for scope in ("queue:team", "escalations"):
            calls |= {f"{who}: changes of {scope}": polling(client, scope)}
    calls["changes of queue:mine"] = polling(rita, "queue:mine")
    calls |= {
        "ticket, 20 messages": get(rita, f"/tickets/{seed.busy_ticket()}/"),
        "search, common word": get(rita, f"/search/?q={seed.COMMON}"),
        "search, rare word": get(rita, f"/search/?q={seed.RARE}"),
        "board, this month": get(sam, "/compliance/"),
        "board, 13 weeks": get(sam, "/compliance/?period=13w"),
        "promises of 3.1": get(vera, "/compliance/promises/?period=13w&clause=3.1"),
        "contract": get(rita, "/contract/"),
        "metrics, this month": get(sam, "/metrics/"),
        "metrics, 13 weeks": get(sam, "/metrics/?period=13w"),
        "metrics, by person": get(sam, "/metrics/?by=person"),
    }
    return calls


def polling(client: Client, scope: str) -> Callable[[], object]:
    """What an open page asks every two seconds."""
    cursor = client.get("/changes", {"scope": scope, "since": ""}).json()["cursor"]

    def call() -> object:
        answer = client.get("/changes", {"scope": scope, "since": cursor})
        if answer.status_code != 204:
            raise SystemExit(f"changes of {scope} answered {answer.status_code}")
        return answer

    return call


def statement() -> Callable[[], object]:
    """What signing a statement counts: every figure of the last whole month, as known now."""
    contract, at = Contract.objects.get(), clock.now()
    period = periods.before(periods.this_month(at, contract.zoneinfo), contract.zoneinfo)
    scope = metrics.Scope(contract, period, at, dated=True)
    return lambda: statements.figures_of(scope)


def bare_search(word: str) -> Callable[[], object]:
    """The floor of a search: the fifty latest messages that say a word, by the index, and nothing else."""

    def call() -> object:
        with connection.cursor() as cursor:
            cursor.execute(
                # Found first, then sorted: else a rare word is looked for along the whole list of tickets.
                "with found as materialized "
                "(select ticket_id from tickets_interaction where search @@ to_tsquery('simple', %s)) "
                "select ticket_id from found order by ticket_id desc limit 50",
                [word],
            )
            return cursor.fetchall()

    return call


def show(costs: dict[str, Cost], floor: Cost) -> None:
    for name, cost in costs.items():
        print(f"{name:38}{cost}   {cost.cpu / floor.cpu:6.2f} x the ideal page", flush=True)


def only(words: Sequence[str], calls: dict[str, Callable[[], object]]) -> dict[str, Callable[[], object]]:
    """Those whose name holds one of the words; without words all of them."""
    return {name: call for name, call in calls.items() if not words or any(word.lower() in name for word in words)}


def main(size: int, rounds: int, words: Sequence[str] = ()) -> None:
    def say(what: str) -> None:
        print(f"  {time.monotonic() - began:5.0f} s  {what}", file=sys.stderr, flush=True)

    began = time.monotonic()
    logging.disable(logging.INFO)
    print(f"\n{size:,} tickets", flush=True)
    call_command("migrate", verbosity=0)
    seed.fill(size, clock.now(), say)
    settings.ROOT_URLCONF = "benchmarks.floor"
    settings.ALLOWED_HOSTS = ["testserver"]
    rita, sam, vera = (browser(f"{name}@desk.example") for name in ("person0", "supervisor", "auditor"))
    meter = Meter(rounds)
    floors = {
        "bare page": get(rita, "/bench/bare/"),
        "ideal page": get(rita, "/bench/ideal/"),
        "bare SQL, common word": bare_search(seed.COMMON),
        "bare SQL, rare word": bare_search(seed.RARE),
    }
    costs = meter.in_turns(floors | only(words, pages_of(rita, sam, vera)))
    floor = costs["ideal page"]
    show(costs, floor)
    desk = Desk(User.objects.get(email="person0@desk.example"))
    jobs: dict[str, Callable[[], object]] = {
        "create a ticket": desk.create,
        "reply": desk.reply,
        "take in a mail": desk.take_in,
        "take in one of somebody new": desk.take_in_new,
        "sweep, nothing due": desk.sweep,
        "metrics of a statement": statement(),
        "select 1": desk.select_one,
    }
    show(meter.in_turns(only(words, jobs)), floor)


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3:])
