"""Clause 7.3, seen by people: evidence, talk, the person's own view, and both signatures, each freshly signed in."""

from __future__ import annotations

import datetime as dt
import os
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from audits.models import Papers, Review, Signed
from csp import clock
from csp.models import Deadline, User
from tests import factories as make
from tests.audits import reviewing as review_of
from tests.cast import Cast
from tests.journeys.conftest import Visit

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.django_db(transaction=True)]
PASSWORD = "a-long-password-of-tests"


def can_prove(*people: User) -> None:
    for person in people:
        person.set_password(PASSWORD)
        person.save(update_fields=["password"])


def sign(page: Page, *, agrees: bool | None = None) -> None:
    """Sign, and prove once more who one is: the signature is not lost on the way."""
    if agrees is not None:
        page.get_by_label("I agree" if agrees else "I see it otherwise, as my own view says").check()
    page.get_by_role("button", name="I have read it").click()
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Go on").click()
    expect(page.get_by_text("read what has the digest").last).to_be_visible()


def picture(page: Page, name: str) -> None:
    """Keep a picture of the page for whoever looks at it, where a folder is named for that."""
    if folder := os.environ.get("CSP_PICTURES"):
        page.screenshot(path=Path(folder) / f"{name}.png", full_page=True)


def test_a_review_from_its_draft_to_both_signatures(cast: Cast, visit: Visit) -> None:
    can_prove(cast.rita, cast.sam)
    now = clock.now()
    review_of.begin(cast.contract, at=now - dt.timedelta(days=160))
    for hours in (50, 40):
        received = now - dt.timedelta(hours=hours)
        ticket = make.ticket(team=cast.team, customer=cast.carl, received_at=received, assignee=cast.rita)
        make.answer(ticket=ticket, by=cast.rita, at=received + make.HOUR, accepted_at=received + make.HOUR)
    make.ticket(
        team=cast.team, customer=cast.carl, received_at=now - dt.timedelta(hours=30), assignee=cast.rita
    )  # fmt: skip
    review_of.jobs(at=now)
    row = review_of.of(cast.rita)

    sam = visit(cast.sam)
    sam.goto("/reviews/")
    picture(sam, "reviews")
    sam.get_by_role("link", name="Rita Representative").click()
    sam.get_by_role("button", name="Compile the evidence").click()
    expect(sam.get_by_text("2 of 3")).to_be_visible()
    sam.get_by_role("textbox", name="Assessment").fill("Reliable under load. Promises are kept, and written down.")
    sam.get_by_role("button", name="Save the assessment").click()
    sam.get_by_role("textbox", name="Goal").fill("Lead one complaint workshop")
    sam.get_by_label("By", exact=True).fill((now + dt.timedelta(days=90)).date().isoformat())
    sam.get_by_role("button", name="Add the goal").click()
    expect(sam.get_by_text("Lead one complaint workshop").first).to_be_visible()
    picture(sam, "review-draft")

    rita = visit(cast.rita)
    rita.goto(row.path)
    expect(rita.get_by_text("2 of 3")).to_be_visible()
    assert "Reliable under load" not in rita.content(), "said in the talk first"
    rita.get_by_role("textbox", name="Your own view").fill("The late one lay with another team.")
    rita.get_by_role("button", name="Save your view").click()
    picture(rita, "review-person")

    sam.goto(row.path)
    sam.get_by_role("button", name="The talk was held").click()
    expect(sam.get_by_text("Frozen with digest")).to_be_visible()

    rita.goto(row.path)
    expect(rita.get_by_text("Reliable under load")).to_be_visible()
    sign(rita, agrees=False)
    sam.goto(row.path)
    sign(sam)
    picture(sam, "review-closed")

    review = Review.objects.get(pk=row.pk)
    assert (review.state, review.closed_how) == ("closed", "both")
    assert Deadline.objects.get(pk=row.deadline_id).state == Deadline.State.MET
    assert Signed.objects.filter(review=row, proof="password").count() == 2
    assert len(set(Signed.objects.filter(review=row).values_list("digest", flat=True))) == 1
    assert Papers.objects.get(review=row).comment == "The late one lay with another team."

    vera = visit(cast.vera)
    vera.goto(row.path)
    expect(vera.get_by_text("What was said is read by the person")).to_be_visible()
    assert "Reliable" not in vera.content()
