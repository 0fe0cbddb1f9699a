"""Clause 4.3, for the classes of records that are no tickets: kept to the second, then disposed of by two persons.

Each is kept until the end of the last day of its five calendar years where the contract lies, may go a second later, is
kept by a hold whatever its term says, and leaves nothing but its proof: product and database say the same.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import json
from collections.abc import Callable
from typing import Any

import pytest
from django.apps import apps
from django.db import connection, transaction

from audits import holdings, retention, reviews
from audits.models import Papers, Review
from csp import disposing, holding, people
from csp import retention as terms
from csp.access import Refused
from csp.events import Act
from csp.models import (
    Appointment,
    Blob,
    Customer,
    DataBreach,
    DataBreachStep,
    DataPackage,
    DataRequest,
    DataRequestStep,
    Deadline,
    Disposal,
    Exercise,
    Hold,
    OutboundMessage,
    StaffFile,
    TrailEntry,
    User,
)
from csp.privacy import breaches, packages, request_loops, requests
from csp.records import Kept
from csp.roles import Office, Role
from feedback import log, themes
from feedback.models import Identity, Outcome, Remark, Text, ThemeText
from tests import factories as make
from tests.cast import Cast
from tests.contract.refusals import refused
from tests.contract.test_4_3_retention import CLOSED, KEPT, dispose, due, whole
from tests.tickets.desk import browser
from tickets.models import Interaction, Ticket
from training import courses, records
from training.models import Completion, Course, Proof, TrainingFile
from training.retention import OF_PERSON

pytestmark = pytest.mark.django_db
SECOND, HOUR, DAY = make.SECOND, make.HOUR, make.DAY


@pytest.fixture(autouse=True)
def _no_checkpoints_of_others(settings, tmp_path) -> None:
    settings.CHECKPOINT_DIR = tmp_path


@pytest.fixture
def olive(cast: Cast) -> User:
    owner = make.person(name="Olive Owner")
    Appointment.objects.create(
        contract=cast.contract, office=Office.PRIVACY_OWNER, user=owner, starts_at=make.SINCE
    )  # fmt: skip
    return owner


# ---------------------------------------------------------------- one record of each class, ended at CLOSED


def data_request(cast: Cast, olive: User, customer: Customer | None = None) -> DataRequest:
    """Asked for, packed, sent and answered; with a mail and the package's bytes."""
    received = CLOSED - 3 * DAY
    row = requests.open_request(
        team=cast.team, kind=DataRequest.Kind.ACCESS, channel=DataRequest.Channel.PHONE, received_at=received,
        by=cast.rita, at=received, customer=customer or cast.carl, words="WHAT-I-ASKED", proven="Known by voice",
    )  # fmt: skip
    package = packages.make(row, holdings.SOURCES, by=olive, at=received + HOUR)
    packages.send(package, by=olive, at=received + HOUR)
    message = OutboundMessage.objects.latest("pk")
    OutboundMessage.objects.filter(pk=message.pk).update(
        state="accepted", accepted_at=CLOSED, ended_at=CLOSED
    )  # fmt: skip
    while request_loops.settle(CLOSED):
        pass
    row.refresh_from_db()
    assert (row.state, row.ended_at) == ("answered", CLOSED)
    return row


def data_breach(cast: Cast, olive: User) -> DataBreach:
    aware = CLOSED - 2 * DAY
    row = breaches.open_breach(
        team=cast.team, nature=DataBreach.Nature.CONFIDENTIALITY, what="A letter of CARL'S lay in another envelope.",
        aware_at=aware, by=cast.rita, at=aware,
    )  # fmt: skip
    breaches.describe(row, data="Name", persons=1, consequences="None", measures="Fetched", by=olive, at=aware)
    breaches.decide_no_risk(row, reason="It came back unopened.", by=olive, at=CLOSED - HOUR)
    breaches.close(row, words="Over.", by=olive, at=CLOSED)
    row.refresh_from_db()
    assert row.closed_at == CLOSED
    return row


