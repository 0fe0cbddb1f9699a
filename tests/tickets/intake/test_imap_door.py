"""Fetching mailboxes from a real IMAP server: once each, flagged only after the commit, whatever the server does."""

from __future__ import annotations

import dataclasses
import datetime as dt
import http.server
import imaplib
import json
import socket
import subprocess
import sys
import threading
import time
import urllib.parse
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from django.db import connections

from csp import clock, vault
from csp.models import Mailbox, Team
from tests.cast import Cast
from tests.conftest import MailServer
from tests.factories import AT, HOUR
from tests.tickets.intake.letters import letter, mailbox
from tickets.intake import landing, taking_in
from tickets.intake.doors import imap
from tickets.models import InboundMessage, Ticket

USER, PASSWORD, FOLDER = "desk", "correct horse", "Desk"


class Server:
    """A pymap in a process of its own, with one folder in memory."""

    def __init__(self, certificate: Path, key: Path) -> None:
        with socket.socket() as free, socket.socket() as another:
            free.bind(("127.0.0.1", 0))
            another.bind(("127.0.0.1", 0))
            self.port, self.tls_port = free.getsockname()[1], another.getsockname()[1]
        command = [sys.executable, "-m", "tests.tickets.intake.imap_with_tokens", str(self.tls_port)]
        command += ["--host", "127.0.0.1", "--port", str(self.port)]
        command += [
            "--cert",
            str(certificate),
            "--key",
            str(key),
            "--no-service",
            "admin",
            "--no-service",
            "managesieve",
        ]
        command += ["dict", "--demo-data", "--demo-user", USER, "--demo-password", PASSWORD]
        self.process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        for _try in range(200):
            try:
                self.client().logout()
                break
            except OSError:
                assert self.process.poll() is None, "pymap ended"
                time.sleep(0.1)

    def client(self) -> imaplib.IMAP4:
        client = imaplib.IMAP4("127.0.0.1", self.port, timeout=10)
        client.login(USER, PASSWORD)
        return client

    def empty(self) -> None:
        """A new, empty folder of the old name, and so a new UIDVALIDITY."""
        client = self.client()
        client.delete(FOLDER)
        client.create(FOLDER)
        client.logout()

    def put(self, *messages: bytes, at: dt.datetime = AT) -> None:
        client = self.client()
        for raw in messages:
            status, said = client.append(FOLDER, "", imaplib.Time2Internaldate(at), raw)
            assert status == "OK", said
        client.logout()

    def flags(self) -> list[bool]:
        """Which messages are flagged as seen."""
        client = self.client()
        client.select(FOLDER, readonly=True)
        _status, data = client.fetch("1:*", "(FLAGS)")
        client.logout()
        return [b"\\Seen" in line for line in data if isinstance(line, bytes)]


@dataclasses.dataclass(frozen=True, slots=True)
class Certificates:
    """Files: the server's for `localhost` with its key, and the authority that signed it, whom nobody has to trust."""

    server: Path
    key: Path
    authority: Path


def pem(path: Path, made: x509.Certificate) -> Path:
    path.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    return path


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    folder = tmp_path_factory.mktemp("tls")
    now = dt.datetime.now(dt.UTC)  # noqa: TID251  a certificate is checked by the real clock
    authority, key = (ec.generate_private_key(ec.SECP256R1()) for _each in range(2))

    def made(whose: ec.EllipticCurvePrivateKey, name: str, extension: x509.ExtensionType) -> x509.Certificate:
        return (
            x509.CertificateBuilder()
            .subject_name(x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)]))
            .issuer_name(x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "The tests")]))
            .public_key(whose.public_key()).serial_number(x509.random_serial_number())
            .not_valid_before(now - HOUR).not_valid_after(now + 24 * HOUR)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(whose.public_key()), critical=False)
            .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(authority.public_key()), critical=False)
            .add_extension(extension, critical=True).sign(authority, hashes.SHA256())
        )  # fmt: skip

    (folder / "key.pem").write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return Certificates(
        server=pem(
            folder / "cert.pem", made(key, "localhost", x509.SubjectAlternativeName([x509.DNSName("localhost")]))
        ),
        key=folder / "key.pem",
        authority=pem(
            folder / "ca.pem", made(authority, "The tests", x509.BasicConstraints(ca=True, path_length=None))
        ),
    )


