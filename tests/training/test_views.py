"""Training as people meet it: the test, the certificate and its check, the matrix, evidence, a draft."""

from __future__ import annotations

import pytest
from django.test import Client

from csp import clock
from tests.cast import Cast
from tests.training import training
from training import courses, records
from training.models import Attempt, Completion, CourseVersion


@pytest.fixture
def rita(cast: Cast) -> Client:
    client = Client()
    client.force_login(cast.rita)
    return client


def signed_in(user: object) -> Client:
    client = Client()
    client.force_login(user)  # type: ignore[arg-type]  # a person of the cast
    return client


def test_somebody_takes_a_course_and_anybody_checks_the_certificate(cast: Cast, rita: Client) -> None:
    version = training.version("communication")
    assert b"What an answer is" in rita.get(version.path).content
    rita.post(f"{version.path}start/")
    attempt = Attempt.objects.get(user=cast.rita)
    page = rita.get(f"/training/tests/{attempt.pk}/").content.decode()
    assert page.count('type="radio"') == 4 * 4
    assert page.count('type="checkbox"') == 4
    answers = {f"q{number}": places for number, places in training.ticks(attempt).items()}
    assert rita.post(f"/training/tests/{attempt.pk}/", answers).status_code == 302
    done = Completion.objects.get(user=cast.rita)
    assert b"5 of 5 right" in rita.get(f"/training/tests/{attempt.pk}/").content
    assert rita.get(f"/training/certificates/{done.pk}/file/").content.startswith(b"%PDF-")
    seen = Client().get(f"/verify/{done.code}/").content.decode()
    assert "Communication" in seen
    assert "RR" in seen
    for personal in (cast.rita.name, cast.rita.email):
        assert personal not in seen
    assert Client().get("/verify/", {"code": "AAAA-BBBB-CCCC-DDDD"}).status_code == 404
    assert done.code.encode() in rita.get("/training/").content


def test_a_failed_test_names_what_to_read_again_and_not_what_is_right(cast: Cast, rita: Client) -> None:
    attempt = records.start(training.version("policies"), by=cast.rita, at=clock.now())
    answers = {f"q{number}": places for number, places in training.ticks(attempt, wrong=5).items()}
    rita.post(f"/training/tests/{attempt.pk}/", answers)
    page = rita.get(f"/training/tests/{attempt.pk}/").content.decode()
    assert "not passed" in page
    right = [row.choices[row.right[0]] for row in attempt.version.questions.all()]
    assert not [text for text in right if text in page]


def test_nobody_sees_the_right_answers_on_a_page_that_is_not_theirs_to_see(cast: Cast) -> None:
    version = training.version("communication")
    sam, adam = signed_in(cast.sam), signed_in(cast.adam)
    assert sam.post(f"/training/drafts/{version.pk}/answers/", follow=True).status_code == 200
    assert b"pill" not in sam.get(f"{version.course.path}?answers=shown").content.split(b'id="q-t"')[1]
    draft = courses.revise(version.course, by=cast.adam, at=clock.now())
    assert sam.get(f"/training/drafts/{draft.pk}/").status_code == 302
    assert b"+ By a date and a time." in adam.get(f"/training/drafts/{draft.pk}/").content


def test_a_draft_keeps_what_was_typed_and_says_which_line_is_wrong(cast: Cast) -> None:
    adam = signed_in(cast.adam)
    draft = courses.revise(training.course("communication"), by=cast.adam, at=clock.now())
    good = {"changes": "New.", "material": "# Mine", "minutes": 5, "pass_percent": 100, "attempts": 1, "renew_by": ""}
    answer = adam.post(f"/training/drafts/{draft.pk}/", good | {"questions": "+ a choice without a question"})
    assert answer.status_code == 422
    assert b"Line 1 is a choice without a question" in answer.content
    assert b"# Mine" in answer.content
    answer = adam.post(f"/training/drafts/{draft.pk}/", good | {"questions": "Only one?\n+ yes"})
    assert b"needs two choices" in answer.content
    answer = adam.post(f"/training/drafts/{draft.pk}/", good | {"questions": "Sure?\n+ yes\n- no", "publish": "1"})
    assert answer.status_code == 302
    latest = training.version("communication")
    assert (latest.number, latest.minutes, latest.questions.get().right) == (2, 5, [0])
    page = adam.get(latest.course.path).content
    assert b"<ins>" in page
    assert b"<del>" in page
    assert CourseVersion.objects.filter(course=latest.course).count() == 2


def test_the_matrix_shows_a_supervisor_the_own_team_and_filters(cast: Cast) -> None:
    training.passed("communication", by=cast.rita, at=clock.now())
    sam = signed_in(cast.sam)
    page = sam.get("/training/matrix/").content.decode()
    assert cast.rita.name in page
    assert cast.otto.name not in page
    assert "Not passed yet" in page
    assert cast.otto.name in signed_in(cast.vera).get("/training/matrix/").content.decode()
    assert cast.sam.name not in sam.get("/training/matrix/?role=representative").content.decode().split("<tbody>")[1]
    assert "Nobody fits" in sam.get("/training/matrix/?show=over").content.decode()
    with_cell = sam.get(f"/training/matrix/{cast.rita.pk}/{training.course('communication').pk}/")
    assert b"version 1" in with_cell.content
    assert sam.get(f"/training/matrix/{cast.otto.pk}/{training.course('communication').pk}/").status_code == 404


def test_the_matrix_asks_the_same_number_of_questions_for_two_people_and_for_many(
    cast: Cast, django_assert_max_num_queries: object
) -> None:
    vera = signed_in(cast.vera)
    vera.get("/training/matrix/")
    with django_assert_max_num_queries(30):  # type: ignore[operator]  # the fixture of pytest-django
        assert vera.get("/training/matrix/").status_code == 200


def test_texts_are_acknowledged_once_by_their_digest(cast: Cast, rita: Client) -> None:
    url = f"/training/texts/contract/{cast.version.pk}/"
    assert b"I have read this" in rita.get(url).content
    assert rita.post(url).status_code == 302
    row = cast.rita.acknowledgements.get()
    assert len(row.digest) == 64
    assert b"I have read this" not in rita.get(url).content
    rita.post(url)
    assert cast.rita.acknowledgements.count() == 1
    adam = signed_in(cast.adam)
    adam.post("/training/policy/", {"title": "Privacy", "text": "We keep **little**."})
    policy = cast.contract.policies.get()
    assert rita.post(f"/training/texts/policy/{policy.pk}/").status_code == 302
    adam.post("/training/policy/", {"title": "Privacy", "text": "We keep less."})
    assert "To be read by you: Privacy, version 2" in rita.get("/training/").content.decode()
    assert rita.get(f"/training/texts/policy/{policy.pk}/").status_code == 404
