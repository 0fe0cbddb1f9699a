"""The customer's page, whose ticket one is, and who sees which of it."""

from __future__ import annotations

import pytest

from csp import clockface
from csp.models import Address, Customer, TrailEntry
from feedback.models import StoppedSurveys
from tests import factories
from tests.cast import Cast
from tests.factories import AT, HOUR
from tests.tickets.desk import HTMX, at_nine, browser
from tickets import complexity, customers, merging
from tickets.models import Ticket

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("at_nine")]
__all__ = ["at_nine"]


@pytest.fixture
def ticket(cast: Cast) -> Ticket:
    return factories.ticket(team=cast.team, customer=cast.carl, received_at=AT - HOUR)


def page(cast: Cast, who: str, customer: Customer, **query: str) -> str:
    return browser(getattr(cast, who)).get(f"/customers/{customer.pk}/", query).content.decode()


def test_the_page_shows_who_it_is_how_they_are_reached_and_own_teams_tickets(cast: Cast, ticket: Ticket) -> None:
    factories.ticket(team=cast.other_team, customer=cast.carl, subject="Elsewhere")
    Customer.objects.filter(pk=cast.carl.pk).update(note="Call before noon.")
    text = page(cast, "rita", cast.carl)
    for words in ("Carl Contact", "Northwind", "c•••••@northwind.example", "Call before noon.", ticket.reference):
        assert words in text
    assert "carl@northwind.example" not in text
    assert "Elsewhere" not in text
    assert f'href="/customers/{cast.carl.pk}/"' in browser(cast.rita).get(f"/tickets/{ticket.pk}/").content.decode()


def test_who_only_watches_sees_no_name_and_their_reading_is_on_record(cast: Cast, ticket: Ticket) -> None:
    text = page(cast, "vera", cast.carl)
    assert f"Customer {cast.carl.pk}" in text
    for words in ("Carl", "northwind", "Change</a>", "Add an address"):
        assert words not in text
    assert TrailEntry.objects.filter(act="record.read", subject=f"customer:{cast.carl.pk}").count() == 1


def test_others_have_no_such_page(cast: Cast, ticket: Ticket) -> None:
    for who, status in (("otto", 404), ("adam", 403), ("fay", 403)):
        assert browser(getattr(cast, who)).get(f"/customers/{cast.carl.pk}/").status_code == status
    Customer.objects.filter(pk=cast.carl.pk).update(erased_at=AT)
    assert browser(cast.rita).get(f"/customers/{cast.carl.pk}/").status_code == 404


def test_tickets_are_paged_by_the_last_one_shown(cast: Cast) -> None:
    factories.many_tickets(count=30, team=cast.team, customer=cast.carl, received_at=[AT])
    numbers = sorted(Ticket.objects.values_list("pk", flat=True), reverse=True)
    first = page(cast, "rita", cast.carl)
    assert f"after={numbers[24]}" in first
    assert f"/tickets/{numbers[25]}/" not in first
    second = page(cast, "rita", cast.carl, after=str(numbers[24]))
    assert f"/tickets/{numbers[25]}/" in second
    assert f"/tickets/{numbers[24]}/" not in second


def test_the_record_is_changed_in_a_dialog_or_on_a_page(cast: Cast, ticket: Ticket) -> None:
    client, url = browser(cast.rita), f"/customers/{cast.carl.pk}/edit/"
    assert "Carl Contact" in client.get(url, headers=HTMX).content.decode()
    good = {"name": "Carl C.", "organisation": "", "language": "de", "zone": "Europe/Berlin", "note": "Deaf: write."}
    assert client.post(url, good | {"zone": "Mars"}).status_code == 422
    assert client.post(url, good)["Location"] == f"/customers/{cast.carl.pk}/"
    assert "Deaf: write." in page(cast, "rita", cast.carl)


def test_an_address_of_another_is_refused_with_a_link_to_who_has_it(cast: Cast, ticket: Ticket) -> None:
    client, url = browser(cast.rita), f"/customers/{cast.carl.pk}/addresses/"
    answer = client.post(url, {"value": "rhea@rival.example"})
    assert answer.status_code == 422
    assert "Rhea Rival" not in answer.content.decode()  # whom Rita does not serve
    factories.ticket(team=cast.team, customer=cast.rhea)
    answer = client.post(url, {"value": "rhea@rival.example"})
    assert f'<a href="/customers/{cast.rhea.pk}/">Rhea Rival</a>' in answer.content.decode()
    assert client.post(url, {"value": "020 7946 0000"}).status_code == 302
    assert client.post(url, {"value": "carl@home.example", "is_primary": "on"}).status_code == 302
    assert cast.carl.addresses.get(is_primary=True, kind="mail").value == "carl@home.example"