def remark(cast: Cast, olive: User) -> Remark:
    """Said, seen by a supervisor, put into a theme."""
    row, _new = log.record(
        team=cast.team, source=Remark.Source.PHONE, received_at=CLOSED, at=CLOSED, score=2, words="WHAT-I-SAID",
        who=log.Who(customer=cast.carl), by=cast.rita,
    )  # fmt: skip
    log.handle(row, kind="no_action", reason="Said before.", by=cast.sam, at=CLOSED + HOUR)
    theme = themes.begin(cast.contract, name="Bills", by=cast.fay, at=CLOSED)
    themes.add(theme, [row], by=cast.fay, at=CLOSED)
    return row


@dataclasses.dataclass(frozen=True, slots=True)
class Class:
    """A record of it, and what of the database must be empty when it has gone."""

    make: Callable[[Cast, User], Any]
    table: str
    gone: tuple[type[Any], ...]

    @property
    def root(self) -> Any:
        return next(root for root in retention.ROOTS if root.model._meta.db_table == self.table)


CLASSES = {
    "data-request": Class(
        data_request, "csp_datarequest", (DataRequest, DataRequestStep, DataPackage, Blob, OutboundMessage)
    ),
    "data-breach": Class(data_breach, "csp_databreach", (DataBreach, DataBreachStep, DataBreach.history.model)),
    "remark": Class(remark, "feedback_remark", (Remark, Identity, Outcome, ThemeText, Text, Blob)),
}
each = pytest.mark.parametrize("kind", CLASSES)


def made(kind: str, cast: Cast, olive: User) -> Any:
    row = CLASSES[kind].make(cast, olive)
    while retention.set_terms(CLOSED):
        pass
    row.refresh_from_db()
    return row


# ---------------------------------------------------------------- to the second


@each
def test_it_is_kept_to_the_last_second_and_disposable_one_second_after(cast: Cast, olive: User, kind: str) -> None:
    row = made(kind, cast, olive)
    assert (row.kept_from, row.keep_until) == (CLOSED, KEPT)
    root = CLASSES[kind].root
    assert root.kind == kind
    for at in (KEPT - SECOND, KEPT):
        assert due(root, at, cast) == []
        with pytest.raises(Refused, match="Nothing"):
            disposing.propose([root], cast.contract, by=cast.adam, at=at)
    assert due(root, KEPT + SECOND, cast) == [row.pk]


@each
@pytest.mark.parametrize(
    ("judged", "saying"), [(KEPT - SECOND, "is kept until"), (KEPT, "is kept until"), (KEPT + SECOND, "")]
)
def test_the_database_itself_keeps_the_second(
    cast: Cast, olive: User, kind: str, judged: dt.datetime, saying: str
) -> None:
    row, table = made(kind, cast, olive), CLASSES[kind].table
    disposal = Disposal.objects.create(
        contract=cast.contract, judged_at=judged, proposed_by=cast.adam, proposed_at=judged, approved_by=cast.sam,
        approved_at=judged,
    )  # fmt: skip
    delete = f"select set_config('csp.disposal', '{disposal.pk}', true); delete from {table} where id = {row.pk}"
    if saying:
        refused(delete, saying=saying)
    else:
        with transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(delete)
            assert not type(row).objects.filter(pk=row.pk).exists()
            transaction.set_rollback(True)
    refused(f"delete from {table}", saying="by disposal only")
    for shorter in ("keep_until - interval '1 second'", "null"):
        refused(f"update {table} set keep_until = {shorter}", saying="keep until")


