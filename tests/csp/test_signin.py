"""Getting in and out: by password, with a second factor, by a link; and what is recorded of it."""

from __future__ import annotations

import contextlib
import datetime as dt
import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
import time_machine
from allauth.mfa.totp.internal.auth import (
    TOTP,
    format_hotp_value,
    generate_totp_secret,
    hotp_value,
    yield_hotp_counters_from_time,
)
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from csp import clock, signin
from csp.events import Act
from csp.models import OutboundMessage, PasswordRequest, RoleGrant, Session, TrailEntry, User
from csp.roles import Role

pytestmark = pytest.mark.django_db

PASSWORD = "a long enough sentence"
SIGN_IN = "/sign-in/"


@pytest.fixture
def adam() -> User:
    since = dt.datetime(2020, 1, 1, tzinfo=dt.UTC)
    user = User.objects.create_user("adam@desk.example", PASSWORD, name="Adam Administrator", joined_at=since)
    RoleGrant.objects.create(user=user, role=Role.ADMINISTRATOR, starts_at=since)
    return user


@contextlib.contextmanager
def at(moment: dt.datetime) -> Iterator[None]:
    """Let every clock say this; our own would otherwise disbelieve the jump."""
    with time_machine.travel(moment, tick=False), pytest.MonkeyPatch.context() as patch:
        patch.setattr(clock, "_guard", clock.Guard())
        yield


def sign_in(client: Client, user: User, password: str = PASSWORD, address: str = "127.0.0.1") -> Any:
    return client.post(SIGN_IN, {"login": user.email, "password": password}, REMOTE_ADDR=address)


def goes_to(answer: Any) -> str:
    assert answer.status_code == 302
    return str(answer.url)


def trail(act: Act) -> list[TrailEntry]:
    return list(TrailEntry.objects.filter(act=act).order_by("id"))


def said(entry: TrailEntry) -> dict[str, object]:
    """The facts of an entry, without the digest that proves its network address."""
    return {name: fact for name, fact in json.loads(entry.facts).items() if name != "network"}


def test_the_right_password_lets_in_and_is_recorded(client: Client, adam: User) -> None:
    answer = sign_in(client, adam)
    assert answer.status_code == 302
    assert goes_to(answer) == "/"
    assert client.get("/account/").status_code == 200
    [entry] = trail(Act.SIGNED_IN)
    assert entry.actor == entry.subject == f"user:{adam.pk}"
    assert entry.source == "web"
    assert (entry.personal, entry.address) == ("", "127.0.0.1")
    assert Session.objects.get(user=adam).address == "127.0.0.1"


def test_signing_in_writes_no_history_of_the_person(client: Client, adam: User) -> None:
    before = User.history.count()
    sign_in(client, adam)
    assert User.history.count() == before


def test_the_page_looks_the_same_for_a_wrong_password_and_a_stranger(client: Client, adam: User) -> None:
    known = sign_in(client, adam, "not the password")
    unknown = client.post(SIGN_IN, {"login": "nobody@desk.example", "password": "not the password"})
    tokenless = [
        re.sub(r'(name="csrfmiddlewaretoken"|data-now=|value=)\S*"[^"]*"', "", a.content.decode())
        for a in (known, unknown)
    ]
    assert tokenless[0].replace(adam.email, "") == tokenless[1].replace("nobody@desk.example", "")
    assert "do not fit together" in tokenless[0]


def test_a_refusal_is_recorded_and_a_strangers_address_is_not(client: Client, adam: User) -> None:
    sign_in(client, adam, "wrong")
    client.post(SIGN_IN, {"login": "secret-typed-here@desk.example", "password": "wrong"})
    known, unknown = trail(Act.SIGN_IN_REFUSED)
    assert known.subject == f"user:{adam.pk}"
    assert unknown.subject.startswith("attempt:")
    assert "secret-typed-here" not in unknown.facts + unknown.personal + unknown.subject


def test_after_ten_tries_that_address_waits_and_others_do_not(client: Client, adam: User) -> None:
    for _try in range(9):
        assert sign_in(client, adam, "wrong").status_code == 200
    assert sign_in(client, adam, "wrong").status_code == 429
    assert sign_in(client, adam).status_code == 429  # the right one too, from here
    assert sign_in(Client(), adam, address="198.51.100.7").status_code == 302  # but not from elsewhere
    rita = User.objects.create_user("rita@desk.example", PASSWORD, name="Rita", joined_at=adam.joined_at)
    assert sign_in(Client(), rita).status_code == 302  # and whoever sits beside them gets in
    # nor does a try while locked lengthen the wait
    with at(clock.now() + dt.timedelta(minutes=16)):
        assert sign_in(Client(), adam).status_code == 302


