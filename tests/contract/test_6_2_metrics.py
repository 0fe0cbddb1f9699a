"""Clause 6.2: every figure of service agrees with SQL that was written for this test by hand, whatever happened.

What happened is made up by a seed, with the product's own verbs: answers in time and late, messages that nobody
answers, resolutions that hold and that do not, mail that comes back, breaches that are read otherwise, merges.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import random
from typing import Any

import pytest
from django.db import connection

from audits import metrics, periods
from audits.figures import Figure
from audits.metrics import Scope
from csp import access, assessing, deadlines
from csp.models import Assessment, Attempt, Breach, Deadline, User
from tests import factories as make
from tests.cast import Cast
from tests.factories import DAY, HOUR, SECOND
from tickets import assignment, handling, lifecycle, merging
from tickets.conversation import Direction, Said
from tickets.conversation import Kind as Spoken
from tickets.models import Category, Ticket

MARCH = "2025-03"
MONTH = dt.datetime(2025, 3, 1, tzinfo=dt.UTC)
LATER = dt.datetime(2025, 4, 20, tzinfo=dt.UTC)
Verdict, State, Kind = Assessment.Verdict, Ticket.State, Ticket.Kind


def scope(cast: Cast, code: str = MARCH, as_of: dt.datetime = LATER, **more: Any) -> Scope:
    return Scope(cast.contract, periods.read(code, as_of, cast.contract.zoneinfo), as_of, **more)


def ask(sql: str, **values: object) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(sql, values)
        return cursor.fetchall()


# ---------------------------------------------------------------- a month that a seed makes up


class Month:
    """Some twenty tickets of two teams, received around a March, and what became of them."""

    def __init__(self, cast: Cast, seed: int) -> None:
        self.cast, self.rng, self.at = cast, random.Random(seed), MONTH
        self.categories = [
            Category.objects.create(contract=cast.contract, name=name) for name in ("Delivery", "Invoices")
        ]
        self.customers = [make.customer(name=f"Customer {n}", address=f"c{n}@northwind.example") for n in range(22)]
        self.tickets: list[Ticket] = []
        for number in range(22):
            self.tell(number)
        open_ones = Ticket.objects.filter(state__in=[State.NEW, State.OPEN, State.WAITING]).order_by("pk")
        for one in self.rng.sample(list(open_ones), 3):
            other = make.ticket(team=one.team, customer=one.customer, received_at=MONTH + 33 * DAY)
            merging.merge(other, into=one, by=self.who(one)[1], at=MONTH + 33 * DAY + HOUR)
        make.tick(at=LATER - DAY)
        for breach in Breach.objects.filter(obligation__in=["respond", "follow_up"]).order_by("pk"):
            if self.rng.random() < 0.6:
                self.rule(breach)

    def who(self, ticket: Ticket) -> tuple[User, User]:
        cast = self.cast
        return (cast.rita, cast.sam) if ticket.team_id == cast.team.pk else (cast.otto, cast.olga)

    def tell(self, number: int) -> None:
        rng, cast = self.rng, self.cast
        received = MONTH + dt.timedelta(seconds=rng.randrange(-5 * 86_400, 33 * 86_400))
        channel = rng.choice([Ticket.Channel.MAIL, Ticket.Channel.FORM])
        customer = self.customers[number]
        ticket = handling.open_ticket(
            team=rng.choice([cast.team, cast.other_team]), subject="Where is it?", channel=channel,
            received_at=received, at=received, by=customer, customer=customer,
            said=Said(
                kind=Spoken.MAIL, direction=Direction.IN, body="Where is it?", occurred_at=received, customer=customer,
                sender_name=customer.name, sender_address=make.address_of(customer=customer),
            ),
        )  # fmt: skip
        people = self.who(ticket)
        at = received
        if rng.random() < 0.5:
            kind = rng.choice([None, Kind.COMPLAINT])
            lifecycle.retype(ticket, by=people[1], at=at, kind=kind, category=rng.choice(self.categories))
        for _round in range(rng.randrange(4)):
            at += dt.timedelta(seconds=rng.choice([1, 2, 3, 30]) * rng.randrange(60, 20_000))
            self.sweep(at)
            ticket.refresh_from_db()
            row = make.answer(ticket=ticket, by=rng.choice(people), at=at, accepted_at=at + SECOND)
            lot = rng.random()
            if lot < 0.1:
                make.bounce(interaction=row, at=at + HOUR)
                at += HOUR
            if lot < 0.6:
                at += dt.timedelta(seconds=rng.randrange(60, 40_000))
                ticket.refresh_from_db()
                if (
                    ticket.kind != Kind.COMPLAINT
                    and not Deadline.objects.running().filter(subject_ref=ticket.reference).exists()
                ):
                    lifecycle.change_state(ticket, to=State.RESOLVED, by=rng.choice(people), at=at)
            if rng.random() < 0.5:
                at += dt.timedelta(seconds=rng.randrange(60, 100_000))
                ticket.refresh_from_db()
                make.message(ticket=ticket, at=at)
        self.tickets.append(ticket)

    def sweep(self, at: dt.datetime) -> None:
        while deadlines.sweep(at):
            pass

    def rule(self, breach: Breach) -> None:
        cast, start = self.cast, breach.deadline.starts_at
        proposes, decides = (cast.rita, cast.olga) if breach.team_id == cast.team.pk else (cast.otto, cast.sam)
        row = assessing.propose(
            breach, by=proposes, at=LATER - 2 * HOUR, verdict=self.rng.choice(list(Verdict)), reason="Look",
            files=[assessing.File("log.txt", "text/plain", b"10:00")],
            attempts=[assessing.Tried(Attempt.Channel.PHONE, start), assessing.Tried(Attempt.Channel.MAIL, start)],
        )  # fmt: skip
        with contextlib.suppress(access.Refused):  # who had a hand in it may not decide
            assessing.decide(row, by=decides, at=LATER - HOUR, agreed=self.rng.random() < 0.8, reason="I looked")


WAYS = {
    "": "true",
    "team": "x.team = {}",
    "person": "x.person is not distinct from {}",
    "channel": "x.channel = {}",
    "category": "x.category is not distinct from {}",
}

# The promises of a March in London, with who answered for each and how a breach of it is read.
OWED = """
select d.obligation, d.met_at - d.starts_at as took, t.channel, t.category_id as category,
  coalesce(b.team_id, d.team_id) as team, coalesce(b.responsible_id, d.met_by_id, d.responsible_id) as person,
  b.id as breach, d.state, d.met_at, r.verdict,
  d.id in (select reopens_id from csp_deadline where reopens_id is not null) as returned
