"""The ticket workspace: what it shows to whom, and what leaves it."""

from __future__ import annotations

import datetime as dt
import json
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test.utils import CaptureQueriesContext

from csp.events import Act
from csp.models import Address, OutboundMessage, TrailEntry
from tests import factories
from tests.cast import Cast
from tests.factories import AT, HOUR
from tests.tickets.desk import HTMX, at_nine, browser
from tickets import complexity
from tickets.conversation import spell
from tickets.models import CannedReply, Draft, Interaction, Presence, Ticket

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("at_nine")]
__all__ = ["at_nine"]


@pytest.fixture
def ticket(cast: Cast) -> Ticket:
    return factories.ticket(team=cast.team, customer=cast.carl, received_at=AT - 2 * HOUR, assignee=cast.rita)


def words(ticket: Ticket, **more: Any) -> dict[str, Any]:
    """What the composer's form sends."""
    screen = spell(factories.on_screen(ticket=ticket))
    return {"kind": "reply", "reply": "It is put right.", "seen_through": screen, "then": "waiting"} | more


def outbox() -> list[OutboundMessage]:
    return list(OutboundMessage.objects.filter(kind__in=["answer", "holding"]))


def test_only_who_may_see_a_ticket_finds_it(cast: Cast, ticket: Ticket) -> None:
    for user, status in ((cast.rita, 200), (cast.sam, 200), (cast.vera, 200), (cast.otto, 404), (cast.olga, 404)):
        assert browser(user).get(f"/tickets/{ticket.pk}/").status_code == status
    for user in (cast.fay, cast.adam):
        assert browser(user).get(f"/tickets/{ticket.pk}/").status_code == 403


def test_nothing_on_another_teams_ticket_can_be_reached(cast: Cast, ticket: Ticket) -> None:
    client = browser(cast.otto)
    for part in ("peek", "earlier", "canned", "assign", "move", "state", "edit", "remind", "escalate", "complex",
                 "within-authority", "merge", "link", "no-reply-needed"):  # fmt: skip
        assert client.get(f"/tickets/{ticket.pk}/{part}/").status_code == 404, part
    for part in ("write", "draft", "assign/me", "unmerge", "join"):
        assert client.post(f"/tickets/{ticket.pk}/{part}/", words(ticket)).status_code == 404, part
    assert not outbox()


def test_changes_are_made_by_post_only(cast: Cast, ticket: Ticket) -> None:
    client = browser(cast.rita)
    for part in ("draft", "assign/me", "unmerge", "join"):
        assert client.get(f"/tickets/{ticket.pk}/{part}/").status_code == 405


def test_the_page_tells_what_was_said_what_happened_and_what_is_owed(cast: Cast, ticket: Ticket) -> None:
    row = factories.answer(ticket=ticket, by=cast.rita, at=AT - HOUR, accepted_at=AT - HOUR + dt.timedelta(minutes=1))
    page = browser(cast.sam).get(f"/tickets/{ticket.pk}/").content.decode()
    for part in ("Please look at the invoice", row.body, "accepted outside 08:01", "Responded", "§3.1", "Opened"):
        assert part in page


def test_the_line_in_the_head_runs_to_the_limit_that_the_first_button_names(cast: Cast, ticket: Ticket) -> None:
    page = browser(cast.rita).get(f"/tickets/{ticket.pk}/").content.decode()
    assert ticket.next_obligation == "respond"  # triage falls due an hour before it
    assert "Respond by" in page
    assert "Triage by" not in page


def test_a_message_on_its_way_a_refused_and_a_returned_one_say_so(cast: Cast, ticket: Ticket) -> None:
    client = browser(cast.rita)
    waiting = factories.answer(ticket=ticket, by=cast.rita, at=AT)
    assert "waiting to be sent" in client.get(f"/tickets/{ticket.pk}/").content.decode()
    factories.accept(interaction=waiting, at=AT)
    factories.bounce(interaction=waiting, at=AT)
    page = client.get(f"/tickets/{ticket.pk}/").content.decode()
    assert "returned: 5.1.1" in page
    assert "Owed again" in page


