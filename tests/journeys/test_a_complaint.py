"""Clauses 3.2, 3.3 and 4.1, seen by people: a complaint by telephone, handed up, decided, put right and accepted."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from csp import clock, loops
from csp.events import Act
from csp.models import Deadline, TrailEntry
from tests.cast import Cast
from tests.conftest import MailServer
from tests.journeys.conftest import Visit
from tests.tickets.intake.letters import mailbox
from tickets import checklists
from tickets.models import Escalation, Resolution, Ticket

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.django_db(transaction=True)]


def send(page: Page, button: str) -> None:
    """Press the button of the dialog that stands open."""
    page.locator("dialog[open]").get_by_role("button", name=button).click()


def test_from_the_call_to_the_customers_yes(cast: Cast, mail_server: MailServer, visit: Visit, valkey_url: str) -> None:
    mailbox(cast.team)
    rita = visit(cast.rita)
    rita.goto("/tickets/new/")
    rita.get_by_label("Subject").fill("The dishwasher leaks again")
    rita.get_by_label("What was said or written").fill("Carl: it leaks again, I want my money back.\nRita: I ask.")
    rita.get_by_label("E-mail address").fill("dora@example.org")
    rita.get_by_label("Customer's name").fill("Dora Dell")
    rita.get_by_label("Channel").select_option("phone")
    rita.get_by_label("Minutes of the call").fill("6")
    rita.locator("#id_record").select_option("written")
    rita.get_by_label("Kind").select_option("complaint")
    rita.get_by_role("button", name="Open ticket").click()
    expect(rita.get_by_role("heading", level=1)).to_contain_text("The dishwasher leaks again")
    ticket = Ticket.objects.get()
    assert (ticket.kind, ticket.channel, ticket.assignee) == ("complaint", "phone", cast.rita)

    # More than she may decide: up it goes.
    rita.keyboard.press("e")
    rita.locator("dialog[open]").get_by_label("Why does it need a supervisor?").fill("She wants her money back: 740")
    send(rita, "Escalate")
    expect(rita.get_by_text("with the supervisors").or_(rita.get_by_text("Escalated")).first).to_be_visible()
    standing = Escalation.objects.get()

    sam = visit(cast.sam)
    sam.goto("/escalations/")
    sam.get_by_role("button", name=f"Accept {ticket.reference}").click()
    sam.get_by_role("link", name=f"Decide {ticket.reference}").click()
    dialog = sam.locator("dialog[open]")
    dialog.get_by_label("Approve").check()
    dialog.get_by_label("What you decide, and why").fill("Pay it back, and fetch the old one.")
    send(sam, "Decide")
    expect(sam.get_by_text("Pay it back, and fetch the old one.").first).to_be_visible()
    standing.refresh_from_db()
    assert (standing.accepted_by, standing.decision, standing.closed_by) == (cast.sam, "approve", cast.sam)

    # The customer is told, the procedure is gone through, cause and resolution are written down.
    rita.goto(ticket.path)
    rita.locator(".composer textarea:visible").fill("You get your money back this week.")
    rita.get_by_label("State after sending").select_option("open")
    rita.get_by_role("button", name="Send reply").click()
    expect(rita.locator("#thread").get_by_text("You get your money back this week.")).to_be_visible()
    loops.run_dry(loops.DOORS["deliver"], clock.now())
    loops.run_dry(loops.RULES["settle"], clock.now())
    for step in checklists.steps_of(ticket):
        rita.goto(f"{ticket.path}#proc")
        if not step.asked:
            box = rita.get_by_role("checkbox", name=step.title)
            box.check()
            expect(box).to_be_checked()
            continue
        rita.goto(f"{ticket.path}steps/{step.pk}/fill-in/")
        for label, kind in step.asked:
            field = rita.get_by_label(label)
            if kind == "yes/no":
                field.select_option("yes")
            else:
                field.fill({"text": "R 12", "date": "2026-03-02", "amount": "740"}[kind])
        rita.get_by_role("main").get_by_role("button").last.click()
    rita.goto(f"{ticket.path}resolution/")
    rita.get_by_label("Root cause").select_option("work")
    rita.get_by_label("What caused it").fill("The seal was fitted the wrong way round.")
    rita.get_by_label("Kind of resolution").select_option("money_back")
    rita.get_by_label("What was done").fill("Paid back and fetched.")
    rita.get_by_label("Then").select_option("resolved")
    rita.get_by_role("main").get_by_role("button").last.click()
    ticket.refresh_from_db()
    assert ticket.state == Ticket.State.RESOLVED, rita.get_by_role("main").inner_text()

    # She says yes on the telephone, and only then can it be closed.
    rita.goto(f"{ticket.path}acceptance/")
    rita.get_by_label("Accepted", exact=True).check()
    rita.get_by_role("main").get_by_role("button").last.click()
    rita.goto(f"{ticket.path}state/")
    rita.get_by_label("Closed").check()
    rita.get_by_role("main").get_by_role("button").last.click()
    ticket.refresh_from_db()
    assert ticket.state == Ticket.State.CLOSED, rita.get_by_role("main").inner_text()
    assert Resolution.objects.get().acceptance == "yes"
    assert not Deadline.objects.open().filter(subject_ref=ticket.reference).exists()
    assert [sent.recipients for sent in mail_server.deliveries][-1] == ["dora@example.org"]
    acts = set(TrailEntry.objects.filter(context=ticket.trail_subject).values_list("act", flat=True))
    assert {Act.ESCALATED, Act.ESCALATION_ACCEPTED, Act.ESCALATION_DECIDED} <= acts
