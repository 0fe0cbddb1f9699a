"""Clause 4.1: every contact that did not come by mail is on record within a day, or it is said why not.

Calls and visits have a transcript, letters a scan. A file that is no transcript is kept, and the line that is wrong is
named. What was promised in a call is a task with a time. What was told live under oversight is looked at afterwards.
"""

from __future__ import annotations

import datetime as dt

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import IntegrityError, transaction

from csp import notices, vault
from csp.access import Refused
from csp.models import Breach, Deadline, Restriction, User
from tests import factories as make
from tests.cast import Cast
from tests.tickets.desk import at_nine, browser
from tickets import call_backs, call_reviews, calls, closing, contact_records, lifecycle, opening, transcripts
from tickets.calls import Talk
from tickets.conversation import Direction, File, Kind
from tickets.models import Call, CallBack, CallReview, ContactRecord, Interaction, Ticket

__all__ = ["at_nine"]

AT, HOUR, DAY, SECOND = make.AT, make.HOUR, make.DAY, make.SECOND
MINUTE = dt.timedelta(minutes=1)
State = Deadline.State
VTT = b"""WEBVTT

NOTE made by a machine

1
00:00:01.000 --> 00:00:04.000
<v Carl>It leaks.

00:05.000 --> 00:06.000
Oh.
"""
SRT = b"1\r\n00:00:01,000 --> 00:00:04,000\r\nIt leaks.\r\n\r\n2\r\n01:00:05,000 --> 01:00:06,500\r\nOh.\r\n"


@pytest.fixture
def ticket(cast: Cast) -> Ticket:
    return make.ticket(team=cast.team, customer=cast.carl, assignee=cast.rita)


def call(ticket: Ticket, by: User, *, at: dt.datetime = AT + HOUR, answers: bool = True, **more: object) -> Interaction:
    talk = Talk(Direction.OUT, at, "Told them the date.", 5 * MINUTE, answers=answers, **more)  # type: ignore[arg-type]
    return calls.log_call(ticket, talk, by=by, at=at + 6 * MINUTE, seen_until=at)


def clock_of(row: Interaction) -> Deadline:
    return ContactRecord.objects.get(interaction=row).clock


# ---------------------------------------------------------------- reading a transcript


def test_text_webvtt_and_srt_are_read() -> None:
    assert transcripts.read("call.txt", "\ufeffCarl: Es läuft.\r\nRita: Oh.".encode()) == "Carl: Es läuft.\nRita: Oh."
    assert transcripts.read("call.vtt", VTT) == "[00:00:01] Carl: It leaks.\n[00:00:05] Oh."
    assert transcripts.read("call", VTT).startswith("[00:00:01] Carl")
    assert transcripts.read("call.SRT", SRT) == "[00:00:01] It leaks.\n[01:00:05] Oh."


@pytest.mark.parametrize(
    ("name", "content", "line", "words"),
    [
        ("a.vtt", b"00:01.000 --> 00:02.000\nHi\n", 1, "begins with the word WEBVTT"),
        ("a.vtt", b"WEBVTT\n\n00:01 --> 00:02\nHi\n", 3, "Times are written"),
        ("a.vtt", b"WEBVTT\n\n00:01.000 --> 00:02.000\nHi\n\n2\nHi again\n", 7, "from when to when"),
        ("a.vtt", b"WEBVTT\n\n00:01.000 --> 00:02.000\nHi\n00:03.000 --> 00:04.000\nHo\n", 5, "empty line"),
        ("a.vtt", b"WEBVTT\n\n00:05.000 --> 00:02.000\nHi\n", 3, "before it begins"),
        ("a.vtt", b"WEBVTT\n\n1\n", 3, "from when to when"),
        ("a.vtt", b"WEBVTT\n", 1, "nothing in this file"),
        ("a.srt", b"1\n00:00:01,000 --> 00:00:04,000\nHi\n\n2\n00:00:01 -> 00:00:02\nHo\n", 6, "from when to when"),
        ("a.srt", b"1\n00:00:01,000 --> 00:70:04,000\nHi\n", 2, "Times are written"),
        ("a.txt", b"Hello\nCaf\xe9\n", 2, "UTF-8"),
        ("a.pdf", b"%PDF-1.7\n\x00\x01", 2, "no text"),
        ("a.txt", b" \n", 1, "nothing in this file"),
        ("a.txt", b"x" * (transcripts.LARGEST + 1), 1, "larger than 2 MB"),
    ],
)
def test_what_is_no_transcript_names_its_line(name: str, content: bytes, line: int, words: str) -> None:
    with pytest.raises(transcripts.NotATranscript, match=words) as refused:
        transcripts.read(name, content)
    assert refused.value.line == line
    assert f"Line {line}:" in str(refused.value)


