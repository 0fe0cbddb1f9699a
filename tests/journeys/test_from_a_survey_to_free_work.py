"""Clauses 5.2, 7.1, 7.2 and 8.2 as one story, seen by people: what a customer answers changes how others work.

A survey is mailed and answered, a supervisor sees to it, the analyst makes a theme and a finding of it, the supervisor
changes a procedure, and its update course gets an exercise. Whoever is new is co-signed until the exercise is graded
as passed, and is free then. Meanwhile the action that was agreed is done and verified.
"""

from __future__ import annotations

import datetime as dt
import re

import pytest
from django.db import transaction
from playwright.sync_api import Page, expect

from csp import clock, loops, restrictions
from csp.models import OutboundMessage, User
from csp.roles import Role
from feedback import log
from feedback.models import ActionItem, Finding, Remark, Theme
from tests import factories as make
from tests.cast import Cast
from tests.conftest import MailServer
from tests.journeys.conftest import Visit
from tests.journeys.test_a_review import picture
from tests.tickets.intake.letters import mailbox
from tests.training import training
from tickets import lifecycle
from tickets.models import CoSignature, Interaction, Ticket
from training.models import Assignment, Completion, CourseVersion, PracticeAttempt

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.django_db(transaction=True)]

HOUR = make.HOUR
WORDS = "My delivery window was missed and nobody rang me."
STEP = "Ring the customer before the window ends"


def answer(page: Page, ticket: Ticket, text: str, *, waits: bool = False) -> None:
    page.goto(ticket.path)
    page.locator(".composer textarea:visible").first.fill(text)
    page.get_by_role("button", name="Send reply").click()
    told = (
        page.get_by_text("Your answer waits for a co-signature") if waits else page.locator("#thread").get_by_text(text)
    )
    expect(told.first).to_be_attached()


def mailed_survey(cast: Cast, mail_server: MailServer) -> str:
    """A matter was resolved, and its customer is asked by mail; the address of the survey in it."""
    mailbox(cast.team)
    now = clock.now()
    ticket = make.ticket(team=cast.team, customer=cast.carl, received_at=now - 5 * HOUR)
    make.answer(ticket=ticket, by=cast.rita, at=now - 4 * HOUR, accepted_at=now - 4 * HOUR)
    lifecycle.change_state(
        ticket, to=Ticket.State.RESOLVED, by=cast.rita, at=now - 3 * HOUR, resolution="It was delivered."
    )  # fmt: skip
    assert loops.run_dry(loops.RULES["surveys"], now) == 1
    loops.run_dry(loops.DOORS["deliver"], clock.now())
    sent = [one for one in mail_server.deliveries if "/survey/" in one.message.get_content()]
    assert [one.recipients for one in sent] == [["carl@northwind.example"]]
    found = re.findall(r"https?://[^/\s]+(/survey/\S+)", sent[0].message.get_content())
    return str(found[0])


def answered_and_seen_to(address: str, sam: Page, customer: Page) -> None:
    customer.goto(address)
    customer.locator('input[name="score"][value="2"]').check(force=True)
    customer.get_by_label("What should we do better?").fill(WORDS)
    customer.get_by_role("button", name="Send my answers").click()
    expect(customer.get_by_text("Thank you").first).to_be_visible()
    sam.goto("/feedback/inbox/")
    sam.get_by_role("link", name=re.compile("delivery window")).click()
    sam.get_by_role("link", name="See to it").click()
    sam.get_by_label("Called back").check()
    sam.get_by_role("button", name="Record it").click()
    expect(sam.get_by_text("Nothing waits for you")).to_be_visible()


def others_say_so(cast: Cast) -> None:
    """Two more on the telephone."""
    with transaction.atomic():
        for words in ("The delivery window was missed and nobody rang.", "Missed delivery window, nobody rang me."):
            log.record(
                team=cast.team, source=Remark.Source.PHONE, received_at=clock.now(), at=clock.now(), score=2,
                words=words, by=cast.rita,
            )  # fmt: skip
    loops.run_dry(loops.RULES["relate"], clock.now())


def found(fay: Page) -> Finding:
    """Three alike become a theme, and the theme a finding."""
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
    expect(fay.get_by_text("To be decided").first).to_be_visible()
    return Finding.objects.get()


