"""Clause 5, seen by people: the rule is published, somebody new is co-signed, passes the last course, and is free."""

from __future__ import annotations

import datetime as dt

import pytest
from playwright.sync_api import Page, expect

from csp import clock, loops, restrictions
from csp.models import User
from csp.roles import Role
from tests import factories as make
from tests.cast import Cast
from tests.journeys.conftest import Visit
from tests.training import training
from tickets.models import CoSignature, Interaction, Ticket
from training.models import Assignment

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.django_db(transaction=True)]


def answer(page: Page, ticket: Ticket, text: str) -> None:
    page.goto(ticket.path)
    page.locator(".composer textarea:visible").fill(text)
    page.get_by_role("button", name="Send reply").click()
    page.wait_for_load_state("networkidle")


def newcomer(cast: Cast) -> User:
    return make.person(name="Nina Newcomer", role=Role.REPRESENTATIVE, team=cast.team, since=clock.now())


def test_somebody_new_is_co_signed_until_the_last_course_is_passed(cast: Cast, visit: Visit) -> None:
    adam = visit(cast.adam)
    adam.goto("/training/rule/")
    expect(adam.get_by_text("No rule is published")).to_be_visible()
    adam.get_by_role("button", name="Publish", exact=True).click()
    expect(adam.get_by_text("Rule 1")).to_be_visible()

    nina = newcomer(cast)
    loops.run_dry(loops.RULES["require"], clock.now())
    received = clock.now() - dt.timedelta(minutes=5)
    first = make.ticket(team=cast.team, customer=cast.carl, received_at=received, assignee=nina)
    page = visit(nina)
    answer(page, first, "The technician comes on Friday.")
    assert CoSignature.objects.get().author == nina
    assert not first.interactions.filter(purpose=Interaction.Purpose.ANSWER).exists()

    for code in ("communication", "complaints", "policies"):
        training.passed(code, by=nina, at=clock.now())
    page.goto("/training/")
    expect(page.get_by_text("Answers wait for a co-signature")).to_be_visible()
    page.get_by_role("link", name="CRM software", exact=True).click()
    page.get_by_role("button", name="Take the test").click()
    attempt = nina.attempts.get(finished_at=None)
    for number, places in training.ticks(attempt).items():
        page.locator(f'input[name="q{number}"][value="{places[0]}"]').check()
    page.get_by_role("button", name="Hand it in").click()
    expect(page.get_by_role("heading", name="5 of 5 right")).to_be_visible()
    page.get_by_role("link", name="Your certificate").click()
    expect(page.get_by_text("Nina Newcomer").last).to_be_visible()

    assert restrictions.of(nina, clock.now()) == []
    assert not Assignment.objects.owed().filter(user=nina, why="initial").exists()
    second = make.ticket(team=cast.team, customer=cast.rhea, received_at=received, assignee=nina)
    answer(page, second, "It is on its way.")
    assert second.interactions.filter(purpose=Interaction.Purpose.ANSWER, author=nina).exists()
    assert CoSignature.objects.count() == 1