@each
def test_two_persons_dispose_and_nothing_is_left_but_the_proof(cast: Cast, olive: User, kind: str) -> None:
    row = made(kind, cast, olive)
    reference, subject = row.reference, row.trail_subject
    assert whole() == []
    entries = TrailEntry.objects.filter(subject=subject).count()
    done = dispose(cast, KEPT + SECOND)
    for model in CLASSES[kind].gone:
        assert not model._base_manager.exists(), model
    assert not Deadline.objects.filter(subject_ref=reference).exists()
    [item] = done.items.all()
    assert (item.kind, item.number, item.outcome) == (kind, row.pk, "disposed")
    assert "60 months" in json.loads(done.certificate)["rules"][kind]
    assert TrailEntry.objects.filter(subject=subject, act=Act.DISPOSED).count() == 1
    assert TrailEntry.objects.filter(subject=subject).count() == entries + 1
    assert not TrailEntry.objects.filter(subject=subject).exclude(personal="").exists()
    assert whole() == []
    for word in ("WHAT-I", "CARL", "Carl"):
        assert word not in done.certificate
    cast.carl.refresh_from_db()
    assert cast.carl.name == "Carl Contact", "the person is still a customer"


# ---------------------------------------------------------------- a hold beats the term


@each
def test_a_hold_keeps_it_and_so_does_the_database(cast: Cast, olive: User, kind: str) -> None:
    row, table, root = made(kind, cast, olive), CLASSES[kind].table, CLASSES[kind].root
    hold = holding.place(row, team=cast.team, by=cast.sam, at=CLOSED, reason="A claim")
    assert (hold.kind, hold.says) == (kind, row.reference)
    at = KEPT + SECOND
    assert [one.kept_by for one in disposing.preview([root], cast.contract, at)] == [hold.reference]
    with pytest.raises(Refused, match="held"):
        disposing.propose(retention.ROOTS, cast.contract, by=cast.adam, at=at)
    fake = Disposal.objects.create(
        contract=cast.contract,
        judged_at=at,
        proposed_by=cast.adam,
        proposed_at=at,
        approved_by=cast.sam,
        approved_at=at,
    )
    delete = f"select set_config('csp.disposal', '{fake.pk}', true); delete from {table} where id = {row.pk}"
    refused(delete, saying="is held")
    while retention.carry_out(at):
        pass
    holding.lift(hold, by=cast.sam, at=at, reason="Settled")
    dispose(cast, at)
    assert not type(row).objects.filter(pk=row.pk).exists()
    with pytest.raises(Refused, match="gone"):
        holding.place(row, team=cast.team, by=cast.sam, at=at, reason="Too late")


@each
def test_a_hold_placed_after_the_approval_still_wins(cast: Cast, olive: User, kind: str) -> None:
    row = made(kind, cast, olive)
    at = KEPT + SECOND
    disposal = disposing.propose(retention.ROOTS, cast.contract, by=cast.adam, at=at)
    disposing.approve(disposal, by=cast.sam, at=at)
    hold = holding.place(row, team=cast.team, by=cast.sam, at=at, reason="A claim came in")
    while retention.carry_out(at):
        pass
    item = disposal.items.get()
    assert (item.outcome, hold.reference in item.why) == ("spared", True)
    assert type(row).objects.filter(pk=row.pk).exists()


PAGES = {"data-request": "data-request", "data-breach": "data-breach", "remark": "feedback"}


@each
def test_a_supervisor_places_the_hold_from_the_page_of_the_record(cast: Cast, olive: User, kind: str) -> None:
    row = made(kind, cast, olive)
    page, place = f"/{PAGES[kind]}/{row.pk}/", f"/holds/place/{kind}/{row.pk}/"
    assert place in browser(cast.sam).get(page).content.decode()
    assert "kept until" in browser(cast.sam).get(page).content.decode()
    assert browser(cast.rita).post(place, {"what": kind, "reason": "Mine"}).status_code in (403, 404)
    assert browser(cast.olga).post(place, {"what": kind, "reason": "Theirs"}).status_code in (403, 404)
    assert browser(cast.sam).post(place, {"what": kind, "reason": " "}).status_code == 422
    assert browser(cast.sam).post(place, {"what": kind, "reason": "A claim"}).status_code == 302
    hold = Hold.objects.get()
    assert (hold.kind, hold.number, hold.team) == (kind, row.pk, cast.team)
    assert row.reference in browser(cast.adam).get("/retention/").content.decode()
    assert row.reference in browser(cast.adam).get(hold.path).content.decode()


