"""Quotes and signatures fold, words never do, and not one character is lost."""

# ruff: noqa: E501, RUF005 (tables of cases read best one to a line)

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.costs import in_letters
from tests.tickets.intake import corpus
from tickets.intake import quoting, reading
from tickets.intake.quoting import Kind


def kinds(text, **options):
    return [(each.kind.value, each.text.strip()) for each in quoting.fold(text, **options)]


lines = st.sampled_from(
    ["> quoted", ">> twice", "words", "", "-- ", "--", "On Mon, 2 Mar 2026 at 10:14, A <a@b.example> wrote:", "Am 2.3.26 um 10:14 schrieb A:"]
    + ["-----Original Message-----", "From: A", "Sent: today", "To: B", "Subject: C", "Sent from my iPhone", "---------- Forwarded message", "____", "\r", "\x0c"]
)  # fmt: skip


@given(st.lists(lines | st.text(max_size=20), max_size=60).map("\n".join) | st.text(), st.booleans())
@settings(max_examples=400, deadline=None)
def test_not_one_character_is_lost(text, forwarded):
    assert "".join(each.text for each in quoting.fold(text, forwarded=forwarded)) == text


@given(st.lists(lines, max_size=40).map("\n".join))
@settings(max_examples=200, deadline=None)
def test_something_stays_visible(text):
    folded = quoting.fold(text)
    assert not text.strip() or any(each.kind is Kind.WORDS and each.text.strip() for each in folded)


@pytest.mark.parametrize(
    "sample",
    [each for each in corpus.samples() if each.name.startswith("answer/") and each.name != "answer/forward"],
    ids=lambda each: each.name,
)
def test_the_quote_of_each_language_folds_with_its_introduction(sample):
    folded = kinds(reading.read(sample.raw).text)
    assert [kind for kind, _text in folded] == ["words", "quote"]
    assert folded[0][1] == "My answer."


def test_answers_between_quotes_stay_visible():
    text = "On 2 Mar, A wrote:\n> First question?\n\nYes.\n\n> Second question?\nNo.\n"
    assert kinds(text) == [
        ("quote", "On 2 Mar, A wrote:\n> First question?"),
        ("words", "Yes."),
        ("quote", "> Second question?"),
        ("words", "No."),
    ]


def test_a_wrapped_introduction_folds():
    text = "Mine.\n\nOn Mon, 2 Mar 2026 at 10:14, A very long name <with.a.long@address.example>\nwrote:\n> quoted"
    assert kinds(text)[0] == ("words", "Mine.")
    assert kinds(text)[1][0] == "quote"


@pytest.mark.parametrize(
    "block",
    [
        "-----Original Message-----\nFrom: A\nSent: today\nTo: B\nSubject: C\n\nquoted words",
        "Von: A <a@b.example>\nGesendet: Montag\nAn: B\nBetreff: C\n\nquoted words",
        "De : A\nEnvoyé : lundi\nÀ : B\nObjet : C\n\nquoted words",
        "________________________________\nDe: A\nEnviado: lunes\nPara: B\nAsunto: C\n\nquoted words",
        "*From:* A\n*Sent:* today\n*To:* B\n*Subject:* C\n\nquoted words",
    ],
)
def test_an_unmarked_quote_folds_behind_words_of_ones_own(block):
    assert [kind for kind, _text in kinds("My answer.\n\n" + block)] == ["words", "quote"]
    assert [kind for kind, _text in kinds(block)] == ["words"]
    assert [kind for kind, _text in kinds("Please see:\n\n" + block, forwarded=True)] == ["words"]
    assert [kind for kind, _text in kinds("My answers are below.\n\n" + block)] == ["words"]


def test_what_was_forwarded_is_the_message():
    text = "FYI\n\n---------- Forwarded message ---------\nFrom: a@b.example\nSubject: x\n\n> and quoted\nThe matter"
    assert [kind for kind, _text in kinds(text)] == ["words"]
    assert [kind for kind, _text in kinds("> all\n> quoted")] == ["words"]


@pytest.mark.parametrize(
    ("text", "signature"),
    [
        ("Words.\n\n-- \nCarl\nNorthwind", "-- \nCarl\nNorthwind"),
        ("Words.\n--\nCarl", "--\nCarl"),
        ("Words.\n\nSent from my iPhone", "Sent from my iPhone"),
        ("Words.\n\nVon meinem iPhone gesendet\n\nAm 2.3.26 um 10:14 schrieb A:\n> q", "Von meinem iPhone gesendet"),
    ],
)
def test_signatures_fold(text, signature):
    folded = kinds(text)
    assert folded[0] == ("words", "Words.")
    assert folded[1] == ("signature", signature)


@pytest.mark.parametrize(
    "text",
    [
        "-- \nOnly this was written",
        "Words\n--\n" + "\n".join(f"line {n} of a table" for n in range(40)),
        "Sent from my iPhone it was, and then it broke.\nWhat now?",
        "| a | b |\n| 1 | 2 |",
        "On Monday my colleague wrote:\nthe parcel is gone. What now?",
        "From: where does it come?\nWho knows.",
    ],
)
def test_words_are_never_folded(text):
    assert [kind for kind, _text in kinds(text)] == ["words"]


@pytest.mark.parametrize(
    "line",
    ["On " + "a " * 32_000, "> " * 32_000, "-- \n" * 16_000, "--\n" * 21_000, "On a\n" * 13_000, "From: a\n" * 8_000, "____\n" * 13_000, "On x wrote:\n" * 5_000, "\n" * 64_000, "wrote: " * 9_000, "-----Original Message-----\n" * 2_400, "x\n\n" * 21_000, "> a\n\n" * 12_000],
    ids=range(13),
)  # fmt: skip
def test_hostile_lines_cost_less_than_a_letter(line):
    assert in_letters(lambda: quoting.fold(line))[1] < 10
