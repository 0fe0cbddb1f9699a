"""Clause 3.1 against a model: in whatever order things happen, who waits has a clock.

The model knows only what a customer knows: which messages nobody has answered yet. The product must agree on two things
after every step: somebody waits if and only if a clock runs, and a clock runs from the oldest message that waits.
"""

from __future__ import annotations

import contextlib
import dataclasses
import datetime as dt
import os

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from csp import deadlines
from tests import factories as make
from tests.cast import Cast
from tests.kill.reconcile import trails_with_gaps
from tickets import escalation, handling, merging
from tickets.complexity import proposed
from tickets.conversation import ANSWERING, Purpose, inbound, root_number, running, was_answered
from tickets.models import Interaction, Ticket


@dataclasses.dataclass
class Answer:
    row: Interaction
    covers: frozenset[int]  # the messages that its author had on screen
    ended: bool = False


class Desk:
    """Two tickets of one customer, the product's and the model's."""

    def __init__(self, cast: Cast) -> None:
        self.cast = cast
        self.now = make.AT
        self.tickets = [make.ticket(team=cast.team, customer=cast.carl) for _number in range(2)]
        self.waiting: dict[int, tuple[int, dt.datetime]] = {}  # message: (ticket, receipt)
        self.said: dict[int, tuple[int, dt.datetime]] = {}
        for ticket in self.tickets:
            self._said(ticket.interactions.get(), ticket)
        self.answers: list[Answer] = []

    def _said(self, row: Interaction, ticket: Ticket) -> None:
        self.said[row.pk] = self.waiting[row.pk] = (ticket.pk, row.occurred_at)

    def family(self, ticket: Ticket) -> set[int]:
        root = root_number(ticket.pk)
        return {other.pk for other in self.tickets if root_number(other.pk) == root}

    def step(self, what: str, which: int, choice: int) -> None:
        self.now += dt.timedelta(minutes=7)
        ticket = self.tickets[which]
        getattr(self, f"do_{what}")(ticket, choice)

    def do_wait(self, ticket: Ticket, choice: int) -> None:
        self.now += dt.timedelta(hours=9 * (choice + 1))
        deadlines.sweep(self.now)
        escalation.pull(self.now)

    def do_message(self, ticket: Ticket, choice: int) -> None:
        # every other one was received before it was taken in
        received_at = self.now - dt.timedelta(minutes=3 * (choice % 2))
        root = Ticket.objects.get(pk=root_number(ticket.pk))
        self._said(make.message(ticket=ticket, at=self.now, received_at=received_at), root)

    def do_automatic(self, ticket: Ticket, choice: int) -> None:
        make.message(ticket=ticket, at=self.now, automatic=True)

    def do_answer(self, ticket: Ticket, choice: int) -> None:
        purpose = Purpose.HOLDING if choice == 2 else Purpose.ANSWER
        row = make.answer(ticket=ticket, by=self.cast.rita, at=self.now, purpose=purpose)
        seen = {number for number, (home, _at) in self.said.items() if home in self.family(ticket)}
        self.answers.append(Answer(row, frozenset(seen if purpose == Purpose.ANSWER else ())))

    def _pending(self, choice: int) -> Answer | None:
        pending = [answer for answer in self.answers if not answer.ended]
        return pending[choice % len(pending)] if pending else None

    def do_accept(self, ticket: Ticket, choice: int) -> None:
        answer = self._pending(choice)
        if answer is not None:
            answer.ended = True
            make.accept(interaction=answer.row, at=self.now)
            for number in answer.covers:
                self.waiting.pop(number, None)

    def do_refuse(self, ticket: Ticket, choice: int) -> None:
        answer = self._pending(choice)
        if answer is not None:
            answer.ended = True
            make.refuse(interaction=answer.row, at=self.now)

    def do_no_reply(self, ticket: Ticket, choice: int) -> None:
        root = Ticket.objects.get(pk=root_number(ticket.pk))
        never = not was_answered(inbound(root), sorted(self.family(root)))
        refused = bool(running(root, "respond") or not running(root, "follow_up") or never or proposed(root))
        try:
            with transaction.atomic():
                handling.no_reply_needed(
                    ticket, by=self.cast.rita, at=self.now, reason="Only thanks.",
                    seen_through=make.on_screen(ticket=ticket),
                )  # fmt: skip
        except handling.Refused:
            assert refused
            return
        assert not refused
        for number in [n for n, (home, _at) in self.waiting.items() if home in self.family(ticket)]:
            del self.waiting[number]

    def do_merge(self, ticket: Ticket, choice: int) -> None:
        other = self.tickets[1 - self.tickets.index(ticket)]
        if root_number(ticket.pk) == root_number(other.pk):
            merged = ticket if Ticket.objects.get(pk=ticket.pk).merged_into_id else other
            merging.unmerge(merged, by=self.cast.rita, at=self.now)
        else:
            merging.merge(ticket, into=other, by=self.cast.rita, at=self.now)

    def check(self) -> None:
        for number in {root_number(ticket.pk) for ticket in self.tickets}:
            root = Ticket.objects.get(pk=number)
            family = self.family(root)
            waits = [at for home, at in self.waiting.values() if home in family]
            clocks = running(root, *ANSWERING)
            assert bool(waits) == bool(clocks), f"waiting: {waits}, clocks: {clocks}"
            if waits:
                oldest = min(clock.starts_at for clock in clocks)
                assert oldest <= min(waits), "who waits longest has no clock of that age"
                assert root.next_due_at == min(clock.due_at for clock in running(root) if clock.clause == "3.1")
                assert root.is_unfinished, "a state hides a running clock"
            if len(family) == 1:
                assert len(clocks) <= 1, "one running clock for one ticket"
        assert trails_with_gaps() == 0


EXAMPLES = 400 if os.environ.get("CSP_CHAOS") else 25
STEPS = [
    "wait",
    "message",
    "message",
    "automatic",
    "answer",
    "answer",
    "accept",
    "accept",
    "refuse",
    "no_reply",
    "merge",
]


class _TakenBack(Exception):
    pass


@pytest.mark.chaos
@pytest.mark.slow
@settings(
    max_examples=EXAMPLES, deadline=None, derandomize=True, print_blob=False,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)  # fmt: skip
@given(steps=st.lists(st.tuples(st.sampled_from(STEPS), st.integers(0, 1), st.integers(0, 2)), min_size=3, max_size=10))
def test_who_waits_has_a_clock_from_the_oldest_message(cast: Cast, steps: list[tuple[str, int, int]]) -> None:
    story = transaction.atomic()
    story._from_testcase = True  # as Django's own TestCase says: what is durable inside is none the less taken back
    with contextlib.suppress(_TakenBack), story:
        desk = Desk(cast)
        for step in steps:
            desk.step(*step)
            desk.check()
        raise _TakenBack
