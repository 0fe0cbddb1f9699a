"""The contract as data: every clause, and every obligation that it puts a clock on.

This is the file to hand to a customer who asks what the product does about a clause. It is pure: it imports nothing of
the product, reads no clock and no database. Terms here are the contract's own values; a signed version may carry
others, which are copied onto each deadline when it starts (csp.agreement).
"""

from __future__ import annotations

import calendar
import dataclasses
import datetime as dt
import enum
from collections.abc import Iterable
from zoneinfo import ZoneInfo


class Nature(enum.StrEnum):
    """What kind of promise an obligation is; only a duty can be breached."""

    DUTY = "duty"
    AT_ONCE = "at once"
    NOT_BEFORE = "not before"
    TAKES_EFFECT = "takes effect"


class Mode(enum.StrEnum):
    """How a term in days or months is read where two readings are possible."""

    MAXIMUM = "maximum"  # the earlier of the elapsed and the calendar reading: seven days
    MINIMUM = "minimum"  # the later: thirty days' notice, five years


@dataclasses.dataclass(frozen=True, slots=True)
class Term:
    """A length of time as the contract says it. Hours are elapsed hours, across week-ends and changes of the clock."""

    hours: int = 0
    days: int = 0
    months: int = 0
    mode: Mode = Mode.MAXIMUM

    def ends(self, starts_at: dt.datetime, zone: ZoneInfo) -> dt.datetime:
        """The instant at which the term is over, in UTC.

        Hours are added to the instant. Days and months are read in the contract's zone: a maximum ends at the earlier
        of the elapsed and the calendar reading, a minimum at the end of the last calendar day, the first day excluded.
        31 August + 6 months is the last day of February; 29 February + 5 years, a minimum, is 1 March.
        """
        starts_at = starts_at.astimezone(dt.UTC)  # in a zone with summer time a day would be added by the calendar
        if self.hours:
            return starts_at + dt.timedelta(hours=self.hours)
        local = starts_at.astimezone(zone)
        if self.months:
            day = _add_months(local.date(), self.months, round_up=self.mode is Mode.MINIMUM)
        else:
            day = local.date() + dt.timedelta(days=self.days)
        if self.mode is Mode.MINIMUM:
            midnight = dt.datetime.combine(day + dt.timedelta(days=1), dt.time(), zone)
            elapsed = starts_at + dt.timedelta(days=self.days)
            return max(midnight.astimezone(dt.UTC), elapsed)
        same_time = dt.datetime.combine(day, local.timetz().replace(tzinfo=None), zone).astimezone(dt.UTC)
        if self.days:
            return min(same_time, starts_at + dt.timedelta(days=self.days))
        return same_time

    def __str__(self) -> str:
        for amount, unit in ((self.hours, "hours"), (self.days, "days"), (self.months, "months")):
            if amount:
                return f"{amount} {unit if amount != 1 else unit[:-1]}"
        return "at once"


def _add_months(day: dt.date, months: int, *, round_up: bool) -> dt.date:
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    last = calendar.monthrange(year, month + 1)[1]
    if day.day <= last:
        return dt.date(year, month + 1, day.day)
    return dt.date(year, month + 1, last) + dt.timedelta(days=1 if round_up else 0)


@dataclasses.dataclass(frozen=True, slots=True)
class Clause:
    """One clause: its number, its short title, and in our own words what it asks and what the product does about it."""

    number: str
    title: str
    summary: str
    control: str


@dataclasses.dataclass(frozen=True, slots=True)
class Obligation:
    """One thing owed under a clause, with the rule for its clock.

    `verb` and `past` are the words on the clock ("Respond", "Responded"). `reminders` are shares of the term in per
    cent; `reminders_before` are distances from the due time. `policy` marks a target that the company adds: it may be
    tighter than a clause, never looser. `tells` names the offices that learn of a breach, besides those concerned;
    with `tells_deputies` whoever stands in for a supervisor of the team who is away does, too.
    `climbs` leaves it to the owner whom a breach is told to, rung by rung.
    `enforced` tells whether deadlines of this kind are started by the product.
    """

    code: str
    clause: str
    verb: str
    past: str
    starts: str
    met_when: str
    term: Term | None = None
    nature: Nature = Nature.DUTY
    policy: bool = False
    reminders: tuple[int, ...] = ()
    reminders_before: tuple[dt.timedelta, ...] = ()
    escalates: bool = False
    opens_noncompliance: bool = False
    tells: tuple[str, ...] = ()
    tells_deputies: bool = False
    climbs: bool = False
    enforced: bool = False

    def reminder_times(self, starts_at: dt.datetime, due_at: dt.datetime) -> list[tuple[str, dt.datetime]]:
        """The marks at which somebody is reminded, earliest first, as (label, instant)."""
        length = due_at - starts_at
        marks = [(f"{share}%", starts_at + length * share / 100) for share in self.reminders]
        marks += [(f"-{before}", due_at - before) for before in self.reminders_before if before < length]
        return sorted(marks, key=lambda mark: mark[1])


