"""Clause 2.2: supervisors manage customer feedback. Low scores and remarks are seen to within a day of receipt."""

from __future__ import annotations

import pytest

from csp.access import Refused
from csp.models import Breach, Deadline, Notice, TrailEntry
from feedback import log
from feedback.models import Outcome
from tests import factories as make
from tests.cast import Cast
from tests.contract.test_4_2_feedback_log import said
from tests.tickets.desk import at_nine, browser
from tickets.models import Ticket

__all__ = ["at_nine"]
pytestmark = pytest.mark.django_db
Kind, State = Outcome.Kind, Deadline.State


def test_low_scores_and_words_wait_and_a_good_score_alone_does_not(cast: Cast) -> None:
    assert said(cast, score=2, words="").inbox is not None
    assert said(cast, score=5, words="Lovely.").inbox is not None
    assert said(cast, score=None, words="An idea.").inbox is not None
    assert said(cast, score=3, words="").inbox is None


def test_seen_to_at_the_last_second_is_kept_and_a_second_later_is_not(cast: Cast) -> None:
    for late, state in ((0, State.MET), (1, State.MET_LATE)):
        remark = said(cast)
        assert remark.inbox is not None
        assert remark.inbox.due_at == make.AT + make.DAY
        at = make.AT + make.DAY + late * make.SECOND
        log.handle(remark, kind=Kind.THANKED, reason="", by=cast.sam, at=at)
        remark.inbox.refresh_from_db()
        assert remark.inbox.state == state
        assert Breach.objects.filter(deadline=remark.inbox).count() == late


def test_what_nobody_sees_to_is_broken_in_its_second_and_is_no_noncompliance(cast: Cast) -> None:
    remark = said(cast)
    make.tick(at=make.AT + make.DAY)
    assert not Breach.objects.exists()
    make.tick(at=make.AT + make.DAY + make.SECOND)
    breach = Breach.objects.get()
    assert (breach.deadline, breach.breached_at) == (remark.inbox, make.AT + make.DAY)
    assert Notice.objects.filter(user=cast.sam, kind="breach").count() == 1
    assert not Notice.objects.filter(kind="case").exists(), "a policy of the company's own"


def test_nothing_done_needs_a_reason_and_nobody_sees_to_it_twice(cast: Cast) -> None:
    remark = said(cast)
    with pytest.raises(Refused, match="why"):
        log.handle(remark, kind=Kind.NO_ACTION, reason=" ", by=cast.sam, at=make.AT)
    for somebody in (cast.rita, cast.olga, cast.fay, cast.vera, cast.adam):
        with pytest.raises(Refused):
            log.handle(remark, kind=Kind.THANKED, reason="", by=somebody, at=make.AT)
    log.handle(remark, kind=Kind.NO_ACTION, reason="A compliment to the weather.", by=cast.sam, at=make.AT)
    with pytest.raises(Refused, match="already"):
        log.handle(remark, kind=Kind.THANKED, reason="", by=cast.sam, at=make.AT)


def test_a_complaint_is_opened_for_whoever_said_it_from_when_it_was_said(cast: Cast) -> None:
    remark = said(cast, score=4, words="It broke again.")
    with pytest.raises(Refused, match="why you have to know"):
        log.handle(remark, kind=Kind.COMPLAINT, reason="", by=cast.sam, at=make.AT + 3 * make.HOUR)
    outcome = log.handle(remark, kind=Kind.COMPLAINT, reason="It broke twice.", by=cast.sam, at=make.AT + 3 * make.HOUR)
    assert TrailEntry.objects.filter(act="feedback.opened", subject=remark.trail_subject).count() == 1
    assert outcome.ticket is not None
    assert (outcome.ticket.kind, outcome.ticket.received_at) == (Ticket.Kind.COMPLAINT, make.AT)
    assert outcome.ticket.customer.addresses.get().value == "zoltan@zeppelin.example"
    nobody = said(cast, who=log.NOBODY)
    with pytest.raises(Refused, match="Nobody knows"):
        log.handle(nobody, kind=Kind.COMPLAINT, reason="", by=cast.sam, at=make.AT)


@pytest.mark.usefixtures("at_nine")
def test_the_inbox_shows_what_waits_and_takes_what_was_done(cast: Cast) -> None:
    remark = said(cast, words="Zanzibar waits.")
    client = browser(cast.sam)
    assert "Zanzibar" in client.get("/feedback/inbox/").content.decode()
    refused = client.post(f"/feedback/{remark.pk}/handle/", {"kind": "no_action", "reason": ""})
    assert refused.status_code == 422
    assert client.post(f"/feedback/{remark.pk}/handle/", {"kind": "called_back"}).status_code == 302
    page = client.get("/feedback/inbox/").content.decode()
    assert "Nothing waits for you" in page
    assert "Called back" in page
    assert browser(cast.olga).get("/feedback/inbox/").content.decode().count("Zanzibar") == 0
    assert browser(cast.rita).get("/feedback/inbox/").status_code == 403
