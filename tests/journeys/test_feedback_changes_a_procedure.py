"""Clause 7.2, seen by people: a survey becomes a theme, a finding, a changed procedure and its update course."""

from __future__ import annotations

import datetime as dt
import re

import pytest
from django.db import transaction
from playwright.sync_api import expect

from csp import clock, loops
from csp.models import OutboundMessage
from feedback import log, surveys
from feedback.models import ActionItem, Finding, Remark, Theme
from tests import factories as make
from tests.cast import Cast
from tests.journeys.conftest import Visit
from tickets import lifecycle
from tickets.models import Ticket
from training.models import Assignment, CourseVersion

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.django_db(transaction=True)]

HOUR = dt.timedelta(hours=1)


def asked(cast: Cast) -> str:
    """A matter was resolved, and its customer is asked; the address of the survey."""
    now = clock.now()
    ticket = make.ticket(team=cast.team, customer=cast.carl, received_at=now - 5 * HOUR)
    make.answer(ticket=ticket, by=cast.rita, at=now - 4 * HOUR, accepted_at=now - 4 * HOUR)
    lifecycle.change_state(
        ticket, to=Ticket.State.RESOLVED, by=cast.rita, at=now - 3 * HOUR, resolution="It was delivered."
    )  # fmt: skip
    assert surveys.send(now) == 1
    found = re.findall(r"https?://[^/\s]+(/survey/\S+)", OutboundMessage.objects.get(kind="survey").body)
    return str(found[0])


def others(cast: Cast) -> None:
    """Two more say the same on the telephone."""
    with transaction.atomic():
        for words in ("The delivery window was missed and nobody rang.", "Missed delivery window, nobody rang me."):
            log.record(
                team=cast.team, source=Remark.Source.PHONE, received_at=clock.now(), at=clock.now(), score=2,
                words=words, by=cast.rita,
            )  # fmt: skip


def test_a_survey_becomes_a_finding_that_changes_a_procedure_and_its_course(cast: Cast, visit: Visit) -> None:
    customer = visit()
    customer.goto(asked(cast))
    customer.locator('input[name="score"][value="2"]').check(force=True)
    customer.get_by_label("What should we do better?").fill("My delivery window was missed and nobody rang me.")
    customer.get_by_role("button", name="Send my answers").click()
    expect(customer.get_by_text("Thank you").first).to_be_visible()

    sam = visit(cast.sam)
    sam.goto("/feedback/inbox/")
    sam.get_by_role("link", name=re.compile("delivery window")).click()
    sam.get_by_role("link", name="See to it").click()
    sam.get_by_label("Called back").check()
    sam.get_by_role("button", name="Record it").click()
    expect(sam.get_by_text("Nothing waits for you")).to_be_visible()

    others(cast)
    loops.run_dry(loops.RULES["relate"], clock.now())
    fay = visit(cast.fay)
    fay.goto("/feedback/sort/")
    expect(fay.get_by_role("heading", name="3 remarks that are alike")).to_be_visible()
    fay.get_by_label("Name of the theme").fill("Delivery window missed")
    fay.get_by_role("button", name="Make it a theme").click()
    expect(fay.get_by_role("heading", name="Delivery window missed")).to_be_visible()
    assert Theme.objects.get().texts.count() == 3

    fay.get_by_role("link", name="Write a finding").click()
    fay.get_by_label("In a sentence").fill("Nobody tells customers that a delivery moves")
    fay.get_by_label("What you found").fill("Three customers learned of it by waiting.")
    fay.get_by_label("What should be done").fill("Ring before the window ends.")
    fay.get_by_role("button", name="Put it to the supervisors").click()
    finding = Finding.objects.get()
    expect(fay.get_by_text("To be decided").first).to_be_visible()

    sam.goto(finding.path)
    sam.get_by_role("link", name="Agree an action").click()
    sam.get_by_label("What is done").fill("Ring every customer whose window moves")
    sam.get_by_label("Who does it").select_option(label="Rita Representative")
    sam.get_by_label("Done by the end of").fill(f"{clock.now() + dt.timedelta(days=14):%Y-%m-%d}")
    sam.get_by_role("button", name="Agree it").click()
    expect(sam.get_by_role("link", name="Ring every customer whose window moves")).to_be_visible()
    sam.get_by_role("link", name="Change a procedure").click()
    sam.get_by_role("button", name="Open the draft").click()
    steps = sam.get_by_label("Steps")
    steps.fill(f"{steps.input_value()}\nRing the customer before the window ends")
    expect(sam.get_by_label("What changes, and why")).to_have_value(re.compile(finding.reference))
    sam.get_by_role("button", name="Keep as draft").click()
    sam.get_by_role("button", name=re.compile("Publish")).click()
    expect(sam.get_by_text("Published.")).to_be_visible()

    for name in ("updates", "require"):
        loops.run_dry(loops.RULES[name], clock.now())
    course = CourseVersion.objects.get(because__startswith="procedure-version:")
    assert Assignment.objects.owed().filter(version=course, user=cast.rita).exists()
    sam.goto(finding.path)
    expect(sam.get_by_text("0 of 4 have passed it")).to_be_visible()
    expect(sam.get_by_role("link", name=course.course.title)).to_be_visible()

    rita = visit(cast.rita)
    rita.goto(ActionItem.objects.get().path)
    rita.get_by_role("link", name="Say that it is done").click()
    rita.get_by_label("What was done, and how that shows").fill("Every call is noted on its ticket since Monday.")
    rita.get_by_role("button", name="It is done").click()
    fay.goto(ActionItem.objects.get().path)
    fay.get_by_role("link", name="Verify it").click()
    fay.get_by_label("Yes, the evidence shows it").check()
    fay.get_by_label("What you looked at and what you found").fill("Looked at five tickets.")
    fay.get_by_role("button", name="Save the result").click()
    expect(fay.get_by_text("verified", exact=True)).to_be_visible()
    expect(fay.get_by_text("The days after are not over: this is no result yet.")).to_be_visible()
    rita.goto("/training/")
    expect(rita.get_by_role("link", name=course.course.title).first).to_be_visible()
