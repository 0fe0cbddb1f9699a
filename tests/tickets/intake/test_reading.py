"""Any bytes become a message: the words that were sent are the words that are seen; nothing raises or takes long."""

# ruff: noqa: E501, RUF005 (tables of cases read best one to a line)

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.costs import in_letters
from tests.tickets.intake import corpus
from tickets.intake import mime, reading, verdicts

FACTS = verdicts.Facts(
    own_addresses=frozenset({corpus.DESK}),
    own_domains=frozenset({corpus.DOMAIN}),
    keys=corpus.KEYS,
    trusted_checkers=frozenset({corpus.CHECKER}),
)
SAMPLES = corpus.samples()
CLAIMED = [sample for sample in SAMPLES if not sample.name.startswith(corpus.MUTATED)]


def assert_storable(message):
    texts = [message.subject, message.text, message.html, message.date, *message.message_ids, *message.sender]
    texts += [word for values in message.fields.values() for word in values]
    texts += [each.name + each.cid + each.declared_type for each in message.attachments]
    texts += [problem.detail for problem in message.problems]
    for text in texts:
        assert "\0" not in text
        text.encode("utf-8")


def test_the_corpus_is_large_and_the_same_every_time():
    assert len(SAMPLES) >= 500
    corpus.samples.cache_clear()
    assert corpus.samples() == SAMPLES


@pytest.mark.parametrize("sample", CLAIMED, ids=lambda sample: sample.name.encode("ascii", "backslashreplace").decode())
def test_each_message_of_the_corpus_is_read_as_it_was_meant(sample):
    message = reading.read(sample.raw)
    assert_storable(message)
    for words in sample.words:
        assert words in message.text
    if sample.subject is not None:
        assert message.subject == sample.subject
    for name in sample.problems:
        assert message.has_problem(name), message.problems
    assert not message.has_problem("failed"), message.problems
    names = [each.name for each in message.attachments]
    assert set(sample.files) <= set(names), names
    verdict = verdicts.judge(message, facts=FACTS)
    assert verdict.kind is sample.kind, verdict
    if sample.reason:
        assert verdict.reason == sample.reason, verdict


def test_damaged_messages_are_read_without_failing():
    for sample in SAMPLES:
        message = reading.read(sample.raw)
        assert not message.has_problem("failed"), (sample.name, message.problems)
        assert_storable(message)
        verdicts.judge(message, facts=FACTS)


# ---------------------------------------------------------------- random and hostile bytes

pieces = st.sampled_from(
    [b"\r\n", b"\n", b"\r\n\r\n", b"From: ", b"Subject: ", b"Content-Type: ", b"multipart/mixed; boundary=b", b"--b", b"--b--", b"text/html"]
    + [b"=?utf-8?B?", b"?=", b"=?iso-2022-jp?Q?", b"\x1b$B", b"charset=utf-7", b"charset=hz", b"name*0*=", b"''%", b'"', b"\\", b"(", b"<", b">"]
    + [b"Content-Transfer-Encoding: base64", b"message/rfc822", b"To: a@b.example, ", b"Received: by x; ", b"\0", b"\xff", b"\xed\xa0\x80"]
    + [b"Content-Disposition: attachment; filename=", b"format=flowed", b"<div>", b"</div>", b"<a href=", b"<!--", b"&#xD800;", b"Date: "]
)  # fmt: skip


@given(st.binary(max_size=3_000) | st.lists(pieces | st.binary(max_size=12), max_size=80).map(b"".join))
@settings(max_examples=600, deadline=None)
def test_no_bytes_make_it_fail(raw):
    message = reading.read(raw)
    assert not message.has_problem("failed"), message.problems
    assert_storable(message)
    verdicts.judge(message, facts=FACTS)


SMALL = [sample.raw for sample in SAMPLES if len(sample.raw) < 20_000]


@given(st.sampled_from(SMALL), st.data())
@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.data_too_large, HealthCheck.too_slow])
def test_no_damage_to_the_corpus_makes_it_fail(raw, data):
    at = data.draw(st.integers(0, len(raw)))
    width = data.draw(st.integers(0, 40))
    raw = raw[:at] + data.draw(pieces | st.binary(max_size=20)) + raw[at + width :]
    message = reading.read(raw)
    assert not message.has_problem("failed"), message.problems
    assert_storable(message)
    verdicts.judge(message, facts=FACTS)


