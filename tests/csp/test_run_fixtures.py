"""The engines and the mail server that the other tests stand on."""

import os
import smtplib

import pytest
import redis
from django.db import connection

from tests.conftest import MailServer

LETTER = "From: a@example.com\r\nTo: b@example.com\r\nSubject: Grüße\r\n\r\nHello\r\n".encode()


def send(server: MailServer, to: str = "b@example.com", timeout: float = 5) -> None:
    with smtplib.SMTP(server.host, server.port, timeout=timeout) as client:
        client.sendmail("a@example.com", [to], LETTER)


@pytest.mark.django_db
def test_the_database_is_a_real_postgresql_on_a_closed_socket() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_setting('listen_addresses'), current_setting('TimeZone'), current_database()")
        assert cursor.fetchone()[:2] == ("", "UTC")
        cursor.execute("SELECT lower('ÄÖÜ'), 'ÄRGER' ILIKE 'ärger'")
        assert cursor.fetchone() == ("äöü", True)


@pytest.mark.django_db
def test_the_test_database_came_migrated_from_the_template() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1 FROM pg_database WHERE datname = %s", [os.environ["CSP_TEST_TEMPLATE"]])
        assert cursor.fetchone() == (1,)
        cursor.execute("SELECT count(*) FROM django_migrations")
        assert cursor.fetchone()[0] > 10


def test_valkey_is_our_own(valkey_url: str) -> None:
    with redis.Redis.from_url(valkey_url) as client:
        client.set("here", "1")
        assert client.get("here") == b"1"


def test_the_mail_server_keeps_what_it_takes(mail_server: MailServer) -> None:
    send(mail_server)
    (delivery,) = mail_server.wait_for(1)
    assert delivery.sender == "a@example.com"
    assert delivery.recipients == ["b@example.com"]
    assert delivery.message["Subject"] == "Grüße"


def test_the_mail_server_refuses_when_told(mail_server: MailServer) -> None:
    mail_server.answer("451 later", "550 never")
    with pytest.raises(smtplib.SMTPDataError, match="451"):
        send(mail_server)
    with pytest.raises(smtplib.SMTPDataError, match="550"):
        send(mail_server)
    send(mail_server)
    assert len(mail_server.deliveries) == 1
    assert mail_server.refused == ["451 later", "550 never"]


def test_the_mail_server_refuses_one_recipient(mail_server: MailServer) -> None:
    mail_server.refuse_recipients["gone@example.com"] = "550 no such person"
    with pytest.raises(smtplib.SMTPRecipientsRefused):
        send(mail_server, "gone@example.com")
    assert mail_server.deliveries == []


def test_the_mail_server_hangs_until_released(mail_server: MailServer) -> None:
    mail_server.hang()
    with pytest.raises((TimeoutError, smtplib.SMTPServerDisconnected)):
        send(mail_server, timeout=0.3)
    assert mail_server.deliveries == []
    mail_server.release()
    send(mail_server)
    mail_server.wait_for(1)
