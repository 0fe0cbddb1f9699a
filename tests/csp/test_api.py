"""The API: tokens, the guard for each role and reach, exact input, paging, doing things once, one shape of refusal."""

from __future__ import annotations

import datetime as dt
import json
import os
import re
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import get_resolver
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from audits import retention
from csp import api, checks, clock, deadlines, loops, people, throttle, tokens
from csp.models import ApiAnswer, ApiToken, Deadline, Keeping, Lock, LockItem, Restriction, TrailEntry, User
from tests import factories
from tests.cast import Cast
from tickets import handling
from tickets.conversation import File
from tickets.models import CoSignature, Interaction, Ticket

AT, DAY, HOUR = factories.AT, factories.DAY, factories.HOUR
SNAPSHOT = Path(__file__).with_name("api_schema.json")


class Now:
    """The instant that the doors read."""

    at = AT + HOUR

    def move_to(self, at: dt.datetime) -> None:
        self.at = at


@pytest.fixture(autouse=True)
def now(monkeypatch: pytest.MonkeyPatch) -> Now:
    moving = Now()
    monkeypatch.setattr(clock, "now", lambda: moving.at)
    return moving


def key(user: User, *, scope: str = "write", days: int = 90) -> str:
    return tokens.make(user, name="Test", scope=ApiToken.Scope(scope), days=days, at=AT)[1]


class Caller:
    """Somebody's program."""

    def __init__(self, secret: str) -> None:
        self.client, self.headers = Client(), {"Authorization": f"Bearer {secret}"}

    def get(self, path: str, **query: Any):
        return self.client.get(f"/api/v1/{path}", query, headers=self.headers)

    def post(self, path: str, body: Any = None, **headers: str):
        return self.client.post(
            f"/api/v1/{path}", json.dumps(body), content_type="application/json", headers={**self.headers, **headers}
        )


def caller(user: User, **how: Any) -> Caller:
    return Caller(key(user, **how))


# ---------------------------------------------------------------- tokens


def test_a_token_is_kept_as_a_digest_and_its_life_is_in_the_trail(cast: Cast):
    row, secret = tokens.make(cast.rita, name="Telephone", scope=ApiToken.Scope.READ, days=90, at=AT)
    assert secret.startswith("csp_")
    assert len(secret) >= 47
    assert secret.encode() not in bytes(row.digest)
    assert row.expires_at == AT + 90 * DAY
    Caller(secret).get("me/")
    Caller(secret).get("me/")
    tokens.revoke(row, by=cast.adam, at=AT + 2 * HOUR)
    acts = TrailEntry.objects.filter(act__startswith="token.").order_by("pk")
    assert list(acts.values_list("act", "actor")) == [
        ("token.made", f"user:{cast.rita.pk}"), ("token.used", f"user:{cast.rita.pk}"),
        ("token.revoked", f"user:{cast.adam.pk}"),
    ]  # fmt: skip
    assert acts[1].source == "api"
    assert Caller(secret).get("me/").status_code == 401


@pytest.mark.parametrize("header", ["", "Bearer", "Bearer csp_wrong", "Basic cml0YTpy", "Bearer \xe9", "Token x"])
def test_without_a_token_that_holds_nothing_is_answered(cast: Cast, header: str):
    client = Client()
    client.force_login(cast.rita)  # a session signs nobody in here
    for path in ("me/", "tickets/", "obligations/", "clauses/"):
        answer = client.get(f"/api/v1/{path}", headers={"Authorization": header})
        assert answer.status_code == 401
        assert answer.headers["WWW-Authenticate"] == "Bearer"
        assert answer.json().keys() == {"detail", "code"}


def test_a_token_ends_with_its_time_and_with_its_person(cast: Cast, now: Now):
    secret, other = key(cast.rita, days=1), key(cast.otto)
    assert Caller(secret).get("me/").status_code == 200
    now.move_to(AT + DAY)
    assert Caller(secret).get("me/").status_code == 401
    people.deactivate(cast.otto, by=cast.adam, at=AT + DAY)
    assert Caller(other).get("me/").status_code == 401
    people.reactivate(User.objects.get(pk=cast.otto.pk), by=cast.adam, at=AT + DAY)
    assert Caller(other).get("me/").status_code == 401