def test_a_deactivated_person_cannot_sign_in_and_learns_nothing(client: Client, adam: User) -> None:
    User.objects.filter(pk=adam.pk).update(is_active=False, left_at=adam.joined_at)
    answer = sign_in(client, adam)
    assert answer.status_code == 200
    assert b"do not fit together" in answer.content


def test_signing_out_needs_a_post(client: Client, adam: User) -> None:
    sign_in(client, adam)
    assert client.get("/sign-out/").status_code == 200
    assert client.get("/account/").status_code == 200
    assert client.post("/sign-out/").status_code == 302
    assert client.get("/account/").status_code == 302
    assert len(trail(Act.SIGNED_OUT)) == 1


def test_a_new_password_ends_every_other_session(client: Client, adam: User) -> None:
    other = Client()
    sign_in(other, adam)
    sign_in(client, adam)
    new = {"oldpassword": PASSWORD, "password1": "quite another sentence", "password2": "quite another sentence"}
    assert client.post("/account/password/", new).status_code == 302
    assert client.get("/account/").status_code == 200
    assert other.get("/account/").status_code == 302
    assert Session.objects.filter(user=adam).count() == 1
    [entry] = trail(Act.PASSWORD_CHANGED)
    assert said(entry) == {"sessions_ended": 1}
    [mail] = OutboundMessage.objects.all()
    assert mail.to == [adam.email]
    assert mail.kind == OutboundMessage.Kind.ACCOUNT


def test_a_weak_password_is_refused_with_the_reason(client: Client, adam: User) -> None:
    sign_in(client, adam)
    weak = {"oldpassword": PASSWORD, "password1": "short", "password2": "short"}
    answer = client.post("/account/password/", weak)
    assert b"at least 12 characters" in answer.content
    adam.refresh_from_db()
    assert adam.check_password(PASSWORD)


def link_in(mail: OutboundMessage) -> str:
    found = re.search(r"http://localhost:8000(/password/\S+)", mail.body)
    assert found, mail.body
    return found[1]


def test_a_link_sets_the_password_once(client: Client, adam: User) -> None:
    sign_in(client, adam)
    stranger = Client()
    # the host of the request does not get into the mail
    asked = stranger.post("/password/", {"email": adam.email}, headers={"host": "127.0.0.1"})
    assert goes_to(asked) == "/password/sent/"
    signin.send_asked(clock.now())
    [mail] = OutboundMessage.objects.all()
    link = link_in(mail)
    page = stranger.get(link)
    new = {"password1": "quite another sentence", "password2": "quite another sentence"}
    assert stranger.post(goes_to(page), new).status_code == 302
    assert client.get("/account/").status_code == 302  # all sessions ended
    assert sign_in(Client(), adam, "quite another sentence").status_code == 302
    assert b"This link is spent" in Client().get(link).content


def test_asking_for_a_link_does_the_same_for_a_stranger_and_mails_nobody(adam: User) -> None:
    """Neither what comes back nor the work that it takes tells which accounts there are."""
    gone = User.objects.create_user("gone@desk.example", PASSWORD, name="Gone", joined_at=adam.joined_at)
    User.objects.filter(pk=gone.pk).update(is_active=False, left_at=adam.joined_at)
    addresses = (adam.email, adam.email.upper(), "gone@desk.example", "nobody@desk.example")
    asked, statements = [], []
    for address in addresses:
        stranger = Client()
        stranger.get("/password/")
        with CaptureQueriesContext(connection) as done:
            asked.append(stranger.post("/password/", {"email": address}))
        # but for the cache, which counts the tries of each address and tidies up when it is full
        own = [each["sql"] for each in done if "csp_cache" not in each["sql"] and "SAVEPOINT" not in each["sql"]]
        statements.append([re.sub(r"'[^']*'|\d+", "?", sql) for sql in own])
    assert {goes_to(answer) for answer in asked} == {"/password/sent/"}
    assert all(each == statements[0] for each in statements), statements
    assert not any("csp_user" in sql for each in statements for sql in each)
    assert not OutboundMessage.objects.exists()
    assert PasswordRequest.objects.count() == len(addresses)
    signin.send_asked(clock.now())
    assert {tuple(mail.to) for mail in OutboundMessage.objects.all()} == {(adam.email,)}
    assert not PasswordRequest.objects.exists()  # nothing of the stranger is kept