def _days(*numbers: int) -> tuple[dt.timedelta, ...]:
    return tuple(dt.timedelta(days=number) for number in numbers)


def _hours(*numbers: int) -> tuple[dt.timedelta, ...]:
    return tuple(dt.timedelta(hours=number) for number in numbers)


def _by_number(clauses: Iterable[Clause]) -> dict[str, Clause]:
    return {clause.number: clause for clause in clauses}


CLAUSES: dict[str, Clause] = _by_number(
    [
        Clause(
            "1.1",
            "Purpose",
            "Customers are served to an agreed standard, and it can be shown that they were.",
            "Every promise with a time in it is a deadline; every deadline can be opened from the board.",
        ),
        Clause(
            "1.2",
            "Scope",
            "Every contact with a customer is under the contract, whatever the channel.",
            "Each contact is a ticket of a known kind; nothing is handled outside.",
        ),
        Clause(
            "2.1",
            "Representatives",
            "Representatives handle inquiries, resolve issues and write down what happened.",
            "The role exists as dated grants in teams; its work is recorded under the person's name.",
        ),
        Clause(
            "2.2",
            "Supervisors",
            "Supervisors take over escalated cases, watch over the protocol and receive feedback.",
            "Escalations, breaches and reminders reach the team's supervisors; where there is none, administrators.",
        ),
        Clause(
            "2.3",
            "Feedback team",
            "A feedback team studies what customers say and proposes better ways of working.",
            "The role exists as dated grants; it sees the feedback log without names.",
        ),
        Clause(
            "3.1",
            "Inquiry protocol",
            "Each inquiry is acknowledged and answered by a person within 24 hours, correctly and helpfully.",
            "Two clocks start at receipt and never pause; a third for each follow-up that nobody has answered.",
        ),
        Clause(
            "3.2",
            "Complaint resolution",
            "Complaints are recorded and resolved along a standard procedure.",
            "A complaint is a kind of ticket; cause, resolution and the customer's acceptance are fields of it.",
        ),
        Clause(
            "3.3",
            "Escalation process",
            "A case that needs higher authority is with a supervisor within 24 hours of its receipt.",
            "Marking a ticket complex starts a clock from receipt; missed clocks hand the ticket up by themselves.",
        ),
        Clause(
            "4.1",
            "Record of contacts",
            "Every contact is on record: mail with its source, calls with their transcript, and the resolution.",
            "Interactions cannot be changed; raw sources are kept byte for byte.",
        ),
        Clause(
            "4.2",
            "Feedback log",
            "Feedback is logged in confidence and within data protection law.",
            "Who said it is kept apart from what was said; representatives see no customer's scores.",
        ),
        Clause(
            "4.3",
            "Audit trail",
            "Records are kept for five years at least and can be audited.",
            "Each act is one entry in an append-only trail; evidence refuses deletion in the database itself.",
        ),
        Clause(
            "5.1",
            "Service training",
            "Representatives are trained in communication, complaints and company policy.",
            "Training is recorded per person and course, with evidence.",
        ),
        Clause(
            "5.2",
            "Software training",
            "All staff are trained to log, escalate and resolve in the system.",
            "Training is recorded for every staff account.",
        ),
        Clause(
            "5.3",
            "Refresher courses",
            "Training on new products and rules is repeated every six months.",
            "Refreshers fall due by calendar months, per person and for everyone.",
        ),
        Clause(
            "6.1",
            "Data privacy",
            "Customer data is handled lawfully and with care.",
            "One permission table, least data shown, files encrypted, access by need and recorded.",
        ),
        Clause(
            "6.2",
            "Satisfaction metrics",
            "Response time, resolution and feedback are measured.",
            "Figures come from the deadlines and trail themselves, raw and assessed.",
        ),
        Clause(
            "6.3",
            "Quality audits",
            "The company may audit how well customers are served.",
            "Auditors read everything in their contracts but identities; what they read is recorded.",
        ),
        Clause(
            "7.1",
            "Feedback collection",
            "Customers are asked what they think.",
            "Surveys and forms feed one log.",
        ),
        Clause(
            "7.2",
            "Acting on feedback",
            "What feedback shows leads to actions that improve the service.",
            "A finding owes a decision, an action owes a result.",
        ),
        Clause(
            "7.3",
            "Performance reviews",
            "People's work is reviewed regularly against the protocol.",
            "A review is evidence first, with the person's own words beside it.",
        ),
        Clause(
            "8.1",
            "Reporting and correction",
            "A failure is reported at once and corrected within seven days.",
            "A breach is a row that cannot be removed; those who must know are told in the same transaction.",
        ),
        Clause(
            "8.2",
            "Measures",
            "Failure may lead to retraining, oversight or changed duties.",
            "The product proposes, a person decides, each measure ends.",
        ),
        Clause(
            "8.3",
            "Termination",
            "Continued failure may end the contract, with thirty days' notice.",
            "Nothing ends by itself: persons serve, prove and confirm.",
        ),
        Clause(
            "9.1",
            "Indemnity",
            "Each party stands for claims from its own failures.",
            "Claims are linked to the facts on record.",
        ),
        Clause(
            "9.2",
            "Limit of liability",
            "The company's liability covers direct loss only.",
            "Heads of loss are kept apart, each an opinion with an author.",
        ),
        Clause(
            "10",
            "Signatures",
            "Both parties sign.",
            "A version in force is signed by both; until then every page says unsigned.",
        ),
    ]
)

