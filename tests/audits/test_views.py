"""The pages of clause 8 as people use them: report, case, actions, measures, co-signatures."""

from __future__ import annotations

import datetime as dt

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test.utils import CaptureQueriesContext

from audits import corrective, noncompliance
from audits.models import CorrectiveAction, Measure, NonCompliance
from csp import clock
from csp.models import Notice, TrailEntry, User
from csp.roles import Office
from tests import factories as make
from tests.cast import Cast
from tests.contract.test_8_1_noncompliance import an_action, appoint, breached, officers, reported
from tests.contract.test_8_2_measures import in_force, owner, proposed, waiting, watched
from tests.factories import AT
from tests.tickets.desk import at_nine, browser
from tickets.conversation import spell
from tickets.models import CoSignature, Ticket

__all__ = ["at_nine", "officers", "owner", "watched"]
pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("at_nine")]


def page(user: User, url: str) -> str:
    answer = browser(user).get(url)
    assert answer.status_code == 200, url
    return answer.content.decode()


@pytest.fixture
def case(cast: Cast) -> NonCompliance:
    """Three tickets that nobody answered, yesterday."""
    received = AT - make.DAY - make.HOUR
    at = breached(cast, count=3, received_at=received)
    make.tick(at=at)
    return NonCompliance.objects.get()


def test_a_failure_is_reported_in_two_clicks(cast: Cast) -> None:
    assert 'href="/noncompliance/report/"' in page(cast.rita, "/account/")  # the first: it stands on every page
    form = page(cast.rita, "/noncompliance/report/?clause=4.1&about=%234790")
    assert "#4790" in form
    answer = browser(cast.rita).post(  # the second
        "/noncompliance/report/",
        {"what": "No transcript.", "clause": "4.1", "team": cast.team.pk, "noticed_at": "2025-03-03T08:30"},
        follow=True,
    )
    case = NonCompliance.objects.get()
    assert (case.clause, case.reported_by, case.reported_at) == ("4.1", cast.rita, AT)
    assert answer.redirect_chain[-1][0] == f"/noncompliance/{case.pk}/"
    assert "No transcript." in answer.content.decode()


def test_a_report_that_cannot_be_right_comes_back_with_its_text(cast: Cast) -> None:
    answer = browser(cast.rita).post(
        "/noncompliance/report/",
        {"what": "Nobody called.", "clause": "3.1", "team": cast.team.pk, "noticed_at": "2025-03-03T23:30"},
    )
    assert answer.status_code == 422
    assert "Nobody called." in answer.content.decode()
    assert "future" in answer.content.decode()


def test_a_confidential_report_shows_nowhere(cast: Cast, officers: dict[str, User]) -> None:
    answer = browser(cast.rita).post(
        "/noncompliance/report/",
        {
            "what": "Zanzibar is a word that stands nowhere else.", "clause": "3.1", "team": cast.team.pk,
            "noticed_at": "2025-03-03T08:30", "in_confidence": "on",
        },
        follow=True,
    )  # fmt: skip
    case = NonCompliance.objects.get()
    assert "in confidence" in answer.content.decode()
    for user in (cast.rita, cast.sam, cast.olga, cast.vera, cast.adam, officers["party"], officers["company"]):
        client = browser(user)
        assert client.get(f"/noncompliance/{case.pk}/").status_code == 404
        for url in (
            "/noncompliance/",
            "/noncompliance/?show=closed",
            "/corrective-actions/",
            "/measures/",
            "/notices/",
        ):
            assert "Zanzibar" not in page(user, url)
            assert case.reference not in page(user, url) or url == "/noncompliance/"
        assert f"/noncompliance/{case.pk}/" not in page(user, "/noncompliance/")
        search = client.get("/search/?q=Zanzibar")
        assert search.status_code == 403 or f"/noncompliance/{case.pk}/" not in search.content.decode()
    assert "Zanzibar" in page(officers["owner"], f"/noncompliance/{case.pk}/")
    assert TrailEntry.objects.filter(act="noncompliance.read", context=case.trail_subject).count() == 1


