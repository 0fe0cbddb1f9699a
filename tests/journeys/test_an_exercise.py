"""Clause 5.2, seen by people: an exercise is begun, worked in the desk like any ticket, handed in, and looked at."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from csp import clock, loops
from csp.models import OutboundMessage
from tests import factories as make
from tests.cast import Cast
from tests.journeys.conftest import Visit
from tests.journeys.test_a_review import picture
from tests.training import training
from training import courses, records
from training.models import Completion, PracticeAttempt

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.django_db(transaction=True)]
SCRIPT = {
    "sender": "Pat Practice", "subject": "My oven smells of gas", "message": "It smells of gas. What do I do?",
    "follow_up": "It is in the kitchen. The number is 4711.", "complex_because": "danger to people",
    "must_log": ["4711"], "kind": "",
}  # fmt: skip


def test_an_exercise_is_worked_in_the_desk_and_looked_at_afterwards(cast: Cast, visit: Visit) -> None:
    at = clock.now() - make.HOUR
    draft = courses.add(
        cast.contract, title="Working in the desk", clause="5.2", roles=[], repeats=False, by=cast.adam, at=at
    )
    courses.set_practice(draft, SCRIPT, by=cast.adam, at=at)
    version = courses.write(
        draft, {"material": "Read."}, [("Where is it logged?", ["On the ticket.", "On paper."], [0])],
        and_publish=True, by=cast.adam, at=at,
    )  # fmt: skip
    test = records.start(version, by=cast.rita, at=clock.now())
    records.finish(test, training.ticks(test), by=cast.rita, at=clock.now())

    rita = visit(cast.rita)
    rita.goto(version.path)
    picture(rita, "exercise-course")
    rita.get_by_role("button", name="Begin the exercise").click()
    expect(rita.get_by_text("An exercise. Nothing of it leaves the house")).to_be_visible()
    picture(rita, "exercise-ticket")
    ticket = PracticeAttempt.objects.get().ticket
    rita.goto(f"{ticket.path}escalate/")
    rita.get_by_role("textbox").first.fill("Gas, danger to people")
    rita.get_by_role("button", name="Escalate").last.click()
    rita.wait_for_load_state("networkidle")
    rita.goto(ticket.path)
    rita.locator(".composer textarea:visible").first.fill("Open the windows and leave the house.")
    rita.get_by_role("button", name="Send reply").click()
    rita.wait_for_load_state("networkidle")
    assert loops.run_dry(loops.RULES["practice"], clock.now()) == 1
    rita.goto(ticket.path)
    expect(rita.get_by_text("The number is 4711").first).to_be_visible()
    rita.locator(".composer textarea:visible").first.fill("Thank you. The fitter is on the way.")
    rita.get_by_role("button", name="Send reply").click()
    rita.wait_for_load_state("networkidle")
    picture(rita, "exercise-worked")
    rita.get_by_role("link", name="Hand it in").click()
    rita.get_by_role("button", name="Hand it in").click()
    expect(rita.get_by_text("not passed", exact=True).first).to_be_visible()
    expect(rita.get_by_text("The case was handed to a supervisor within 24 hours")).to_be_visible()
    picture(rita, "exercise-graded")

    attempt = PracticeAttempt.objects.get()
    lacking = {row["code"] for row in attempt.results if not row["passed"]}
    assert lacking == {"logged", "resolved"}
    assert not Completion.objects.filter(user=cast.rita, version=version).exists()
    assert not OutboundMessage.objects.filter(kind__in=["answer", "acknowledgement", "holding"]).exists()

    sam = visit(cast.sam)
    sam.goto("/queue/team/")
    assert "My oven smells of gas" not in sam.content()
    sam.goto(f"/training/matrix/{cast.rita.pk}/{version.course_id}/")
    sam.get_by_role("link", name="Working in the desk, version 1, attempt 1").click()
    expect(sam.get_by_text("Open the windows and leave the house.")).to_be_visible()
    phone = visit(cast.rita, scheme="dark", phone=True)
    phone.goto(attempt.path)
    assert phone.evaluate("document.documentElement.scrollWidth <= innerWidth")
    picture(phone, "exercise-phone-dark")
