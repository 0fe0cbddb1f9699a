"""What must be so before a ticket is finished: the one list that the verbs ask and the page shows (clauses 3.2, 4.1).

Each requirement looks at the ticket and says whether it is met, or nothing where it does not apply. Another clause adds
its own by a line in REQUIREMENTS.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Callable, Sequence
from functools import cached_property

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from csp.access import Refused
from csp.models import Deadline, OutboundMessage
from tickets import authority, checklists, complexity
from tickets.conversation import ANSWERING, Purpose, answered_through, family, inbound, running, seen_of
from tickets.models import (
    Call,
    CallBack,
    ChecklistStep,
    ComplexityProposal,
    ContactRecord,
    Resolution,
    SpokenTo,
    Ticket,
)
from tickets.resolving import current

State, Kind = Ticket.State, Ticket.Kind


@dataclasses.dataclass(frozen=True, slots=True)
class Requirement:
    """One thing that must be so: `done` says that it is, `sentence` what is missing where it is not; the page (by the
    ticket's number) that mends it.

    `hides` marks what no state but open may hide: a customer who waits, a supervisor who has not heard.
    """

    name: str
    is_met: bool
    done: str
    sentence: str
    remedy: str = ""
    url_name: str = ""
    hides: bool = False


class Matter:
    """What all requirements look at: the ticket with those merged into it. Each set is read once, when it is asked for.

    A page that has read one of the sets already says so by setting it.
    """

    def __init__(self, ticket: Ticket, to: Ticket.State = State.CLOSED, *, numbers: list[int] | None = None) -> None:
        self.ticket, self.to = ticket, to
        self.numbers = numbers or family(ticket)

    @cached_property
    def resolution(self) -> Resolution | None:
        return current(self.ticket)

    @cached_property
    def clocks(self) -> list[Deadline]:
        """Those that run."""
        return running(self.ticket, numbers=self.numbers)

    @cached_property
    def proposals(self) -> list[ComplexityProposal]:
        """That it is complex, as rules propose and nobody has decided."""
        return complexity.proposed(self.ticket, self.numbers)

    @cached_property
    def steps(self) -> list[ChecklistStep]:
        return checklists.steps_of(self.ticket, self.numbers)

    @cached_property
    def contacts(self) -> list[dt.datetime | None]:
        """When the record of each call, visit and letter was complete."""
        rows = ContactRecord.objects.filter(interaction__ticket__in=self.numbers)
        return list(rows.values_list("ended_at", flat=True))

    @cached_property
    def late_calls(self) -> list[dt.datetime | None]:
        """When a supervisor ruled on each call that was written down late."""
        rows = Call.objects.filter(interaction__ticket__in=self.numbers, is_typed_late=True)
        return list(rows.values_list("ruled_at", flat=True))

    @cached_property
    def call_backs(self) -> list[dt.datetime | None]:
        """When each promised call was made or taken back."""
        return list(CallBack.objects.filter(ticket__in=self.numbers).values_list("ended_at", flat=True))


Check = Callable[[Matter], Requirement | None]


class NotFinished(Refused):
    """Something is missing; `missing` says what."""

    def __init__(self, missing: Sequence[Requirement]) -> None:
        super().__init__(" ".join(row.sentence for row in missing))
        self.missing = list(missing)


def requirements(matter: Matter) -> list[Requirement]:
    """Everything that this ticket needs before it is resolved or closed, met or not, in the order of the work."""
    found = [check(matter) for check in REQUIREMENTS]
    return [row for row in found if row is not None]


def missing(ticket: Ticket, to: Ticket.State) -> list[Requirement]:
    return [row for row in requirements(Matter(ticket, to)) if not row.is_met]


def check(ticket: Ticket, to: Ticket.State) -> None:
    """Raise NotFinished where the ticket may not be in this state yet. Waiting asks only that nothing is hidden."""
    lacking = [row for row in missing(ticket, to) if row.hides or to != State.WAITING]
    if lacking:
        raise NotFinished(lacking)


# ---------------------------------------------------------------- what is asked


def _answered(matter: Matter) -> Requirement:
    asked = [row for row in matter.clocks if row.obligation in ANSWERING]
    waits = bool(asked) and not _answer_on_its_way(matter.ticket, matter.numbers, asked)
    return Requirement(
        "answer", not waits, _("The customer is answered"),
        _("The customer has not been answered yet. Answer first, or rule that a follow-up needs no reply."),
        hides=True,
    )  # fmt: skip


def _answer_on_its_way(ticket: Ticket, numbers: list[int], clocks: list[Deadline]) -> bool:
    """Whether what was written in sight of the customer's last word waits to be taken by a server outside."""
    under_way = SpokenTo.objects.filter(
        ticket__in=numbers, interaction__purpose=Purpose.ANSWER, interaction__delivery__settled_at__isnull=True
    ).exclude(interaction__delivery__message__state=OutboundMessage.State.FAILED)
    through = dict(under_way.order_by("through").values_list("ticket", "through"))
    if not through:
        return False
    last = seen_of(inbound(ticket, numbers))
    asked = {int(row.subject_ref[1:]) for row in clocks}
    answered = answered_through(ticket, numbers)
    waiting = asked | {number for number, upto in last.items() if upto > answered[number]}
    return all(through.get(number, -1) >= last.get(number, 0) for number in waiting)


def _handed_up(matter: Matter) -> Requirement | None:
    owed = any(row.obligation == "escalate" for row in matter.clocks)
    if matter.ticket.escalate_id is None and not owed:
        return None
    return Requirement(
        "escalate", not owed, _("Escalated, or decided within own authority"),
        _("It is marked complex. Escalate it, or decide it within your authority, then resolve it."),
        _("Escalate"), "escalate", hides=True,
    )  # fmt: skip


def _decided(matter: Matter) -> Requirement | None:
    """A rule saw a sign of higher authority, and no state may hide that nobody has looked at it (clause 3.3)."""
    if not matter.proposals:
        return None
    return Requirement(
        "proposal", False, _("Decided whether it is complex"), complexity.undecided(matter.proposals), hides=True
    )


def _cause(matter: Matter) -> Requirement | None:
    if matter.ticket.kind != Kind.COMPLAINT:
        return None
    resolution = matter.resolution
    is_met = resolution is not None and bool(resolution.cause and resolution.cause_note)
    return Requirement(
        "cause", is_met, _("Root cause"),
        _("Say what caused the complaint: choose the root cause and describe it."), _("Root cause"), "resolution",
    )  # fmt: skip


def _resolution(matter: Matter) -> Requirement | None:
    if matter.ticket.kind != Kind.COMPLAINT:
        return None
    resolution = matter.resolution
    is_met = resolution is not None and bool(resolution.kind and resolution.text)
    return Requirement(
        "resolution", is_met, _("Resolution"),
        _("Say how the complaint was resolved: choose the kind and describe it."), _("Resolution"), "resolution",
    )  # fmt: skip


def _approval(matter: Matter) -> Requirement | None:
    """An amount above the limit of whoever set it waits for another person."""
    resolution = matter.resolution
    if resolution is None or resolution.above is None:
        return None
    return Requirement(
        "approval", authority.is_approved(resolution), _("Amount approved"),
        _("The amount is above the limit of whoever set it. Another person has to approve it."), _("Approval"),
        "approve",
    )  # fmt: skip


def _steps(matter: Matter) -> Requirement | None:
    if matter.ticket.kind != Kind.COMPLAINT:
        return None
    rows = matter.steps
    left = sum(not row.is_settled for row in rows)
    sentence = ngettext(
        "%(n)d step of the procedure is neither done nor waived.",
        "%(n)d steps of the procedure are neither done nor waived.",
        left,
    )
    name = _("Steps of the procedure")
    return Requirement("steps", bool(rows) and not left, name, sentence % {"n": left}, name)


def _acceptance(matter: Matter) -> Requirement | None:
    """A resolved complaint waits for the customer's answer; after seven quiet days "no answer" is one."""
    if matter.ticket.kind != Kind.COMPLAINT or matter.to != State.CLOSED:
        return None
    return Requirement(
        "acceptance", matter.resolution is not None and bool(matter.resolution.acceptance), _("Customer’s answer"),
        _("Say whether the customer accepted the resolution: yes, no, or no answer."), _("Customer’s answer"),
        "acceptance",
    )  # fmt: skip


def _on_record(matter: Matter) -> Requirement | None:
    """Calls, visits and letters have their transcript or scan, or the listed reason why not (clause 4.1)."""
    if matter.to != State.CLOSED:
        return None
    if not matter.contacts:
        return None
    return Requirement(
        "record", all(matter.contacts), _("Calls and letters are on record"),
        _("A call or letter has no transcript or scan yet. Add it, or say why there is none."),
        _("Add it"), "keep_next_record",
    )  # fmt: skip


def _confirmed(matter: Matter) -> Requirement | None:
    if matter.to != State.CLOSED:
        return None
    if not matter.late_calls:
        return None
    return Requirement(
        "late_call", all(matter.late_calls), _("A supervisor has ruled on the call"),
        _("A call was written down late. A supervisor has to say whether it was so."),
    )  # fmt: skip


def _called_back(matter: Matter) -> Requirement | None:
    if matter.to != State.CLOSED:
        return None
    if not matter.call_backs:
        return None
    return Requirement(
        "call_back", all(matter.call_backs), _("The promised call was made or taken back"),
        _("The customer was promised a call. Make it, or take it back with a reason."),
        _("Log a call"), "log_call",
    )  # fmt: skip


REQUIREMENTS: tuple[Check, ...] = (
    _answered,
    _handed_up,
    _decided,
    _cause,
    _resolution,
    _approval,
    _steps,
    _acceptance,
    _on_record,
    _confirmed,
    _called_back,
)
