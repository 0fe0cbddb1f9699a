"""Attacks that once succeeded, kept so that they go on failing."""

from __future__ import annotations

import logging
import sys

import pytest
from django.db import DatabaseError, connection

from csp.logs import Lines, Words
from csp.roles import Role
from tests import factories
from tests.cast import Cast
from tests.factories import AT
from tests.tickets.desk import at_nine, browser
from tickets import handling
from tickets.conversation import Direction, File, Kind, Said
from tickets.models import Draft, Presence
from tickets.views.files import PICTURES_TOGETHER

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("at_nine")]
__all__ = ["at_nine"]


@pytest.mark.parametrize(
    ("who", "path"),
    [
        ("vera", "csp/customer/?name__startswith=Carl"),
        ("vera", "csp/customer/?organisation=Northwind"),
        ("vera", "csp/address/?value__startswith=carl"),
        ("vera", "tickets/ticket/?subject__contains=secret"),
        ("vera", "tickets/ticket/?search=secret"),
        ("vera", "tickets/interaction/?body__contains=invoice"),
        ("vera", "csp/trailentry/?personal__contains=secret"),
        ("adam", "csp/outboundmessage/?body__contains=password"),
        ("adam", "csp/user/?password__startswith=argon2"),
    ],
)
def test_what_is_masked_cannot_be_found_out_by_filtering(cast: Cast, who: str, path: str) -> None:
    factories.ticket(team=cast.team, customer=cast.carl, subject="My secret subject")
    assert browser(getattr(cast, who)).get(f"/admin/{path}").status_code == 400


def test_what_is_shown_can_be_filtered_by(cast: Cast) -> None:
    ticket = factories.ticket(team=cast.team, customer=cast.carl)
    for path in (f"tickets/ticket/?id__exact={ticket.pk}", f"tickets/interaction/?ticket__id__exact={ticket.pk}",
                 "tickets/ticket/?state__exact=new", f"csp/deadline/?subject_ref={ticket.pk}"):  # fmt: skip
        assert browser(cast.vera).get(f"/admin/{path}").status_code == 200, path
    assert browser(cast.adam).get("/admin/csp/user/?email__startswith=rita").status_code == 200


def test_one_picture_shown_a_thousand_times_is_not_a_thousand_pictures(cast: Cast) -> None:
    ticket = factories.ticket(team=cast.team, customer=cast.carl)
    picture = File("a.png", "image/png", b"\x89PNG\r\n\x1a\n" + b"\x00" * 100_000, content_id="<a>")
    answers = []
    for times in (2, 5_000):
        said = Said(
            kind=Kind.MAIL, direction=Direction.IN, body="x", html='<img src="cid:a">' * times, occurred_at=AT,
            customer=cast.carl, sender_address="carl@northwind.example", files=(picture,),
        )  # fmt: skip
        row = handling.receive(ticket, said, at=AT, by=cast.carl)
        answers.append(browser(cast.rita).get(f"/interactions/{row.pk}/as-sent/").content)
    assert answers[0].count(b"data:image/png") == 2
    assert len(answers[1]) < 2 * PICTURES_TOGETHER


def test_who_only_watches_a_ticket_leaves_no_draft_on_it_and_is_not_shown_as_writing(cast: Cast) -> None:
    ticket = factories.ticket(team=cast.team, customer=cast.carl)
    factories.grant(user=cast.vera, role=Role.REPRESENTATIVE, team=cast.other_team)
    browser(cast.vera).post(f"/tickets/{ticket.pk}/draft/", {"reply": "I was here", "cc": ""})
    assert not Draft.objects.exists()
    assert not Presence.objects.exists()


def test_a_draft_is_kept_whatever_its_copies_hold(cast: Cast) -> None:
    ticket = factories.ticket(team=cast.team, customer=cast.carl)
    kept = browser(cast.rita).post(f"/tickets/{ticket.pk}/draft/", {"reply": "Hello", "cc": "a\x00b"})
    assert kept.status_code == 204
    assert Draft.objects.get().cc == "ab"


def test_an_error_of_the_database_takes_no_value_into_the_log(cast: Cast) -> None:
    with pytest.raises(DatabaseError) as caught, connection.cursor() as cursor:
        cursor.execute("insert into csp_address (value) values (%s)", [f"{'secret'}@northwind.example"])
    assert "secret@" in str(caught.value)  # the row that failed, as PostgreSQL quotes it
    for kind in (Lines, Words):
        error = (type(caught.value), caught.value, caught.value.__traceback__)
        record = logging.LogRecord("csp", logging.ERROR, __file__, 1, "It failed", None, error)
        line = kind().format(record)
        assert "secret@" not in line
        assert "null value" in line


def test_a_traceback_names_where_it_was_and_what_led_to_it() -> None:
    try:
        try:
            raise ValueError("the cause")
        except ValueError as error:
            raise RuntimeError("the effect") from error
    except RuntimeError:
        said = Words().formatException(sys.exc_info())
    assert said.index("ValueError: the cause") < said.index("RuntimeError: the effect")
    assert "test_attacks.py" in said


def test_nobody_learns_from_rubbish_that_a_page_breaks(cast: Cast) -> None:
    rita, adam = browser(cast.rita), browser(cast.adam)
    endless = "9" * 5_000  # more digits than int reads
    for path in ("/queue/rail/?current=²", "/next/?besides=²", "/tickets/new/?customer=²",
                 "/tickets/new/customers/?find=a%00b", f"/queue/rail/?current={endless}",
                 f"/notices/?after={endless}"):  # fmt: skip
        assert rita.get(path).status_code < 400, path[:40]
    assert rita.get("/changes?scope=ticket:²").status_code == 400
    assert rita.post("/queue/bulk/", {"t": "²", "to": "²"}).status_code == 302
    for path in ("/settings/people/?q=a%00b", f"/settings/people/?after={endless}"):
        assert adam.get(path).status_code == 200, path[:40]
