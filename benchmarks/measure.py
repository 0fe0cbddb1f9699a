"""Measures one database of a given size; started by `benchmarks.__main__` with DATABASE_URL pointing at it."""

from __future__ import annotations

import dataclasses
import datetime as dt
import os
import statistics
import sys
import time
from collections.abc import Callable
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

from benchmarks import seed  # noqa: E402
from csp import clock, deadlines  # noqa: E402
from csp.models import User  # noqa: E402
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


def mail(number: int) -> bytes:
    message = EmailMessage()
    message["From"] = f"Customer {number} <bench{number}@example.org>"
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
            Ticket.objects.filter(state="open", team=1, assignee=person).order_by("-pk").values_list("pk", flat=True)
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
        self.number += 1
        at = clock.now()
        landing.land(mail(self.number), door=InboundMessage.Door.COMMAND, at=at)
        taking_in.take_in(at, limit=1)

    def sweep(self) -> None:
        """Nothing is due: everything open is younger than a day."""
        deadlines.sweep(clock.now() - dt.timedelta(days=2))

    def select_one(self) -> None:
        with connection.cursor() as cursor:
            cursor.execute("select 1")


def main(size: int, rounds: int) -> None:
    def say(what: str) -> None:
        print(f"  {what}", file=sys.stderr)

    print(f"\n{size:,} tickets", flush=True)
    call_command("migrate", verbosity=0)
    person = seed.fill(size, clock.now(), say)
    settings.ROOT_URLCONF = "benchmarks.floor"
    settings.ALLOWED_HOSTS = ["testserver"]
    client = Client()
    client.force_login(person, backend="csp.access.TableBackend")
    meter = Meter(rounds)
    pages = {
        "bare page": get(client, "/bench/bare/"),
        "ideal page": get(client, "/bench/ideal/"),
        "queue": get(client, "/queue/mine/"),
        "queue, complaints": get(client, "/queue/mine/?kind=complaint"),
        "queue of the team": get(client, "/queue/team/"),
        "ticket, 20 messages": get(client, f"/tickets/{seed.busy_ticket()}/"),
        "search, common word": get(client, f"/search/?q={seed.COMMON}"),
        "search, rare word": get(client, f"/search/?q={seed.RARE}"),
    }
    costs = meter.in_turns(pages)
    floor = costs["ideal page"]
    for name, cost in costs.items():
        print(f"{name:22}{cost}   {cost.cpu / floor.cpu:6.2f} x the ideal page", flush=True)
    desk = Desk(person)
    jobs = meter.in_turns(
        {
            "create a ticket": desk.create,
            "reply": desk.reply,
            "take in a mail": desk.take_in,
            "sweep, nothing due": desk.sweep,
            "select 1": desk.select_one,
        }
    )
    for name, cost in jobs.items():
        print(f"{name:22}{cost}   {cost.cpu / floor.cpu:6.2f} x the ideal page", flush=True)


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
