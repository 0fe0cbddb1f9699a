"""A disposal refused by a hold, then done by two persons; each page of it accessible, in light, dark and on a phone."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from audits import retention
from csp import clock, disposing, holding
from csp.models import Disposal
from tests import factories as make
from tests.accessibility import obstacles
from tests.cast import Cast
from tests.journeys.conftest import Visit
from tickets.models import Ticket

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.django_db(transaction=True)]


def old_ticket(cast: Cast, subject: str) -> Ticket:
    """Closed so long ago that its five years are over."""
    closed_at = clock.now() - 5 * 366 * make.DAY
    ticket = make.ticket(team=cast.team, customer=cast.carl, subject=subject, received_at=closed_at - make.DAY)
    make.answer(ticket=ticket, by=cast.rita, at=closed_at, accepted_at=closed_at)
    Ticket.objects.filter(pk=ticket.pk).update(
        state="closed", resolved_at=closed_at, closed_at=closed_at, next_obligation="", next_clause="",
        next_starts_at=None, next_due_at=None,
    )  # fmt: skip
    retention.set_terms(closed_at)
    return ticket


def carry_out() -> None:
    while retention.carry_out(clock.now()):
        pass


def press(page: Page, name: str) -> None:
    page.get_by_role("button", name=name, exact=True).click()


def test_a_disposal_is_refused_by_a_hold_and_then_done_by_two_persons(cast: Cast, visit: Visit) -> None:
    held, free = old_ticket(cast, "The hob is cold"), old_ticket(cast, "Where is my fridge")
    sam, adam = visit(cast.sam), visit(cast.adam)

    sam.goto(held.path)
    sam.get_by_label("More actions").first.click()
    sam.get_by_role("link", name="Hold", exact=True).click()
    sam.get_by_label("Why it must be kept").fill("A claim is pending")
    press(sam, "Place the hold")
    expect(sam.locator("body")).to_contain_text("stands. Its review is due in six months.")

    adam.goto("/retention/")
    row = adam.get_by_role("row", name=held.reference)
    expect(row.first).to_contain_text("H-1")
    press(adam, "Propose disposal")
    expect(adam.locator("main")).to_contain_text("Somebody else looks at the list")
    expect(adam.locator("main")).not_to_contain_text(held.reference)
    expect(adam.get_by_role("button", name="Approve and remove")).to_have_count(0)
    carry_out()
    assert Ticket.objects.count() == 2, "nothing goes before a second person has approved"

    sam.goto("/retention/")
    sam.get_by_role("link", name="Look at what is proposed").click()
    press(sam, "Approve and remove")
    carry_out()
    sam.reload()
    expect(sam.locator("main")).to_contain_text("1 of 1 records")
    assert list(Ticket.objects.values_list("pk", flat=True)) == [held.pk]

    adam.goto("/retention/")
    expect(adam.get_by_role("button", name="Propose disposal")).to_have_count(0)  # what is left is held
    sam.goto("/retention/")
    sam.get_by_role("link", name="H-1").click()
    sam.get_by_role("link", name="Lift the hold").click()
    sam.get_by_label("Why", exact=True).fill("Settled")
    press(sam, "Lift the hold")
    expect(sam.locator("h1 + .pill")).to_have_text("Lifted")

    adam.goto("/retention/")
    press(adam, "Propose disposal")
    sam.goto(Disposal.objects.latest("pk").path)
    press(sam, "Approve and remove")
    carry_out()
    assert not Ticket.objects.exists()
    sam.reload()
    with sam.expect_download() as download:
        sam.get_by_role("link", name="Certificate").click()
    path = download.value.path()
    assert hashlib.sha256(Path(path).read_bytes()).hexdigest() == Disposal.objects.latest("pk").digest
    assert free.pk != held.pk


def test_the_pages_stand_in_nobodys_way(cast: Cast, visit: Visit) -> None:
    now = clock.now()
    held, _free, _other = (old_ticket(cast, subject) for subject in ("One", "Two", "Three"))
    make.ticket(team=cast.team, customer=cast.carl, received_at=now - 400 * make.DAY, subject="Never closed")
    hold = holding.place(held, team=cast.team, by=cast.sam, at=now, reason="A claim is pending")
    done = disposing.propose(retention.ROOTS, cast.contract, by=cast.adam, at=now)
    disposing.approve(done, by=cast.sam, at=now)
    carry_out()
    old_ticket(cast, "Four")
    proposed = disposing.propose(retention.ROOTS, cast.contract, by=cast.adam, at=now)
    pages = {
        cast.adam: ["/retention/", done.path, proposed.path],
        cast.sam: ["/retention/", hold.path, f"/holds/place/ticket/{held.pk}/", f"/holds/{hold.pk}/lift/"],
    }
    found = []
    for user, paths in pages.items():
        page = visit(user)
        for path in paths:
            found += obstacles(page, path)
    assert found == []