DAY = Term(hours=24)

OBLIGATIONS: dict[str, Obligation] = {
    obligation.code: obligation
    for obligation in [
        Obligation(
            "acknowledge", "3.1", "Acknowledge", "Acknowledged", "receipt",
            "the customer has been sent an acknowledgement, or a person's reply", DAY,
            opens_noncompliance=True, enforced=True,
        ),
        Obligation(
            "respond", "3.1", "Respond", "Responded", "receipt",
            "a person's substantive answer reached the customer", DAY,
            reminders=(50, 80, 95), escalates=True, opens_noncompliance=True, enforced=True,
        ),
        Obligation(
            "follow_up", "3.1", "Respond", "Responded", "earliest unanswered customer message",
            "an answer whose author had that message on screen, or no reply needed with a reason", DAY,
            reminders=(50, 80, 95), escalates=True, opens_noncompliance=True, enforced=True,
        ),
        Obligation(
            "escalate", "3.3", "Escalate", "Escalated", "receipt of what made it complex",
            "handed to a supervisor, or decided within own authority with a reason", DAY,
            reminders=(50, 80, 95), escalates=True, opens_noncompliance=True, enforced=True,
        ),
        Obligation(
            "triage", "3.3", "Triage", "Triaged", "receipt", "complexity decided, at the latest with the first answer",
            Term(hours=23), policy=True, reminders=(50, 80), escalates=True, enforced=True,
        ),
        Obligation(
            "take_up", "3.3", "Accept", "Accepted", "escalated", "accepted, decided or handed back",
            policy=True, reminders=(50, 80), climbs=True, enforced=True,
        ),
        Obligation(
            "resolve", "3.2", "Resolve", "Resolved", "receipt",
            "cause and resolution recorded, steps done or waived", policy=True, reminders=(50, 80, 95), escalates=True,
            enforced=True,
        ),
        Obligation(
            "progress_note", "3.2", "Write", "Written", "last contact", "complainant told", policy=True,
            reminders=(80,), enforced=True,
        ),
        Obligation(
            "record", "4.1", "Record", "Recorded", "contact", "on record, or a listed reason", DAY, policy=True,
            reminders=(50,), enforced=True,
        ),
        # With no days to it (the default) nothing falls due: until it is passed, work is limited from the first second.
        Obligation(
            "initial_training", "5.1", "Train", "Trained", "role given",
            "passed; until then practice or co-signed work only", Term(days=0), reminders_before=_days(7, 1),
            enforced=True,
        ),
        Obligation(
            "software_training", "5.2", "Train", "Trained", "role given",
            "passed; until then practice or co-signed work only", Term(days=0), reminders_before=_days(7, 1),
            enforced=True,
        ),
        Obligation(
            "refresher", "5.3", "Refresh", "Refreshed", "last refresher, or update published", "passed",
            Term(months=6), reminders_before=_days(30, 14, 7, 1), opens_noncompliance=True, enforced=True,
        ),
        Obligation(
            "round", "5.3", "Refresh", "Refreshed", "last round", "conducted, recorded even if nothing changed",
            Term(months=6), reminders_before=_days(30, 7), opens_noncompliance=True, enforced=True,
        ),
        Obligation(
            "data_request", "6.1", "Answer", "Answered", "receipt by any channel", "answered", Term(months=1),
            reminders_before=_days(14, 7, 1), opens_noncompliance=True, tells=("privacy_owner",), enforced=True,
        ),
        Obligation(
            "data_breach", "6.1", "Notify", "Notified", "awareness", "authority notified, or reasoned decision",
            Term(hours=72), reminders_before=_hours(48, 24, 6), tells=("privacy_owner", "administrators"),
            enforced=True,
        ),
        Obligation(
            "statement", "6.2", "Sign", "Signed", "month's end", "frozen and signed", Term(days=10), policy=True,
            reminders_before=_days(3), enforced=True,
        ),
        Obligation(
            "audit_access", "6.3", "Give", "Given", "request", "access and pack given", policy=True,
            reminders_before=_days(2), tells=("company_representative", "party_representative"), enforced=True,
        ),
        Obligation(
            "audit_answer", "6.3", "Answer", "Answered", "finding recorded", "answered by the team that was audited",
            Term(days=10), policy=True, reminders_before=_days(3, 1), enforced=True,
        ),
        Obligation(
            "finding", "7.2", "Act", "Acted", "finding recorded", "an action item, or a refusal with a reason",
            Term(days=10), policy=True, reminders_before=_days(3, 1), tells=("feedback_lead",), tells_deputies=True,
            enforced=True,
        ),
        Obligation(
            "action_item", "7.2", "Act", "Done", "agreed", "done, with evidence; a rejected verification annuls it",
            reminders_before=_days(3, 1), tells=("feedback_lead",), tells_deputies=True, enforced=True,
        ),
        Obligation(
            "verify_item", "7.2", "Verify", "Verified", "done", "checked by somebody independent", Term(days=3),
            policy=True, reminders_before=_days(1), tells=("feedback_lead",), enforced=True,
        ),
        Obligation(
            "feedback_inbox", "2.2", "Read", "Read", "receipt", "answered, made a complaint, or closed with a reason",
            DAY, policy=True, reminders=(80,), tells_deputies=True, enforced=True,
        ),
        Obligation(
            "review", "7.3", "Review", "Reviewed", "last review, or joining", "held, both sides heard", Term(months=6),
            policy=True, reminders_before=_days(30, 7), enforced=True,
        ),
        Obligation(
            "report", "8.1", "Report", "Reported", "noticed or detected", "reported, and those who must know were told",
            nature=Nature.AT_ONCE, opens_noncompliance=True, enforced=True,
        ),
        Obligation(
            "correct", "8.1", "Correct", "Corrected", "report", "implemented, with evidence", Term(days=7),
            reminders_before=_days(3, 1), tells=("company_representative", "party_representative"), enforced=True,
        ),
        Obligation(
            "verify", "8.1", "Verify", "Verified", "implemented", "checked by somebody independent", Term(days=3),
            policy=True, reminders_before=_days(1), tells=("compliance_owner",), enforced=True,
        ),
        Obligation(
            "effect", "8.1", "Check", "Checked", "verified", "criterion met, or case reopened",
            reminders_before=_days(3), tells=("compliance_owner",), enforced=True,
        ),
        Obligation(
            "end_of_notice", "8.3", "End", "Ended", "notice served", "a signatory of each party confirms",
            Term(days=30, mode=Mode.MINIMUM), nature=Nature.TAKES_EFFECT, reminders_before=_days(14, 7, 1),
        ),
        Obligation(
            "hold_review", "4.3", "Review", "Reviewed", "hold placed, or last review",
            "kept on or lifted, with a reason", Term(months=6), policy=True, reminders_before=_days(30, 7),
            tells=("privacy_owner",), enforced=True,
        ),
        Obligation(
            "keep", "4.3", "Keep", "Kept", "closed", "disposed of after the term, unless held",
            Term(months=60, mode=Mode.MINIMUM), nature=Nature.NOT_BEFORE,
        ),
    ]
}  # fmt: skip