def test_the_list_has_what_falls_due_first_and_the_closed_ones_apart(cast: Cast) -> None:
    first = reported(cast, AT - make.DAY)
    second = reported(cast, AT - make.HOUR)
    closed = reported(cast, AT - 2 * make.DAY)
    noncompliance.dismiss(closed, by=cast.sam, at=AT, reason="Nothing.")
    shown = page(cast.sam, "/noncompliance/")
    assert shown.index(first.reference) < shown.index(second.reference)
    assert closed.reference not in shown
    assert closed.reference in page(cast.sam, "/noncompliance/?show=closed")


def test_the_list_asks_as_much_for_many_as_for_few(cast: Cast) -> None:
    reported(cast)
    client = browser(cast.sam)
    client.get("/noncompliance/")
    with CaptureQueriesContext(connection) as few:
        client.get("/noncompliance/")
    for _number in range(6):
        reported(cast)
    with CaptureQueriesContext(connection) as many:
        client.get("/noncompliance/")
    assert len(many) == len(few)


def test_the_case_shows_finding_actions_who_was_told_and_history(
    cast: Cast, officers: dict[str, User], case: NonCompliance
) -> None:
    action = an_action(case, cast.rita, cast.sam, AT)
    shown = page(cast.sam, f"/noncompliance/{case.pk}/")
    for text in ("Inquiry protocol not kept", "Found by rule", "The invoice is wrong", action.what, "Paul Party",
                 "Correct by", "reported a non-compliance", "Split the case"):  # fmt: skip
        assert text in shown, text
    read_only = page(cast.vera, f"/noncompliance/{case.pk}/")
    assert "Add action" not in read_only
    assert browser(cast.rita).get(f"/noncompliance/{case.pk}/").status_code == 200, "she owns an action of it"
    assert browser(cast.otto).get(f"/noncompliance/{case.pk}/").status_code == 404


def test_from_a_broken_promise_to_its_case_or_to_the_form(cast: Cast, case: NonCompliance) -> None:
    deadline = case.memberships.first().breach.deadline_id
    assert browser(cast.sam).get(f"/noncompliance/of/{deadline}/").url == f"/noncompliance/{case.pk}/"
    about = case.memberships.first().breach.deadline.subject_ref.replace("#", "%23")
    assert browser(cast.rita).get(f"/noncompliance/of/{deadline}/").url == (
        f"/noncompliance/report/?clause=3.1&about={about}"
    )
    assert browser(cast.otto).get(f"/noncompliance/of/{deadline}/").url == "/noncompliance/report/"


def test_a_case_from_cause_to_closing(
    cast: Cast, officers: dict[str, User], case: NonCompliance, monkeypatch: pytest.MonkeyPatch
) -> None:
    base = f"/noncompliance/{case.pk}/"
    sam, rita, olga, judge = (browser(user) for user in (cast.sam, cast.rita, cast.olga, officers["owner"]))
    assert sam.post(base + "lead/", {"to": cast.sam.pk}).status_code == 302
    assert sam.post(base + "cause/", {"text": "Nobody was on shift."}).status_code == 302
    good = {"what": "Call the customers", "kind": "corrective", "owner": cast.rita.pk}
    assert sam.post(base + "actions/add/", good).status_code == 302
    action = CorrectiveAction.objects.get()
    assert Notice.objects.filter(user=cast.rita, kind="case").exists()
    assert action.what in page(cast.rita, "/corrective-actions/")
    url = f"/corrective-actions/{action.pk}/"
    assert rita.post(url + "implement/", {"text": ""}).status_code == 422
    file = SimpleUploadedFile("calls.txt", b"Called at nine.")
    assert rita.post(url + "implement/", {"text": "All three called.", "evidence": [file]}).status_code == 302
    assert rita.post(url + "verify/", {"verdict": "yes", "note": "I did it."}).status_code == 422
    assert sam.post(url + "verify/", {"verdict": "yes", "note": "I led it."}).status_code == 422
    assert "Verify it" not in page(cast.sam, url)
    owner_page = page(officers["owner"], url)
    assert "Verify it" in owner_page
    evidence = action.implementations.get().files.get()
    download = judge.get(f"/evidence/{evidence.pk}/")
    assert (download.content, download["Content-Disposition"]) == (
        b"Called at nine.", 'attachment; filename="calls.txt"',
    )  # fmt: skip
    assert "sandbox" in download["Content-Security-Policy"]
    assert olga.get(f"/evidence/{evidence.pk}/").status_code == 404
    assert judge.post(url + "verify/", {"verdict": "yes", "note": "Heard two of three."}).status_code == 302
    case.refresh_from_db()
    assert case.state == NonCompliance.State.VERIFIED
    monkeypatch.setattr(clock, "now", lambda: case.check_at)
    assert "Check" in page(officers["owner"], base)
    judge = browser(officers["owner"])  # a session does not last so long
    assert judge.post(base + "effect/check/", {"verdict": "yes", "note": "None since."}).status_code == 302
    case.refresh_from_db()
    assert case.state == NonCompliance.State.CLOSED
    assert "Closed by" in page(cast.sam, base)