def test_the_ticket_page_costs_at_most_fifteen_statements(cast: Cast, ticket: Ticket) -> None:
    client = browser(cast.rita)

    def cost() -> int:
        with CaptureQueriesContext(connection) as queries:
            client.get(f"/tickets/{ticket.pk}/")
        return len([query for query in queries if not query["sql"].startswith(("SAVEPOINT", "RELEASE"))])

    cost()
    few = cost()
    for _each in range(5):
        factories.message(ticket=ticket, at=AT)
    many = cost()
    assert few <= many <= 15


def test_an_auditor_sees_everything_but_who_it_is_and_the_reading_is_on_record(cast: Cast, ticket: Ticket) -> None:
    page = browser(cast.vera).get(f"/tickets/{ticket.pk}/").content.decode()
    assert "Please look at the invoice" in page
    for hidden in ("Carl", "northwind", "Northwind", "composer"):
        assert hidden not in page
    entry = TrailEntry.objects.get(act=Act.TICKET_READ)
    assert (entry.actor, entry.subject) == (f"user:{cast.vera.pk}", f"ticket:{ticket.pk}")
    browser(cast.vera).get(f"/tickets/{ticket.pk}/peek/", headers=HTMX)
    browser(cast.rita).get(f"/tickets/{ticket.pk}/peek/", headers=HTMX)
    assert TrailEntry.objects.filter(act=Act.TICKET_READ).count() == 2


def test_no_text_tells_an_auditor_who_the_customer_is(cast: Cast) -> None:
    words = "Where is my order? Write to carl@northwind.example.\n\nRegards\nCarl Contact\nNorthwind"
    written = factories.ticket(team=cast.team, customer=cast.carl, received_at=AT - HOUR, body=words)
    for path in (f"/tickets/{written.pk}/", f"/tickets/{written.pk}/peek/", "/queue/team/"):
        page = browser(cast.vera).get(path).content.decode()
        assert "Where is my order?" in page
        for hidden in ("Carl", "Contact\n", "northwind", "Northwind"):
            assert hidden not in page, path
        assert "Carl" in browser(cast.rita).get(path).content.decode()


# ---------------------------------------------------------------- writing


def test_a_reply_leaves_and_says_when_it_counts(cast: Cast, ticket: Ticket) -> None:
    answer = browser(cast.rita).post(f"/tickets/{ticket.pk}/write/", words(ticket, cc="Boss <boss@northwind.example>"))
    assert answer["Location"] == f"/tickets/{ticket.pk}/"
    [message] = outbox()
    assert (message.to, message.cc) == (["carl@northwind.example"], ["boss@northwind.example"])
    ticket.refresh_from_db()
    assert ticket.state == Ticket.State.WAITING
    assert ticket.respond.met_at is None  # only acceptance outside meets it


def test_a_holding_message_answers_nothing(cast: Cast, ticket: Ticket) -> None:
    said = words(ticket, kind="holding", holding="You hear from us tomorrow.", then="resolved")
    browser(cast.rita).post(f"/tickets/{ticket.pk}/write/", said)
    [message] = outbox()
    assert message.kind == OutboundMessage.Kind.HOLDING
    row = Interaction.objects.get(purpose=Interaction.Purpose.HOLDING)
    factories.accept(interaction=row, at=AT)
    ticket.refresh_from_db()
    assert ticket.respond.met_at is None
    assert ticket.state == Ticket.State.OPEN