def test_a_token_that_may_only_read_changes_nothing(cast: Cast):
    ticket = factories.ticket(team=cast.team, customer=cast.carl)
    answer = caller(cast.rita, scope="read").post(f"tickets/{ticket.pk}/note/", {"body": "Hello"})
    assert (answer.status_code, answer.json()["code"]) == (403, "read_only_token")
    assert not Interaction.objects.filter(kind="note").exists()


def test_nobody_but_its_person_and_administrators_revokes_a_token(cast: Cast):
    row, _secret = tokens.make(cast.rita, name="x", scope=ApiToken.Scope.READ, days=1, at=AT)
    with pytest.raises(tokens.Refused):
        tokens.revoke(row, by=cast.sam, at=AT)
    client = Client()
    client.force_login(cast.adam)
    assert "Revoke x" in client.get(f"/settings/people/{cast.rita.pk}/").text
    client.post(f"/settings/people/{cast.rita.pk}/tokens/{row.pk}/revoke/")
    row.refresh_from_db()
    assert row.revoked_by == cast.adam


def test_tokens_are_made_freshly_signed_in_and_shown_once(db: None, now: Now):
    user = factories.person(name="Pat Password", password="a long password of mine")
    client = Client()
    client.force_login(user)
    form = {"name": "Backup", "scope": "read", "days": "90"}
    assert client.post("/account/tokens/", form).url.startswith("/account/again/")
    assert not ApiToken.objects.exists()
    client.post("/account/again/", {"password": "a long password of mine"})
    page = client.post("/account/tokens/", form)
    assert page.status_code == 201
    assert page.headers["Cache-Control"] == "no-store"
    secret = page.text.partition("<code>")[2].partition("</code>")[0]
    assert Caller(secret).get("me/").json()["name"] == "Pat Password"
    again = client.get("/account/tokens/")
    assert secret not in again.text
    assert "Backup" in again.text
    assert client.post("/account/tokens/", {**form, "days": "366"}).status_code == 422
    client.post(f"/account/tokens/{ApiToken.objects.get().pk}/revoke/")
    assert Caller(secret).get("me/").status_code == 401


