"""Attachments, mail HTML and sources: behind the guard, and unable to act in our pages."""

from __future__ import annotations

import pytest

from csp.events import Act
from csp.models import TrailEntry
from tests import factories
from tests.cast import Cast
from tests.factories import AT
from tests.tickets.desk import at_nine, browser
from tickets import handling
from tickets.conversation import Direction, File, Kind, Said
from tickets.models import Attachment, Interaction, Ticket

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("at_nine")]
__all__ = ["at_nine"]

PNG = b"\x89PNG\r\n\x1a\n" + b"\x00" * 20


@pytest.fixture
def ticket(cast: Cast) -> Ticket:
    return factories.ticket(team=cast.team, customer=cast.carl)


def mail(cast: Cast, ticket: Ticket, *, html: str = "", files: tuple[File, ...] = ()) -> Interaction:
    said = Said(
        kind=Kind.MAIL, direction=Direction.IN, body="See the attachment.", html=html, occurred_at=AT,
        customer=cast.carl, sender_address="carl@northwind.example", files=files,
    )  # fmt: skip
    return handling.receive(ticket, said, at=AT, by=cast.carl)


def test_a_file_is_only_ever_a_download_and_its_opening_is_on_record(cast: Cast, ticket: Ticket) -> None:
    page = File('pa"ge‮.html', "text/html", b"<script>alert(1)</script>")
    row = mail(cast, ticket, files=(page,)).attachments.get()
    answer = browser(cast.rita).get(f"/attachments/{row.pk}/")
    assert answer.content == b"<script>alert(1)</script>"
    assert answer["Content-Type"] == "application/octet-stream"
    assert answer["Content-Disposition"].startswith("attachment")
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert answer["Content-Security-Policy"] == "default-src 'none'; sandbox"
    assert TrailEntry.objects.filter(act=Act.ATTACHMENT_READ, actor=f"user:{cast.rita.pk}").count() == 1


def test_nobody_else_reaches_a_file(cast: Cast, ticket: Ticket) -> None:
    row = mail(cast, ticket, files=(File("a.png", "image/png", PNG),)).attachments.get()
    for path in (f"/attachments/{row.pk}/", f"/attachments/{row.pk}/picture/"):
        assert browser(cast.otto).get(path).status_code == 404
        assert browser(cast.fay).get(path).status_code == 403


def test_only_what_is_a_picture_by_its_content_is_shown_as_one(cast: Cast, ticket: Ticket) -> None:
    files = (
        File("a.png", "text/html", PNG),
        File("b.png", "image/png", b"<svg onload=alert(1)>"),
        File("c.svg", "image/svg+xml", b"<svg/>"),
        File("d.webp", "", b"RIFF\x00\x00\x00\x00WEBPVP8 "),
    )
    mail(cast, ticket, files=files)
    client = browser(cast.rita)
    kinds = {
        row.name: client.get(f"/attachments/{row.pk}/picture/").headers["Content-Type"].partition(";")[0]
        for row in Attachment.objects.all()
    }
    assert kinds == {"a.png": "image/png", "b.png": "text/html", "c.svg": "text/html", "d.webp": "image/webp"}
    refused = Attachment.objects.get(name="b.png")
    assert client.get(f"/attachments/{refused.pk}/picture/").status_code == 404


def test_mail_html_stands_in_a_sandbox_and_fetches_nothing(cast: Cast, ticket: Ticket) -> None:
    html = (
        '<p onclick="x()">Dear <b>all</b></p><script>alert(1)</script><img src="https://evil.example/p.gif">'
        '<img src="cid:logo"><img src="cid:bad"><form action="/x"><input></form>'
    )
    files = (
        File("logo.png", "image/png", PNG, content_id="<logo>"),
        File("bad.png", "image/png", b"<svg>", content_id="bad"),
    )
    row = mail(cast, ticket, html=html, files=files)
    answer = browser(cast.rita).get(f"/interactions/{row.pk}/as-sent/")
    body, policy = answer.content.decode(), answer["Content-Security-Policy"]
    assert "<b>all</b>" in body
    assert "data:image/png;base64," in body
    for bad in ("<script", "onclick", "evil.example", "<form", "<input", "<svg"):
        assert bad not in body
    assert "default-src 'none'" in policy
    assert "sandbox" in policy
    assert "script-src" not in policy
    assert browser(cast.otto).get(f"/interactions/{row.pk}/as-sent/").status_code == 404
    page = browser(cast.rita).get(f"/tickets/{ticket.pk}/").content.decode()
    assert f'src="/interactions/{row.pk}/as-sent/"' in page
    assert 'sandbox="allow-popups' in page


def test_words_alone_have_no_other_form(cast: Cast, ticket: Ticket) -> None:
    row = mail(cast, ticket)
    assert browser(cast.rita).get(f"/interactions/{row.pk}/as-sent/").status_code == 404
    assert browser(cast.rita).get(f"/interactions/{row.pk}/source/").status_code == 404  # it came without one


def test_the_words_of_a_mail_are_text_and_never_markup(cast: Cast, ticket: Ticket) -> None:
    said = Said(
        kind=Kind.MAIL, direction=Direction.IN, body="<script>alert('x')</script>\n> quoted\n", occurred_at=AT,
        customer=cast.carl, sender_name="<b>Carl</b>", sender_address="carl@northwind.example",
    )  # fmt: skip
    handling.receive(ticket, said, at=AT, by=cast.carl)
    page = browser(cast.rita).get(f"/tickets/{ticket.pk}/").content.decode()
    assert "&lt;script&gt;alert" in page
    assert "<script>alert" not in page
    assert "<b>Carl</b>" not in page