def test_a_note_can_never_leave(cast: Cast, ticket: Ticket) -> None:
    """Whatever else the form holds: addresses, a reply, a state, files."""
    client = browser(cast.rita)
    said = words(ticket, kind="note", note="Between us.", reply="To the customer.", cc="")
    assert client.post(f"/tickets/{ticket.pk}/write/", said).status_code == 302
    assert not outbox()
    row = Interaction.objects.latest("pk")
    assert (row.direction, row.kind, row.body, row.to) == ("internal", "note", "Between us.", [])
    refused = client.post(f"/tickets/{ticket.pk}/write/", said | {"cc": "carl@northwind.example"})
    assert refused.status_code == 422
    assert not outbox()
    assert "Between us." in refused.content.decode()


def test_the_text_of_one_kind_is_never_sent_as_another(cast: Cast, ticket: Ticket) -> None:
    answer = browser(cast.rita).post(f"/tickets/{ticket.pk}/write/", words(ticket, reply="", note="Between us."))
    assert answer.status_code == 422
    assert not outbox()


@pytest.mark.parametrize(
    "bad",
    [
        {"reply": "   "},
        {"cc": "not an address"},
        {"cc": ", ".join(f"a{n}@b.example" for n in range(30))},
        {"kind": "shout"},
        {"then": "merged"},
        {"seen_through": "x"},
    ],
)
def test_what_cannot_be_sent_comes_back_with_its_text(cast: Cast, ticket: Ticket, bad: dict[str, str]) -> None:
    answer = browser(cast.rita).post(f"/tickets/{ticket.pk}/write/", words(ticket) | bad)
    assert answer.status_code == 422
    assert not outbox()
    page = answer.content.decode()
    assert "to put right" in page
    assert bad.get("reply", "It is put right.") in page


def test_what_was_refused_is_still_there_when_the_page_is_opened_again(cast: Cast, ticket: Ticket) -> None:
    client = browser(cast.rita)
    client.post(f"/tickets/{ticket.pk}/write/", words(ticket, cc="boss@northwind.example", then="merged"))
    assert not outbox()
    page = client.get(f"/tickets/{ticket.pk}/").content.decode()
    assert "It is put right." in page
    assert "boss@northwind.example" in page


def test_the_line_in_the_head_says_received_of_the_receipt_alone(cast: Cast, ticket: Ticket) -> None:
    client = browser(cast.rita)
    assert "Received today 07:00" in client.get(f"/tickets/{ticket.pk}/").content.decode()
    factories.answer(ticket=ticket, by=cast.rita, at=AT - HOUR, accepted_at=AT - HOUR)
    factories.message(ticket=ticket, at=AT - HOUR / 2, body="And the second one?")
    page = client.get(f"/tickets/{ticket.pk}/").content.decode()
    assert "Since today 08:30" in page
    assert "Received today" not in page


def test_the_key_for_escalating_opens_the_same_dialog_when_it_is_what_is_owed(cast: Cast, ticket: Ticket) -> None:
    complexity.mark_complex(ticket, by=cast.rita, at=AT, reason="A lawyer writes")
    page = browser(cast.rita).get(f"/tickets/{ticket.pk}/").content.decode()
    [button] = [part for part in page.split("<a ") if 'data-key="e"' in part]
    for part in (f'hx-get="/tickets/{ticket.pk}/escalate/"', 'hx-target="#step"', 'data-dialog="step"'):
        assert part in button.split(">")[0]


def test_a_reply_over_a_message_that_nobody_has_read_is_held_and_shown(cast: Cast, ticket: Ticket) -> None:
    said = words(ticket)
    late = factories.message(ticket=ticket, at=AT, body="Stop, I found it myself.")
    client = browser(cast.rita)
    held = client.post(f"/tickets/{ticket.pk}/write/", said, headers=HTMX)
    page = held.content.decode()
    assert held.status_code == 409
    assert not outbox()
    for part in ("Stop, I found it myself.", "It is put right.", f'value="{ticket.pk}-{late.pk}"'):
        assert part in page
    assert "<html" not in page
    assert client.post(f"/tickets/{ticket.pk}/write/", words(ticket)).status_code == 302
    assert len(outbox()) == 1


