"""`./run manage records`: the policy of retention and privacy is what the models declare, and none is left out."""

import json

import pytest
from django.apps import apps
from django.core.management import call_command

from csp.models import Customer, Notice, OutboundMessage
from csp.records import Kept
from tickets.models import Interaction

PACKAGES = {"csp", "tickets", "feedback", "training", "audits"}


def printed(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    call_command("records", *arguments)
    return capsys.readouterr().out


def models_of_ours() -> set[str]:
    """By where their code lies, whatever app they say they are of; without the tables of earlier versions."""
    return {
        model._meta.label
        for model in apps.get_models()
        if model.__module__.partition(".")[0] in PACKAGES and not model.__name__.startswith("Historical")
    }


def test_every_model_of_ours_stands_in_exactly_one_class(capsys: pytest.CaptureFixture[str]) -> None:
    found = json.loads(printed(capsys, "--json"))
    assert list(found) == [kept.name.lower() for kept in Kept]
    names = [row["model"] for each in found.values() for row in each["models"]]
    assert sorted(names) == sorted(models_of_ours())
    assert len(names) > 40


def test_the_terms_and_the_personal_columns_are_those_that_are_declared(capsys: pytest.CaptureFixture[str]) -> None:
    found = json.loads(printed(capsys, "--json"))
    tickets, machinery = found["ticket"], found["machinery"]
    assert tickets["kept_at_least"] == {"hours": 0, "days": 0, "months": 60, "mode": "minimum"}
    assert tickets["removed_after"]["days"] == 30
    assert (machinery["kept_at_least"], machinery["counted_from"]) == (None, "last use")
    rows = {row["model"]: row for each in found.values() for row in each["models"]}
    assert rows["csp.Customer"] == {
        "model": "csp.Customer", "person": "self", "personal": ["name", "organisation", "note"],
        "earlier_versions": True,
    }  # fmt: skip
    for model in (Interaction, OutboundMessage, Notice):
        assert rows[model._meta.label]["personal"] == list(model.record.personal)
        assert not rows[model._meta.label]["earlier_versions"]


def test_in_words_there_is_a_line_for_each_class_and_each_model(capsys: pytest.CaptureFixture[str]) -> None:
    lines = printed(capsys).splitlines()
    table = lines[: lines.index("")]
    assert len(table) == 1 + len(Kept)
    assert table[1].split("  ")[0] == "Tickets and everything said in them"
    assert "60 months" in table[1]
    assert "30 days" in table[1]
    assert table[1].endswith("closing")
    named = [line.split()[0] for line in lines[len(table) :] if line.startswith("  ")]
    assert sorted(named) == sorted(models_of_ours())
    [customer] = [line for line in lines if line.split()[:1] == [Customer._meta.label]]
    assert "personal: name, organisation, note" in customer
    assert all(line == line.rstrip() for line in lines)