def test_too_many_requests_wait(cast: Cast, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(throttle, "is_over", lambda what, *_who, **_how: what == "api")
    answer = caller(cast.rita).get("me/")
    assert (answer.status_code, answer.headers["Retry-After"]) == (429, "60")


# ---------------------------------------------------------------- who may what

SEEN = {"rita": 200, "sam": 200, "otto": 404, "olga": 404, "vera": 200, "fay": 403, "adam": 403}


@pytest.mark.parametrize("who", SEEN)
def test_each_role_reads_what_it_reads_in_the_desk(cast: Cast, who: str):
    ticket = factories.ticket(team=cast.team, customer=cast.carl, body="Carl Contact here, carl@northwind.example.")
    asks = caller(getattr(cast, who))
    for path in ("", "interactions/"):
        assert asks.get(f"tickets/{ticket.pk}/{path}").status_code == SEEN[who]
    assert asks.get(f"customers/{cast.carl.pk}/").status_code == SEEN[who]
    listed = asks.get("tickets/")
    assert listed.status_code == (403 if SEEN[who] == 403 else 200)
    if listed.status_code == 200:
        assert [row["number"] for row in listed.json()["items"]] == ([ticket.pk] if SEEN[who] == 200 else [])
        owed = asks.get("obligations/", standing="open").json()["items"]
        assert {row["subject"] for row in owed} == ({f"#{ticket.pk}"} if SEEN[who] == 200 else set())
    if who == "vera":
        everything = "".join(
            asks.get(path).text for path in (f"tickets/{ticket.pk}/", f"tickets/{ticket.pk}/interactions/", "tickets/")
        )
        assert "Carl" not in everything
        assert "northwind" not in everything
        assert TrailEntry.objects.filter(act="ticket.read", actor=f"user:{cast.vera.pk}").count() == 4


@pytest.mark.parametrize("who", SEEN)
def test_to_ask_for_the_head_alone_is_to_ask(cast: Cast, who: str):
    ticket = factories.ticket(team=cast.team, customer=cast.carl)
    asks = caller(getattr(cast, who))
    answer = asks.client.head(f"/api/v1/tickets/{ticket.pk}/", headers=asks.headers)
    assert answer.status_code == SEEN[who]


def test_only_the_api_and_customers_links_are_exempt_from_the_csrf_check():
    exempt = {
        route: checks.guard_of(pattern.callback)
        for route, pattern in checks.patterns(get_resolver())
        if getattr(pattern.callback, "csrf_exempt", False)
    }
    by_token = {route for route in exempt if route.startswith("api/v1/")}
    assert by_token
    # the others are answered to nobody signed in: the secret in the address is what a forger would need
    assert {guard for route, guard in exempt.items() if route not in by_token} == {"open"}


@pytest.mark.parametrize(("who", "status"), [("rita", 201), ("sam", 201), ("otto", 404), ("vera", 403), ("adam", 403)])
def test_each_role_writes_where_it_writes_in_the_desk(cast: Cast, who: str, status: int):
    ticket = factories.ticket(team=cast.team, customer=cast.carl)
    assert caller(getattr(cast, who)).post(f"tickets/{ticket.pk}/note/", {"body": "Seen."}).status_code == status


def test_a_complaint_about_somebody_does_not_exist_for_them(cast: Cast):
    ticket = factories.ticket(team=cast.team, customer=cast.carl)
    Ticket.objects.filter(pk=ticket.pk).update(about=cast.rita)
    asks = caller(cast.rita)
    assert asks.get(f"tickets/{ticket.pk}/").status_code == 404
    assert asks.get("tickets/").json()["items"] == asks.get("obligations/").json()["items"] == []


def test_of_an_attachment_the_bytes_come_as_a_download_and_the_opening_is_recorded(cast: Cast):
    ticket = factories.ticket(team=cast.team, customer=cast.carl)
    row = handling.note(ticket, by=cast.rita, at=AT, body="See", files=[File("a.html", "text/html", b"<b>hi")])
    number = row.attachments.get().pk
    assert caller(cast.otto).get(f"attachments/{number}/").status_code == 404
    answer = caller(cast.rita).get(f"attachments/{number}/")
    assert answer.getvalue() == b"<b>hi"
    assert answer.headers["Content-Disposition"].startswith("attachment")
    assert "sandbox" in answer.headers["Content-Security-Policy"]
    assert TrailEntry.objects.filter(act="attachment.read").count() == 1


# ---------------------------------------------------------------- doing


def test_a_call_is_taken_down_answered_and_given_on(cast: Cast):
    asks = caller(cast.rita)
    received = "2025-03-03T09:30:00+00:00"
    made = asks.post("tickets/", {"team": cast.team.pk, "customer": None, "name": "x"}).json()
    assert made["code"] == "invalid"
    assert {"subject", "body", "customer"} <= made["fields"].keys()
    made = asks.post("tickets/", {
        "team": cast.team.pk, "email": "carl@northwind.example", "subject": "Invoice", "body": "Too high.",
        "channel": "phone", "received_at": received, "assign_to_me": True,
    })  # fmt: skip
    assert made.status_code == 201, made.json()
    ticket = made.json()
    assert ticket["received_at"] == received
    assert ticket["assignee"]["id"] == cast.rita.pk
    assert {row["obligation"] for row in ticket["obligations"]} >= {"acknowledge", "respond"}
    path = f"tickets/{ticket['number']}/"
    early = asks.post(path + "reply/", {"body": "We look.", "seen_through": ""})
    assert (early.status_code, early.json()["code"]) == (409, "new_message")
    said = asks.post(path + "reply/", {"body": "It is right now.", "seen_through": ticket["seen_through"]})
    assert said.status_code == 201, said.json()
    assert said.json()["interaction"]["purpose"] == "answer"
    assert not said.json()["waits_for_cosignature"]
    assert asks.post(path + "holding/", {"body": "Soon.", "seen_through": ticket["seen_through"]}).status_code == 201
    assert asks.post(path + "assign/", {"to": cast.otto.pk}).json()["fields"].keys() == {"to"}
    assert asks.post(path + "escalate/", {"reason": "The sum is high.", "to": cast.sam.pk}).json()["is_complex"]
    assert asks.post(path + "assign/", {"to": None}).json()["assignee"] is None
    assert asks.post(path + "state/", {"state": "merged"}).status_code == 400
    assert asks.post(path + "state/", {"state": "waiting"}).status_code in (200, 422)


def test_what_is_so_already_is_told_from_what_may_not_be(cast: Cast):
    number = factories.ticket(team=cast.team, customer=cast.carl, assignee=cast.rita).pk
    factories.answer(ticket=Ticket.objects.get(pk=number), by=cast.rita, at=AT, accepted_at=AT)
    asks, path = caller(cast.rita), f"tickets/{number}/"
    assert asks.post(path + "state/", {"state": "resolved"}).status_code == 200
    before = TrailEntry.objects.count()
    for act, body, says in (
        ("assign/", {"to": cast.rita.pk}, f"#{number} is with Rita Representative already. Nothing was changed."),
        ("state/", {"state": "resolved"}, f"#{number} has the state “Resolved” already. Nothing was changed."),
    ):
        answer = asks.post(path + act, body, **{"Idempotency-Key": act})
        assert (answer.status_code, answer.json()) == (409, {"detail": says, "code": "already_so"})
    assert TrailEntry.objects.count() == before
    assert asks.post(path + "assign/", {"to": None}).status_code == 200
    answer = asks.post(path + "assign/", {"to": None})
    assert (answer.status_code, answer.json()["code"]) == (409, "already_so")
    assert "with its team already" in answer.json()["detail"]


def test_marking_complex_starts_the_clock_of_escalation(cast: Cast):
    ticket = factories.ticket(team=cast.team, customer=cast.carl)
    answer = caller(cast.rita).post(f"tickets/{ticket.pk}/complex/", {"reason": "Legal."})
    assert "escalate" in {row["obligation"] for row in answer.json()["obligations"]}
    assert caller(cast.rita).post(f"tickets/{ticket.pk}/complex/", {"reason": " "}).status_code == 400


def test_fields_that_do_not_exist_are_refused_by_name(cast: Cast):
    ticket = factories.ticket(team=cast.team, customer=cast.carl)
    asks = caller(cast.rita)
    for path, body in (
        ("note/", {"body": "x", "author": cast.sam.pk}),
        ("assign/", {"to": cast.rita.pk, "team": cast.other_team.pk}),
        ("state/", {"state": "open", "received_at": "2030-01-01T00:00:00Z"}),
        ("reply/", {"body": "x", "seen_through": "", "cosigned": True}),
    ):
        answer = asks.post(f"tickets/{ticket.pk}/{path}", body)
        assert answer.status_code == 400
        assert set(answer.json()["fields"]) == set(body) - {
            "body",
            "to",
            "state",
            "seen_through",
        }
    assert set(asks.get("tickets/", assigne="1").json()["fields"]) == {"assigne"}
    assert set(asks.get("tickets/", kind="nonsense").json()["fields"]) == {"kind"}
    assert set(asks.get("tickets/", queue="none").json()["fields"]) == {"queue"}


# ---------------------------------------------------------------- doing once


def test_the_same_key_does_it_once_and_says_it_again(cast: Cast, now: Now):
    ticket = factories.ticket(team=cast.team, customer=cast.carl)
    asks, path = caller(cast.rita), f"tickets/{ticket.pk}/note/"
    first = asks.post(path, {"body": "Called back."}, **{"Idempotency-Key": "n-1"})
    again = asks.post(path, {"body": "Called back."}, **{"Idempotency-Key": "n-1"})
    assert first.status_code == again.status_code == 201
    assert first.json() == again.json()
    assert again.headers["Idempotent-Replayed"] == "true"
    assert "Idempotent-Replayed" not in first.headers
    assert Interaction.objects.filter(kind="note").count() == 1
    other = asks.post(path, {"body": "Something else."}, **{"Idempotency-Key": "n-1"})
    assert (other.status_code, other.json()["code"]) == (422, "key_reused")
    assert asks.post(path, {"body": "x"}, **{"Idempotency-Key": "n" * 101}).status_code == 400
    assert caller(cast.sam).post(path, {"body": "Mine."}, **{"Idempotency-Key": "n-1"}).status_code == 201
    now.move_to(AT + 2 * DAY)
    assert asks.post(path, {"body": "Something else."}, **{"Idempotency-Key": "n-1"}).status_code == 201


def test_what_was_refused_is_not_remembered(cast: Cast):
    ticket = factories.ticket(team=cast.team, customer=cast.carl)
    asks, path = caller(cast.rita), f"tickets/{ticket.pk}/reply/"
    seen = asks.get(f"tickets/{ticket.pk}/").json()["seen_through"]
    assert asks.post(path, {"body": "x", "seen_through": ""}, **{"Idempotency-Key": "k"}).status_code == 409
    assert not ApiAnswer.objects.exists()
    assert asks.post(path, {"body": "x", "seen_through": seen}, **{"Idempotency-Key": "k"}).status_code == 201


def test_old_answers_and_ended_tokens_are_removed_by_routine(cast: Cast):
    asks = caller(cast.rita)
    ticket = factories.ticket(team=cast.team, customer=cast.carl)
    asks.post(f"tickets/{ticket.pk}/note/", {"body": "x"}, **{"Idempotency-Key": "k"})
    loops.run_dry(retention.routine, AT + 24 * HOUR)
    assert ApiAnswer.objects.count() == 1
    loops.run_dry(retention.routine, AT + 2 * DAY)
    assert ApiAnswer.objects.count() == 0
    assert ApiToken.objects.count() == 1
    loops.run_dry(retention.routine, AT + 200 * DAY)
    assert not ApiToken.objects.exists()


# ---------------------------------------------------------------- lists


def test_pages_neither_skip_nor_repeat_while_tickets_arrive(cast: Cast):
    for hour in range(6):
        factories.ticket(team=cast.team, customer=cast.carl, received_at=AT - hour * HOUR)
    asks, found, after = caller(cast.rita), [], ""
    before = set(Ticket.objects.values_list("pk", flat=True))
    while True:
        page = asks.get("tickets/", limit="2", after=after).json()
        found += [row["number"] for row in page["items"]]
        after = page["next"]
        if not after:
            break
        factories.ticket(team=cast.team, customer=cast.carl, received_at=AT - 20 * HOUR - len(found) * HOUR)
    assert sorted(found) == sorted(before)
    clocks, after = [], ""
    while True:
        page = asks.get("obligations/", limit="3", after=after).json()
        clocks += page["items"]
        after = page["next"]
        if not after:
            break
    assert len(clocks) == Deadline.objects.count()
    assert [row["due"] for row in clocks] == sorted(row["due"] for row in clocks)


def test_the_number_of_statements_does_not_grow_with_the_list(cast: Cast):
    asks, counted = caller(cast.rita), []
    asks.get("me/")
    for _round in range(2):
        factories.ticket(team=cast.team, customer=cast.carl, assignee=cast.rita)
        for _more in range(4 * _round):
            factories.ticket(team=cast.team, customer=cast.rhea, assignee=cast.rita)
        costs = []
        for path in ("tickets/", "obligations/", f"tickets/{Ticket.objects.latest('pk').pk}/interactions/"):
            with CaptureQueriesContext(
                connection,
            ) as queries:
                assert asks.get(path).status_code == 200
            costs.append(len(queries))
        counted.append(costs)
    assert counted[0] == counted[1], counted


def test_broken_promises_say_when(cast: Cast):
    ticket = factories.ticket(team=cast.team, customer=cast.carl, received_at=AT - 3 * DAY)
    deadlines.sweep(AT)
    rows = caller(cast.vera).get("obligations/", standing="breached", subject=str(ticket.pk)).json()["items"]
    assert rows
    assert all(row["breached_at"] == row["due"] and row["state"] == "breached" for row in rows)


def test_customers_are_found_and_their_addresses_masked(cast: Cast):
    factories.ticket(team=cast.team, customer=cast.carl)
    asks = caller(cast.rita)
    [found] = asks.get("customers/", q="Carl").json()["items"]
    assert found["id"] == cast.carl.pk
    assert "carl@" not in str(found)
    assert asks.get("customers/", q="Rhea").json()["items"] == []
    assert asks.post("customers/", {"email": "carl@northwind.example"}).json()["id"] == cast.carl.pk
    assert asks.post("customers/", {}).status_code == 422
    lock = Lock.objects.create(
        customer=cast.carl, contract=cast.contract, what=Keeping.What.TICKETS, reason="Contested", decided_by=cast.adam,
        starts_at=AT, expires_at=AT + DAY, then=Lock.Then.UNLOCK,
    )  # fmt: skip
    LockItem.objects.create(lock=lock, kind="customer", number=cast.carl.pk)
    assert asks.get("customers/", q="carl@northwind.example").json()["items"] == []
    told = asks.post("customers/", {"email": "carl@northwind.example", "phone": "02079460009"})
    assert (told.status_code, told.json()["id"], told.json()["addresses"]) == (201, cast.carl.pk, [])
    assert "Carl" not in told.content.decode()
    assert not cast.carl.addresses.filter(kind="phone").exists()


# ---------------------------------------------------------------- restrictions


def test_an_answer_under_oversight_waits_for_its_co_signature(cast: Cast):
    ticket = factories.ticket(team=cast.team, customer=cast.carl, assignee=cast.rita)
    Restriction.objects.create(
        user=cast.rita, kind=Restriction.Kind.COSIGN, starts_at=AT, ends_at=AT + 30 * DAY, clause="8.2",
        cause="measure:1", path="/measures/1/",
    )  # fmt: skip
    asks = caller(cast.rita)
    seen = asks.get(f"tickets/{ticket.pk}/").json()["seen_through"]
    sent = {"body": "It is paid.", "seen_through": seen}
    answer = asks.post(f"tickets/{ticket.pk}/reply/", sent, **{"Idempotency-Key": "a"})
    assert answer.status_code == 202
    assert answer.json() == {"interaction": None, "waits_for_cosignature": True}
    assert asks.post(f"tickets/{ticket.pk}/reply/", sent, **{"Idempotency-Key": "a"}).status_code == 202
    assert CoSignature.objects.count() == 1
    assert not Interaction.objects.filter(purpose="answer").exists()
    # what the clock asks for is never held up
    assert asks.post(f"tickets/{ticket.pk}/escalate/", {"reason": "High."}).status_code == 200


# ---------------------------------------------------------------- rubbish

PATHS = ("tickets/", "customers/", *(f"tickets/%d/{verb}/" for verb in (
    "reply", "holding", "note", "assign", "state", "escalate", "complex")))  # fmt: skip
NAMES = st.sampled_from([
    "body", "seen_through", "to", "state", "reason", "cc", "then", "team", "customer", "received_at", "subject", "kind",
    "priority", "name", "email", "phone", "minutes", "decision", "why",
])  # fmt: skip
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=30),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=10), inner, max_size=3),
    max_leaves=5,
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture], derandomize=True)
@given(path=st.sampled_from(PATHS), body=VALUES | st.dictionaries(NAMES | st.text(max_size=5), VALUES, max_size=6))
def test_rubbish_is_refused_and_never_fails(cast: Cast, path: str, body: Any):
    ticket = Ticket.objects.first() or factories.ticket(team=cast.team, customer=cast.carl)
    secret = getattr(cast.rita, "secret", "") or key(cast.rita)
    object.__setattr__(cast.rita, "secret", secret)
    answer = Caller(secret).post(path % ticket.pk if "%d" in path else path, body)
    assert answer.status_code < 500
    if answer.status_code >= 400:
        assert {"detail", "code"} <= answer.json().keys()


