"""References that only we can have made: the reply address of a ticket, our Message-IDs, the mark on our own mail.

Each carries an HMAC-SHA256 over what it says and what it is for, so that a ticket number alone opens nothing and a
reference for one purpose is worthless for another. Keys are passed in, newest first: the first one signs, all verify.
A subject decides nothing. A reference says which ticket; whether the sender takes part in it is the caller's question.

    desk+t4790.k3v...@desk.example     reply_address(...)  ->  read_reply_address(...).is_for(address, keys)
    <t4790.8f2c.h6w...@desk.example>   message_id(...)     ->  read_message_id(..., keys) -> 4790
    X-CSP-Mark: q2x...                 mark(...)           ->  is_marked(..., keys)
"""

import base64
import hashlib
import hmac
import re
import unicodedata
from collections.abc import Sequence
from typing import NamedTuple

MARK_HEADER = "X-CSP-Mark"
_LENGTH = 26  # base32 digits: 130 bits
_REPLY = re.compile(rf"[^@\s]{{1,200}}\+t([1-9][0-9]{{0,17}})\.([a-z2-7]{{{_LENGTH}}})@[^@\s]{{1,253}}", re.IGNORECASE)
_MESSAGE_ID = re.compile(
    rf"<?t([1-9][0-9]{{0,17}})\.([a-z0-9]{{1,40}})\.([a-z2-7]{{{_LENGTH}}})@[^@<>\s]{{1,253}}>?", re.IGNORECASE
)
_ADDRESS = re.compile(r"[^@\s]+@[^@\s]+")


class Reference(NamedTuple):
    """A ticket that somebody names, and the token by which to believe it."""

    ticket: int
    token: str

    def is_for(self, address: str, keys: Sequence[bytes]) -> bool:
        """Whether we gave this reference to that address."""
        return _verified(self.token, keys, "reply", str(self.ticket), _normal(address))


def reply_address(desk: str, *, ticket: int, address: str, keys: Sequence[bytes]) -> str:
    """The address of the desk by which this participant reaches this ticket."""
    if ticket < 1:
        raise ValueError(f"A ticket number is 1 or more, not {ticket}.")
    local, at, domain = header_value(desk).rpartition("@")
    if not (at and _ADDRESS.fullmatch(desk)):
        raise ValueError(f"{desk!r} is no address that could be answered to.")
    tag = f"+t{ticket}.{_token(keys[0], 'reply', str(ticket), _normal(address))}"
    if len(local) + len(tag) > 64:
        raise ValueError(
            f"The part of {desk!r} before the @ is too long: with the reference it would exceed 64 characters."
        )
    return f"{local}{tag}@{domain}"


def read_reply_address(address: str) -> Reference | None:
    """The reference in an address, not yet believed, or None."""
    found = _REPLY.fullmatch(address)
    return Reference(int(found.group(1)), found.group(2).lower()) if found else None


def message_id(*, ticket: int, serial: str, domain: str, keys: Sequence[bytes]) -> str:
    """The id of one message of ours on a ticket, with brackets; the same serial gives the same id on every attempt."""
    if not re.fullmatch(r"[a-z0-9]{1,40}", serial):
        raise ValueError("The serial of a message is 1 to 40 small letters and digits.")
    if not re.fullmatch(r"[^@<>\s]{1,253}", header_value(domain)):
        raise ValueError(f"{domain!r} is no domain.")
    return f"<t{ticket}.{serial}.{_token(keys[0], 'message', str(ticket), serial)}@{domain}>"


def read_message_id(value: str, *, keys: Sequence[bytes]) -> int | None:
    """The ticket of a message id that we made, or None if it is not ours. Case does not matter, as servers fold it."""
    found = _MESSAGE_ID.fullmatch(value)
    if found and _verified(found.group(3).lower(), keys, "message", found.group(1), found.group(2).lower()):
        return int(found.group(1))
    return None


def mark(message_id: str, *, keys: Sequence[bytes]) -> str:
    """What goes into `MARK_HEADER` of every message that we send, so that we know it when it comes back."""
    return _token(keys[0], "mark", _bare(header_value(message_id)))


def is_marked(message_id: str, value: str, *, keys: Sequence[bytes]) -> bool:
    """Whether this is a message of our own that came back."""
    return _verified(value.strip().lower(), keys, "mark", _bare(message_id))


def header_value(value: str) -> str:
    """The value, if it may stand in a header; a line break in it would let somebody write fields of their own."""
    if any(unicodedata.category(char) in {"Cc", "Cs", "Zl", "Zp"} for char in value):
        raise ValueError(
            "A header must not contain line breaks or other control characters. Remove them and try again."
        )
    return value


def _bare(message_id: str) -> str:
    return message_id.strip().removeprefix("<").removesuffix(">").lower()


def _normal(address: str) -> str:
    return unicodedata.normalize("NFC", address.strip()).lower()


def _token(key: bytes, *said: str) -> str:
    if len(key) < 16:
        raise ValueError("The key for references is too short; it needs at least 16 bytes.")
    # Each part with its length in front: ("1", "23") and ("12", "3") must not sign alike.
    message = b"".join(
        len(part).to_bytes(4, "big") + part for part in (word.encode("utf-8", "surrogatepass") for word in said)
    )
    return base64.b32encode(hmac.digest(key, message, hashlib.sha256)).decode("ascii").lower()[:_LENGTH]


def _verified(token: str, keys: Sequence[bytes], *said: str) -> bool:
    # Every key is tried, whatever the first one said, and bytes are compared in constant time.
    claimed = token.encode("utf-8", "replace")
    return sum(hmac.compare_digest(claimed, _token(key, *said).encode("ascii")) for key in keys) > 0
