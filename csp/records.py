"""What each model holds of a person and how long it is kept. Pure; every model of ours declares a `Record`.

Privacy walks the declarations (what to erase, what to hand out), retention reads the terms, a system check refuses a
model without one, and `./run manage records` prints them all: the policy is the program.
"""

from __future__ import annotations

import dataclasses
import enum

from csp.contract import Mode, Term


class Kept(enum.Enum):
    """A class of records: (what it is, kept until at least, removed after, counted from)."""

    TICKET = ("Tickets and everything said in them", Term(months=60, mode=Mode.MINIMUM), Term(days=30), "closing")
    SPAM = ("Mail ruled spam", None, Term(days=30), "ruling")
    UNSORTED = ("Mail that nobody has ruled on", None, Term(days=90), "receipt")
    TRAIL = ("The trail and its seals", Term(months=60, mode=Mode.MINIMUM), None, "the act")
    CASE = (
        "Non-compliances, corrective actions, measures",
        Term(months=60, mode=Mode.MINIMUM),
        Term(days=30),
        "closing",
    )
    FEEDBACK = ("Feedback, and apart from it who gave it", Term(months=60, mode=Mode.MINIMUM), Term(days=30), "receipt")
    CONTRACT = ("Contracts, versions, signatures", Term(months=60, mode=Mode.MINIMUM), None, "the contract's end")
    PEOPLE = ("Staff accounts, roles, appointments", Term(months=60, mode=Mode.MINIMUM), Term(days=30), "leaving")
    TRAINING = (
        "Courses, tests, certificates, training owed",
        Term(months=60, mode=Mode.MINIMUM),
        Term(days=30),
        "leaving",
    )
    # Staff data: for carrying out the employment and no longer than two rounds of it need them.
    REVIEW = (
        "What was said in reviews of a person's work",
        Term(months=24, mode=Mode.MINIMUM),
        Term(days=30),
        "closing",
    )
    AUDIT = ("Quality audits: plans, samples, scores, findings", Term(months=60, mode=Mode.MINIMUM), None, "closing")
    ADDRESSES = ("Network addresses in the trail", None, Term(days=90), "the act")
    DISPOSAL = (
        "Holds, disposals and their certificates",
        Term(months=60, mode=Mode.MINIMUM),
        None,
        "lifting, or carrying out",
    )
    PRIVACY = (
        "Data-subject requests, personal-data breaches, recipients of data",
        Term(months=60, mode=Mode.MINIMUM),
        Term(days=30),
        "answering, or closing",
    )
    MACHINERY = ("Working state: drafts, presence, notices, heartbeats, cursors", None, Term(days=90), "last use")
    SETTINGS = ("Settings and texts", None, None, "replacement")


@dataclasses.dataclass(frozen=True, slots=True)
class Record:
    """One model's declaration: its class, the look-up path to the person it is about, and its personal columns.

    The rest says how erasing finds a row that no foreign key leads to from its customer (csp.privacy.reach).
    """

    kept: Kept
    person: str = ""
    personal: tuple[str, ...] = ()
    # What colleagues wrote in their own words: a fact of the record, but it may name whom the record is about.
    words: tuple[str, ...] = ()
    # Columns of other rows into which the words are copied: "ticket__excerpt".
    copied: tuple[str, ...] = ()
    # Columns with the mail address of the person it is about.
    address: tuple[str, ...] = ()
    # The column with a keyed digest of the customer's number or address.
    who: str = ""
    # The column that names a record as people do: "#4790".
    refers: str = ""
    # The foreign key to the row of its own kind that speaks for it.
    joined_by: str = ""
    # Of what goes with whatever points at it, once nothing else does: the models of its own parts.
    parts: tuple[str, ...] | None = None