def test_there_is_no_way_to_sign_up(client: Client) -> None:
    for path in ("/sign-up/", "/signup/", "/accounts/signup/", "/account/email/"):
        assert client.get(path).status_code == 404


# ---------------------------------------------------------------- limits


def test_an_idle_session_ends_and_a_page_that_only_polls_is_idle(client: Client, adam: User) -> None:
    start = dt.datetime(2026, 3, 2, 9, tzinfo=dt.UTC)
    with at(start):
        sign_in(client, adam)
        client.get("/account/")
    with at(start + dt.timedelta(hours=3)):
        client.get("/account/", headers={"accept": "application/json"})
    with at(start + dt.timedelta(hours=4, minutes=20)):
        assert client.get("/account/").status_code == 302
    entry = trail(Act.SIGNED_OUT)[-1]
    assert said(entry) == {"because": "idle"}


def test_a_used_session_ends_after_twelve_hours(client: Client, adam: User) -> None:
    start = dt.datetime(2026, 3, 2, 9, tzinfo=dt.UTC)
    with at(start):
        sign_in(client, adam)
    for hours in (0, 3, 6, 9, 11.9):
        with at(start + dt.timedelta(hours=hours)):
            assert client.get("/account/").status_code == 200
    with at(start + dt.timedelta(hours=12, minutes=1)):
        assert client.get("/account/").status_code == 302


def test_a_part_of_a_page_is_refused_and_not_replaced_by_the_sign_in(client: Client) -> None:
    assert client.get("/account/", headers={"hx-request": "true"}).status_code == 401


# ---------------------------------------------------------------- second factor


def code_now(secret: str) -> str:
    counter = next(iter(yield_hotp_counters_from_time()))
    return format_hotp_value(hotp_value(secret, counter))


def test_a_second_factor_is_asked_for_and_kept_sealed(client: Client, adam: User) -> None:
    secret = generate_totp_secret()
    totp = TOTP.activate(adam, secret)
    assert secret not in json.dumps(totp.instance.data)
    assert goes_to(sign_in(client, adam)) == "/sign-in/code/"
    assert client.get("/account/").status_code == 302
    assert b"not right" in client.post("/sign-in/code/", {"code": "000000"}).content
    assert json.loads(trail(Act.SIGN_IN_REFUSED)[0].facts)["because"] == "second factor"
    assert client.post("/sign-in/code/", {"code": code_now(secret)}).status_code == 302
    assert client.get("/account/").status_code == 200


def test_codes_cannot_be_guessed_without_end(client: Client, adam: User) -> None:
    TOTP.activate(adam, generate_totp_secret())
    sign_in(client, adam)
    for _try in range(10):
        client.post("/sign-in/code/", {"code": "000000"})
    assert b"Too many tries" in client.post("/sign-in/code/", {"code": "000000"}).content


def test_where_it_is_required_only_the_enrolment_opens(client: Client, adam: User, settings: Any) -> None:
    settings.REQUIRE_SECOND_FACTOR = True
    sign_in(client, adam)
    assert goes_to(client.get("/account/")) == "/account/second-factor/on/"
    again = client.get("/account/second-factor/on/")
    assert goes_to(again).startswith("/account/again/")
    assert client.post(goes_to(again), {"password": PASSWORD}).status_code == 302
    page = client.get("/account/second-factor/on/")
    assert b"<svg" in page.content
    secret = page.context["form"].secret
    answer = client.post("/account/second-factor/on/", {"code": code_now(secret)})
    assert goes_to(answer) == "/account/recovery-codes/"
    assert client.get("/account/").status_code == 200
    assert client.post("/account/second-factor/off/").status_code == 200  # refused
    assert said(trail(Act.SECOND_FACTOR)[0]) == {"kind": "totp", "how": "added"}


@pytest.mark.parametrize(
    ("agent", "said"),
    [
        ("Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/156.0.0.0 Safari/537.36",
         "Chrome on Linux"),
        ("Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/140.0 Safari/537.36 Edg/140.0",
         "Edge on Windows"),
        ("Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 Version/18.5 Safari/604.1",
         "Safari on iPhone"),
        ("curl/8.5.0", "curl/8.5.0"),
    ],
)  # fmt: skip
def test_a_session_is_named_as_people_call_their_browser(agent: str, said: str) -> None:
    assert Session(browser=agent).device == said