@pytest.fixture(scope="module")
def running(certificates: Certificates) -> Iterator[Server]:
    server = Server(certificates.server, certificates.key)
    yield server
    server.process.terminate()
    server.process.wait(timeout=10)


@pytest.fixture
def server(running: Server) -> Server:
    running.empty()
    return running


@pytest.fixture
def box(cast: Cast, server: Server) -> Mailbox:
    return fetched(cast, server)


def fetched(cast: Cast, server: Server, **more: Any) -> Mailbox:
    settings: dict[str, Any] = {
        "fetch": "password", "host": "localhost", "port": server.port, "security": "none", "username": USER,
        "sealed_secret": vault.seal_secret(PASSWORD), "folder": FOLDER,
    }  # fmt: skip
    return mailbox(cast.team, **(settings | more))


def test_mail_is_landed_with_the_servers_time_and_then_flagged(box: Mailbox, server: Server) -> None:
    server.put(letter("One"), letter("Two"), at=AT - HOUR)
    assert imap.fetch_mailboxes(AT) == 2
    rows = InboundMessage.objects.order_by("uid")
    assert [row.internal_date for row in rows] == [AT - HOUR] * 2
    assert [row.received_at for row in rows] == [AT - HOUR] * 2
    assert [row.gap for row in rows] == [HOUR] * 2
    assert vault.read(rows[0].blob) == letter("One")
    assert server.flags() == [True, True]
    box.refresh_from_db()
    assert (box.fetched_at, box.fetch_error) == (AT, "")


def test_fetching_again_brings_nothing_and_only_what_is_new(box: Mailbox, server: Server) -> None:
    server.put(letter("One"))
    imap.fetch_mailboxes(AT)
    assert imap.fetch_mailboxes(AT) == 0
    server.put(letter("Two"))
    assert imap.fetch_mailboxes(AT) == 1
    assert InboundMessage.objects.count() == 2


def test_what_somebody_has_read_in_the_mailbox_is_fetched_all_the_same(box: Mailbox, server: Server) -> None:
    server.put(letter("One"))
    client = server.client()
    client.select(FOLDER)
    client.store("1", "+FLAGS", "\\Seen")
    client.logout()
    assert imap.fetch_mailboxes(AT) == 1


def test_a_changed_uidvalidity_brings_no_duplicates(box: Mailbox, server: Server) -> None:
    server.put(letter("One"), letter("Two"))
    imap.fetch_mailboxes(AT)
    box.refresh_from_db()
    before = box.uid_validity
    server.empty()
    server.put(letter("One"), letter("Two"), letter("Three"))
    assert imap.fetch_mailboxes(AT) == 1
    box.refresh_from_db()
    assert box.uid_validity != before
    assert InboundMessage.objects.count() == 3