from csp_deadline d
inner join tickets_ticket t on '#' || t.id = d.subject_ref
left join csp_breach b on d.id = b.deadline_id
left join (select breach_id, verdict from csp_assessment where agreed is true
  and verdict in ('not_owed', 'recorded_late', 'unreachable')) r on r.breach_id = b.id
where to_char(d.due_at at time zone 'Europe/London', 'YYYY-MM') = '2025-03' and d.state <> 'void'"""

# The value below which a share of them lies, between two neighbours where it falls between them.
POINT = """
with lengths as (
  select extract(epoch from took)::numeric as length, row_number() over (order by took) - 1 as place,
    count(*) over () - 1 as last
  from ({rows}) x where took is not null and not returned and obligation = %(code)s and {way} and {which}
), ends as (select floor(%(share)s * max(last)) as low, %(share)s * max(last) as point from lengths)
select (select floor(a.length + (coalesce(b.length, a.length) - a.length) * (point - low) + 0.5)::int
  from lengths a left join lengths b on b.place = low + 1 where a.place = low) from ends"""


def each_way(found: metrics.Found) -> list[tuple[str, Any, metrics.Measures]]:
    return [(name, key, one) for name, keys in found.items() for key, one in keys.items()]


def said(name: str, key: Any) -> str:
    value = "null" if key is None or (name == "category" and key == 0) else f"'{key}'" if name == "channel" else key
    return WAYS[name].format(value)


@pytest.mark.parametrize("seed", [1, 2])
def test_every_figure_agrees_with_sql_written_by_hand(cast: Cast, seed: int) -> None:
    Month(cast, seed)
    for ticket in Ticket.objects.exclude(state=State.MERGED).prefetch_related("finishes"):
        in_force = [one for one in ticket.finishes.all() if one.undone_at is None]
        assert len(in_force) == (not ticket.is_unfinished), ticket
    found = metrics.compute(scope(cast), metrics.DIMENSIONS)
    shares_of_promises(found)
    lengths_of_promises(found)
    what_was_finished(found)
    what_was_received_and_waits(found)
    for name in metrics.DIMENSIONS:
        for key, one in found[name].items():
            if key is not None:
                assert metrics.compute(scope(cast, **{name: key}))[""][None] == one, f"a filter: {name} {key}"


def shares_of_promises(found: metrics.Found) -> None:
    seen = 0
    for name, key, one in each_way(found):
        for promise, code in metrics.PROMISES.items():
            [(kept, broken, excused, late)] = ask(
                f"select count(*) filter (where state = 'met' and not returned), count(breach),"
                f" count(*) filter (where verdict in ('not_owed', 'unreachable')),"
                f" count(*) filter (where verdict = 'recorded_late')"
                f" from ({OWED}) x where obligation = %(code)s and {said(name, key)}", code=code,
            )  # fmt: skip
            figure: Figure = getattr(one, promise).figure
            assert (figure.kept, figure.broken) == (kept, broken), (name, key, promise)
            assert figure.kept_as_assessed == kept + late
            assert figure.broken_as_assessed == broken - excused - late
            seen += figure.owed
    assert seen > 40


def lengths_of_promises(found: metrics.Found) -> None:
    seen = 0
    for name, key, one in each_way(found):
        for promise, code in metrics.PROMISES.items():
            for which, times in (
                ("true", getattr(one, promise).raw),
                ("verdict is null", getattr(one, promise).assessed),
            ):
                sql = POINT.format(rows=OWED, way=said(name, key), which=which)
                [(half,)] = ask(sql, code=code, share=0.5)
                [(most,)] = ask(sql, code=code, share=0.9)
                assert (times.half, times.most) == (half, most), (name, key, promise, which)
                [(count, *parts)] = ask(
                    f"select count(took), count(*) filter (where took <= '1 hour'),"
                    f" count(*) filter (where took > '1 hour' and took <= '4 hours'),"
                    f" count(*) filter (where took > '4 hours' and took <= '8 hours'),"
                    f" count(*) filter (where took > '8 hours' and took <= '24 hours'),"
                    f" count(*) filter (where took > '24 hours')"
                    f" from ({OWED}) x where obligation = %(code)s and not returned and {said(name, key)} and {which}",
                    code=code,
                )  # fmt: skip
                assert times.count == count
                if promise != "complaints":
                    assert times.parts == tuple(parts)
                seen += count
    assert seen > 40


FINISHED = """
select distinct on (f.ticket_id) f.ticket_id, f.at - t.received_at as took, t.channel, t.category_id as category,
  t.team_id as team, f.by_id as person, false as returned, 'finished' as obligation,
  f.ticket_id in (select ticket_id from tickets_finish where undone_at is not null
    and to_char(at at time zone 'Europe/London', 'YYYY-MM') = '2025-03') as reopened
