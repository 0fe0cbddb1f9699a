"""What `reading` makes of bytes: the message, its files, and what was wrong with it, each problem with its sentence."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import NamedTuple

import puremagic
from django.utils.translation import gettext_lazy as _

from .headers import Address

PROBLEMS = {
    "empty": _("There is nothing in this message."),
    "too_big": _("The message is larger than the limit; only its header was read."),
    "failed": _("A part of the message could not be read."),
    "no_sender": _("The message does not say who sent it, so nobody can be answered."),
    "no_from": _("The message has no From; the sender was taken from another field."),
    "many_senders": _("The message names more than one sender."),
    "no_date": _("The message carries no date of its own."),
    "no_message_id": _("The message carries no id of its own."),
    "many_message_ids": _("The message carries more than one id."),
    "doubled_header": _("A field that may stand only once stands there again with other content."),
    "header_damaged": _("The header holds lines that are no fields."),
    "headers_cut": _("The header is larger than the limit; the rest of it was not read."),
    "boundary_missing": _("The parts of the message could not be told apart."),
    "cut_short": _("The message ends before its last part is complete."),
    "too_deep": _("The message is nested deeper than the limit; the innermost part is kept unopened."),
    "too_many_parts": _("The message has more parts than the limit; the rest is kept as one file."),
    "too_long": _("The message has more lines than the limit; the rest is kept as one file."),
    "wrong_charset": _("The text is not in the character set that the message names."),
    "damaged_text": _("Some characters of the text could not be read."),
    "damaged_encoding": _("The transfer encoding of a part is damaged."),
    "text_cut": _("The text is longer than the limit; the whole of it is attached as a file."),
    "many_addresses": _("The message has more recipients than the limit."),
    "encrypted": _("The message is encrypted; its words are in the attached file."),
}
_UNREADABLE = {"empty", "too_big", "failed", "no_sender", "encrypted"}


class Problem(NamedTuple):
    """Something that was wrong, by name, with a detail for the person who looks (may be empty)."""

    name: str
    detail: str = ""

    @property
    def sentence(self) -> str:
        return str(PROBLEMS[self.name])


class Received(NamedTuple):
    """One station of the way here, the topmost being the latest. `at` is UTC, None where the station told no time."""

    by: str
    at: datetime | None


class Authentication(NamedTuple):
    """One Authentication-Results field: who checked, and method to result. Worth nothing if the checker is not ours."""

    checked_by: str
    results: dict[str, str]


NOBODY = Address("", "")


@dataclass(frozen=True)
class Attachment:
    """A file that came with the message; `data` is what the sender attached, byte for byte."""

    name: str
    declared_type: str
    data: bytes = field(repr=False)
    cid: str = ""
    inline: bool = False

    @property
    def size(self) -> int:
        return len(self.data)

    @cached_property
    def type(self) -> str:
        """The type by content, whatever the sender says; the declared one only where the content does not tell."""
        try:
            return puremagic.from_string(self.data[:65_536], mime=True) or self.declared_type
        except Exception:  # a detector that stumbles over a stranger's bytes must not cost us the file
            return self.declared_type


@dataclass(frozen=True)
class Message:
    """A message as it was meant."""

    subject: str = ""
    sender: Address = NOBODY
    senders: tuple[Address, ...] = ()
    reply_to: tuple[Address, ...] = ()
    to: tuple[Address, ...] = ()
    cc: tuple[Address, ...] = ()
    delivered_to: tuple[str, ...] = ()  # Delivered-To, X-Original-To, Envelope-To: where it really arrived
    return_path: str | None = None  # "" is the null sender of bounces, None if the field is missing
    date: str = ""  # as the sender wrote it; never used for a clock
    message_ids: tuple[str, ...] = ()
    in_reply_to: tuple[str, ...] = ()
    references: tuple[str, ...] = ()
    received: tuple[Received, ...] = ()
    authentication: tuple[Authentication, ...] = ()
    text: str = ""
    html: str = ""
    attachments: tuple[Attachment, ...] = ()
    type: str = "text/plain"
    report_type: str = ""
    fields: dict[str, tuple[str, ...]] = field(default_factory=dict, repr=False)  # every other field, decoded
    problems: tuple[Problem, ...] = ()

    @property
    def message_id(self) -> str:
        return self.message_ids[0] if self.message_ids else ""

    @property
    def answer_address(self) -> str:
        """Where an answer goes: Reply-To if it can be used, else the sender."""
        return next((each.address for each in self.reply_to if each.address), self.sender.address)

    @property
    def recipients(self) -> tuple[str, ...]:
        """Every address it was sent to or arrived at, each once."""
        found = (*(each.address for each in (*self.to, *self.cc)), *self.delivered_to)
        return tuple(dict.fromkeys(address for address in found if address))

    @property
    def unreadable(self) -> Problem | None:
        """The problem for which a person must look at the source, if there is one."""
        return next((problem for problem in self.problems if problem.name in _UNREADABLE), None)

    def header(self, name: str) -> str:
        """The first field of this name (any case), decoded, or ""."""
        return next(iter(self.fields.get(name.lower(), ())), "")

    def has_problem(self, name: str) -> bool:
        return any(problem.name == name for problem in self.problems)

    def received_at(self, trusted: Sequence[str]) -> datetime | None:
        """When a host that we trust first had it, by its topmost Received field; None if none of them says."""
        hosts = {host.lower() for host in trusted}
        return next((each.at for each in self.received if each.at and each.by.lower() in hosts), None)