NO_JSON = [
    b"{", b"\xff", b'{"body": "\\ud800"}', b'{"\\ud800": 1}', b'{"body": NaN}', b"[" * 100_000, b'{"body": "\\u0000"}',
]  # fmt: skip


@pytest.mark.parametrize("body", NO_JSON)
def test_what_is_no_json_is_refused(cast: Cast, body: bytes):
    ticket = factories.ticket(team=cast.team, customer=cast.carl)
    asks = caller(cast.rita)
    answer = asks.client.post(
        f"/api/v1/tickets/{ticket.pk}/note/", body, content_type="application/json", headers=asks.headers
    )
    assert answer.status_code == 400
    assert {"detail", "code"} <= answer.json().keys()


@pytest.mark.parametrize(
    "query", [{"after": "\x00"}, {"after": "x_1"}, {"q": "\x00'"}, {"team": "99999999999999999999"}]
)
def test_rubbish_in_the_address_is_refused_or_left_out(cast: Cast, query: dict[str, str]):
    asks = caller(cast.rita)
    for path in ("tickets/", "obligations/", "customers/"):
        assert asks.get(path, **query).status_code in (200, 400, 404)


# ---------------------------------------------------------------- the first ten minutes


def test_every_step_of_the_guide_works(cast: Cast):
    guide = (Path(__file__).parents[2] / "docs" / "api.md").read_text().replace("\\\n", "")
    ticket = factories.ticket(team=cast.team, customer=cast.carl)
    asks = caller(cast.rita)
    seen = asks.get(f"tickets/{ticket.pk}/").json()["seen_through"]
    steps = re.findall(r"^curl (.*)\"\$CSP/api/v1/(.*)\"$", guide, re.MULTILINE)
    assert len(steps) == 11
    for options, path in steps:
        path = path.replace("4790", str(ticket.pk))
        sent = re.search(r"-d '(.*)'", options)
        if sent is None:
            assert asks.get(path).status_code == 200, path
            continue
        body = json.loads(sent[1].replace('"team": 1', f'"team": {cast.team.pk}').replace("4790-17", seen))
        answer = asks.post(path, body)
        assert answer.status_code in (200, 201), answer.json()


# ---------------------------------------------------------------- the schema


def test_the_schema_is_the_reviewed_one():
    """Write it afresh with CSP_WRITE_SCHEMA=1 and review the difference: programs depend on it."""
    made = json.dumps(api.document(), indent=1, sort_keys=True, default=str) + "\n"
    if os.environ.get("CSP_WRITE_SCHEMA"):
        SNAPSHOT.write_text(made)
    assert made == SNAPSHOT.read_text(), test_the_schema_is_the_reviewed_one.__doc__


def test_schema_and_page_name_every_address(cast: Cast):
    client = Client()
    schema = client.get("/api/v1/schema/").json()
    assert schema["openapi"].startswith("3.")
    assert "/api/v1/tickets/{ticket}/reply/" in schema["paths"]
    assert client.get("/api/").status_code == 302
    client.force_login(cast.rita)
    page = client.get("/api/")
    for path in schema["paths"]:
        assert path in page.text
    assert "script-src 'self'" in page.headers["Content-Security-Policy"]
    assert "<style" not in page.text