from tickets_finish f, tickets_ticket t
where t.id = f.ticket_id and to_char(f.at at time zone 'Europe/London', 'YYYY-MM') = '2025-03'
  and t.merged_into_id is null and t.origin <> 'imported' order by f.ticket_id, f.at desc"""


def what_was_finished(found: metrics.Found) -> None:
    for name, key, one in each_way(found):
        [(count, reopened)] = ask(
            f"select count(*), count(*) filter (where reopened) from ({FINISHED}) x where {said(name, key)}"
        )
        assert (one.finished.count, one.reopened) == (count, reopened), (name, key)
        sql = POINT.format(rows=FINISHED, way=said(name, key), which="true")
        [(half,)], [(most,)] = ask(sql, code="finished", share=0.5), ask(sql, code="finished", share=0.9)
        assert (one.finished.half, one.finished.most) == (half, most), (name, key)
    assert found[""][None].finished.count > 5


def what_was_received_and_waits(found: metrics.Found) -> None:
    end = dt.datetime(2025, 3, 31, 23, tzinfo=dt.UTC)
    is_done = (
        "exists (select 1 from tickets_finish f where f.ticket_id = t.id and f.at < %(end)s"
        " and coalesce(f.undone_at >= %(end)s, true))"
    )
    rows = (
        "select t.id, t.received_at, t.channel, t.team_id as team, t.category_id as category,"
        f" t.assignee_id as person, {is_done} as done, t.merged_at from tickets_ticket t where origin = 'customer'"
    )
    for name, key, one in each_way(found):
        [(received, done)] = ask(
            f"select count(*), count(*) filter (where done) from ({rows}) x where merged_at is null"
            f" and to_char(received_at at time zone 'Europe/London', 'YYYY-MM') = '2025-03' and {said(name, key)}",
            end=end,
        )
        assert (one.received, one.received_finished) == (received, done), (name, key)
        [(waiting, old, oldest)] = ask(
            f"select count(*), count(*) filter (where %(end)s - received_at > '7 days'),"
            f" extract(epoch from max(%(end)s - received_at))::int from ({rows}) x"
            f" where received_at < %(end)s and not done and coalesce(merged_at >= %(end)s, true) and {said(name, key)}",
            end=end,
        )  # fmt: skip
        assert (one.waiting, one.waiting_old, one.oldest) == (waiting, old, oldest), (name, key)


def test_it_is_counted_as_it_was_known_then(cast: Cast) -> None:
    """Whatever happens after an instant, the figures as known at it stay: late answers, reopenings, moves, rulings."""
    month = Month(cast, 3)
    before = metrics.compute(scope(cast, dated=True), ("team", "channel", "category"))
    assert before == metrics.compute(scope(cast), ("team", "channel", "category"))
    at = LATER + DAY
    for number, ticket in enumerate(Ticket.objects.filter(merged_into=None).order_by("pk")):
        by, lead = month.who(ticket)
        if number % 3 == 0:
            lifecycle.retype(ticket, by=lead, at=at, category=month.categories[number % 2])
        if ticket.state == State.RESOLVED or ticket.state == State.CLOSED:
            lifecycle.change_state(ticket, to=State.OPEN, by=lead, at=at)
        elif number % 2:
            make.answer(ticket=ticket, by=by, at=at, accepted_at=at)
        if number % 5 == 0:
            other = cast.team if ticket.team_id == cast.other_team.pk else cast.other_team
            ticket.refresh_from_db()
            assignment.move(ticket, team=other, by=lead, at=at)
    assert metrics.compute(scope(cast, dated=True), ("team", "channel", "category")) == before
    assert metrics.compute(scope(cast, as_of=at + DAY)) != {"": before[""]}, "and now they are others"