def acted_on(sam: Page, finding: Finding) -> CourseVersion:
    """An action is agreed and the procedure changed; its update course follows by itself."""
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
    steps.fill(f"{steps.input_value()}\n{STEP}")
    expect(sam.get_by_label("What changes, and why")).to_have_value(re.compile(finding.reference))
    sam.get_by_role("button", name="Keep as draft").click()
    sam.get_by_role("button", name=re.compile("Publish")).click()
    expect(sam.get_by_text("Published.")).to_be_visible()
    for name in ("updates", "require"):
        loops.run_dry(loops.RULES[name], clock.now())
    return CourseVersion.objects.select_related("course").get(because__startswith="procedure-version:")


def done_and_verified(rita: Page, fay: Page) -> None:
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


def given_an_exercise(adam: Page, course: CourseVersion) -> CourseVersion:
    """The course's next version has one; and from now on work waits for training."""
    adam.goto(f"/training/courses/{course.course_id}/")
    adam.get_by_role("button", name="New version").click()
    for label, text in {
        "What is new": "An exercise: ring before the window ends.",
        "Exercise: the customer's name": "Pat Practice",
        "Exercise: subject": "My oven smells of gas",
        "Exercise: what comes in": "The fitter did not come, and the oven smells of gas. What do I do?",
        "Exercise: what the customer writes next": "It is in the kitchen. The number is 4711.",
        "Exercise: has to be escalated because": "danger to people",
        "Exercise: words that have to be logged": "4711",
    }.items():
        adam.get_by_label(label).fill(text)
    adam.get_by_role("button", name="Save and publish").click()
    expect(adam.get_by_text("Published.")).to_be_visible()
    adam.goto("/training/rule/")
    expect(adam.get_by_text("No rule is published")).to_be_visible()
    adam.get_by_role("button", name="Publish", exact=True).click()
    expect(adam.get_by_text("Rule 1")).to_be_visible()
    return CourseVersion.objects.select_related("course").get(course=course.course, number=2)


def newcomer(cast: Cast) -> User:
    """Somebody who has passed everything but what the customers' answers changed."""
    nina = make.person(name="Nina Newcomer", role=Role.REPRESENTATIVE, team=cast.team, since=clock.now())
    loops.run_dry(loops.RULES["require"], clock.now())
    for code in training.COURSES:
        training.passed(code, by=nina, at=clock.now())
    return nina


def test_what_a_customer_answers_changes_how_others_work(cast: Cast, mail_server: MailServer, visit: Visit) -> None:
    sam, fay = visit(cast.sam), visit(cast.fay)
    answered_and_seen_to(mailed_survey(cast, mail_server), sam, visit())
    others_say_so(cast)
    finding = found(fay)
    update = acted_on(sam, finding)
    assert Assignment.objects.owed().filter(version=update, user=cast.rita).exists()
    sam.goto(finding.path)
    expect(sam.get_by_text("0 of 4 have passed it")).to_be_visible()
    expect(sam.get_by_role("link", name=update.course.title)).to_be_visible()
    rita = visit(cast.rita)
    done_and_verified(rita, fay)
    rita.goto("/training/")
    expect(rita.get_by_role("link", name=update.course.title).first).to_be_visible()

    version = given_an_exercise(visit(cast.adam), update)
    nina = newcomer(cast)
    page = visit(nina)
    received = clock.now() - dt.timedelta(minutes=5)
    first = make.ticket(team=cast.team, customer=cast.carl, received_at=received, assignee=nina)
    answer(page, first, "The technician comes on Friday.", waits=True)
    assert CoSignature.objects.get().author == nina
    assert not first.interactions.filter(purpose=Interaction.Purpose.ANSWER).exists()

    passes_the_test(page, nina, version)
    failed = practised_badly(page)
    assert {row["code"] for row in failed.results if not row["passed"]} == {
        "answered", "followed_up", "logged", "resolved",
    }  # fmt: skip
    assert not Completion.objects.filter(user=nina, version=version).exists()
    assert restrictions.of(nina, clock.now()) != []
    practised_well(page, version)
    page.goto(version.path)
    page.get_by_role("link", name="Certificate").click()
    expect(page.get_by_text("Nina Newcomer").last).to_be_visible()

    assert restrictions.of(nina, clock.now()) == []
    assert not Assignment.objects.owed().filter(user=nina, why="initial").exists()
    second = make.ticket(team=cast.team, customer=cast.rhea, received_at=received, assignee=nina)
    answer(page, second, "It is on its way.")
    assert second.interactions.filter(purpose=Interaction.Purpose.ANSWER, author=nina).exists()
    assert CoSignature.objects.count() == 1
    # No mail of the exercises left the house, no colleague sees them, and whoever oversees her reads what she did.
    answers = OutboundMessage.objects.filter(kind__in=["answer", "acknowledgement", "holding"]).order_by("pk")
    assert [mail.to for mail in answers] == [["carl@northwind.example"], ["rhea@rival.example"]]
    sam.goto("/queue/team/")
    assert "My oven smells of gas" not in sam.content()
    sam.goto(f"/training/matrix/{nina.pk}/{version.course_id}/")
    sam.get_by_role("link", name=f"{version.course.title}, version 2, attempt 2").click()
    expect(sam.get_by_text("Open the windows and leave the house.")).to_be_visible()
    phone = visit(nina, scheme="dark", phone=True)
    phone.goto(failed.path)
    assert phone.evaluate("document.documentElement.scrollWidth <= innerWidth")
    picture(phone, "exercise-phone-dark")