# ---------------------------------------------------------------- the clock of the record


def test_a_call_owes_its_transcript_for_a_day_from_its_end(cast: Cast, ticket: Ticket) -> None:
    row = call(ticket, cast.rita)
    clock = clock_of(row)
    assert (clock.clause, clock.is_policy, clock.starts_at, clock.due_at) == (
        "4.1", True, AT + HOUR + 5 * MINUTE, AT + DAY + HOUR + 5 * MINUTE,
    )  # fmt: skip
    ticket.refresh_from_db()
    assert (ticket.next_obligation, ticket.state) == ("record", Ticket.State.WAITING)
    make.tick(at=clock.due_at)
    assert not Breach.objects.exists()
    make.tick(at=clock.due_at + SECOND)
    assert Breach.objects.get().deadline == clock
    assert cast.sam.notices.filter(kind="breach").exists()
    # kept late it is kept late; the breach stays
    contact_records.keep(row.contact_record, by=cast.rita, at=clock.due_at + HOUR, body="Carl: It leaks.")
    clock.refresh_from_db()
    assert clock.state == State.MET_LATE
    ticket.refresh_from_db()
    assert ticket.next_obligation == ""


@pytest.mark.parametrize(
    ("more", "how"),
    [
        ({"is_transcript": True}, "interaction"),
        ({"file": File("a.vtt", "text/plain", VTT)}, "interaction"),
        ({"why_none": "not_wanted"}, "reason:not_wanted"),
    ],
)
def test_what_comes_with_the_call_keeps_its_record_at_once(
    cast: Cast, ticket: Ticket, more: dict[str, object], how: str
) -> None:
    row = call(ticket, cast.rita, **more)
    clock = clock_of(row)
    assert clock.state == State.MET
    assert clock.met_how.startswith(how)
    if "file" in more:
        assert "[00:00:01] Carl: It leaks." in row.body
        assert vault.read(row.attachments.get().blob) == VTT


def test_a_file_that_is_no_transcript_is_kept_and_the_record_stays_owed(cast: Cast, ticket: Ticket) -> None:
    row = call(ticket, cast.rita, file=File("a.vtt", "text/plain", b"WEBVTT\n\nnonsense\n"))
    assert vault.read(row.attachments.get().blob) == b"WEBVTT\n\nnonsense\n"
    assert clock_of(row).state == State.OPEN
    note, problem = contact_records.keep(
        row.contact_record, by=cast.rita, at=AT + 2 * HOUR, file=File("b.srt", "text/plain", b"1\nno times\n")
    )
    assert "Line 2:" in problem
    assert vault.read(note.attachments.get().blob) == b"1\nno times\n"
    assert clock_of(row).state == State.OPEN
    note, problem = contact_records.keep(
        row.contact_record, by=cast.rita, at=AT + 3 * HOUR, file=File("c.srt", "text/plain", SRT)
    )
    record = ContactRecord.objects.get()
    assert (problem, record.kept_in, clock_of(row).met_at) == ("", note, AT + 3 * HOUR)
    assert "[01:00:05] Oh." in note.body
    assert (note.kind, note.direction) == (Kind.NOTE, Direction.INTERNAL)
    with pytest.raises(Refused, match="already"):
        contact_records.keep(record, by=cast.rita, at=AT + 4 * HOUR, body="Again")
    with pytest.raises(IntegrityError), transaction.atomic():
        ContactRecord.objects.update(kept_in=row)