# Where the contract leaves something open, a version carries a reading of it; these are the defaults.
READINGS: dict[str, tuple[str, str]] = {
    "automatic_acknowledgement_counts": ("yes", "An automatic acknowledgement keeps the duty to acknowledge."),
    "follow_ups_are_inquiries": ("yes", "Each unanswered customer message has a clock of its own."),
    "live_call_acknowledges": ("yes", "An answered call acknowledges the inquiry made in it."),
    "seven_days": ("earlier of elapsed and calendar", "How the limit of seven days is read."),
    "five_years_start": ("closing", "From when the five years are counted."),
    "complex": ("a person's judgement", "What makes a case complex."),
    "zone": ("Europe/London", "The time zone in which calendar days and months are read."),
}

# What else the clocks can do. `complex` is for people to read, in words of their own; the zone is the contract's.
ALTERNATIVES: dict[str, tuple[str, ...]] = {
    "automatic_acknowledgement_counts": ("no",),
    "follow_ups_are_inquiries": ("no",),
    "live_call_acknowledges": ("no",),
    "seven_days": (),
    "five_years_start": (),
}


def obligations_of(clause: str) -> list[Obligation]:
    """The obligations under one clause, in the order of the register."""
    return [obligation for obligation in OBLIGATIONS.values() if obligation.clause == clause]