# ---------------------------------------------------------------- what is particular to each


def test_a_data_request_counts_from_its_end_and_is_kept_with_its_customer(cast: Cast, olive: User) -> None:
    row = made("data-request", cast, olive)
    held = holding.place(cast.carl, team=cast.team, by=cast.sam, at=CLOSED, reason="A claim")
    [listed] = disposing.preview([CLASSES["data-request"].root], cast.contract, KEPT + SECOND)
    assert (listed.number, listed.kept_by) == (row.pk, held.reference)
    waiting = requests.open_request(
        team=cast.team, kind=DataRequest.Kind.ACCESS, channel=DataRequest.Channel.PHONE, received_at=CLOSED,
        by=cast.rita, at=CLOSED, customer=cast.rhea,
    )  # fmt: skip
    retention.set_terms(CLOSED)
    waiting.refresh_from_db()
    assert waiting.keep_until is None, "it has no end yet"


def test_a_breach_of_personal_data_that_is_not_closed_has_no_term_and_is_told_after_a_year(
    cast: Cast, olive: User
) -> None:
    row = breaches.open_breach(
        team=cast.team, nature=DataBreach.Nature.INTEGRITY, what="A letter.", aware_at=CLOSED, by=cast.rita, at=CLOSED
    )
    retention.set_terms(CLOSED)
    row.refresh_from_db()
    assert row.keep_until is None
    assert retention.tell(CLOSED + 365 * DAY + SECOND) == 1


def test_a_remark_goes_before_the_ticket_that_it_became_and_never_changes_by_its_term(cast: Cast) -> None:
    """A remark that became a ticket is disposed of first; until then it keeps the ticket."""
    row, _new = log.record(
        team=cast.team, source=Remark.Source.PHONE, received_at=CLOSED, at=CLOSED, score=1, words="Call me!",
        wants_answer=True, who=log.Who(customer=cast.carl), by=cast.rita,
    )  # fmt: skip
    ticket = row.outcome.ticket
    Ticket.objects.filter(pk=ticket.pk).update(state="closed", resolved_at=CLOSED, closed_at=CLOSED)
    while retention.set_terms(CLOSED):
        pass
    assert whole() == []
    refused("update feedback_remark set score = 5", saying="does not change")
    refused(
        "update feedback_remark set score = 5, keep_until = keep_until + interval '1 day'", saying="does not change"
    )
    listed = [(one.kind, one.kept_by.partition(":")[0]) for one in disposing.preview(
        retention.ROOTS, cast.contract, KEPT + SECOND)]  # fmt: skip
    assert listed == [("remark", ""), ("ticket", "feedback.outcome")]
    assert [item.outcome for item in dispose(cast, KEPT + SECOND).items.all()] == ["disposed", "disposed"]
    assert not Ticket.objects.exists()
    assert whole() == []


def test_what_changes_after_an_entry_named_it_is_no_finding(cast: Cast, olive: User) -> None:
    """A request or a breach changes while it is worked on; the marks prove each state of it."""
    data_breach(cast, olive)
    requests.open_request(
        team=cast.team, kind=DataRequest.Kind.UNSORTED, channel=DataRequest.Channel.PHONE, received_at=CLOSED,
        by=cast.rita, at=CLOSED, customer=cast.carl,
    )  # fmt: skip
    assert whole() == []


# ---------------------------------------------------------------- reviews (clause 7.3)


@pytest.fixture
def review(cast: Cast) -> Review:
    row = reviews.start(cast.rita, cast.team, starts_at=CLOSED - DAY, at=CLOSED - DAY)
    Papers.objects.filter(review=row).update(assessment="WHAT-WAS-SEEN")
    return row