def test_splitting_and_planning_and_withdrawing_by_hand(cast: Cast, case: NonCompliance) -> None:
    sam, base = browser(cast.sam), f"/noncompliance/{case.pk}/"
    one = case.memberships.order_by("pk").first().pk
    assert sam.post(base + "split/", {"members": []}).status_code == 422
    assert sam.post(base + "split/", {"members": [one]}).status_code == 302
    assert NonCompliance.objects.count() == 2
    day = (case.check_at + dt.timedelta(days=9)).date()
    assert sam.post(base + "effect/", {"criterion": "No more.", "day": day.isoformat()}).status_code == 302
    action = an_action(case, cast.rita, cast.sam, AT)
    assert sam.post(f"/corrective-actions/{action.pk}/withdraw/", {"text": "A mistake."}).status_code == 302
    assert "Withdrawn" in page(cast.sam, f"/corrective-actions/{action.pk}/")
    assert browser(cast.rita).post(base + "split/", {"members": [one]}).status_code == 403


def test_a_measure_from_proposal_to_appeal(cast: Cast, officers: dict[str, User], case: NonCompliance) -> None:
    sam, rita, judge, other = (
        browser(user) for user in (cast.sam, cast.rita, officers["owner"], officers["party"])
    )  # fmt: skip
    good = {"kind": "oversight", "aim": "person", "person": cast.rita.pk, "reason": "Three were missed."}
    assert sam.post(f"/noncompliance/{case.pk}/measures/propose/", good).status_code == 302
    measure = Measure.objects.get()
    url = f"/measures/{measure.pk}/"
    assert "What you say to this" in page(cast.rita, url)
    assert "Three were missed." in page(cast.rita, url)
    decision = {"verdict": "yes", "why": "For two weeks.", "last_day": "2025-03-17"}
    early = judge.post(url + "decide/", decision)
    assert early.status_code == 422
    assert "has not been heard yet" in early.content.decode()
    assert rita.post(url + "hear/", {"text": ""}).status_code == 302
    assert "Decide" not in page(cast.sam, url).replace("Decided", ""), "who proposed it does not decide"
    assert judge.post(url + "decide/", decision).status_code == 302
    measure.refresh_from_db()
    assert measure.ends_at == dt.datetime(2025, 3, 18, tzinfo=dt.UTC)
    assert "Answers wait for a co-signature" in page(cast.rita, "/measures/")
    assert rita.post(url + "appeal/", {"text": "The line was down."}).status_code == 302
    assert judge.post(url + "appeal/decide/", {"verdict": "no", "note": "No."}).status_code == 422
    assert other.post(url + "appeal/decide/", {"verdict": "yes", "note": "It was."}).status_code == 302
    measure.refresh_from_db()
    assert measure.state == Measure.State.ENDED
    assert "upheld" in page(cast.rita, url)
    assert browser(cast.otto).get(url).status_code == 404


