"""Each step alone, and the order in which they decide. The corpus (test_reading) holds the table of whole messages."""

# ruff: noqa: E501 (tables of cases read best one to a line)

import pytest

from tests.tickets.intake import corpus
from tests.tickets.intake.test_reading import FACTS
from tickets.intake import reading, references, verdicts
from tickets.intake.verdicts import Facts, Kind, SenderRule

SAMPLES = {sample.name: sample for sample in corpus.samples()}


def message(body="Where is my order?", **options):
    return reading.read(corpus.mail(body, **options))


def facts(**changes):
    return Facts(
        **(
            {name: getattr(FACTS, name) for name in ("own_addresses", "own_domains", "keys", "trusted_checkers")}
            | changes
        )
    )


def test_an_ordinary_mail_is_an_inquiry_and_is_acknowledged():
    verdict = verdicts.judge(message(), facts=FACTS)
    assert (verdict.kind, verdict.reason, verdict.acknowledge) == (Kind.INQUIRY, "inquiry", True)
    assert verdict.sentence


def test_every_reason_has_a_sentence():
    for sample in corpus.samples():
        assert verdicts.judge(reading.read(sample.raw), facts=FACTS).sentence


def test_a_bounce_says_which_message_failed_for_whom_and_for_good():
    ours = references.message_id(ticket=4790, serial="a1", domain=corpus.DOMAIN, keys=corpus.KEYS).strip("<>")
    for name, code, permanent in (
        ("bounce/dsn failed 5.1.1", "5.1.1", True), ("bounce/dsn delayed 4.4.1", "4.4.1", False), ("bounce/dsn failed 4.4.7", "4.4.7", True),
        ("bounce/dsn  5.0.0", "5.0.0", True), ("bounce/qmail", "5.1.1", True), ("bounce/exim", "", True), ("bounce/exchange", "5.1.10", True), ("bounce/greylist", "4.7.1", False),
    ):  # fmt: skip
        bounce = verdicts.judge(reading.read(SAMPLES[name].raw), facts=FACTS).bounce
        assert bounce.original_message_id == ours, name
        assert [(each.recipient, each.status) for each in bounce.failures] == [("gone@northwind.example", code)], name
        assert bounce.permanent is permanent, name


def test_a_person_who_writes_like_a_robot_is_a_person():
    assert verdicts.bounced(message("Returned", subject="Returned mail"), FACTS) is None
    assert verdicts.replied_itself(message(subject="Out of office chairs?"), FACTS) is None
    assert verdicts.replied_itself(message(subject="Automatic reply: x"), FACTS) is None


@pytest.mark.parametrize(
    "extra",
    [
        "List-Id: <group.northwind.example>",
        "Precedence: list",
        "List-Unsubscribe: <mailto:u@n.example>",
        "X-Spam-Flag: YES",
    ],
)
def test_weak_signs_never_unsort_an_answer_of_a_participant(extra):
    mail = message(extra=extra)
    assert verdicts.judge(mail, facts=FACTS).kind is Kind.UNSORTED
    assert verdicts.judge(mail, facts=facts(answers_ours=True)).kind is Kind.INQUIRY
    assert verdicts.judge(mail, facts=facts(sender_rule=SenderRule.ALLOWED)).kind is Kind.INQUIRY


def test_a_known_customer_may_write_through_a_list():
    mail = message(extra="List-Id: <support.northwind.example>\r\nPrecedence: list")
    assert verdicts.judge(mail, facts=facts(known_customer=True)).kind is Kind.INQUIRY
    assert not verdicts.judge(mail, facts=facts(known_customer=True)).acknowledge


def test_a_blocked_sender_is_unsorted_but_never_a_participant_who_answers():
    verdict = verdicts.judge(message(), facts=facts(sender_rule=SenderRule.BLOCKED))
    assert (verdict.kind, verdict.reason) == (Kind.UNSORTED, "blocked")
    answer = verdicts.judge(message(), facts=facts(sender_rule=SenderRule.BLOCKED, answers_ours=True))
    assert (answer.kind, answer.reason) == (Kind.INQUIRY, "answers_ours")


def test_an_automatic_answer_stays_automatic_when_it_answers_ours():
    mail = message(extra="Auto-Submitted: auto-replied")
    assert verdicts.judge(mail, facts=facts(answers_ours=True)).kind is Kind.AUTOMATIC
    assert verdicts.judge(mail, facts=FACTS).kind is Kind.UNSORTED


def test_what_a_program_wrote_is_sorted_by_a_person_even_when_it_answers_ours():
    mail = message(extra="Auto-Submitted: auto-generated")
    assert verdicts.judge(mail, facts=facts(answers_ours=True)).reason == "auto_generated"


def test_a_stranger_cannot_speak_for_the_checker_that_we_trust():
    for checker, kind in ((corpus.CHECKER, Kind.UNSORTED), ("mx.evil.example", Kind.INQUIRY)):
        mail = message(sender=f"boss@{corpus.DOMAIN}", extra=f"Authentication-Results: {checker}; dmarc=fail")
        assert verdicts.judge(mail, facts=FACTS).kind is kind
    passed = message(
        sender=f"boss@{corpus.DOMAIN}", extra=f"Authentication-Results: {corpus.CHECKER}; spf=fail; dmarc=pass"
    )
    assert verdicts.forged(passed, FACTS) is None


@pytest.mark.parametrize(
    "extra",
    ["X-Auto-Response-Suppress: All", "X-Auto-Response-Suppress: DR, AutoReply", "Return-Path: <>", "Precedence: bulk", f"Reply-To: {corpus.DESK}", "Reply-To: noreply@n.example", "Auto-Submitted: auto-generated"],
)  # fmt: skip
def test_no_automatic_answer_where_it_could_loop(extra):
    assert not verdicts.may_be_answered(message(extra=extra), FACTS)


def test_tagged_addresses_of_ours_are_ours():
    tagged = corpus.DESK.replace("@", "+t1.abc@")
    assert verdicts.judge(message(sender=tagged), facts=FACTS).reason == "own_address"


def test_noreply_is_known_by_its_word_and_nothing_else_is():
    for address in (
        "noreply@a.example",
        "No-Reply@a.example",
        "shop-noreply@a.example",
        "do_not_reply@a.example",
        "noreply+x1@a.example",
    ):
        assert verdicts.from_a_machine(message(sender=address), FACTS).reason == "noreply", address
    for address in ("reply@a.example", "anna.noreplyer@a.example", "casino.reply@a.example"):
        assert verdicts.from_a_machine(message(sender=address), FACTS) is None, address


def test_the_signs_of_spam_can_be_read():
    verdict = verdicts.judge(message("Casino jackpot lottery", sender="x@bad.example"), facts=FACTS)
    assert verdict.detail == "lures 6"
    assert verdicts.judge(message("Casino jackpot lottery"), facts=facts(known_customer=True)).kind is Kind.INQUIRY


def test_the_order_of_the_steps_is_the_documented_one():
    documented = [
        line.split()[0]
        for line in verdicts.__doc__.splitlines()
        if line.startswith("    ") and line.rstrip().endswith(tuple(kind.name for kind in Kind))
    ]
    assert [step.__name__ for step in verdicts.STEPS] == documented
