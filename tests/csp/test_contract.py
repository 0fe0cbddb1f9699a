"""The register: complete, pure, and printed."""

import json

from django.core.management import call_command

from csp.contract import CLAUSES, OBLIGATIONS

NUMBERS = [
    "1.1", "1.2", "2.1", "2.2", "2.3", "3.1", "3.2", "3.3", "4.1", "4.2", "4.3", "5.1", "5.2", "5.3", "6.1", "6.2",
    "6.3", "7.1", "7.2", "7.3", "8.1", "8.2", "8.3", "9.1", "9.2", "10",
]  # fmt: skip


def test_the_register_has_every_clause_and_no_other() -> None:
    assert list(CLAUSES) == NUMBERS


def test_every_obligation_stands_under_a_clause_and_says_what_it_asks() -> None:
    for code, rule in OBLIGATIONS.items():
        assert rule.code == code
        assert rule.clause in CLAUSES
        assert rule.verb
        assert rule.past
        assert rule.starts
        assert rule.met_when
        assert list(rule.reminders) == sorted(rule.reminders)
        assert all(0 < share < 100 for share in rule.reminders)


def test_no_policy_is_called_a_clause() -> None:
    """The company's own targets that the product keeps; every deadline of one is marked so (Deadline.is_policy)."""
    company = {
        "triage",
        "take_up",
        "resolve",
        "progress_note",
        "record",
        "verify",
        "finding",
        "verify_item",
        "feedback_inbox",
        "review",
        "hold_review",
        "audit_access",
        "audit_answer",
        "statement",
    }
    assert {code for code, rule in OBLIGATIONS.items() if rule.enforced and rule.policy} <= company


def test_the_command_prints_one_object_keyed_by_the_clauses(capsys) -> None:
    call_command("contract", "--json")
    printed = json.loads(capsys.readouterr().out)
    assert list(printed) == NUMBERS
    for entry in printed.values():
        assert list(entry) == ["title", "summary", "control", "obligations"]
    assert [row["obligation"] for row in printed["3.1"]["obligations"]] == ["acknowledge", "respond", "follow_up"]
    assert printed["3.1"]["obligations"][1]["term"] == {"hours": 24, "days": 0, "months": 0, "mode": "maximum"}


def test_the_command_prints_a_table(capsys) -> None:
    call_command("contract")
    out = capsys.readouterr().out
    assert "3.1  Inquiry protocol" in out
    assert "respond           receipt + 24 hours" in out
    assert out.rstrip().splitlines()[-3].startswith("10   Signatures")
