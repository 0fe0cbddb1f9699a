"""New tickets by people: a contact with its receipt, or the first word of ours."""

from __future__ import annotations

from typing import Any

import pytest

from csp.models import Address, Customer, OutboundMessage
from tests import factories
from tests.cast import Cast
from tests.factories import AT, DAY, HOUR
from tests.tickets.desk import HTMX, at_nine, browser
from tickets.models import Interaction, Ticket

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("at_nine")]
__all__ = ["at_nine"]


def form(cast: Cast, **more: Any) -> dict[str, Any]:
    return {
        "direction": "contact", "channel": "phone", "subject": "A question", "body": "When is it open?",
        "name": "New Person", "email": "new@person.example", "team": cast.team.pk, "kind": "inquiry", "priority": 2,
        "assign_to_me": "on",
    } | more  # fmt: skip


def test_a_call_opens_a_ticket_whose_clocks_run_from_the_call_not_from_the_typing(cast: Cast) -> None:
    answer = browser(cast.rita).post("/tickets/new/", form(cast, received_at="2025-03-03T07:00", phone="020 7946 0000"))
    ticket = Ticket.objects.get()
    assert answer["Location"] == f"/tickets/{ticket.pk}/"
    assert ticket.received_at == AT - 2 * HOUR
    assert ticket.respond.due_at == AT - 2 * HOUR + DAY
    assert (ticket.channel, ticket.assignee) == ("phone", cast.rita)
    assert Interaction.objects.get().kind == Interaction.Kind.CALL
    assert ticket.customer is not None
    assert set(ticket.customer.addresses.values_list("value", flat=True)) == {"new@person.example", "02079460000"}


def test_a_known_address_makes_no_second_customer(cast: Cast) -> None:
    browser(cast.rita).post("/tickets/new/", form(cast, email="Carl@Northwind.example", name="Somebody"))
    assert Ticket.objects.get().customer == cast.carl


def test_to_write_first_starts_no_clock_and_leaves_by_mail(cast: Cast) -> None:
    browser(cast.rita).post("/tickets/new/", form(cast, direction="outbound", channel=""))
    ticket = Ticket.objects.get()
    assert ticket.respond.voided_at is not None
    assert ticket.next_obligation == ""
    message = OutboundMessage.objects.get(kind="answer")
    assert message.to == ["new@person.example"]
    factories.accept(interaction=Interaction.objects.get(), at=AT)
    factories.message(ticket=ticket, at=AT + HOUR)
    assert Ticket.objects.get().next_obligation == "follow_up"


@pytest.mark.parametrize(
    ("bad", "sentence"),
    [
        ({"subject": ""}, "Subject"),
        ({"body": ""}, "What was said"),
        ({"email": "nonsense"}, "E-mail"),
        ({"name": "", "email": ""}, "Say who it is"),
        ({"received_at": "2025-03-04T09:00"}, "still to come"),
        ({"received_at": "2020-03-04T09:00"}, "more than a year ago"),
        ({"direction": "outbound", "email": ""}, "To write first"),
        ({"phone": "12"}, "five digits"),
        ({"customer": "999999"}, "cannot be chosen"),
    ],
)
def test_what_is_wrong_is_said_and_nothing_is_lost(cast: Cast, bad: dict[str, str], sentence: str) -> None:
    answer = browser(cast.rita).post("/tickets/new/", form(cast) | bad)
    page = answer.content.decode()
    assert answer.status_code == 422
    assert sentence in page
    assert bad.get("body", "When is it open?") in page
    assert not Ticket.objects.exists()
    assert not Customer.objects.filter(name="New Person").exists()


def test_tickets_are_opened_only_in_own_teams_and_only_by_the_desk(cast: Cast) -> None:
    assert browser(cast.rita).post("/tickets/new/", form(cast, team=cast.other_team.pk)).status_code == 422
    for user in (cast.vera, cast.fay, cast.adam):
        assert browser(user).get("/tickets/new/").status_code == 403


def test_a_customer_is_picked_by_name_among_those_that_one_serves(cast: Cast) -> None:
    factories.ticket(team=cast.team, customer=cast.carl)
    client = browser(cast.rita)
    assert "Carl Contact" in client.get("/tickets/new/customers/?find=carl", headers=HTMX).content.decode()
    assert "Nobody" in client.get("/tickets/new/customers/?find=rhea", headers=HTMX).content.decode()
    client.post("/tickets/new/", form(cast, customer=cast.carl.pk, name="", email=""))
    assert Ticket.objects.latest("pk").customer == cast.carl
    before = Address.objects.count()
    assert client.post("/tickets/new/", form(cast, customer=cast.rhea.pk)).status_code == 422
    assert Address.objects.count() == before