def test_files_go_out_with_the_answer_known_by_their_content(cast: Cast, ticket: Ticket) -> None:
    file = SimpleUploadedFile("invoice.html", b"%PDF-1.4 a bill", content_type="text/html")
    browser(cast.rita).post(f"/tickets/{ticket.pk}/write/", words(ticket, files=[file]))
    [attachment] = outbox()[0].attachments.all()
    assert (attachment.name, attachment.content_type) == ("invoice.html", "application/pdf")


def test_who_only_reads_writes_nothing(cast: Cast, ticket: Ticket) -> None:
    for part in ("write", "draft", "assign", "state", "escalate"):
        assert browser(cast.vera).post(f"/tickets/{ticket.pk}/{part}/", words(ticket)).status_code == 403
    assert not outbox()


def test_a_draft_stays_on_the_server_for_its_writer_alone(cast: Cast, ticket: Ticket) -> None:
    client = browser(cast.rita)
    kept = {"kind": "reply", "reply": "Half a sent", "note": "and a note", "holding": ""}
    assert client.post(f"/tickets/{ticket.pk}/draft/", kept).status_code == 204
    assert "Rita is writing" in browser(cast.sam).get(f"/tickets/{ticket.pk}/").content.decode()
    assert "Half a sent" in browser(cast.rita).get(f"/tickets/{ticket.pk}/").content.decode()
    assert "Half a sent" not in browser(cast.sam).get(f"/tickets/{ticket.pk}/").content.decode()
    client.post(f"/tickets/{ticket.pk}/write/", words(ticket, reply="Half a sentence."))
    assert [row.mode for row in Draft.objects.all()] == ["note"]


def test_a_session_that_has_ended_loses_no_text(cast: Cast, ticket: Ticket) -> None:
    """The part of a page that htmx asks for is refused and not replaced by the sign-in; the draft is on the server."""
    client = browser(cast.rita)
    client.post(f"/tickets/{ticket.pk}/draft/", {"kind": "reply", "reply": "Half a sentence"})
    client.logout()
    assert client.post(f"/tickets/{ticket.pk}/write/", words(ticket), headers=HTMX).status_code == 401
    assert client.post(f"/tickets/{ticket.pk}/write/", words(ticket)).status_code == 302  # to the sign-in
    assert not outbox()
    again = browser(cast.rita)
    assert again.get(f"/tickets/{ticket.pk}/write/")["Location"] == f"/tickets/{ticket.pk}/#write"
    assert "Half a sentence" in again.get(f"/tickets/{ticket.pk}/").content.decode()


def test_only_approved_replies_are_offered_and_they_are_filled_from_the_ticket(cast: Cast, ticket: Ticket) -> None:
    mine = {"contract": cast.contract, "written_by": cast.rita, "written_at": AT}
    ready = CannedReply.objects.create(
        title="Order number", body="Dear {customer}, about {reference} {unknown}", approved_by=cast.sam, approved_at=AT,
        **mine,
    )  # fmt: skip
    CannedReply.objects.create(title="Not yet", body="x", **mine)
    client = browser(cast.rita)
    part = client.get(f"/tickets/{ticket.pk}/canned/", headers=HTMX).content.decode()
    assert f"Dear Carl Contact, about #{ticket.pk} {{unknown}}" in part
    assert "Not yet" not in part
    page = client.get(f"/tickets/{ticket.pk}/?canned={ready.pk}").content.decode()  # without scripts
    assert f"Dear Carl Contact, about #{ticket.pk}" in page


def test_no_reply_needed_takes_a_reason_and_never_a_first_message(cast: Cast, ticket: Ticket) -> None:
    client, url = browser(cast.rita), f"/tickets/{ticket.pk}/no-reply-needed/"
    first = client.post(url, {"reason": "Thanks", "seen_through": spell(factories.on_screen(ticket=ticket))})
    assert first.status_code == 422
    assert "A first message always gets an answer." in first.content.decode()
    factories.answer(ticket=ticket, by=cast.rita, at=AT, accepted_at=AT)
    factories.message(ticket=ticket, at=AT, body="Thank you!")
    screen = spell(factories.on_screen(ticket=ticket))
    assert client.post(url, {"reason": "", "seen_through": screen}).status_code == 422
    assert client.post(url, {"reason": "Only thanks", "seen_through": screen}).status_code == 302