def passes_the_test(page: Page, nina: User, version: CourseVersion) -> None:
    page.goto("/training/")
    expect(page.get_by_text("Answers wait for a co-signature")).to_be_visible()
    page.get_by_role("link", name=version.course.title, exact=True).first.click()
    expect(page.get_by_text(STEP).first).to_be_visible()
    picture(page, "exercise-course")
    page.get_by_role("button", name="Take the test").click()
    attempt = nina.attempts.get(finished_at=None)
    for number, places in training.ticks(attempt).items():
        page.locator(f'input[name="q{number}"][value="{places[0]}"]').check()
    page.get_by_role("button", name="Hand it in").click()
    expect(page.get_by_text("The exercise is still to be passed")).to_be_visible()
    page.goto(version.path)


def begun(page: Page) -> Ticket:
    """A customer has written, and the case is above her authority."""
    page.get_by_role("button", name="Begin the exercise").click()
    expect(page.get_by_text("An exercise. Nothing of it leaves the house")).to_be_visible()
    ticket = PracticeAttempt.objects.get(finished_at=None).ticket
    page.goto(f"{ticket.path}escalate/")
    page.get_by_role("textbox").first.fill("Gas, danger to people")
    page.get_by_role("button", name="Escalate").last.click()
    expect(page.get_by_text("Gas, danger to people").first).to_be_visible()
    assert loops.run_dry(loops.RULES["practice"], clock.now()) == 1
    return ticket


def handed_in(page: Page, ticket: Ticket) -> PracticeAttempt:
    page.goto(ticket.path)
    page.get_by_role("link", name="Hand it in").click()
    page.get_by_role("button", name="Hand it in").click()
    expect(page.get_by_text("The case was handed to a supervisor within 24 hours")).to_be_visible()
    return PracticeAttempt.objects.get(ticket=ticket)


def practised_badly(page: Page) -> PracticeAttempt:
    """Handed up, and left: what is missing is said now, and not before."""
    attempt = handed_in(page, begun(page))
    expect(page.get_by_text("not passed", exact=True).first).to_be_visible()
    expect(page.get_by_text("To be logged: 4711")).to_be_visible()
    picture(page, "exercise-graded")
    return attempt


def practised_well(page: Page, version: CourseVersion) -> None:
    page.goto(version.path)
    ticket = begun(page)
    page.goto(ticket.path)
    expect(page.get_by_text("The number is 4711").first).to_be_visible()
    page.locator(".composer").get_by_text("Note", exact=True).click()
    page.locator(".composer textarea:visible").fill("Oven 4711, gas in the kitchen.")
    page.locator(".composer").get_by_role("button", name="note").click()
    expect(page.locator(".entry[data-kind=note]")).to_contain_text("4711")
    answer(page, ticket, "Open the windows and leave the house.")
    picture(page, "exercise-worked")
    page.goto(f"{ticket.path}state/")
    page.get_by_label("Resolved").check()
    page.get_by_label("Resolution").fill("Fitter sent.")
    page.get_by_role("main").get_by_role("button").last.click()
    page.wait_for_load_state()
    attempt = handed_in(page, ticket)
    assert attempt.passed is True, attempt.results
