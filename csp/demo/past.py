"""Making a story happen: each step is a verb of the product, called with the instant at which it happened."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, formataddr

from django.db import transaction
from django.db.models import F

from audits.models import NonCompliance
from csp import loops, outbox, trail
from csp.demo import ending, post
from csp.demo.company import Company
from csp.demo.correcting import correct
from csp.demo.plan import FIRST, Step, Story
from csp.models import Deadline, Notice, OutboundMessage, User
from tickets import (
    acknowledging,
    assignment,
    authority,
    complaints,
    complexity,
    confidence,
    delivery,
    escalation,
    handling,
    lifecycle,
    merging,
)
from tickets.conversation import Purpose, Seen, inbound, running, seen_of
from tickets.intake import landing, taking_in
from tickets.models import Delivery, Escalation, InboundMessage, Interaction, Ticket

# Mail younger than this lies in the folder of what customers received; older mail is only recorded as accepted.
LATELY = dt.timedelta(days=2)
SECONDS = dt.timedelta(seconds=1)


class NotTaken(Exception):
    """A message of a story became something else than the story says; a matter is written badly."""


def tell(story: Story, company: Company, anchor: dt.datetime) -> None:
    """Make everything in this story happen that lies before the anchor.

    One transaction, so that no worker of the present sees half of it and acts on a duty that a later step meets.
    """
    whole = transaction.atomic()
    # The loops refuse to run inside another transaction, with which they would share their locks. Here nothing is
    # shared: what a past instant finds is this story's own. By this mark Django lets its test cases do the same.
    whole._from_testcase = True  # type: ignore[attr-defined]  # the stubs leave it out
    with whole, trail.source("demonstration"):
        telling = Telling(story, company, anchor)
        telling.write(story.text, story.received_at, "first", story.subject)
        for step in story.steps:
            if step.at > anchor:
                break
            telling.judge(until=step.at)
            getattr(telling, step.what)(step)
        # What people were told days ago they have read; nobody is mailed about it now.
        Notice.objects.filter(read_at__isnull=True, created_at__lt=anchor - dt.timedelta(days=1)).update(
            read_at=F("created_at") + dt.timedelta(hours=2), by_mail=False
        )


def land(raw: bytes, *, sender: str, to: str, at: dt.datetime) -> InboundMessage:
    """A message comes in at the mail door at `at` and is taken in two seconds later."""
    row = landing.land(
        raw, door=InboundMessage.Door.SMTP, at=at, accepted_at=at, envelope_from=sender, envelope_to=to
    )  # fmt: skip
    taking_in.take_in_one(row.pk, at + 2 * SECONDS)
    row.refresh_from_db()
    return row


class Telling:
    """One story while it is being told. Its methods are the steps that csp.demo.plan names."""

    ticket: Ticket

    def __init__(self, story: Story, company: Company, anchor: dt.datetime) -> None:
        key = story.matter.team
        self.story, self.company, self.anchor = story, company, anchor
        self.mailbox = company.mailboxes[key]
        self.supervisor: User = company.supervisors[key]
        people = company.representatives[key]
        # German matters go to whoever speaks it.
        able = [person for person in people if person.language == "de"] if story.matter.language == "de" else []
        able = [person for person in people if person.name == story.agent] or able or people
        # The first of each team has the most on the desk: whoever signs in as the one that README names finds work.
        number = int(story.key[1:])
        self.agent: User = able[0 if story.key[0] == "d" and number < FIRST else number // 3 % len(able)]

    def write(self, text: str, at: dt.datetime, part: str, subject: str, refers_to: str = "") -> None:
        """The customer writes; the ticket that this opens or joins is the story's from now on."""
        writer = self.story.writer
        mail = EmailMessage(policy=SMTP)
        mail["From"] = formataddr((writer.name, writer.address))
        mail["To"] = self.mailbox.address
        mail["Subject"] = subject
        mail["Date"] = format_datetime(at)
        mail["Message-ID"] = f"<{part}.{self.story.key}.story@{writer.address.partition('@')[2]}>"
        if refers_to:
            mail["In-Reply-To"] = mail["References"] = refers_to
        mail.set_content(text)
        row = land(mail.as_bytes(), sender=writer.address, to=self.mailbox.address, at=at)
        if row.ticket is None:
            raise NotTaken(f"{self.story.key}, {self.story.matter.subject!r}: {row.state}, {row.reason}")
        self.ticket = row.ticket
        customer = self.ticket.customer
        if writer.organisation and customer is not None and not customer.organisation:
            customer.organisation = writer.organisation
            customer.save()

    def _last_of_ours(self) -> str:
        """The Message-ID that the customer's mail program refers to when it answers."""
        sent = Delivery.objects.filter(interaction__ticket=self.ticket).select_related("message")
        return sent.latest("pk").message.message_id

    def _carried(self, at: dt.datetime) -> None:
        """The next mail server takes what was written at `at`, seconds later; what that meets is met then."""
        accepted_at = at + 3 * SECONDS
        for message in OutboundMessage.objects.filter(state=OutboundMessage.State.QUEUED, created_at=at):
            message.state, message.attempts, message.answer = OutboundMessage.State.ACCEPTED, 1, "250 accepted"
            message.accepted_at = message.ended_at = accepted_at
            message.save()
            if accepted_at > self.anchor - LATELY:
                post.keep(outbox.render(message).as_bytes(), message.to, accepted_at)
        delivery.settle(accepted_at)

    def _screen(self) -> Seen:
        """What somebody sees who has the ticket open."""
        return seen_of(inbound(self.ticket))

    def _escalation(self) -> Escalation | None:
        return Escalation.objects.filter(ticket=self.ticket, closed_at__isnull=True).first()

    def judge(self, *, until: dt.datetime) -> None:
        """A complaint that took longer than its procedure allows went up in the second in which it was due."""
        clocks = running(self.ticket, *complaints.CLOCKS)
        late = [row.due_at for row in clocks if row.state == Deadline.State.OPEN and row.due_at < until]
        for due_at in sorted(late):
            self.sweep(Step("sweep", due_at + 3 * SECONDS))
            if self._escalation() is not None and due_at + dt.timedelta(hours=2) < until:
                self.decide(Step("decide", due_at + dt.timedelta(hours=1), "Please bring this to an end today."))

    # ------------------------------------------------------------ the steps

    def acknowledge(self, step: Step) -> None:
        acknowledging.acknowledge(step.at)
        self._carried(step.at)

    def take(self, step: Step) -> None:
        assignment.assign(self.ticket, to=self.agent, by=self.agent, at=step.at)
        matter = self.story.matter
        lifecycle.retype(
            self.ticket,
            by=self.agent,
            at=step.at + 20 * SECONDS,
            kind=Ticket.Kind(matter.kind),
            category=self.company.categories[matter.category],
            priority=Ticket.Priority.HIGH if matter.has("complex") else None,
        )

    def note(self, step: Step) -> None:
        handling.note(self.ticket, by=self.agent, at=step.at, body=step.text)

    def holding(self, step: Step) -> None:
        self._respond(step, Purpose.HOLDING)

    def answer(self, step: Step) -> None:
        self._respond(step, Purpose.ANSWER)

    def _respond(self, step: Step, purpose: Interaction.Purpose) -> None:
        handling.respond(
            self.ticket, by=self.agent, at=step.at, body=step.text, purpose=purpose, seen_through=self._screen()
        )  # fmt: skip
        self._carried(step.at)

    def again(self, step: Step) -> None:
        self.write(
            step.text, step.at, f"again{step.at:%d%H%M}", f"Re: {self.story.subject}", self._last_of_ours()
        )  # fmt: skip

    def no_reply(self, step: Step) -> None:
        for row in complexity.proposed(self.ticket):  # thanks are a third contact too
            complexity.dismiss_proposal(self.ticket, by=self.agent, at=step.at, reason=step.text, through=row.pk)
        handling.no_reply_needed(
            self.ticket, by=self.agent, at=step.at, reason=step.text, seen_through=self._screen()
        )  # fmt: skip

    def complex(self, step: Step) -> None:
        complexity.mark_complex(self.ticket, by=self.agent, at=step.at, reason=step.text)

    def within_authority(self, step: Step) -> None:
        complexity.decide_within_authority(self.ticket, by=self.agent, at=step.at, reason=step.text)

    def escalate(self, step: Step) -> None:
        escalation.escalate(self.ticket, by=self.agent, at=step.at, reason=step.text, to=self.supervisor)

    def accept(self, step: Step) -> None:
        if (row := self._escalation()) is not None and row.accepted_at is None:
            escalation.accept(row, by=self.supervisor, at=step.at)

    def decide(self, step: Step) -> None:
        if (row := self._escalation()) is not None:
            escalation.decide(
                row, by=self.supervisor, at=step.at, decision=Escalation.Decision.INSTRUCT, note=step.text
            )  # fmt: skip

    def hand_back(self, step: Step) -> None:
        if (row := self._escalation()) is not None:
            escalation.hand_back(row, by=self.supervisor, at=step.at, reason=step.text)

    def sweep(self, step: Step) -> None:
        """The second in which the clock found it broken, and what follows from that by itself, and by people."""
        for seconds, name in enumerate(("sweep", "escalate", "report")):
            loops.run_dry(loops.ON_TIME[name], step.at + 2 * seconds * SECONDS)
        others = [person for key, person in self.company.supervisors.items() if key != self.story.matter.team]
        number = int(self.story.key[1:])
        broken = NonCompliance.objects.filter(memberships__breach__deadline__subject_ref=self.ticket.reference)
        for case in broken.distinct():  # one may hold several broken promises of the ticket
            correct(
                case, lead=self.supervisor, owner=self.agent, judge=others[number % 2], until=self.anchor, number=number
            )

    def about(self, step: Step) -> None:
        people = self.company.representatives[self.story.matter.team]
        colleague = next(person for person in people if person.name == step.text)
        confidence.say_whom(self.ticket, about=colleague, by=self.agent, at=step.at)

    def grant(self, step: Step) -> None:
        """Write down what it costs; above the agent's limit the supervisor is asked."""
        amount, _, words = step.text.partition(" ")
        ending.write_down(self.ticket, self.story, by=self.agent, at=step.at, text=words, amount=Decimal(amount))

    def agree(self, step: Step) -> None:
        authority.decide(self.ticket, by=self.supervisor, at=step.at, agrees=True)

    def refuse(self, step: Step) -> None:
        authority.decide(self.ticket, by=self.supervisor, at=step.at, agrees=False, reason=step.text)

    def double(self, step: Step) -> None:
        """Once more about the same matter, as a new mail: a second ticket, merged later."""
        first = self.ticket
        text = "Noch eine Frage dazu: Darf ich das Gerät so lange benutzen?"
        if self.story.matter.language == "en":
            text = "One more thing on this: may I use it until then?"
        self.write(text, step.at, "second", self.story.subject)
        self.second, self.ticket = self.ticket, first

    def join(self, step: Step) -> None:
        merging.merge(self.second, into=self.ticket, by=self.agent, at=step.at)

    def bounce(self, step: Step) -> None:
        row = self.ticket.interactions.filter(purpose=Purpose.ANSWER).latest("pk")
        delivery.bounce(row.delivery, at=step.at, status="5.2.2 mailbox full")

    def resolve(self, step: Step) -> None:
        ending.write_down(self.ticket, self.story, by=self.agent, at=step.at, text=step.text)
        lifecycle.change_state(
            self.ticket, to=Ticket.State.RESOLVED, by=self.agent, at=step.at, resolution=step.text
        )  # fmt: skip

    def close(self, step: Step) -> None:
        ending.hear(self.ticket, self.story, by=self.agent, at=step.at)
        lifecycle.change_state(self.ticket, to=Ticket.State.CLOSED, by="closing", at=step.at)

    def return_(self, step: Step) -> None:
        """An answer to the mail of a closed ticket opens a linked one, which is the story's from now on."""
        self.write(step.text, step.at, "return", f"Re: {self.story.subject}", self._last_of_ours())
        acknowledging.acknowledge(step.at + 30 * SECONDS)
        self._carried(step.at + 30 * SECONDS)
        assignment.assign(self.ticket, to=self.agent, by=self.agent, at=step.at + dt.timedelta(minutes=10))
