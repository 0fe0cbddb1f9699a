"""Mailboxes, texts, categories, canned replies and senders: set up in the browser, by those who may."""

from __future__ import annotations

import datetime as dt

import pytest
from django.test import Client

from csp import mailboxes, vault
from csp.access import Refused
from csp.models import Mailbox, TrailEntry
from tests.cast import Cast
from tickets import texts
from tickets.models import CannedReply, MailText

AT = dt.datetime(2026, 3, 2, 9, tzinfo=dt.UTC)

pytestmark = pytest.mark.django_db


def form(cast: Cast, **changed: object) -> dict[str, object]:
    return {
        "team": cast.team.pk, "address": "help@desk.example", "name": "Help", "is_active": "on", "is_default": "on",
        "fetch": "password", "host": "127.0.0.1", "port": "1", "security": "none", "username": "help",
        "folder": "INBOX", "cut_over_at": "2026-03-02T09:00:00", "secret": "s3cret words", **changed,
    }  # fmt: skip


def test_a_mailbox_is_set_up_and_its_secret_never_comes_out(client: Client, cast: Cast) -> None:
    client.force_login(cast.adam)
    assert client.post("/settings/mailboxes/add/", form(cast)).status_code == 302
    box = Mailbox.objects.get()
    assert vault.open_secret(bytes(box.sealed_secret or b"")) == "s3cret words"
    assert box.cut_over_at == dt.datetime(2026, 3, 2, 9, tzinfo=dt.UTC)  # Adam's zone is London, in winter
    page = client.get(f"/settings/mailboxes/{box.pk}/").content.decode()
    assert "s3cret" not in page
    entry = TrailEntry.objects.get(subject=f"mailbox:{box.pk}")
    assert "s3cret" not in entry.facts + entry.personal
    # an empty box keeps the secret
    assert client.post(f"/settings/mailboxes/{box.pk}/", form(cast, secret="", name="Helpers")).status_code == 302
    box.refresh_from_db()
    assert box.name == "Helpers"
    assert vault.open_secret(bytes(box.sealed_secret or b"")) == "s3cret words"


@pytest.mark.parametrize(
    "changed",
    [{"host": "127.0.0.2"}, {"port": "2"}, {"security": "tls"}, {"token_url": "https://login.example.org/token"}],
)
def test_a_stored_secret_is_shown_to_no_other_server(client: Client, cast: Cast, changed: dict[str, str]) -> None:
    client.force_login(cast.adam)
    client.post("/settings/mailboxes/add/", form(cast))
    path = f"/settings/mailboxes/{Mailbox.objects.get().pk}/"
    answer = client.post(path, form(cast, secret="", **changed))
    assert answer.status_code == 422
    assert "again" in answer.content.decode()
    assert Mailbox.objects.get().host == "127.0.0.1"
    # nor by way of a mailbox that fetches nothing
    assert client.post(path, form(cast, secret="", fetch="none", **changed)).status_code == 302
    assert Mailbox.objects.get().sealed_secret is None
    assert client.post(path, form(cast, secret="", **changed)).status_code == 422
    assert client.post(path, form(cast, secret="new words", **changed)).status_code == 302


def test_one_mailbox_is_the_default_and_another_takes_its_place(client: Client, cast: Cast) -> None:
    client.force_login(cast.adam)
    client.post("/settings/mailboxes/add/", form(cast))
    client.post("/settings/mailboxes/add/", form(cast, address="second@desk.example"))
    assert [box.address for box in Mailbox.objects.filter(is_default=True)] == ["second@desk.example"]


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"host": ""}, "the IMAP server and the user name"),
        ({"secret": ""}, "password or access token is needed"),
        ({"host": "imap.example.org"}, "Without encryption"),
        ({"is_active": ""}, "rests sends nothing"),
        ({"address": "nothing"}, "valid email"),
        ({"fetch": "renewed"}, "token server and the client ID"),
        ({"fetch": "renewed", "client_id": "csp", "token_url": "http://login.example.org/token"}, "begins with https"),
    ],
)
def test_a_mailbox_that_could_not_work_is_refused(
    client: Client, cast: Cast, changed: dict[str, str], said: str
) -> None:
    client.force_login(cast.adam)
    answer = client.post("/settings/mailboxes/add/", form(cast, **changed))
    assert answer.status_code == 422
    assert said in answer.content.decode()
    assert not Mailbox.objects.exists()


def test_a_cut_over_is_not_put_into_the_future(cast: Cast) -> None:
    values = {
        "team": cast.team, "address": "help@desk.example", "name": "Help", "cut_over_at": AT + dt.timedelta(days=900),
        "is_active": True, "is_default": False, "takes_tags": False, "fetch": "none", "host": "", "port": None,
        "security": "tls", "username": "", "token_url": "", "client_id": "", "folder": "INBOX",
    }  # fmt: skip
    with pytest.raises(Refused, match="still to come"):
        mailboxes.add(values, by=cast.adam, at=AT)
    box = mailboxes.add({**values, "cut_over_at": AT}, by=cast.adam, at=AT)
    with pytest.raises(Refused, match="still to come"):
        mailboxes.change(box, values, by=cast.adam, at=AT)


