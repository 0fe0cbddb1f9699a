"""Search: by words, names and addresses, never outside what the person may see, never for long."""

from __future__ import annotations

import datetime as dt

import pytest

from tests import factories
from tests.cast import Cast
from tests.factories import AT
from tickets import search

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("query", "number"),
    [("#4790", 4790), (" 4790 ", 4790), ("47x", None), ("", None), ("#", None), ("9" * 19, None), ("٤", None)],
)
def test_a_reference_is_a_number_with_or_without_its_sign(query: str, number: int | None) -> None:
    assert search.number_in(query) == number


@pytest.mark.parametrize(
    ("words", "query"),
    [("water dam", "'water' & 'dam':*"), ("O'Brien", "'O''Brien':*"), ("&|!():*", ""), ("", ""), ("a" * 500, None)],
)
def test_words_become_a_query_that_postgres_takes(words: str, query: str | None) -> None:
    made = search.tsquery(words)
    assert query is None or made == query


def found(cast: Cast, query: str, user: object) -> list[int]:
    return [row.pk for row in search.search(query, user=user).tickets]  # type: ignore[arg-type]


def test_words_are_found_in_subjects_and_in_what_was_said(cast: Cast) -> None:
    by_subject = factories.ticket(team=cast.team, customer=cast.carl, subject="Dishwasher leaks")
    by_body = factories.ticket(team=cast.team, customer=cast.rhea, body="There is a leak under the hob.")
    assert set(found(cast, "leak", cast.rita)) == {by_subject.pk, by_body.pk}
    assert found(cast, "leak hob", cast.rita) == [by_body.pk]
    assert found(cast, "nothing of it", cast.rita) == []


def test_names_and_addresses_are_found_by_who_may_know_them(cast: Cast) -> None:
    ticket = factories.ticket(team=cast.team, customer=cast.carl)
    assert found(cast, "carl@north", cast.rita) == [ticket.pk]
    assert found(cast, "Northwind", cast.rita) == [ticket.pk]
    assert found(cast, "Carl Contact", cast.vera) == []


def test_nothing_is_found_outside_the_own_teams(cast: Cast) -> None:
    ticket = factories.ticket(team=cast.team, customer=cast.carl, subject="Dishwasher leaks")
    assert found(cast, "dishwasher", cast.otto) == []
    assert found(cast, f"{ticket.pk}", cast.otto) == []
    assert search.customers_like("Carl", user=cast.otto, limit=5) == []


def test_a_whole_address_finds_a_customer_of_another_team(cast: Cast) -> None:
    """Whoever types it knows it already; a new ticket must not make a second customer of one."""
    factories.ticket(team=cast.team, customer=cast.carl)
    assert search.customers_like("carl@northwind.example", user=cast.otto, limit=5) == [cast.carl]


def test_hostile_words_are_only_words(cast: Cast) -> None:
    factories.ticket(team=cast.team, customer=cast.carl)
    for query in ("'", "\\", "a\\' | 'b", ":*", "<->", "((((", "% _", "a" * 10_000):
        assert search.search(query, user=cast.rita).took_too_long is False


def test_a_search_that_takes_too_long_is_stopped(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    from django.db import connection

    def slow(*_given: object) -> search.Found:
        with connection.cursor() as cursor:
            cursor.execute("select pg_sleep(2)")
        return search.Found()

    monkeypatch.setattr(search, "PATIENCE", dt.timedelta(milliseconds=50))
    monkeypatch.setattr(search, "_search", slow)
    assert search.search("anything", user=cast.rita).took_too_long
    monkeypatch.undo()
    assert search.search("anything", user=cast.rita).took_too_long is False


def test_more_than_the_limit_says_so(cast: Cast) -> None:
    for _each in range(3):
        factories.ticket(team=cast.team, customer=cast.carl, at=AT)
    few = search.search("invoice", user=cast.rita, limit=2)
    assert (len(few.tickets), few.is_cut) == (2, True)