def test_where_nobody_answered_there_is_nothing_to_keep_and_a_voicemail_is_what_was_left(
    cast: Cast, ticket: Ticket
) -> None:
    missed = call(ticket, cast.rita, answers=False, is_answered=False)
    assert clock_of(missed).met_how == "reason:nothing_said"
    voicemail = Talk(Direction.IN, AT + HOUR, "Call me back", MINUTE, is_answered=False)
    row = calls.log_call(ticket, voicemail, by=cast.rita, at=AT + 2 * HOUR, seen_until=AT)
    assert clock_of(row).met_how == f"interaction:{row.pk}"


def test_a_reason_is_a_listed_one_with_a_sentence(cast: Cast, ticket: Ticket) -> None:
    record = call(ticket, cast.rita).contact_record
    for reason, note, words in (("because", "x", "listed"), ("failed", " ", "sentence")):
        with pytest.raises(Refused, match=words):
            contact_records.explain(record, by=cast.rita, at=AT + 2 * HOUR, reason=reason, note=note)
    with pytest.raises(Refused, match="role"):
        contact_records.explain(record, by=cast.otto, at=AT + 2 * HOUR, reason="failed", note="The server was down")
    contact_records.explain(record, by=cast.rita, at=AT + 2 * HOUR, reason="failed", note="The server was down")
    assert clock_of(record.interaction).met_how == "reason:failed"


def test_a_recording_states_its_ground_and_was_announced(cast: Cast, ticket: Ticket) -> None:
    with pytest.raises(Refused, match="announced"):
        call(ticket, cast.rita, basis="consent")
    with pytest.raises(Refused, match="ground"):
        call(ticket, cast.rita, recording_ref="PBX 17")
    row = call(ticket, cast.rita, basis="consent", is_announced=True, recording_ref="PBX 17")
    assert (row.call.recording_basis, row.call.recording_ref) == ("consent", "PBX 17")
    page = browser(cast.rita).get(ticket.path).text
    assert "Recorded: the customer agreed, announced at the start, kept as PBX 17" in page
    with pytest.raises(IntegrityError), transaction.atomic():
        Call.objects.update(recording_basis="law")


# ---------------------------------------------------------------- visits and letters


def test_a_visit_answers_like_a_call_and_waits_like_one_where_typed_late(cast: Cast) -> None:
    for late, state in ((15 * MINUTE, State.MET), (15 * MINUTE + SECOND, State.OPEN)):
        talk = Talk(Direction.IN, AT, "Showed it, and got a new one.", 10 * MINUTE, answers=True, is_transcript=True)
        ticket = opening.write_down(
            team=cast.team, customer=cast.carl, channel=Ticket.Channel.VISIT, received_at=AT, subject="At the counter",
            body=talk.body, by=cast.rita, at=AT + 10 * MINUTE + late, talk=talk,
        )  # fmt: skip
        assert ticket.respond.state == state
        assert ticket.interactions.get().kind == Kind.VISIT
        assert Call.objects.get(interaction__ticket=ticket).waits == (state == State.OPEN)


def test_a_letter_runs_from_its_stamp_and_owes_its_scan(cast: Cast, ticket: Ticket) -> None:
    make.answer(ticket=ticket, by=cast.rita, at=AT + HOUR, accepted_at=AT + HOUR)
    row = opening.log_letter(ticket, received_at=AT + 2 * HOUR, body="Still wet.", by=cast.rita, at=AT + 9 * HOUR)
    [follow_up] = make.clocks(ticket=ticket, obligation="follow_up")
    assert follow_up.due_at == AT + 2 * HOUR + DAY  # of the stamp, however late it was typed
    assert clock_of(row).due_at == AT + 2 * HOUR + DAY
    with pytest.raises(Refused, match="scan"):
        contact_records.keep(row.contact_record, by=cast.rita, at=AT + 10 * HOUR, body="no paper")
    contact_records.keep(
        row.contact_record, by=cast.rita, at=AT + 10 * HOUR, file=File("s.pdf", "application/pdf", b"%PDF")
    )
    assert clock_of(row).state == State.MET
    with_scan = opening.log_letter(
        ticket, received_at=AT + 3 * HOUR, body="", by=cast.rita, at=AT + 9 * HOUR,
        files=[File("s.pdf", "application/pdf", b"%PDF")],
    )  # fmt: skip
    assert clock_of(with_scan).state == State.MET
    with pytest.raises(Refused, match="to come"):
        opening.log_letter(ticket, received_at=AT + DAY, body="x", by=cast.rita, at=AT)