def test_the_cut_over_stands_once_mail_was_fetched(cast: Cast) -> None:
    values = {
        **{name: getattr(Mailbox(), name, None) for name in mailboxes.FIELDS if name != "team"},
        "team": cast.team, "address": "help@desk.example", "name": "Help", "cut_over_at": AT,
    }  # fmt: skip
    box = mailboxes.add(values, by=cast.adam, at=AT)
    Mailbox.objects.filter(pk=box.pk).update(fetched_at=AT)
    with pytest.raises(Refused):
        mailboxes.change(box, {**values, "cut_over_at": AT - dt.timedelta(days=1)}, by=cast.adam, at=AT)


def test_trying_a_mailbox_says_what_is_wrong(client: Client, cast: Cast) -> None:
    client.force_login(cast.adam)
    client.post("/settings/mailboxes/add/", form(cast))
    answer = client.post(f"/settings/mailboxes/{Mailbox.objects.get().pk}/test/")
    assert "Nothing listens at 127.0.0.1:1" in answer.content.decode()


# ---------------------------------------------------------------- words


def test_a_text_with_a_placeholder_that_nobody_fills_is_refused(client: Client, cast: Cast) -> None:
    client.force_login(cast.sam)
    text = MailText.objects.get(kind="acknowledgement", language="de")
    answer = client.post(
        f"/settings/texts/{text.pk}/", {"subject": "{refrence}", "body": "{reference} {promised} {wer}"}
    )
    assert answer.status_code == 422
    assert "{refrence}" in answer.content.decode()
    answer = client.post(f"/settings/texts/{text.pk}/", {"subject": "Da", "body": "bis {promised}"})
    assert "{reference}" in answer.content.decode()
    text.refresh_from_db()
    assert "{reference}" in text.subject


def test_a_text_is_shown_as_a_customer_reads_it_before_it_is_saved(client: Client, cast: Cast) -> None:
    client.force_login(cast.sam)
    text = MailText.objects.get(kind="acknowledgement", language="en")
    words = {"subject": "Yours: {reference}", "body": "A person answers by {promised}."}
    page = client.post(f"/settings/texts/{text.pk}/", {**words, "preview": "1"})
    assert "Yours: #4790" in page.content.decode()
    text.refresh_from_db()
    assert text.subject != words["subject"]
    assert client.post(f"/settings/texts/{text.pk}/", words).status_code == 302
    text.refresh_from_db()
    assert (text.subject, text.changed_by) == (words["subject"], cast.sam)


def test_a_lone_brace_is_refused() -> None:
    with pytest.raises(Refused, match="brace"):
        texts.check_placeholders("a } b", texts.IN_MAIL)


def test_a_reply_is_approved_by_a_supervisor_who_did_not_write_it(client: Client, cast: Cast) -> None:
    client.force_login(cast.sam)
    new = {"title": "Refund", "language": "en-gb", "body": "Dear {customer}", "contract": cast.contract.pk}
    assert client.post("/settings/replies/add/", new).status_code == 302
    reply = CannedReply.objects.get()
    client.post(f"/settings/replies/{reply.pk}/approve/")
    reply.refresh_from_db()
    assert reply.approved_at is None  # the own one
    client.force_login(cast.rita)
    client.post(f"/settings/replies/{reply.pk}/approve/")
    reply.refresh_from_db()
    assert reply.approved_at is None  # no supervisor
    client.force_login(cast.olga)
    client.post(f"/settings/replies/{reply.pk}/approve/")
    reply.refresh_from_db()
    assert reply.approved_by == cast.olga
    # a change needs a new approval
    texts.write_reply(cast.contract, title="Refund", language="en-gb", body="Other", by=cast.rita, at=AT, reply=reply)
    reply.refresh_from_db()
    assert reply.approved_at is None


def test_categories_have_one_name_each(client: Client, cast: Cast) -> None:
    client.force_login(cast.sam)
    new = {"name": "Delivery", "is_active": "on", "contract": cast.contract.pk}
    assert client.post("/settings/categories/", new).status_code == 302
    assert client.post("/settings/categories/", {**new, "name": "delivery"}).status_code == 422


def test_each_role_sees_its_own_tabs(client: Client, cast: Cast) -> None:
    client.force_login(cast.rita)
    assert client.get("/settings/").headers["Location"] == "/settings/replies/"
    page = client.get("/settings/replies/").content.decode()
    assert "/unsorted/senders/" in page
    assert "/settings/people/" not in page
    client.force_login(cast.adam)
    assert client.get("/settings/").headers["Location"] == "/settings/people/"


def test_an_error_page_keeps_the_navigation_of_whoever_is_signed_in(client: Client, cast: Cast) -> None:
    for path, status in (("/nothing/here/", 404), ("/settings/people/", 403)):
        client.force_login(cast.rita, backend="csp.access.TableBackend")
        answer = client.get(path)
        assert answer.status_code == status
        assert answer.text.count("<h1") == 1
        assert 'href="/queue/"' in answer.text
        client.logout()
    assert 'aria-label="Main"' not in client.get("/nothing/here/").text


def test_the_records_are_in_the_navigation_of_those_who_may_read_them(client: Client, cast: Cast) -> None:
    for person, reads in ((cast.vera, True), (cast.adam, True), (cast.rita, False)):
        client.force_login(person, backend="csp.access.TableBackend")
        assert ('href="/admin/"' in client.get("/notices/").text) is reads
