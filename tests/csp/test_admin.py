"""The reading room: who sees which records, masked how, and that reading is recorded and nothing can be changed."""

from __future__ import annotations

import datetime as dt

import pytest
from django.test import Client, RequestFactory
from django.urls import reverse

from csp import admin
from csp.events import Act
from csp.models import Customer, DataRequest, TrailEntry
from csp.privacy import requests
from csp.roles import Permission
from tests import factories
from tests.cast import Cast

pytestmark = pytest.mark.django_db


def lists() -> list[tuple[str, tuple[Permission, ...]]]:
    return [
        (reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist"), page.readers)
        for model, page in admin.site._registry.items()
        if isinstance(page, admin.Reading)
    ]


@pytest.mark.parametrize("who", ["rita", "sam", "otto", "fay"])
def test_the_desk_has_no_business_here(client: Client, cast: Cast, who: str) -> None:
    client.force_login(getattr(cast, who))
    assert client.get("/admin/").status_code == 302
    assert all(client.get(path).status_code == 302 for path, _readers in lists()[:5])


def test_strangers_go_to_our_own_sign_in(client: Client, db: None) -> None:
    first = client.get("/admin/csp/user/")
    assert "/admin/login/" in first.headers["Location"]
    assert client.get(first.headers["Location"]).headers["Location"].startswith("/sign-in/?next=")


@pytest.mark.slow
def test_every_list_opens_for_its_readers_and_for_nobody_else(client: Client, cast: Cast) -> None:
    factories.ticket(team=cast.team, customer=cast.carl)
    for who in (cast.vera, cast.adam):
        client.force_login(who)
        assert client.get("/admin/").status_code == 200
        for path, readers in lists():
            allowed = any(who.has_perm(one.value) for one in readers)
            assert client.get(path).status_code == (200 if allowed else 403), (who, path)


def test_every_record_opens_masked_and_the_reading_is_recorded(client: Client, cast: Cast) -> None:
    ticket = factories.ticket(team=cast.team, customer=cast.carl, subject="My secret subject")
    client.force_login(cast.vera)
    for path in (f"/admin/tickets/ticket/{ticket.pk}/change/", f"/admin/csp/customer/{cast.carl.pk}/change/"):
        page = client.get(path)
        assert page.status_code == 200
        words = page.content.decode()
        assert admin.MASK in words
        assert "secret subject" not in words
        assert "Carl Contact" not in words
    read = TrailEntry.objects.filter(act=Act.RECORD_READ).order_by("id")
    assert [entry.context for entry in read] == [f"ticket:{ticket.pk}", f"customer:{cast.carl.pk}"]
    assert {entry.actor for entry in read} == {f"user:{cast.vera.pk}"}


def test_times_are_told_by_twenty_four_hours(client: Client, cast: Cast) -> None:
    late = dt.datetime(2025, 3, 3, 22, 32, tzinfo=dt.UTC)
    ticket = factories.ticket(team=cast.team, customer=cast.carl, received_at=late)
    client.force_login(cast.vera)
    words = client.get(f"/admin/tickets/ticket/{ticket.pk}/change/").content.decode()
    assert "3 Mar 2025, 22:32" in words
    assert "10:32" not in words


def test_an_administrator_reads_no_customers_name_through_another_record(client: Client, cast: Cast) -> None:
    row = requests.open_request(
        team=cast.team, kind=DataRequest.Kind.ACCESS, channel=DataRequest.Channel.PHONE, received_at=factories.AT,
        at=factories.AT, by=cast.sam, customer=cast.carl, name="Carl Contact",
    )  # fmt: skip
    client.force_login(cast.adam)
    page = client.get(f"/admin/csp/datarequest/{row.pk}/change/").content.decode()
    assert "Carl Contact" not in page
    assert admin.MASK in page
    asks = RequestFactory().get("/admin/")
    asks.user = cast.adam
    for model, reading in admin.site._registry.items():
        if isinstance(reading, admin.Reading):
            named = {field.name for field in model._meta.concrete_fields if field.related_model is Customer}
            assert not named & set(reading.get_fields(asks)), model


def test_an_administrator_sees_people_and_no_ticket(client: Client, cast: Cast) -> None:
    ticket = factories.ticket(team=cast.team, customer=cast.carl)
    client.force_login(cast.adam)
    assert "rita@desk.example" in client.get("/admin/csp/user/").content.decode()
    page = client.get(f"/admin/csp/user/{cast.rita.pk}/change/").content.decode()
    assert "argon2" not in page
    assert "md5" not in page
    assert client.get(f"/admin/tickets/ticket/{ticket.pk}/change/").status_code == 403


def test_nothing_can_be_added_changed_or_deleted(client: Client, cast: Cast) -> None:
    for who in (cast.vera, cast.adam):
        client.force_login(who)
        for path, _readers in lists():
            assert client.get(f"{path}add/").status_code == 403, path
            assert client.post(f"{path}add/").status_code == 403, path
    client.force_login(cast.adam)
    user = f"/admin/csp/user/{cast.rita.pk}/"
    assert client.post(f"{user}change/", {"name": "Mallory"}).status_code == 403
    assert client.post(f"{user}delete/", {"post": "yes"}).status_code == 403


def test_an_auditor_sees_the_contracts_of_the_audit_only(client: Client, cast: Cast) -> None:
    ticket = factories.ticket(team=cast.team, customer=cast.carl)
    cast.vera.grants.update(ends_at=factories.AT)
    from csp.models import Contract
    from csp.roles import Role

    other = Contract.objects.create(company="Other", created_at=factories.SINCE)
    factories.grant(user=cast.vera, role=Role.AUDITOR, contract=other)
    client.force_login(cast.vera)
    assert client.get(f"/admin/tickets/ticket/{ticket.pk}/change/").status_code == 302  # not there for her


def test_what_was_before_can_be_read(client: Client, cast: Cast) -> None:
    client.force_login(cast.adam)
    answer = client.get(f"/admin/csp/user/{cast.rita.pk}/history/", follow=True)
    assert answer.status_code == 200
    assert "/admin/csp/historicaluser/" in answer.redirect_chain[-1][0]