MOST = 35 * 1024 * 1024
HEAD = b"From: a@b.example\nSubject: x\n"
NEST = HEAD + b"".join(b"Content-Type: multipart/mixed; boundary=b%d\n\n--b%d\n" % (n, n) for n in range(1_000))
MIXED = HEAD + b"Content-Type: multipart/mixed; boundary=b\n\n"
HTML = HEAD + b"Content-Type: text/html\n\n"


def repeated(start, unit):
    return lambda: (start + unit * (MOST // len(unit)))[:MOST]


HOSTILE = {
    "line ends": repeated(b"", b"\n"),
    "no line end": repeated(b"", b"a"),
    "a header without end": repeated(b"", b"X: y\n"),
    "lines that are no fields": repeated(HEAD, b"x\n"),
    "rubbish before a field": lambda: b"A: b\n" + b"x\n" * 120_000 + b"Subject: q\n\n" + b"z" * 1_000_000,
    "one long line": repeated(HEAD + b"\n", b"w"),
    "short lines": repeated(HEAD + b"\n", b"w\n"),
    "base64": repeated(HEAD + b"Content-Transfer-Encoding: base64\n\n", b"QUJD" * 18 + b"\n"),
    "padding everywhere": repeated(HEAD + b"Content-Transfer-Encoding: base64\n\n", b"Q="),
    "quoted-printable": repeated(HEAD + b"Content-Transfer-Encoding: quoted-printable\n\n", b"=C3"),
    "parts": repeated(MIXED, b"--b\n\nx\n"),
    "false boundaries": repeated(MIXED, b"--bX\n"),
    "dashes": repeated(HEAD + b"Content-Type: multipart/mixed; boundary=-\n\n", b"-"),
    "nested": repeated(NEST, b"x"),
    "nested line ends": repeated(NEST, b"\n"),
    "nested false boundaries": repeated(NEST, b"\n--b1X"),
    "html parts": lambda: MIXED + (b"--b\nContent-Type: text/html\n\n" + b"<p>x" * 8_000 + b"\n") * 1_000,
    "text parts": lambda: MIXED + (b"--b\nContent-Type: text/plain\n\n" + b"\xe4" * 30_000 + b"\n") * 1_000,
    "divs": repeated(HTML, b"<div>"),
    "entities": repeated(HTML, b"&aaaaaaaa"),
    "open attributes": repeated(HTML, b'<a x="'),
    "comments": repeated(HTML, b"<!--"),
    "attributes without name": repeated(HTML, b"<a ="),
    "hidden": repeated(HTML, b'<b style="display:none">'),
    "half words": repeated(HEAD + b"\n", b"\xe4"),
    "half escape": repeated(HEAD + b"\n", b"\x1b$B"),
    "utf-7": repeated(HEAD + b"Content-Type: text/plain; charset=utf-7\n\n", b"+AGE-"),
    "wide": repeated(HEAD + b"\n", b"\0a"),
    "surrogates": repeated(HEAD + b"\n", b"\xed\xa0\x80"),
    "flowed": repeated(HEAD + b"Content-Type: text/plain; format=flowed\n\n", b"a \n"),
    "addresses": lambda: HEAD + b"To: " + b"a@b.example, " * 19_000 + b"\n\nx",
    "comments in addresses": lambda: HEAD + b"To: " + b"(" * 240_000 + b"\n\nx",
    "encoded words": lambda: HEAD + b"X: y\nSubject: " + b"=?a?q?" * 40_000 + b"\n\nx",
    "parameters": lambda: HEAD + b"Content-Type: " + b'a;b="' * 50_000 + b"\n\nx",
    "parts with words in names": lambda: MIXED + (b'--b\nContent-Type: a/b; name="' + b"=?a?q?x?= " * 3_500 + b'"\n\nx\n') * 1_000,
    "parts with parameters": lambda: MIXED + (b"--b\nContent-Type: a/b;" + b'a;b="' * 3_500 + b"\nContent-Disposition: x;" + b'a;b="' * 3_500 + b"\n\nx\n") * 1_000,
    "parts with pieces of parameters": lambda: MIXED + (b"--b\nContent-Type: a/b;" + b"a*0*=%C3;" * 3_500 + b"\n\nx\n") * 1_000,
    "a part with fields": repeated(MIXED + b"--b\n", b"X:y\n"),
    "a part with a long field": repeated(MIXED + b"--b\nX: y\n", b" y\n"),
    "a part of base64": repeated(MIXED + b"--b\nContent-Transfer-Encoding: base64\n\n", b"QUJD" * 19 + b"\r\n"),
    "a part of carriage returns": repeated(MIXED + b"--b\n\n", b"\r"),
    "long boundaries": lambda: MIXED + b"".join(b"--b\nContent-Type: multipart/mixed; boundary=%0190d\n\n--%0190d\n\nx\n" % (n, n) for n in range(500)),
    "references": lambda: HEAD + b"References: " + b"<" * 250_000 + b"\n\nx",
    "too large": lambda: HEAD + b"\n" + b"x" * (MOST + 1),
}  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_message_costs_little_more_than_a_letter_of_its_length(name):
    raw = HOSTILE[name]()

    def read():
        message = reading.read(raw)
        verdicts.judge(message, facts=FACTS)
        return message

    message, cost = in_letters(read)
    assert cost < 150, "a letter of its length costs ten, the worst of these forty"
    assert not message.has_problem("failed"), message.problems


def test_a_message_beyond_the_limit_keeps_its_header():
    message = reading.read(HOSTILE["too large"]())
    assert message.sender.address == "a@b.example"
    assert message.unreadable
    assert message.unreadable.name == "too_big"


def test_what_lies_beyond_the_limits_is_kept_as_a_file():
    raw = corpus.mail(corpus.multi(corpus.part("First."), corpus.part("x\n" * 500)), kind=corpus.many("mixed"))
    message = reading.read(raw, limits=reading.Limits(cuts=mime.Cuts(lines=100)))
    assert message.text.startswith("First.")
    assert message.has_problem("too_long")
    [rest] = message.attachments
    assert (rest.name, raw.endswith(rest.data)) == ("remaining-parts.txt", True)
    assert message.text.count("x") + rest.data.count(b"x") == 500


# ---------------------------------------------------------------- single things


def test_receipt_is_the_topmost_station_that_we_trust():
    raw = corpus.mail("Words", extra="Received: by other.example; Mon, 2 Mar 2026 08:00:00 +0000")
    message = reading.read(b"Received: by evil.example; Mon, 2 Mar 2026 11:00:00 +0000\r\n" + raw)
    assert message.received_at([corpus.CHECKER]).isoformat() == "2026-03-02T09:15:00+00:00"
    assert message.received_at(["nobody.example"]) is None


def test_the_bytes_of_a_file_are_what_was_attached():
    sample = next(each for each in SAMPLES if each.name == "file/big")
    attachment = reading.read(sample.raw).attachments[0]
    assert attachment.size == 3_000_000
    assert corpus.base64.encodebytes(attachment.data).replace(b"\n", b"\r\n") in sample.raw


@pytest.mark.parametrize(
    ("data", "declared", "found"),
    [
        (b"%PDF-1.4\nx", "image/png", "application/pdf"),
        (b"\x89PNG\r\n\x1a\n" + b"\0" * 40, "application/pdf", "image/png"),
        (b"nothing that is known", "text/csv", "text/csv"),
        (b"", "text/csv", "text/csv"),
    ],
)
def test_the_type_of_a_file_is_what_its_content_says(data, declared, found):
    raw = corpus.mail(corpus.multi(corpus.part(data, declared + "; name=a", base64_=True)), kind=corpus.many("mixed"))
    assert reading.read(raw).attachments[0].type == found


def test_an_inline_picture_is_found_by_its_content_id():
    sample = next(each for each in SAMPLES if each.name == "mime/related")
    picture = reading.read(sample.raw).attachments[0]
    assert (picture.cid, picture.inline) == ("logo@x", True)


def test_text_beyond_the_limit_is_kept_as_a_file():
    limits = reading.Limits(text=100)
    message = reading.read(corpus.mail("w" * 500), limits=limits)
    assert message.text == "w" * 100
    assert message.attachments[0].data.strip() == b"w" * 500
    assert message.has_problem("text_cut")


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("a@b.example, C <c@d.example>", [("", "a@b.example"), ("C", "c@d.example")]),
        ('"Doe, Jane" <j@d.example>; x@y.example', [("Doe, Jane", "j@d.example"), ("", "x@y.example")]),
        ("Team: a@b.example, c@d.example;", [("", "a@b.example"), ("", "c@d.example")]),
        ("undisclosed-recipients:;", []),
        ('"a \\" b" <q@d.example>', [('a " b', "q@d.example")]),
        ("=?utf-8?q?=C3=84?= <a@b.example>", [("Ä", "a@b.example")]),
        ("a@b.example (Ann)", [("Ann", "a@b.example")]),
        ("evil@x.example\x00 <a@b.example>", [("evil@x.example\u2400", "a@b.example")]),
    ],
)
def test_addresses(value, expected):
    assert reading.headers.addresses(value.encode()) == [reading.Address(*each) for each in expected]
