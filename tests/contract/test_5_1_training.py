"""Clause 5.1: representatives are trained in communication, complaint handling and company policies.

Each course has versions that do not change, a test that is graded here and not opened by whoever has to take it, and a
record with a certificate that can be checked. Nobody records own attendance.
"""

from __future__ import annotations

import datetime as dt

import pytest

from csp.access import Refused
from csp.models import TrailEntry
from tests import factories as make
from tests.cast import Cast
from tests.contract.refusals import refused
from tests.training import training
from training import courses, records
from training.models import AnswersOpened, Attempt, Completion, Course, CourseVersion

# after the courses of the fresh installation were published
NOW = dt.datetime(2030, 3, 4, 9, tzinfo=dt.UTC)


def draft(cast: Cast, code: str = "communication") -> CourseVersion:
    """A new version of a course, by the administrator, whom it is not required of."""
    return courses.revise(training.course(code), by=cast.adam, at=NOW)


# ---------------------------------------------------------------- the standard set


def test_a_fresh_installation_has_the_courses_of_the_clause(cast: Cast) -> None:
    rows = Course.objects.filter(contract=cast.contract, clause="5.1")
    assert {row.code for row in rows} == {"communication", "complaints", "policies"}
    for row in rows:
        version = courses.current(row)
        assert version is not None
        assert version.questions.count() >= 4
        assert "<h2>" in courses.html(version.material)
    required = [{course.code for course in courses.required_of(user, NOW)} for user in (cast.rita, cast.sam, cast.fay)]
    assert required == [{*training.COURSES}, {*training.COURSES}, {"software"}]


# ---------------------------------------------------------------- versions


def test_a_published_version_does_not_change_not_even_by_hand(cast: Cast) -> None:
    version = training.version("policies")
    question = version.questions.first()
    for statement in (
        f"update training_courseversion set material = 'x' where id = {version.pk}",
        f"update training_courseversion set pass_percent = 1 where id = {version.pk}",
        f"update training_question set \"right\" = '{{0}}' where id = {question.pk}",
        f"delete from training_question where id = {question.pk}",
        f'insert into training_question (version_id, number, text, choices, "right") '
        f"values ({version.pk}, 99, 'x', '{{a,b}}', '{{0}}')",
    ):
        refused(statement, saying="does not change")
    with pytest.raises(Refused, match="does not change"):
        courses.change(version, {"material": "x"}, by=cast.adam, at=NOW)


def test_a_new_version_is_a_draft_until_it_is_published_and_says_what_is_new(cast: Cast) -> None:
    old = training.version("communication")
    new = draft(cast)
    with pytest.raises(Refused, match="draft already"):
        draft(cast)
    courses.change(new, {"material": old.material + "\nAlways spell the name right.\n"}, by=cast.adam, at=NOW)
    assert training.version("communication") == old
    with pytest.raises(Refused, match="what is new"):
        courses.publish(new, by=cast.adam, at=NOW)
    courses.change(new, {"changes": "Names."}, by=cast.adam, at=NOW)
    new = courses.publish(new, by=cast.adam, at=NOW)
    assert training.version("communication") == new
    assert ("+", "Always spell the name right.") in courses.difference(old, new)
    assert [row.text for row in new.questions.order_by("number")] == [
        row.text for row in old.questions.order_by("number")
    ]
    with pytest.raises(Refused, match="not taught"):
        records.start(old, by=cast.rita, at=NOW)


def test_material_shows_no_markup_script_or_picture_of_its_own(cast: Cast) -> None:
    shown = courses.html(
        "# Top\n\n<script>alert(1)</script> **bold** [x](javascript:alert(1)) ![p](https://evil.example/p.png)"
    )
    assert "<h2>Top</h2>" in shown
    assert "<strong>bold</strong>" in shown
    for bad in ("<script", 'href="javascript', "<img", "evil.example"):
        assert bad not in shown


@pytest.mark.parametrize("who", ["rita", "otto", "fay", "vera"])
def test_only_supervisors_and_administrators_write_courses(cast: Cast, who: str) -> None:
    with pytest.raises(Refused):
        courses.revise(training.course("communication"), by=getattr(cast, who), at=NOW)