def test_addresses_are_put_first_and_removed(cast: Cast, ticket: Ticket) -> None:
    row = customers.add_address(cast.carl, kind="mail", value="carl@home.example", by=cast.rita, at=AT)
    client, url = browser(cast.rita), f"/customers/{cast.carl.pk}/addresses/{row.pk}/"
    client.post(f"{url}first/")
    assert Address.objects.get(pk=row.pk).is_primary
    assert "c•••••@home.example" in client.get(f"{url}remove/").content.decode()
    client.post(f"{url}remove/")
    assert not Address.objects.filter(pk=row.pk).exists()
    stranger = cast.rhea.addresses.get()
    assert client.post(f"/customers/{cast.carl.pk}/addresses/{stranger.pk}/remove/").status_code == 404


def test_a_ticket_gets_its_customer_by_search_with_and_without_scripts(cast: Cast, ticket: Ticket) -> None:
    factories.ticket(team=cast.team, customer=cast.rhea)
    client, url = browser(cast.rita), f"/tickets/{ticket.pk}/customer/"
    assert 'id="find"' in client.get(url, headers=HTMX).content.decode()
    found = client.post(url, {"find": "Rhea", "search": "1"}).content.decode()
    assert f'value="{cast.rhea.pk}"' in found
    assert client.post(url, {"find": "Rhea", "customer": cast.rhea.pk}).status_code == 302
    assert Ticket.objects.get(pk=ticket.pk).customer == cast.rhea
    assert client.post(url, {"find": ""}).status_code == 422
    assert client.post(url, {"email": "nora@new.example", "name": "Nora"}).status_code == 302
    assert str(Ticket.objects.get(pk=ticket.pk).customer) == "Nora"


def test_one_whom_the_person_does_not_serve_is_chosen_by_a_whole_address_alone(cast: Cast, ticket: Ticket) -> None:
    factories.ticket(team=cast.other_team, customer=cast.rhea)
    client, url = browser(cast.rita), f"/tickets/{ticket.pk}/customer/"
    assert client.post(url, {"find": "Rhea", "customer": cast.rhea.pk}).status_code == 422
    assert client.post(url, {"find": "rhea@rival.example", "customer": cast.rhea.pk}).status_code == 302


def test_two_customers_are_joined_and_taken_apart_in_the_browser(cast: Cast, ticket: Ticket) -> None:
    factories.ticket(team=cast.team, customer=cast.rhea)
    client = browser(cast.rita)
    answer = client.post(f"/customers/{cast.rhea.pk}/join/", {"find": "Carl", "customer": cast.carl.pk})
    assert answer["Location"] == f"/customers/{cast.carl.pk}/"
    assert client.get(f"/customers/{cast.rhea.pk}/")["Location"] == f"/customers/{cast.carl.pk}/"
    assert "Rhea Rival" in page(cast, "rita", cast.carl)
    client.post(f"/customers/{cast.rhea.pk}/part/")
    assert Customer.objects.get(pk=cast.rhea.pk).joined_into is None


def test_a_search_finds_customers_whose_page_one_may_open(cast: Cast, ticket: Ticket) -> None:
    client, link = browser(cast.rita), f'href="/customers/{cast.carl.pk}/"'
    assert link in client.get("/search/?q=carl").content.decode()
    assert link in client.get("/palette/?q=carl").content.decode()
    assert link not in browser(cast.otto).get("/search/?q=carl@northwind.example").content.decode()
    assert link not in browser(cast.vera).get("/search/?q=carl").content.decode()


def test_a_customer_who_says_so_is_asked_no_more(cast: Cast, ticket: Ticket) -> None:
    browser(cast.otto).post(f"/customers/{cast.carl.pk}/surveys/stop/")
    assert not StoppedSurveys.objects.exists()
    browser(cast.rita).post(f"/customers/{cast.carl.pk}/surveys/stop/")
    assert StoppedSurveys.objects.get().customer == cast.carl
    assert "asked for no more" in page(cast, "rita", cast.carl)


def test_the_time_since_receipt_is_that_of_the_whole_matter(cast: Cast, ticket: Ticket) -> None:
    late = factories.ticket(team=cast.team, customer=cast.carl, received_at=AT)
    merging.merge(ticket, into=late, by=cast.rita, at=AT)
    complexity.mark_complex(late, by=cast.rita, at=AT, reason="A refund")
    assert f"received {clockface.short(HOUR)} ago" in browser(cast.sam).get("/escalations/").content.decode()