def test_a_hold_keeps_what_was_said_in_a_review_beyond_its_two_years(cast: Cast, review: Review) -> None:
    papers = review.papers
    Papers.objects.filter(pk=papers.pk).update(state="closed", closed_at=CLOSED)
    while retention.set_terms(CLOSED):
        pass
    papers.refresh_from_db()
    two_years = dt.datetime(2022, 3, 3, tzinfo=dt.UTC)
    assert papers.keep_until == two_years
    hold = holding.place(papers, team=cast.team, by=cast.sam, at=CLOSED, reason="An appeal is pending")
    assert (hold.kind, hold.says) == ("papers", f"PP-{review.pk}")
    with pytest.raises(Refused, match="held"):
        disposing.propose(retention.ROOTS, cast.contract, by=cast.adam, at=two_years + SECOND)
    fake = Disposal.objects.create(
        contract=cast.contract, judged_at=two_years + SECOND, proposed_by=cast.adam, proposed_at=two_years,
        approved_by=cast.sam, approved_at=two_years,
    )  # fmt: skip
    refused(
        f"select set_config('csp.disposal', '{fake.pk}', true); delete from audits_papers where id = {papers.pk}",
        saying="is held",
    )
    while retention.carry_out(two_years + SECOND):
        pass
    holding.lift(hold, by=cast.sam, at=two_years, reason="Decided")
    dispose(cast, two_years + SECOND)
    assert not Papers.objects.exists()
    assert Review.objects.filter(pk=review.pk).exists()


def test_a_supervisor_holds_a_review_but_nobody_the_own(cast: Cast, review: Review) -> None:
    place = f"/holds/place/review/{review.pk}/"
    page = browser(cast.sam).get(review.path).content.decode()
    assert place in page
    make.grant(user=cast.rita, role=Role.SUPERVISOR, team=cast.team)
    assert place not in browser(cast.rita).get(review.path).content.decode()
    assert browser(cast.rita).post(place, {"what": "papers", "reason": "Mine"}).status_code == 404
    assert browser(cast.sam).post(place, {"what": "papers", "reason": "An appeal"}).status_code == 302
    assert Hold.objects.get().subject == f"papers:{review.pk}"


def test_a_held_draft_is_not_blanked_when_somebody_leaves_but_once_the_hold_is_lifted(
    cast: Cast, review: Review
) -> None:
    hold = holding.place(review.papers, team=cast.team, by=cast.sam, at=CLOSED, reason="A claim at court")
    cast.rita.grants.update(ends_at=CLOSED)
    User.objects.filter(pk=cast.rita.pk).update(is_active=False, left_at=CLOSED)
    assert reviews.end_unowed(CLOSED + SECOND) == 1
    review.refresh_from_db()
    assert (review.state, review.papers.assessment) == ("not_owed", "WHAT-WAS-SEEN")
    assert reviews.end_unowed(CLOSED + 2 * SECOND) == 0
    holding.lift(hold, by=cast.sam, at=CLOSED + DAY, reason="Settled")
    assert reviews.end_unowed(CLOSED + DAY + SECOND) == 1
    papers = Papers.objects.get(pk=review.pk)
    assert (papers.state, papers.assessment, papers.closed_at) == ("closed", "", CLOSED + DAY + SECOND)
    assert Hold.objects.count() == 1


# ---------------------------------------------------------------- somebody who has left: account and training


STAFF, TRAINING = retention.BY_KIND["staff"], retention.BY_KIND["training-file"]


def trained(user: User, cast: Cast) -> Any:
    """A course that was owed, tried and passed, with evidence of another."""
    course = courses.current(Course.objects.get(code="communication"))
    assert course is not None
    records.start(course, by=user, at=CLOSED - DAY)
    return records.record_evidence(
        course, user, passed_at=CLOSED - DAY, note="WHAT-WAS-NOTED", by=cast.sam, at=CLOSED - DAY,
        files=[courses.File("list.pdf", "application/pdf", b"%PDF")],
    )  # fmt: skip