# ---------------------------------------------------------------- the test


def test_questions_and_choices_are_shuffled_by_the_seed_and_stay_so(cast: Cast) -> None:
    attempt = records.start(training.version("communication"), by=cast.rita, at=NOW)
    assert records.start(training.version("communication"), by=cast.rita, at=NOW) == attempt, "one open at a time"
    first = [(one.question.pk, one.choices) for one in records.asked(attempt)]
    assert first == [(one.question.pk, one.choices) for one in records.asked(attempt)]
    orders = {
        tuple(one.question.pk for one in records.asked(Attempt(version=attempt.version, seed=seed)))
        for seed in range(20)
    }
    assert len(orders) > 5


@pytest.mark.parametrize(("wrong", "passes"), [(0, True), (1, True), (2, False)])
def test_the_pass_mark_is_eighty_per_cent_to_the_question(cast: Cast, wrong: int, passes: bool) -> None:
    attempt = training.take("communication", by=cast.rita, at=NOW, wrong=wrong)  # four of five are eighty
    assert (attempt.right, attempt.out_of, attempt.passed) == (5 - wrong, 5, passes)
    assert Completion.objects.filter(user=cast.rita).exists() == passes
    assert len(records.missed(attempt)) == wrong
    with pytest.raises(Refused, match="finished"):
        records.finish(attempt, {}, by=cast.rita, at=NOW)


def test_a_choice_too_many_or_that_does_not_exist_is_wrong(cast: Cast) -> None:
    attempt = records.start(training.version("communication"), by=cast.rita, at=NOW)
    everything = {one.question.pk: list(range(len(one.order))) for one in records.asked(attempt)}
    assert records.finish(attempt, everything, by=cast.rita, at=NOW).right == 0
    attempt = records.start(training.version("communication"), by=cast.rita, at=NOW)
    assert records.finish(attempt, {one.question.pk: [99, -1] for one in records.asked(attempt)}, by=cast.rita,
                          at=NOW).right == 0  # fmt: skip


def test_nobody_finishes_somebody_elses_test(cast: Cast) -> None:
    attempt = records.start(training.version("communication"), by=cast.rita, at=NOW)
    with pytest.raises(Refused, match="somebody else"):
        records.finish(attempt, training.ticks(attempt), by=cast.otto, at=NOW)


def test_after_the_last_attempt_somebody_else_goes_through_it_with_them(cast: Cast) -> None:
    version = training.version("policies")
    for _number in range(version.attempts):
        assert not training.take("policies", by=cast.rita, at=NOW, wrong=5).passed
    with pytest.raises(Refused, match="No attempt is left"):
        records.start(version, by=cast.rita, at=NOW)
    for by in (cast.rita, cast.otto):
        with pytest.raises(Refused):
            records.let_try_again(version, cast.rita, by=by, at=NOW, reason="Read it.")
    records.let_try_again(version, cast.rita, by=cast.sam, at=NOW, reason="Went through the material together.")
    assert training.take("policies", by=cast.rita, at=NOW).passed


def test_what_was_ticked_and_its_mark_cannot_be_changed_by_hand(cast: Cast) -> None:
    attempt = training.take("communication", by=cast.rita, at=NOW, wrong=3)
    refused(f"update training_attempt set passed = true where id = {attempt.pk}", saying="does not change")
    refused(f"update training_attempt set seed = 1 where id = {attempt.pk}", saying="does not change")
    refused(f"delete from training_attempt where id = {attempt.pk}", saying="kept")


# ---------------------------------------------------------------- nobody opens the answers of an own test