def test_a_measure_is_ended_early_and_rules_are_published(cast: Cast, owner: User) -> None:
    measure = in_force(cast, owner)
    assert "within thirty days" in page(cast.rita, "/measures/")
    answer = browser(owner).post(f"/measures/{measure.pk}/end/", {"how": "lifted", "note": "Not needed."})
    assert answer.status_code == 302
    measure.refresh_from_db()
    assert measure.ended_how == "lifted"


def test_those_who_have_no_say_see_no_measure(cast: Cast, owner: User) -> None:
    measure = proposed(cast)
    for user in (cast.otto, cast.fay, cast.adam, cast.olga):
        assert browser(user).get(f"/measures/{measure.pk}/").status_code == 404


def test_the_queue_of_co_signatures(cast: Cast, watched: Ticket) -> None:
    row = waiting(watched, cast, AT)
    shown = page(cast.sam, "/cosign/")
    for text in ("It is corrected.", "Please look at the invoice", "Sign and send", "Respond"):
        assert text in shown, text
    mine = page(cast.rita, "/cosign/")
    assert "Take back" in mine
    assert "Sign and send" not in mine
    assert watched.subject not in page(cast.olga, "/cosign/")
    for user in (cast.olga, cast.rita):
        client = browser(user)
        client.post(f"/cosign/{row.pk}/sign/", {"seen_through": spell(row.seen_through)})
        row.refresh_from_db()
        assert row.state == CoSignature.State.WAITING
    later = make.message(ticket=watched, at=AT)
    browser(cast.sam).post(f"/cosign/{row.pk}/sign/", {"seen_through": spell(row.seen_through)})
    row.refresh_from_db()
    assert row.state == CoSignature.State.WAITING, "the customer wrote what the signer has not seen"
    assert "does not cover it" in page(cast.sam, "/cosign/")
    browser(cast.sam).post(f"/cosign/{row.pk}/sign/", {"seen_through": spell({watched.pk: later.pk})})
    row.refresh_from_db()
    assert row.state == CoSignature.State.SIGNED


def test_handing_back_needs_words_and_taking_back_needs_none(cast: Cast, watched: Ticket) -> None:
    row = waiting(watched, cast, AT)
    assert browser(cast.sam).post(f"/cosign/{row.pk}/hand-back/", {"reason": ""}).status_code == 422
    assert browser(cast.sam).post(f"/cosign/{row.pk}/hand-back/", {"reason": "Name the amount."}).status_code == 302
    again = waiting(watched, cast, AT)
    assert browser(cast.rita).post(f"/cosign/{again.pk}/take-back/").status_code == 302
    again.refresh_from_db()
    assert again.state == CoSignature.State.WITHDRAWN


def test_who_wrote_from_the_composer_is_told_that_it_waits(cast: Cast, watched: Ticket) -> None:
    answer = browser(cast.rita).post(
        f"/tickets/{watched.pk}/write/",
        {"kind": "reply", "reply": "It is corrected.", "seen_through": spell(make.on_screen(ticket=watched))},
        follow=True,
    )
    assert CoSignature.objects.get().body == "It is corrected."
    assert "waits for a co-signature" in answer.content.decode()


def test_a_representative_verifies_a_confidential_action_without_reading_the_case(
    cast: Cast, officers: dict[str, User]
) -> None:
    case = reported(cast, AT, in_confidence=True)
    action = an_action(case, officers["owner"], officers["owner"], AT)
    corrective.implement(action, by=officers["owner"], at=AT, text="Spoken with them.")
    url = f"/corrective-actions/{action.pk}/"
    assert browser(cast.sam).get(url).status_code == 404
    shown = page(officers["party"], url)
    assert "Verify it" in shown
    assert "called back" not in shown
    answer = browser(officers["party"]).post(url + "verify/", {"verdict": "yes", "note": "Spoken with both."})
    assert answer.status_code == 302


def test_office_holders_need_no_role(cast: Cast) -> None:
    person = make.person(name="Paul Party")
    appoint(cast, Office.PARTY_REPRESENTATIVE, person)
    case = reported(cast, AT)
    assert case.reference in page(person, "/noncompliance/")