@pytest.fixture
def gone(cast: Cast) -> User:
    """Rita, who was trained, wrote an answer, and left at CLOSED."""
    ticket = make.ticket(team=cast.team, customer=cast.carl, received_at=CLOSED - 3 * DAY, assignee=cast.rita)
    make.answer(ticket=ticket, by=cast.rita, at=CLOSED - 2 * DAY, accepted_at=CLOSED - 2 * DAY)
    trained(cast.rita, cast)
    trained(cast.otto, cast)
    people.deactivate(cast.rita, by=cast.adam, at=CLOSED)
    while retention.set_terms(CLOSED):
        pass
    cast.rita.refresh_from_db()
    return cast.rita


def files_of(user: User) -> list[Any]:
    return [TrainingFile.objects.get(user=user), StaffFile.objects.get(user=user)]


@pytest.mark.parametrize("root", [STAFF, TRAINING], ids=["staff", "training"])
def test_what_is_kept_of_somebody_who_left_is_kept_to_the_second(cast: Cast, gone: User, root: Any) -> None:
    [file] = root.model.objects.all()
    assert (file.user, file.contract, file.kept_from, file.keep_until) == (gone, cast.contract, CLOSED, KEPT)
    for at in (KEPT - SECOND, KEPT):
        assert due(root, at, cast) == []
    assert due(root, KEPT + SECOND, cast) == [file.pk]
    table = root.model._meta.db_table
    for judged, saying in ((KEPT - SECOND, "is kept until"), (KEPT, "is kept until"), (KEPT + SECOND, "")):
        Disposal.objects.filter(finished_at__isnull=True).update(finished_at=KEPT, certificate="{}")
        disposal = Disposal.objects.create(
            contract=cast.contract, judged_at=judged, proposed_by=cast.adam, proposed_at=judged,
            approved_by=cast.sam, approved_at=judged,
        )  # fmt: skip
        delete = f"select set_config('csp.disposal', '{disposal.pk}', true); delete from {table} where id = {file.pk}"
        if saying:
            refused(delete, saying=saying)
        else:
            with transaction.atomic(), connection.cursor() as cursor:
                cursor.execute(delete)
                transaction.set_rollback(True)


def test_training_and_account_of_somebody_who_left_go_and_the_number_stays(cast: Cast, gone: User) -> None:
    assert {file.reference[:3] for file in files_of(gone)} == {"TF-", "SF-"}
    email, grants = gone.email, gone.grants.count()
    assert TrailEntry.objects.filter(subject=f"user:{gone.pk}").exists()
    assert whole() == []
    answered = Interaction.objects.get(author=gone)
    row = dispose(cast, KEPT + SECOND)
    assert {(item.kind, item.outcome) for item in row.items.all()} == {
        ("training-file", "disposed"), ("staff", "disposed")
    }  # fmt: skip
    for model in OF_PERSON:
        assert not model.objects.filter(user=gone).exists(), model
    assert set(Completion.objects.values_list("user", flat=True)) == {cast.otto.pk}
    assert Proof.objects.count() == Blob.objects.count() == 1, "those of whoever still works here"
    gone.refresh_from_db()
    assert (gone.email, gone.name, gone.erased_at) == (
        f"former-{gone.pk}@former.invalid", f"Former colleague {gone.pk}", KEPT + SECOND
    )  # fmt: skip
    assert not gone.has_usable_password()
    assert not User.history.filter(id=gone.pk, name__contains="Rita").exists()
    assert not OutboundMessage.objects.filter(to=[email]).exists()
    assert gone.grants.count() == grants, "who was allowed what is proven by the number"
    answered.refresh_from_db()
    assert answered.author == gone
    entries = TrailEntry.objects.filter(subject=f"user:{gone.pk}")
    assert not entries.exclude(personal="").exists()
    assert entries.filter(act=Act.ERASED).count() == 1
    assert whole() == []
    assert "60 months" in json.loads(row.certificate)["rules"]["training-file"]
    # nothing of it comes again
    assert retention.set_terms(KEPT + DAY) == 0
    assert not StaffFile.objects.exists()
    assert not TrainingFile.objects.exists()
    with pytest.raises(Refused, match="new account"):
        people.reactivate(gone, by=cast.adam, at=KEPT + DAY)