# ---------------------------------------------------------------- who is here, what is new


def test_others_here_are_told_and_news_is_held_until_somebody_looks(cast: Cast, ticket: Ticket) -> None:
    browser(cast.sam).get(f"/tickets/{ticket.pk}/")
    client = browser(cast.rita)
    page = client.get(f"/tickets/{ticket.pk}/").content.decode()
    assert "Sam is reading" in page
    where = {"scope": f"ticket:{ticket.pk}"}
    first = json.loads(client.get("/changes", where | {"since": ""}).content)
    assert client.get("/changes", where | {"since": first["cursor"]}).status_code == 204
    factories.message(ticket=ticket, at=AT)
    news = json.loads(client.get("/changes", where | {"since": first["cursor"]}).content)
    assert (news["hold"], news["text"]) == (True, "The customer wrote")
    part = client.get(f"/tickets/{ticket.pk}/", headers=HTMX | {"HX-Target": "thread"}).content.decode()
    assert "One more thing." in part
    assert f'value="{spell(factories.on_screen(ticket=ticket))}"' in part  # shown, so seen
    assert client.get("/changes", {"scope": f"ticket:{ticket.pk + 99}"}).status_code == 400
    assert browser(cast.otto).get("/changes", where).status_code == 400


def test_looking_at_a_part_again_does_not_count_as_being_here_anew(cast: Cast, ticket: Ticket) -> None:
    client = browser(cast.rita)
    client.get(f"/tickets/{ticket.pk}/")
    client.post(f"/tickets/{ticket.pk}/draft/", {"reply": "x"})
    client.get(f"/tickets/{ticket.pk}/", headers=HTMX | {"HX-Target": "thread"})
    assert Presence.objects.get(user=cast.rita).is_writing


# ---------------------------------------------------------------- hidden data


def test_an_address_is_hidden_until_somebody_asks_and_that_is_on_record(cast: Cast, ticket: Ticket) -> None:
    client = browser(cast.rita)
    assert "carl@northwind.example" not in client.get(f"/tickets/{ticket.pk}/").content.decode()
    row = Address.objects.get(customer=cast.carl)
    url = f"/tickets/{ticket.pk}/address/{row.pk}/"
    assert client.get(url).status_code == 405
    assert "carl@northwind.example" in client.post(url, headers=HTMX).content.decode()
    entry = TrailEntry.objects.get(act=Act.NAME_SHOWN)
    assert "carl" not in entry.facts
    assert browser(cast.vera).post(url).status_code == 403
    other = Address.objects.get(customer=cast.rhea)
    assert client.post(f"/tickets/{ticket.pk}/address/{other.pk}/").status_code == 404


def test_the_words_of_the_contract_stand_where_a_supervisor_acts(cast: Cast, ticket: Ticket) -> None:
    complexity.mark_complex(ticket, by=cast.rita, at=AT, reason="Above my limit")
    page = browser(cast.rita).get(f"/tickets/{ticket.pk}/").content.decode()
    assert f"/tickets/{ticket.pk}/escalate/" in page
    assert "Decide within my authority" in page


def test_the_thread_says_that_one_of_two_addresses_did_not_take_it(cast: Cast, ticket: Ticket) -> None:
    row = factories.answer(ticket=ticket, by=cast.rita, at=AT)
    factories.accept(interaction=row, at=AT, lost=row.to)
    page = browser(cast.rita).get(f"/tickets/{ticket.pk}/").content.decode()
    assert "but for 1 address: 550 no such person" in page
