"""The main job, end to end: a customer's mail becomes a promise with a clock, kept or broken in front of a person.

Real mail goes in by SMTP and out by SMTP; people work in a real browser; only the clock is moved by hand.
"""

from __future__ import annotations

import datetime as dt
import json
import smtplib
import time
from email.message import EmailMessage
from io import StringIO

import pytest
from django.core.management import call_command
from playwright.sync_api import expect

from csp import clock, loops
from csp.models import Breach, Notice, User
from tests.cast import Cast
from tests.conftest import MailServer
from tests.journeys.conftest import Visit
from tickets.models import Escalation, Ticket

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.django_db(transaction=True)]

PASSWORD = "a long enough password"


def send(
    door: tuple[str, int], *, subject: str, body: str, message_id: str, sender: str = "carl@northwind.example"
) -> None:
    mail = EmailMessage()
    mail["From"] = f"Carl Contact <{sender}>"
    mail["To"] = "support@desk.example"
    mail["Subject"] = subject
    mail["Message-ID"] = message_id
    mail.set_content(body)
    with smtplib.SMTP(*door) as smtp:
        smtp.send_message(mail)


def everything_due(tickets: int = 1) -> None:
    """What beat rings for in the next seconds, once that many tickets are taken in; the door begins by itself."""
    until = time.monotonic() + 20
    while Ticket.objects.count() < tickets and time.monotonic() < until:
        loops.run_dry(loops.DOORS["take_in"], clock.now())
        time.sleep(0.1)
    for loop in (*loops.DOORS.values(), loops.RULES["settle"]):
        loops.run_dry(loop, clock.now())


def with_password(user: User) -> User:
    user.set_password(PASSWORD)
    user.save()
    return user


def test_it_is_acknowledged_seen_answered_and_kept(
    cast: Cast, door: tuple[str, int], mail_server: MailServer, visit: Visit
) -> None:
    with_password(cast.rita)
    page = visit()
    page.goto("/")
    page.get_by_label("E-mail").fill(cast.rita.email)
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_role("button", name="Sign in", exact=True).click()
    page.goto("/queue/team/")

    send(door, subject="The hob stays cold", body="It clicks and does not light.", message_id="<hob@northwind.example>")
    row = page.get_by_role("link", name="The hob stays cold")
    news = page.locator("#changes").get_by_role("link")
    expect(row.or_(news).first).to_be_visible(timeout=8000)
    if not row.is_visible():
        news.click()
    expect(row).to_be_visible()
    row.click()
    if "/queue/" in page.url:
        page.goto(f"/tickets/{Ticket.objects.get().pk}/")

    everything_due()
    [acknowledgement] = mail_server.wait_for(1)
    ticket = Ticket.objects.get()
    assert ticket.reference in str(acknowledgement.message["Subject"])
    assert acknowledgement.message["In-Reply-To"] == "<hob@northwind.example>"
    assert "clicks" not in acknowledgement.message.get_content()

    page.reload()
    composer = page.locator(".composer textarea:visible")
    composer.fill("Please turn the gas tap under the worktop by a quarter. Does it light then?")
    page.get_by_role("button", name="Send reply").click()
    expect(page.get_by_text("Please turn the gas tap under the worktop").first).to_be_visible()

    everything_due()
    answer = mail_server.wait_for(2)[1]
    assert "quarter" in answer.message.get_content()
    assert answer.message["In-Reply-To"] == "<hob@northwind.example>"
    assert answer.recipients == ["carl@northwind.example"]
    ticket.refresh_from_db()
    assert (ticket.acknowledge.state, ticket.respond.state) == ("met", "met")
    page.reload()
    expect(page.get_by_text("Responded").first).to_be_visible()


def test_a_note_never_leaves(cast: Cast, door: tuple[str, int], mail_server: MailServer, visit: Visit) -> None:
    send(door, subject="Private", body="Is anybody there?", message_id="<note@northwind.example>")
    everything_due()
    ticket = Ticket.objects.get()
    page = visit(cast.rita)
    page.goto(ticket.path)
    page.locator(".composer").get_by_text("Note", exact=True).click()
    page.locator(".composer textarea:visible").fill("He is the one who shouts. Between us.")
    page.locator(".composer").get_by_role("button", name="note").click()
    expect(page.locator(".entry[data-kind=note]")).to_contain_text("Between us")
    everything_due()
    assert all("Between us" not in delivery.content.decode() for delivery in mail_server.deliveries)
    ticket.refresh_from_db()
    assert ticket.respond.state == "open"


def test_what_nobody_answers_is_breached_escalated_told_and_decided(
    cast: Cast, door: tuple[str, int], mail_server: MailServer, visit: Visit
) -> None:
    send(door, subject="Nobody answers", body="Hello?", message_id="<nobody@northwind.example>")
    everything_due()
    ticket = Ticket.objects.get()
    late = ticket.respond.due_at + dt.timedelta(seconds=1)
    for _again in range(2):
        call_command("tick", "--at", late.isoformat(), stdout=StringIO())
        assert list(Breach.objects.order_by("pk").values_list("obligation", flat=True)) == ["triage", "respond"]
        assert Escalation.objects.get().ticket_id == ticket.pk
        assert Notice.objects.filter(kind=Notice.Kind.BREACH, user=cast.sam, deadline=ticket.respond).count() == 1
    printed = StringIO()
    call_command("obligations", "--json", "--breached", stdout=printed)
    broken = {row["obligation"]: row["subject"] for row in json.loads(printed.getvalue())}
    assert broken == {"respond": ticket.reference, "triage": ticket.reference}

    page = visit(cast.sam)
    page.goto("/escalations/")
    card = (
        page.locator("article, li, section")
        .filter(has_text="Nobody answers")
        .filter(has=page.get_by_role("button", name="Accept"))
    )
    card.last.get_by_role("button", name="Accept").click()
    expect(page.get_by_role("main").get_by_text("Nobody answers").first).to_be_visible()
    row = Escalation.objects.get()
    assert row.accepted_by == cast.sam


def test_the_page_says_at_once_that_the_answer_counts(
    cast: Cast, door: tuple[str, int], mail_server: MailServer, visit: Visit
) -> None:
    """Without a reload: conversation, obligations and the head with its button follow the acceptance outside."""
    send(door, subject="Where is it", body="When does it come?", message_id="<where@northwind.example>")
    everything_due()
    ticket = Ticket.objects.get()
    page = visit(cast.rita)
    page.goto(ticket.path)
    expect(page.locator("#ticket-head .btn--clock")).to_contain_text("Respond")
    page.locator(".composer textarea:visible").fill("On Friday, between eight and ten.")
    page.get_by_role("button", name="Send reply").click()
    expect(page.locator("#thread")).to_contain_text("On Friday")
    everything_due()
    expect(page.locator("#ticket-head .btn--clock")).to_have_count(0, timeout=10_000)
    expect(page.locator("#duty-list")).to_contain_text("Responded")
