"""Clause 7.1: customers are asked what they think, by surveys and forms, and what they say is acted on.

A survey goes out by rule after a matter is resolved. It counts when its form is sent, never when its link is opened,
and once. Nobody chooses who is asked, nobody is asked too often, and whoever does not want to be asked is not.
"""

from __future__ import annotations

import datetime as dt
import re

import pytest
from django.test import Client

from csp import throttle
from csp.models import Notice, OutboundMessage, TrailEntry
from feedback import floods, surveys
from feedback.models import Outcome, Remark, StoppedSurveys, Survey
from tests import factories as make
from tests.cast import Cast
from tests.tickets.desk import at_nine
from tickets import lifecycle
from tickets.models import SenderRule, Ticket

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("at_nine")]
__all__ = ["at_nine"]
HOUR, SECOND = make.HOUR, make.SECOND


def resolved(cast: Cast, *, at: dt.datetime = make.AT, **more: object) -> Ticket:
    """A ticket of Carl's, answered and resolved at that instant."""
    ticket = make.ticket(team=cast.team, customer=cast.carl, received_at=at - HOUR, **more)  # type: ignore[arg-type]
    make.answer(ticket=ticket, by=cast.rita, at=at - HOUR / 2, accepted_at=at - HOUR / 2)
    lifecycle.change_state(ticket, to=Ticket.State.RESOLVED, by=cast.rita, at=at, resolution="Replaced.")
    ticket.refresh_from_db()
    return ticket


def links(mail: OutboundMessage) -> tuple[str, str]:
    """The addresses in a survey mail: to its form, and out of surveys."""
    found = re.findall(r"https?://[^/\s]+(/survey/\S+)", mail.body)
    return found[0], found[1]


def asked(cast: Cast) -> tuple[Survey, str]:
    """A survey that went out, and the address of its form."""
    resolved(cast)
    assert surveys.send(make.AT + HOUR) == 1
    survey = Survey.objects.get()
    assert survey.message is not None
    return survey, links(survey.message)[0]


def test_a_resolved_matter_is_asked_about_once_an_hour_later(cast: Cast) -> None:
    ticket = resolved(cast)
    assert surveys.send(make.AT + HOUR - SECOND) == 0
    assert surveys.send(make.AT + HOUR) == 1
    assert surveys.send(make.AT + HOUR) == surveys.send(make.AT + 2 * HOUR) == 0
    mail = OutboundMessage.objects.get(kind="survey")
    assert (mail.to, ticket.reference in mail.subject) == (["carl@northwind.example"], True)
    assert TrailEntry.objects.filter(act="survey.decided", subject=ticket.trail_subject).count() == 1


def test_what_is_open_again_or_long_past_is_not_asked_about(cast: Cast) -> None:
    ticket = resolved(cast)
    make.message(ticket=ticket, at=make.AT + HOUR / 2)
    assert surveys.send(make.AT + HOUR) == 0
    old = resolved(cast, at=make.AT - 15 * make.DAY)
    assert surveys.send(make.AT + HOUR) == 0
    assert not Survey.objects.filter(ticket=old).exists()


def test_a_customer_is_asked_once_within_the_cap_whatever_is_resolved(cast: Cast) -> None:
    asked(cast)
    second = resolved(cast, at=make.AT + HOUR)
    assert surveys.send(make.AT + 3 * HOUR) == 1
    assert Survey.objects.get(ticket=second).decision == "capped"
    third = resolved(cast, at=make.AT + 30 * make.DAY)
    assert surveys.send(make.AT + 30 * make.DAY + HOUR) == 1
    assert Survey.objects.get(ticket=third).decision == "sent", "thirty days after the first"


def test_whoever_asked_for_no_more_gets_no_more(cast: Cast) -> None:
    survey, _form = asked(cast)
    assert survey.message is not None
    way_out = links(survey.message)[1]
    client = Client()
    assert client.get(way_out).status_code == 200
    assert not StoppedSurveys.objects.exists(), "looking is not asking"
    for _again in range(2):
        assert client.post(way_out).status_code == 200
    assert StoppedSurveys.objects.get().customer == cast.carl
    later = resolved(cast, at=make.AT + 40 * make.DAY)
    surveys.send(make.AT + 40 * make.DAY + HOUR)
    assert Survey.objects.get(ticket=later).decision == "stopped"


def test_opening_the_link_records_nothing_and_sending_the_form_records_it_once(cast: Cast) -> None:
    _survey, form = asked(cast)
    client = Client()
    for _scanner in range(3):
        answer = client.get(form)
        assert answer.status_code == 200
    assert client.head(form).status_code == 405
    assert not Remark.objects.exists()
    assert answer["Referrer-Policy"] == "no-referrer"
    for _twice in range(2):
        assert client.post(form, {"score": "4", "soon": "yes", "words": "Kind people."}).status_code == 200
    remark = Remark.objects.get()
    assert (remark.score, remark.soon, remark.words, remark.level) == (4, "yes", "Kind people.", "confidential")
    assert "already" in client.get(form).content.decode()


def test_an_answer_without_a_score_comes_back_with_its_words(cast: Cast) -> None:
    _survey, form = asked(cast)
    answer = Client().post(form, {"words": "I kept this text."})
    assert answer.status_code == 422
    assert "I kept this text." in answer.content.decode()
    assert "Choose one of the five answers" in answer.content.decode()
    assert not Remark.objects.exists()


@pytest.mark.parametrize(
    "bend", [lambda t: t[:-3] + "aaa", lambda t: "x" + t, lambda t: "nothing", lambda t: t + "%00"]
)
def test_a_link_that_was_made_up_is_good_for_nothing(cast: Cast, bend: object) -> None:
    _survey, form = asked(cast)
    token = form.split("/")[2]
    assert callable(bend)
    assert Client().post(f"/survey/{bend(token)}/", {"score": "5"}).status_code == 404
    assert not Remark.objects.exists()