# ---------------------------------------------------------------- what closing asks


def test_the_record_is_whole_before_the_ticket_is_closed(cast: Cast, ticket: Ticket) -> None:
    row = call(ticket, cast.rita)
    late = Talk(Direction.OUT, AT + HOUR, "Nothing new.", MINUTE, is_transcript=True)
    calls.log_call(ticket, late, by=cast.rita, at=AT + 3 * HOUR, seen_until=AT + HOUR)
    back = call_backs.promise(ticket, due_at=AT + DAY, responsible=cast.rita, by=cast.rita, at=AT + 3 * HOUR)
    at = AT + 4 * HOUR

    def lacking() -> set[str]:
        ticket.refresh_from_db()
        return {need.name for need in closing.missing(ticket, Ticket.State.CLOSED)}

    assert lacking() == {"record", "late_call", "call_back"}
    with pytest.raises(closing.NotFinished, match="transcript or scan"):
        lifecycle.change_state(ticket, to=Ticket.State.CLOSED, by=cast.rita, at=at)
    lifecycle.change_state(ticket, to=Ticket.State.RESOLVED, by=cast.rita, at=at)  # the customer's matter may be
    make.tick(at=at + 8 * DAY)
    ticket.refresh_from_db()
    assert ticket.state == Ticket.State.RESOLVED  # and no machine closes what a person has to add to
    contact_records.explain(row.contact_record, by=cast.rita, at=at, reason="not_wanted", note="Said so")
    assert lacking() == {"late_call", "call_back"}
    calls.confirm(Call.objects.get(is_typed_late=True), by=cast.sam, at=at, agrees=True, reason="On the list")
    assert lacking() == {"call_back"}
    call_backs.withdraw(back, by=cast.rita, at=at, note="Settled")
    assert lacking() == set()
    lifecycle.change_state(ticket, to=Ticket.State.CLOSED, by=cast.rita, at=at)


# ---------------------------------------------------------------- calls that were promised


def test_a_promised_call_reminds_once_tells_supervisors_once_and_ends_with_the_call(cast: Cast, ticket: Ticket) -> None:
    due = AT + 3 * HOUR
    with pytest.raises(Refused, match="passed"):
        call_backs.promise(ticket, due_at=AT, responsible=cast.rita, by=cast.rita, at=AT)
    with pytest.raises(Refused, match="does not work"):
        call_backs.promise(ticket, due_at=due, responsible=cast.otto, by=cast.rita, at=AT)
    call_backs.promise(ticket, due_at=due, responsible=cast.rita, by=cast.rita, at=AT, note="The date")

    def told(user: User) -> list[str]:
        return [notices.sentence(row) for row in user.notices.filter(key__startswith="call_back:").order_by("pk")]

    for at, rita, sam in ((due - 15 * MINUTE - SECOND, 0, 0), (due - 15 * MINUTE, 1, 0), (due, 1, 0),
                          (due + SECOND, 2, 1), (due + HOUR, 2, 1)):  # fmt: skip
        call_backs.remind(at)
        call_backs.remind(at)
        assert (len(told(cast.rita)), len(told(cast.sam))) == (rita, sam), at
    assert "promised a call" in told(cast.rita)[0]
    assert "not made in time" in told(cast.sam)[0]
    call(ticket, cast.rita, at=due + HOUR, answers=False, is_answered=False)
    assert CallBack.objects.get().ended_at is None  # nobody picked up
    row = call(ticket, cast.sam, at=due + 2 * HOUR)
    back = CallBack.objects.get()
    assert (back.outcome, back.call, back.ended_by) == ("done", row, cast.sam)


# ---------------------------------------------------------------- under oversight