def test_killed_before_the_commit_nothing_is_flagged_and_it_comes_again(
    box: Mailbox, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.put(letter("One"))

    class Killed(BaseException):
        pass

    def die(*_: object, **__: object) -> None:
        raise Killed

    monkeypatch.setattr(landing, "land", die)
    with pytest.raises(Killed):
        imap.fetch_mailboxes(AT)
    assert server.flags() == [False]
    monkeypatch.undo()
    assert imap.fetch_mailboxes(AT) == 1


def test_one_message_that_the_server_does_not_give_holds_back_no_other(
    box: Mailbox, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.put(letter("One"), letter("Poison"), letter("Three"))
    real = imap._fetch_data

    def stumble(client: imaplib.IMAP4, uid: int, what: str) -> Any:
        if uid == poison:
            raise imaplib.IMAP4.error("NO internal error")
        return real(client, uid, what)

    client = server.client()
    client.select(FOLDER, readonly=True)
    poison = int(client.uid("SEARCH", "ALL")[1][0].split()[1])
    client.logout()
    monkeypatch.setattr(imap, "_fetch_data", stumble)
    assert imap.fetch_mailboxes(AT) == 2
    box.refresh_from_db()
    assert str(poison) in box.fetch_error
    assert box.last_uid < poison
    monkeypatch.undo()
    assert imap.fetch_mailboxes(AT) == 1
    box.refresh_from_db()
    assert (box.fetch_error, InboundMessage.objects.count()) == ("", 3)


def test_one_that_is_never_given_holds_back_none_of_those_behind_it(
    box: Mailbox, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.put(letter("Poison"), *(letter(f"Good {number}") for number in range(5)))
    real, poison = imap._fetch_data, []

    def stumble(client: imaplib.IMAP4, uid: int, what: str) -> Any:
        if uid == (poison or poison.append(uid) or poison)[0]:
            raise imaplib.IMAP4.error("NO internal error")
        return real(client, uid, what)

    monkeypatch.setattr(imap, "_fetch_data", stumble)
    monkeypatch.setattr(imap, "_BATCH", 2)
    fetched = [imap.fetch_mailboxes(AT + minute * (HOUR / 60)) for minute in range(6)]
    assert sum(fetched) == 5
    assert InboundMessage.objects.count() == 5


@pytest.mark.parametrize(
    ("said", "content"),
    [
        (b'1 (UID 7 BODY[] "")', b""),
        (b"1 (UID 7 BODY[] NIL)", b""),
        (b'1 (UID 7 BODY[] "Subject: \\"x\\"\\\\")', b'Subject: "x"\\'),
        (b'1 (UID 7 BODY[HEADER] "A: b" FLAGS (\\Seen))', b"A: b"),
    ],
)
def test_a_message_that_comes_as_a_quoted_string_or_as_nothing_is_landed_all_the_same(
    said: bytes, content: bytes, box: Mailbox, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.put(letter("Replaced"))
    real = imap._fetch_data

    def quoting(client: imaplib.IMAP4, uid: int, what: str) -> Any:
        return (said, None) if "BODY" in what else real(client, uid, what)

    monkeypatch.setattr(imap, "_fetch_data", quoting)
    assert imap.fetch_mailboxes(AT) == 1
    row = InboundMessage.objects.get()
    assert vault.read(row.blob) == content


def test_one_mailbox_that_fails_holds_back_no_other(cast: Cast, box: Mailbox, server: Server) -> None:
    box.is_default = False
    box.address = "second@desk.example"
    box.save()
    bad = fetched(cast, server, sealed_secret=vault.seal_secret("wrong"))
    bad_pk, good_pk = bad.pk, box.pk
    server.put(letter("One"))
    assert imap.fetch_mailboxes(AT) == 1
    bad.refresh_from_db()
    assert "refused user name or password" in bad.fetch_error
    assert bad.fetched_at is None
    assert bad_pk != good_pk


def test_too_large_a_message_is_parked_and_said(
    box: Mailbox, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:  # fmt: skip
    monkeypatch.setattr(imap, "_WHOLE", 500)
    server.put(letter("x" * 1000))
    imap.fetch_mailboxes(AT)
    taking_in.take_in(AT)
    row = InboundMessage.objects.get()
    assert row.state == InboundMessage.State.PARKED
    assert "only its header was fetched" in Ticket.objects.get().parked_reason
    assert row.sender_address == "carl@northwind.example"


@pytest.mark.django_db(transaction=True)
def test_one_fetcher_at_a_time(server: Server) -> None:
    box = mailbox(
        Team.objects.get(), fetch="password", host="localhost", port=server.port, security="none", username=USER,
        sealed_secret=vault.seal_secret(PASSWORD), folder=FOLDER,
    )  # fmt: skip
    server.put(letter("One"))
    other = connections.create_connection("default")
    with other.cursor() as cursor:
        cursor.execute("select pg_advisory_lock(%s, %s)", [imap._LOCK, box.pk])
        assert imap.fetch(box, AT) == 0
    other.close()  # killed
    for _try in range(50):
        if imap.fetch(box, AT):
            break
        time.sleep(0.1)
    assert InboundMessage.objects.count() == 1


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({}, "holds 1 messages"),
        ({"sealed_secret": vault.seal_secret("wrong")}, "refused user name or password"),
        ({"folder": "Nowhere"}, "no folder Nowhere"),
        ({"host": "no-such-host.invalid"}, "no server named"),
        ({"port": 1}, "Nothing listens"),
        ({"security": "starttls"}, "certificate of localhost"),
        ({"security": "tls"}, "does not speak TLS"),
        ({"sealed_secret": b"x" * 40}, "cannot be opened"),
        ({"username": "desk\r\nA2 LOGOUT"}, "control characters"),
        ({"fetch": "none"}, "mail door"),
    ],
)
def test_the_test_button_says_what_to_mend(cast: Cast, server: Server, changes: dict[str, Any], said: str) -> None:
    server.put(letter("One"))
    receiving, _sending = imap.test_connection(fetched(cast, server, **changes))
    assert said in receiving.sentence
    assert receiving.works == (said in ("holds 1 messages", "mail door"))


@pytest.mark.parametrize("fetch", ["password", "xoauth2"])
@pytest.mark.parametrize("security", ["tls", "starttls"])
def test_mail_is_fetched_over_a_verified_connection_by_password_or_token(
    cast: Cast, server: Server, certificates: Certificates, monkeypatch: pytest.MonkeyPatch,
    fetch: str, security: str,
) -> None:  # fmt: skip
    box = fetched(
        cast, server, fetch=fetch, security=security, port=server.tls_port if security == "tls" else server.port
    )  # fmt: skip
    server.put(letter("One"))
    assert imap.fetch(box, AT) == 0, "nobody trusts this certificate yet"
    box.refresh_from_db()
    assert "certificate of localhost" in box.fetch_error
    assert "never ignored" in box.fetch_error
    monkeypatch.setenv("SSL_CERT_FILE", str(certificates.authority))
    Mailbox.objects.filter(pk=box.pk).update(host="127.0.0.1")
    assert imap.fetch(box, AT) == 0, "the certificate is another server's"
    box.refresh_from_db()
    assert "certificate of 127.0.0.1" in box.fetch_error
    Mailbox.objects.filter(pk=box.pk).update(host="localhost")
    assert imap.fetch(box, AT) == 1
    box.refresh_from_db()
    assert box.fetch_error == ""
    Mailbox.objects.filter(pk=box.pk).update(sealed_secret=vault.seal_secret("a token that expired"))
    assert imap.fetch(box, AT) == 0
    box.refresh_from_db()
    assert "refused user name or password" in box.fetch_error
    assert "token may have expired" in box.fetch_error


class TokenServer:
    """A real token server: changes a refresh token for an access token, once, and gives the next refresh token."""

    def __init__(self) -> None:
        self.valid, self.token, self.lasts, self.asked = "refresh 0", PASSWORD, 3600, 0
        outer = self

        class Answer(http.server.BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                form = dict(urllib.parse.parse_qsl(self.rfile.read(int(self.headers["Content-Length"])).decode()))
                outer.asked += 1
                expected = {"grant_type": "refresh_token", "client_id": "csp", "client_secret": "ours"}
                if self.path == "/moved":
                    self.send_response(307)
                    self.send_header("Location", "/token")
                    self.end_headers()
                    return
                is_known = form == {**expected, "refresh_token": outer.valid}
                said: dict[str, object] = {"error": "invalid_grant", "error_description": "<b>no</b>"}
                if is_known:
                    outer.valid = f"refresh {outer.asked}"
                    said = {"access_token": outer.token, "expires_in": outer.lasts, "refresh_token": outer.valid}
                self.send_response(200 if is_known else 400)
                self.end_headers()
                self.wfile.write(json.dumps(said).encode())

            def log_message(self, *_words: object) -> None:
                """Say nothing."""

        self.http = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Answer)
        self.url = f"http://127.0.0.1:{self.http.server_port}/token"
        threading.Thread(target=self.http.serve_forever, daemon=True).start()


@pytest.fixture
def tokens() -> Iterator[TokenServer]:
    server = TokenServer()
    yield server
    server.http.shutdown()
    server.http.server_close()


def renewed(cast: Cast, server: Server, tokens: TokenServer, **changes: Any) -> Mailbox:
    return fetched(
        cast, server, fetch="renewed", token_url=tokens.url, client_id="csp", access_until=None,
        sealed_secret=vault.seal_secret("refresh 0"), sealed_client_secret=vault.seal_secret("ours"), **changes,
    )  # fmt: skip


def test_a_token_is_renewed_before_it_ends_and_kept_until_then(
    cast: Cast, server: Server, tokens: TokenServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    box = renewed(cast, server, tokens)
    server.put(letter("One"))
    for moment, asked in (
        (AT, 1),
        (AT + dt.timedelta(minutes=57), 1),
        (AT + dt.timedelta(minutes=58), 2),
        (AT + 2 * HOUR, 3),
    ):
        monkeypatch.setattr(clock, "now", lambda moment=moment: moment)
        imap.fetch(box, moment)
        box.refresh_from_db()
        assert (box.fetch_error, tokens.asked) == ("", asked)
        assert vault.open_secret(box.sealed_secret) == tokens.valid, "the server takes each refresh token once"
    assert InboundMessage.objects.count() == 1


def test_a_token_taken_back_before_its_time_is_renewed_once(cast: Cast, server: Server, tokens: TokenServer) -> None:
    box = renewed(cast, server, tokens)
    tokens.token = "taken back"
    assert imap.fetch(box, AT) == 0
    box.refresh_from_db()
    assert "refused user name or password" in box.fetch_error
    assert tokens.asked == 2
    tokens.token = PASSWORD
    server.put(letter("One"))
    assert imap.fetch(box, AT) == 1, "the kept token is refused, and a fresh one opens"
    assert tokens.asked == 3


@pytest.mark.parametrize(
    ("path", "refresh", "said"),
    [
        ("/token", "another", "refused (invalid_grant)"),
        ("/moved", "refresh 0", "refused (307)"),
    ],
)
def test_a_refused_renewal_says_what_to_mend(
    cast: Cast, server: Server, tokens: TokenServer, path: str, refresh: str, said: str
) -> None:
    box = renewed(cast, server, tokens)
    Mailbox.objects.filter(pk=box.pk).update(
        token_url=tokens.url.replace("/token", path), sealed_secret=vault.seal_secret(refresh)
    )
    assert imap.fetch(box, AT) == 0
    box.refresh_from_db()
    assert said in box.fetch_error
    assert "enter the new token" in box.fetch_error
    tokens.http.server_close()
    receiving, _sending = imap.test_connection(box)
    assert "does not answer" in receiving.sentence


def test_the_test_button_is_content_with_a_server_that_takes_mail(
    box: Mailbox, mail_server: MailServer, settings: Any
) -> None:
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = mail_server.host, mail_server.port
    _receiving, sending = imap.test_connection(box)
    assert sending.works, sending.sentence
    assert not mail_server.deliveries


def test_the_test_button_tries_sending_too(cast: Cast, box: Mailbox, settings: Any) -> None:
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 1
    _receiving, sending = imap.test_connection(box)
    assert not sending.works
    assert "EMAIL_HOST" in sending.sentence