def test_the_link_out_of_surveys_answers_none_and_a_link_is_good_for_thirty_days(cast: Cast) -> None:
    survey, form = asked(cast)
    assert survey.message is not None
    out = links(survey.message)[1].split("/")[3]
    assert Client().post(f"/survey/{out}/", {"score": "5"}).status_code == 404
    token, sent_at = form.split("/")[2], make.AT + HOUR
    assert surveys.survey_of(token, sent_at + surveys.GOOD_FOR) == survey
    with pytest.raises(surveys.NotGood):
        surveys.survey_of(token, sent_at + surveys.GOOD_FOR + SECOND)


def test_dissatisfaction_that_expects_an_answer_is_a_complaint_from_its_receipt(cast: Cast) -> None:
    survey, _form = asked(cast)
    at = make.AT + 5 * HOUR
    remark, _new = surveys.answer(survey, score=1, soon="no", words="Call me.", wants_answer=True, at=at)
    assert remark is not None
    outcome = Outcome.objects.get(remark=remark)
    assert outcome.kind == "complaint"
    assert outcome.ticket is not None
    assert outcome.ticket.kind == Ticket.Kind.COMPLAINT
    assert outcome.ticket.received_at == outcome.ticket.respond.starts_at == at
    assert outcome.ticket.respond.due_at == at + make.DAY
    assert outcome.ticket.links.get().other == survey.ticket
    assert remark.inbox is None, "it is a ticket now and waits nowhere else"


def test_praise_that_expects_an_answer_is_a_ticket_but_no_complaint(cast: Cast) -> None:
    survey, _form = asked(cast)
    surveys.answer(survey, score=5, soon="yes", words="Where do I buy more?", wants_answer=True, at=make.AT + 5 * HOUR)
    assert Outcome.objects.get().ticket.kind == Ticket.Kind.FEEDBACK


def test_the_form_for_anybody_is_recorded_once_and_says_what_is_missing(cast: Cast) -> None:
    client = Client()
    page = client.get("/tell-us/").content.decode()
    nonce = re.search(r'name="nonce" value="([^"]+)"', page)
    assert nonce
    nothing = client.post("/tell-us/", {"nonce": nonce[1], "words": " "})
    assert (nothing.status_code, Remark.objects.count()) == (422, 0)
    nowhere = client.post("/tell-us/", {"nonce": nonce[1], "words": "Answer me", "wants_answer": "on"})
    assert nowhere.status_code == 422
    assert "Answer me" in nowhere.content.decode()
    for _twice in range(2):
        assert client.post("/tell-us/", {"nonce": nonce[1], "words": "All is well."}).status_code == 200
    assert Remark.objects.get().words == "All is well."


def test_a_machine_that_fills_in_everything_is_not_recorded(cast: Cast) -> None:
    assert Client().post("/tell-us/", {"words": "Buy now", "website": "https://x.example"}).status_code == 200
    assert not Remark.objects.exists()


# ---------------------------------------------------------------- a flood


def told(address: str, **more: str) -> int:
    """Somebody sends the open form and expects an answer at that address."""
    typed = {
        "score": "1",
        "words": "It broke.",
        "name": "Flora Flood",
        "address": address,
        "wants_answer": "on",
        **more,
    }
    return Client(REMOTE_ADDR=more.pop("network", "203.0.113.9")).post("/tell-us/", typed).status_code


def test_the_fourth_form_with_one_address_waits_for_a_person_and_none_is_lost(cast: Cast) -> None:
    for _each in range(floods.WITH_ONE):
        assert told("flora@flood.example") == 200
    assert Ticket.objects.count() == floods.WITH_ONE
    assert told("flora@flood.example") == 200
    assert Ticket.objects.count() == floods.WITH_ONE
    assert Remark.objects.count() == floods.WITH_ONE + 1
    assert Remark.objects.waiting().count() == 1
    assert told("somebody@else.example") == 200
    assert Ticket.objects.count() == floods.WITH_ONE + 1


def test_the_rules_for_senders_hold_for_the_form(cast: Cast) -> None:
    common = {"contract": cast.contract, "reason": "Known.", "created_by": cast.sam, "created_at": make.AT}
    SenderRule.objects.create(pattern="@blocked.example", verdict="block", **common)
    SenderRule.objects.create(pattern="good@blocked.example", verdict="allow", **common)
    assert told("bad@blocked.example") == 200
    assert (Ticket.objects.count(), Remark.objects.waiting().count()) == (0, 1), "never a reason to drop it"
    for _each in range(floods.WITH_ONE + 1):
        assert told("good@blocked.example") == 200
    assert Ticket.objects.count() == floods.WITH_ONE + 1


def test_of_all_that_comes_in_a_flood_the_team_hears_once(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    counted = {"tell-us-all": floods.OF_ALL}

    def is_over(what: str, who: str, *, most: int, within: dt.timedelta) -> bool:
        counted[what] = counted.get(what, 0) + 1
        return counted[what] > most

    monkeypatch.setattr(throttle, "is_over", is_over)
    for number in range(3):
        assert told(f"flora{number}@flood.example") == 200
    assert (Ticket.objects.count(), Remark.objects.waiting().count()) == (0, 3)
    assert Notice.objects.filter(facts__says="feedback.flood", user=cast.fay).count() == 1
    counted["tell-us-full"] = floods.FULL
    assert told("flora@flood.example") == 422
    assert Remark.objects.count() == 3