def test_what_is_told_live_counts_and_is_looked_at_by_a_second_person(cast: Cast, ticket: Ticket) -> None:
    Restriction.objects.create(
        user=cast.rita, kind=Restriction.Kind.COSIGN, starts_at=AT - HOUR, ends_at=AT + 30 * DAY, clause="8.2",
        cause="measure:1", path="/measures/1/",
    )  # fmt: skip
    row = call(ticket, cast.rita)
    ticket.respond.refresh_from_db()
    assert ticket.respond.met_at == AT + HOUR + 5 * MINUTE  # a conversation cannot wait for a signature
    review = CallReview.objects.get()
    assert cast.sam.notices.filter(key=f"call_review:{review.pk}:call").exists()
    with pytest.raises(Refused, match="own"):
        call_reviews.decide(review, by=cast.rita, at=AT + 2 * HOUR, agrees=True)
    with pytest.raises(Refused, match="role"):
        call_reviews.decide(review, by=cast.olga, at=AT + 2 * HOUR, agrees=True)
    with pytest.raises(Refused, match="what was wrong"):
        call_reviews.decide(review, by=cast.sam, at=AT + 2 * HOUR, agrees=False)
    call_reviews.decide(review, by=cast.sam, at=AT + 2 * HOUR, agrees=False, note="The date is the 12th.")
    ticket.refresh_from_db()
    assert ticket.state == Ticket.State.OPEN
    assert cast.rita.notices.filter(key=f"call_review:{review.pk}:call_wrong").exists()
    ticket.respond.refresh_from_db()
    assert ticket.respond.met_how == f"interaction:{row.pk}"  # a fact does not change
    with pytest.raises(Refused, match="already"):
        call_reviews.decide(review, by=cast.sam, at=AT + 3 * HOUR, agrees=True)
    call(ticket, cast.rita, at=AT + 5 * HOUR, answers=False)  # told nothing: nothing to look at
    assert CallReview.objects.count() == 1


# ---------------------------------------------------------------- by the browser


@pytest.mark.usefixtures("at_nine")
def test_by_the_browser(cast: Cast) -> None:
    ticket = make.ticket(team=cast.team, customer=cast.carl, received_at=AT - 2 * HOUR)
    rita, home = browser(cast.rita), f"/tickets/{ticket.pk}/"
    good = {"direction": "in", "minutes": "4", "is_answered": "on", "body": "It leaks.", "seen_until": AT.isoformat()}
    page = rita.post(f"{home}call/", good | {"transcript": SimpleUploadedFile("a.vtt", b"WEBVTT\n\nx\n")}, follow=True)
    text = page.content.decode()
    assert "This is no transcript. Line 3:" in text
    assert "a.vtt" in text
    assert "Add the transcript" in text
    assert "2 of 2 on record" not in text
    row = Interaction.objects.get(kind="call")
    assert rita.get(f"{home}record/").status_code == 200
    assert rita.post(f"{home}record/{row.pk}/", {}).status_code == 422
    done = rita.post(f"{home}record/{row.pk}/", {"file": SimpleUploadedFile("b.vtt", VTT)}, follow=True)
    assert "[00:00:01] Carl: It leaks." in done.content.decode()
    assert rita.get(f"{home}record/").status_code == 404
    assert rita.post(f"{home}call/", good | {"direction": "visit", "record": "written"}).status_code == 302
    assert Interaction.objects.get(kind="visit").contact_record.kept_in is not None
    assert rita.post(f"{home}letter/", {"received_at": "2025-03-03T08:00", "body": "Wet."}).status_code == 302
    assert "Add the scan" in rita.get(home).content.decode()
    promised = {"due_at": "2025-03-03T12:00", "responsible": cast.rita.pk, "note": "The date"}
    assert rita.post(f"{home}call-back/", promised | {"due_at": "2025-03-03T08:00"}).status_code == 422
    assert rita.post(f"{home}call-back/", promised).status_code == 302
    assert "calls the customer on" in rita.get(home).content.decode()
    back = CallBack.objects.get()
    assert rita.post(f"{home}call-back/{back.pk}/", {"reason": "Came in"}).status_code == 302
    assert browser(cast.otto).get(f"{home}call-back/").status_code == 404