def test_a_hold_on_a_person_keeps_account_and_training(cast: Cast, gone: User) -> None:
    place = f"/holds/place/person/{gone.pk}/"
    assert browser(cast.otto).get(place).status_code == 403
    assert browser(cast.olga).get(place).status_code == 404, "not of her team"
    assert browser(cast.sam).get(f"/holds/place/person/{cast.sam.pk}/").status_code == 404, "nobody holds the own"
    assert browser(cast.sam).post(place, {"what": "user", "reason": "A claim at court"}).status_code == 302
    hold = Hold.objects.get()
    assert (hold.subject, hold.says) == (f"user:{gone.pk}", f"Person {gone.pk}")
    course = Course.objects.get(code="communication").pk
    here = make.person(name="Nina Next", role=Role.REPRESENTATIVE, team=cast.team)
    page = browser(cast.sam).get(f"/training/matrix/{here.pk}/{course}/").content.decode()
    assert f"/holds/place/person/{here.pk}/" in page
    at = KEPT + SECOND
    assert {one.kept_by for one in disposing.preview(retention.ROOTS, cast.contract, at)} == {hold.reference}
    with pytest.raises(Refused, match="held"):
        disposing.propose(retention.ROOTS, cast.contract, by=cast.adam, at=at)
    fake = Disposal.objects.create(
        contract=cast.contract,
        judged_at=at,
        proposed_by=cast.adam,
        proposed_at=at,
        approved_by=cast.sam,
        approved_at=at,
    )
    for table in ("csp_stafffile", "training_trainingfile"):
        refused(f"select set_config('csp.disposal', '{fake.pk}', true); delete from {table}", saying="is held")
    while retention.carry_out(at):
        pass
    holding.lift(hold, by=cast.sam, at=at, reason="Settled")
    dispose(cast, at)
    gone.refresh_from_db()
    assert gone.erased_at == at


def test_whoever_comes_back_is_kept_and_counts_from_the_last_leaving(cast: Cast, gone: User) -> None:
    people.reactivate(gone, by=cast.adam, at=CLOSED + DAY)
    at = KEPT + SECOND
    assert due(STAFF, at, cast) == due(TRAINING, at, cast) == [], "at once, whatever the loop has done"
    while retention.set_terms(CLOSED + DAY):
        pass
    assert {file.state for file in files_of(gone)} == {"open"}
    for root in (STAFF, TRAINING):
        assert not terms.without_end(root, CLOSED + 800 * DAY).exists(), "nobody has to end them"
    gone.refresh_from_db()
    people.deactivate(gone, by=cast.adam, at=CLOSED + 10 * DAY)
    while retention.set_terms(CLOSED + 10 * DAY):
        pass
    assert {file.keep_until for file in files_of(gone)} == {KEPT + 10 * DAY}


def test_somebody_who_comes_back_between_approval_and_removal_is_spared(cast: Cast, gone: User) -> None:
    at = KEPT + SECOND
    disposal = disposing.propose(retention.ROOTS, cast.contract, by=cast.adam, at=at)
    disposing.approve(disposal, by=cast.sam, at=at)
    people.reactivate(gone, by=cast.adam, at=at)
    while retention.carry_out(at):
        pass
    assert {item.outcome for item in disposal.items.all()} == {"spared"}
    gone.refresh_from_db()
    assert (gone.name, Completion.objects.filter(user=gone).count()) == ("Rita Representative", 1)


def test_every_record_of_training_that_is_one_persons_goes_with_their_file() -> None:
    """Directly, or by pointing at what goes. An exercise's mark goes with its ticket."""
    found = set(OF_PERSON)
    for model in apps.get_models():
        record = model.__dict__.get("record")
        if record is None or record.kept is not Kept.TRAINING or not record.person or model is TrainingFile:
            continue
        points_at = {field.related_model for field in model._meta.concrete_fields if field.related_model}
        assert model in found or points_at & found or model is Exercise, model