def test_the_answers_of_an_own_test_stay_closed_until_it_is_passed(cast: Cast) -> None:
    version = training.version("communication")
    with pytest.raises(Refused, match="own test"):
        courses.open_answers(version, by=cast.sam, at=NOW)
    with pytest.raises(Refused, match="own test"):
        courses.revise(version.course, by=cast.sam, at=NOW)
    new = draft(cast)
    for by in (cast.sam, cast.olga):
        with pytest.raises(Refused, match="own test"):
            courses.open_answers(new, by=by, at=NOW)
        with pytest.raises(Refused, match="own test"):
            courses.change(new, {"minutes": 1}, by=by, at=NOW)
    training.passed("communication", by=cast.sam, at=NOW)
    assert courses.open_answers(version, by=cast.sam, at=NOW)
    assert AnswersOpened.objects.filter(user=cast.sam, version=version).count() == 1
    assert TrailEntry.objects.filter(act="course.answers_opened", actor=f"user:{cast.sam.pk}").count() == 1


def test_whoever_has_seen_the_answers_does_not_take_that_test(cast: Cast) -> None:
    courses.open_answers(training.version("communication"), by=cast.adam, at=NOW)
    with pytest.raises(Refused, match="seen the answers"):
        records.start(training.version("communication"), by=cast.adam, at=NOW)
    new = draft(cast, "policies")
    courses.change(new, {"changes": "New."}, by=cast.adam, at=NOW)
    courses.publish(new, by=cast.adam, at=NOW)
    with pytest.raises(Refused, match="seen the answers"):
        records.start(new, by=cast.adam, at=NOW)


def test_a_representative_never_opens_answers(cast: Cast) -> None:
    training.passed("communication", by=cast.rita, at=NOW)
    with pytest.raises(Refused):
        courses.open_answers(training.version("communication"), by=cast.rita, at=NOW)


# ---------------------------------------------------------------- evidence and certificates


def test_training_elsewhere_is_recorded_by_another_than_the_attendee(cast: Cast) -> None:
    version = training.version("communication")
    told = {"passed_at": NOW - make.DAY, "note": "A day at the chamber of commerce, list of names attached."}
    for by in (cast.sam, cast.rita, cast.vera):
        with pytest.raises(Refused):
            records.record_evidence(version, cast.sam if by == cast.sam else cast.rita, by=by, at=NOW, **told)
    with pytest.raises(Refused, match="future"):
        records.record_evidence(version, cast.rita, by=cast.sam, at=NOW, passed_at=NOW + make.SECOND, note="x")
    with pytest.raises(Refused, match="how that shows"):
        records.record_evidence(version, cast.rita, by=cast.sam, at=NOW, passed_at=NOW, note=" ")
    done = records.record_evidence(
        version, cast.rita, by=cast.sam, at=NOW, files=[courses.File("list.pdf", "application/pdf", b"%PDF")], **told
    )
    assert (done.how, done.recorded_by, done.passed_at, done.recorded_at) == ("evidence", cast.sam, NOW - make.DAY, NOW)
    assert [file.name for file in done.files.all()] == ["list.pdf"]
    refused(
        "insert into training_completion"
        " (user_id, version_id, how, passed_at, recorded_at, recorded_by_id, note, code) "
        f"values ({cast.rita.pk}, {version.pk}, 'evidence', now(), now(), {cast.rita.pk}, 'x', 'x')",
        saying="nobody_records_own_attendance",
    )
    refused(f"update training_completion set passed_at = now() where id = {done.pk}", saying="does not change")
    refused(f"delete from training_completion where id = {done.pk}", saying="disposal only")


def test_a_certificate_is_found_by_its_code_however_it_is_typed(cast: Cast) -> None:
    done = training.passed("communication", by=cast.rita, at=NOW)
    assert records.by_code(done.code) == done
    assert records.by_code(f" {done.code.replace('-', ' ').lower()} ") == done
    for text in ("", "AAAA", done.code[:-1], done.code + "A", "A" * 400):
        assert records.by_code(text) is None
    assert records.superseded_by(done) is None
    new = draft(cast)
    courses.change(new, {"changes": "New."}, by=cast.adam, at=NOW)
    courses.publish(new, by=cast.adam, at=NOW)
    assert records.superseded_by(done) == new
    entry = TrailEntry.objects.get(act="training.passed")
    assert cast.rita.name not in entry.facts
