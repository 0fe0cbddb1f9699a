"""No letter of the size that anybody may write costs much, whichever pattern it is made against.

A door and a worker judge mail while they hold Python's only lock: a pattern that tries its ends again and again stops
the door for everybody. Measured in letters (`tests.costs`), never in seconds.
"""

from __future__ import annotations

import base64

import pytest

from tests.costs import in_letters
from tickets import signs
from tickets.intake import bounces, quoting, reading, references, verdicts
from tickets.intake.message import Message

LONG = 65_000
FACTS = verdicts.Facts(
    own_addresses=frozenset({"help@desk.example"}),
    own_domains=frozenset({"desk.example"}),
    keys=(b"k" * 32,),
    trusted_checkers=frozenset({"mx.desk.example"}),
)
ROBOT = "From: mailer-daemon@x.example\nSubject: Undelivered Mail Returned to Sender\n"
PERSON = "From: a@b.example\nSubject: Where is it?\n"


def many(unit: str, length: int = LONG) -> str:
    return (unit * (length // len(unit) + 1))[:length]


def letter(head: str, body: str) -> bytes:
    """The body in one line of base64, so that it is as long as it says."""
    coded = base64.b64encode(body.encode()).decode()
    return f"{head}MIME-Version: 1.0\nContent-Transfer-Encoding: base64\n\n{coded}\n".encode()


def report(fields: str) -> bytes:
    return (
        f"{ROBOT}Content-Type: multipart/report; report-type=delivery-status; boundary=b\n\n"
        f"--b\nContent-Type: message/delivery-status\n\n{fields}\n--b--\n"
    ).encode()


def attached(kind: str, body: str, times: int) -> bytes:
    parts = f"--b\nContent-Type: {kind}\n\n{body}\n" * times
    return f"{ROBOT}Content-Type: multipart/mixed; boundary=b\n\n{parts}--b--\n".encode()


BODIES = {
    # bounces
    "a line of dashes": "-" * LONG,
    "lines of dashes": many("-" * 300 + "\n"),
    "dashes and almost a copy": many("--cop"),
    "almost states": many("5.111."),
    "digits and dots": many("5.1"),
    "almost replies": many("550 \n"),
    "almost recipients": many("a" * 64 + "@"),
    "recipients without end": many("a@" + "b" * 63),
    "domains without end": "a@" + many("b." * 30 + "@"),
    "almost ids": many("> " * 5 + "Message-ID: <\n"),
    "ids without end": many("Message-ID:" + " " * 10 + "<" + "a" * 890),
    "almost for good": many("mailbox no such "),
    "almost not yet": many("will still be "),
    # quoting
    "introductions": many("On x\n"),
    "introductions of one line": many("on wrote "),
    "marks": many("> " * 100 + "\n"),
    "rulers": many("--\n"),
    "a signature of fields": "Words\n" + many("-- \n" + "From: a\n" * 29),
    "lines below": many("____\n"),
    "almost blocks": many("From: a\nSent: b\n"),
    "times": "Words\n" + many("on 1:2 12:3 \n"),
    # phrases, verdicts
    "links": many("https://"),
    "short links": many("https://a "),
    "lures": many("crypto invest "),
    "a lure without end": "bitcoin profit" + "s" * LONG,
    "almost lures": many("million "),
    # signs
    "groups of digits": "1" + many(" 111"),
    "groups without a head": many("111 "),
    "groups of each kind": many("1.111,111'111"),
    "sums": many("EUR 1 "),
    "money without sums": many("EUR "),
    "digits": "1" * LONG,
    "almost words of law": many("legal   "),
    "a word of law and a gap": "smell" + " " * LONG,
    "a beginning of danger": "smell" * (LONG // 5),
}
HEADS = {
    "a subject of dashes": "-",
    "a white subject": " \u00a0",
    "a subject of answers": "re: ",
    "a subject of failures": "failure ",
    "a subject of deliveries": "delivery ",
    "a subject of colons": ":",
    "a subject of forwards": "fwd ",
}
FIELDS = {
    "a sender without end": "From: " + many("a", 30_000) + " <mailer-daemon@x.example>\nSubject: undelivered\n",
    "a sender with almost addresses": "From: " + many("a" * 64 + ".", 30_000) + " <a@b.example>\nSubject: x\n",
    "a noreply without end": "From: <" + many("no-", 30_000) + "@b.example>\nSubject: x\n",
    "a robot without end": "From: microsoftexchange" + many("a", 30_000) + " <a@b.example>\nSubject: undelivered\n",
    "recipients who failed": ROBOT + "X-Failed-Recipients: " + many("a@b.example, ", 60_000) + "\n",
    "recipients who almost failed": ROBOT + "X-Failed-Recipients: " + many("<", 60_000) + "\n",
    "our ids, almost": PERSON + "References: " + many("<t1.a." + "a" * 26 + " ", 60_000) + "\n",
    "our mark, almost": PERSON + f"{references.MARK_HEADER}: " + many("a", 60_000) + "\nMessage-ID: <a@b>\n",
    "a mailer without end": PERSON + "X-Mailer: " + many("gravity contact ", 60_000) + "\n",
    "stations without end": PERSON + "Received: " + many("by ", 60_000) + "\n",
    "checks without end": PERSON + "Authentication-Results: mx.desk.example; " + many("a = ", 60_000) + "\n",
}
WHOLE = {
    "a report of line ends": report("Action: failed\n" + many("\r\n\t")),
    "a report of gaps": report("Action: failed\n" + many("\n" + " " * 900)),
    "a report of blocks": report(many("Action: failed\nStatus: 5.1.1\n\n")),
    "a report of states": report("Status: " + many("5.111.")),
    "a report of diagnostics": report("Action: failed\nDiagnostic-Code: " + many("=?a?q?")),
    "files of originals": attached("message/rfc822", "Message-ID: <" * 50, 900),
    "files of almost ids": attached("application/x-y", "Message-ID:          <\n" * 300, 300),
}
LETTERS = {
    **{name: letter(ROBOT, body) for name, body in BODIES.items()},
    **{
        name: letter(f"From: a@b.example\nAuto-Submitted: auto-replied\nSubject: {many(unit, 30_000)}\n", "x")
        for name, unit in HEADS.items()
    },
    **{name: letter(head, "x") for name, head in FIELDS.items()},
    **WHOLE,
}


def all_of_it(raw: bytes) -> Message:
    """Everything that is asked of a message before and after it is judged."""
    message = reading.read(raw)
    verdicts.judge(message, facts=FACTS)
    bounces.find(message)
    for step in verdicts.STEPS:
        step(message, FACTS)
    quoting.is_forward(message.subject)
    quoting.fold(message.text)
    signs.signs(message.text, limit=1)
    return message


@pytest.mark.parametrize("name", LETTERS)
def test_no_letter_costs_more_than_a_few_of_its_length(name: str) -> None:
    message, cost = in_letters(lambda: all_of_it(LETTERS[name]))
    assert cost < 40, "most of these cost two, the worst of them twelve; what is quadratic costs thousands"
    assert not message.has_problem("failed"), message.problems


def test_the_letters_are_as_long_as_they_say() -> None:
    for name, body in BODIES.items():
        assert len(reading.read(LETTERS[name]).text) >= 0.95 * len(body) > 0.9 * LONG, name
