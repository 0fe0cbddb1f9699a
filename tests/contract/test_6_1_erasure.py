"""Clause 6.1: whoever is erased is gone from everywhere, and everything that was proved stays proved.

Marked words stand wherever the product lets a person or a colleague write something about one customer. After the
erasure a dump of every table, the files, the broker and the logs hold none of them, while each seal verifies and the
neighbours are as they were. A hold always wins; what the controller keeps is locked, for a time, and erased then.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import hashlib
import io
import json
import logging
import os
import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import redis
from django.conf import settings
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client

from audits import retention
from audits.models import NonCompliance
from csp import deadlines, holding, logs, outbox, vault, verifying
from csp import retention as terms
from csp.access import Refused
from csp.events import Act
from csp.models import (
    Address,
    Appointment,
    Blob,
    Customer,
    Deadline,
    Erasure,
    ErasureLine,
    Keeping,
    Lock,
    OutboundMessage,
    TrailEntry,
    User,
)
from csp.privacy import blanking, erasing, keepings, ledger, locking, reach
from csp.privacy.erasing import FAREWELL
from csp.roles import Office
from feedback import log, surveys
from feedback.models import Identity, Remark
from tests import factories as make
from tests.cast import Cast
from tests.contract.refusals import refused
from tests.contract.test_7_1_feedback import links
from tests.tickets.desk import at_nine, browser
from tests.tickets.intake.letters import arrive, letter, mailbox
from tickets import (
    calls,
    complexity,
    desk,
    escalation,
    handling,
    lifecycle,
    merging,
    opening,
    request_links,
    resolving,
    search,
    sorting,
)
from tickets.conversation import Direction, File
from tickets.models import Draft, InboundMessage, Interaction, SenderRule, Ticket

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("at_nine", "valkey_url")]
__all__ = ["at_nine"]
AT, HOUR, DAY, SECOND = make.AT, make.HOUR, make.DAY, make.SECOND
MINUTE = dt.timedelta(minutes=1)
ADDRESS = "mara.{}@lakeside.example"
DONE_BY = AT + 5 * DAY
# What is about many people together, and so about none of them: the words that analysts give a theme, and who outside
# received a file.
OF_MANY = {"feedback.Theme", "csp.Export"}


@pytest.fixture
def privacy_owner(cast: Cast) -> User:
    """Pia, who holds the office."""
    pia = make.person(name="Pia Privacy")
    Appointment.objects.create(
        contract=cast.contract, office=Office.PRIVACY_OWNER, user=pia, starts_at=make.SINCE
    )  # fmt: skip
    return pia


@dataclasses.dataclass
class Planted:
    """Marked words, each by the place where it was written."""

    words: dict[str, str] = dataclasses.field(default_factory=dict)

    def __call__(self, place: str) -> str:
        assert place not in self.words
        self.words[place] = f"zq{secrets.token_hex(8)}"
        return self.words[place]

    def number(self, place: str) -> str:
        self.words[place] = f"44{secrets.randbelow(10**13):013}"
        return self.words[place]

    def in_text(self, text: str) -> set[str]:
        """The places whose word stands in this text, as letters or as hexadecimal bytes."""
        text = text.lower()
        return {
            place for place, word in self.words.items() if word in text or word.encode().hex() in text
        }  # fmt: skip

    def in_database(self) -> dict[str, set[str]]:
        """The places whose word stands in a dump of every table, by table; nothing is decrypted."""
        found = {}
        with connection.cursor() as cursor:
            tables = [table.name for table in connection.introspection.get_table_list(cursor) if table.type == "t"]
            for table in tables:
                dump = io.BytesIO()
                cursor.copy_expert(f'copy "{table}" to stdout', dump)
                if places := self.in_text(dump.getvalue().decode()):
                    found[table] = places
        return found

    def in_files(self, folder: Path) -> dict[str, set[str]]:
        """Likewise in the files of the data folder, but for those of the database, which were dumped."""
        found = {}
        for path in folder.rglob("*"):
            if not path.is_file() or any(part.startswith(("postgres", "pg")) for part in path.parts):
                continue
            if places := self.in_text(path.read_bytes().decode("latin-1")):
                found[str(path)] = places
        return found

    def in_broker(self) -> set[str]:
        found: set[str] = set()
        with redis.Redis.from_url(os.environ["REDIS_URL"]) as client:
            for key in client.scan_iter():
                found |= self.in_text(f"{key!r} {client.dump(key)!r}")
        return found


@pytest.fixture
def log_lines() -> Iterator[io.StringIO]:
    """What the product writes into its log from now on, as in production."""
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(logs.Lines())
    root = logging.getLogger()
    level = root.level
    root.setLevel(logging.DEBUG)
    root.addHandler(handler)
    yield stream
    root.removeHandler(handler)
    root.setLevel(level)


def mail_with_everything(plant: Planted, sender: str) -> bytes:
    inner = (
        f"From: {plant('nested sender')} <x@elsewhere.example>\r\nTo: a@b.example\r\nSubject: "
        f"{plant('nested subject')}\r\n\r\n{plant('nested body')}\r\n"
    )
    return (
        f"From: {plant('sender name')} <{sender}>\r\nTo: support@desk.example\r\nCc: {plant('cc')}@desk.example\r\n"
        f"Subject: {plant('subject')}\r\nMessage-ID: <{plant('message id')}@lakeside.example>\r\n"
        f"X-Membership: {plant('header')}\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n"
        f"--b\r\nContent-Type: text/plain; charset=utf-8\r\n\r\nThe cooker says {plant('body')}.\r\n"
        f"--b\r\nContent-Type: text/html; charset=utf-8\r\n\r\n<p>The cooker says <b>{plant('html')}</b></p>\r\n"
        f'--b\r\nContent-Type: text/plain; name="{plant("file name")}.txt"\r\n'
        f'Content-Disposition: attachment; filename="{plant.words["file name"]}.txt"\r\n\r\n'
        f"{plant('file')}\r\n"
        f"--b\r\nContent-Type: message/rfc822\r\n\r\n{inner}\r\n--b--\r\n"
    ).encode()


def story(cast: Cast, plant: Planted) -> Customer:
    """All that can be written about Mara, who turns to us in every way there is."""
    mailbox(cast.team)
    sender = ADDRESS.format(plant("address"))
    first = arrive(mail_with_everything(plant, sender), at=AT).ticket
    assert first is not None
    mara = first.customer
    mara.name, mara.note = f"Mara {plant('renamed')}", plant("note for everybody")
    mara.organisation = plant("organisation")
    mara.save()
    handling.note(first, by=cast.rita, at=AT + MINUTE, body=f"She sounds {plant('note')}.")
    row = escalation.escalate(first, by=cast.rita, at=AT + 2 * MINUTE, reason=f"She wants {plant('escalation')}.")
    escalation.decide(row, by=cast.sam, at=AT + 3 * MINUTE, decision="instruct", note=plant("decision"))
    make.answer(
        ticket=first, by=cast.rita, at=AT + 4 * MINUTE, accepted_at=AT + 4 * MINUTE, body=f"Dear {plant('answer')},",
        cc=[f"{plant('answer cc')}@lakeside.example"],
    )  # fmt: skip
    make.answer(ticket=first, by=cast.rita, at=AT + 5 * MINUTE, body=f"P.S. {plant('unsent')}", purpose="holding")
    answers = f"<{plant.words['message id']}@lakeside.example>"
    arrive(
        letter(f"Thank you, {plant('follow-up')}.", sender=f"M <{sender}>", answers=answers),
        at=AT + 6 * MINUTE,
    )  # fmt: skip
    calls.log_call(
        first,
        calls.Talk(
            Direction.OUT, AT + 10 * MINUTE, f"Told her {plant('call')}.", 5 * MINUTE, answers=True,
            number=f"+{plant.number('number')}", basis="consent", is_announced=True, recording_ref=plant("recording"),
            file=File(f"{plant('transcript name')}.txt", "text/plain", f"Mara: {plant('transcript')}".encode()),
        ),
        by=cast.rita, at=AT + 16 * MINUTE, seen_until=AT + 10 * MINUTE,
    )  # fmt: skip
    resolving.write_down(
        first, by=cast.rita, at=AT + 20 * MINUTE, cause="product", cause_note=plant("cause"), kind="explained",
        text=plant("resolution"),
    )  # fmt: skip
    lifecycle.change_state(first, to=Ticket.State.RESOLVED, by=cast.rita, at=AT + 21 * MINUTE)

    # the form, on which a complaint is begun; then a second ticket joined to it
    answer = Client().post(
        "/contact/",
        {"kind": "complaint", "text": f"It leaks {plant('form')}.", "name": f"Mara {plant('form name')}",
         "email": sender, "token": "a" * 22,
         "files": [SimpleUploadedFile(f"{plant('form file')}.txt", plant("form file text").encode())]},
    )  # fmt: skip
    assert answer.status_code == 302, answer.content.decode()
    second = Ticket.objects.latest("pk")
    third = opening.write_down(
        team=cast.team, customer=mara, channel=Ticket.Channel.LETTER, received_at=AT, subject=plant("letter subject"),
        body=plant("letter"), by=cast.rita, at=AT + HOUR, files=[File("a.txt", "text/plain", plant("scan").encode())],
    )  # fmt: skip
    merging.merge(third, into=second, by=cast.rita, at=AT + HOUR)
    second.refresh_from_db()
    complexity.mark_complex(second, by=cast.rita, at=AT + HOUR, reason=plant("complex"))
    hold = holding.place(second, team=cast.team, by=cast.sam, at=AT + HOUR, reason=plant("hold"))
    holding.lift(hold, by=cast.sam, at=AT + 2 * HOUR, reason=plant("hold lifted"))
    lifecycle.waive(
        second, make.clocks(ticket=second, obligation="respond")[0], by=cast.sam, at=AT + HOUR, reason=plant("waived")
    )
    make.answer(ticket=second, by=cast.sam, at=AT + HOUR, accepted_at=AT + HOUR, body=plant("second answer"))

    # what she says in the matter of somebody else, and mail that nobody has sorted
    other = make.ticket(team=cast.team, customer=cast.rhea, subject="Rhea's own", body="Rhea's words")
    make.message(ticket=other, at=AT + HOUR, body=f"As her sister says, {plant('in another ticket')}", by=mara)
    stray = arrive(
        letter(plant("unsorted"), sender=f"Mara <{sender}>", subject=plant("unsorted subject")), at=AT + HOUR
    )
    InboundMessage.objects.filter(pk=stray.pk).update(ticket=None, state="unsorted")
    sorting.set_sender_rule(
        sender, SenderRule.Verdict.ALLOW, by=cast.rita, at=AT + HOUR, reason=plant("sender"), contract=cast.contract
    )
    request_links.ask(sender, language="en", at=AT + HOUR)

    desk.keep_draft(
        first, by=cast.sam, mode=Draft.Mode.REPLY, body=plant("draft"), cc=f"{plant('draft cc')}@x.example",
        at=AT + 2 * HOUR,
    )  # fmt: skip

    # what she thinks of us
    assert surveys.send(AT + 2 * HOUR) >= 1
    form = links(OutboundMessage.objects.get(kind="survey"))[0]
    assert Client().post(form, {"score": "1", "words": f"I felt {plant('survey')}."}).status_code == 200
    Client().post("/feedback/tell/", {})
    log.record(
        team=cast.team, source=Remark.Source.PHONE, received_at=AT, at=AT + HOUR, score=2,
        words=f"It was {plant('remark')}.", who=log.Who(name=f"Mara {plant('remark name')}", address=sender),
        by=cast.rita,
    )  # fmt: skip
    remark = Remark.objects.latest("pk")
    log.handle(remark, kind="no_action", reason=plant("feedback reason"), by=cast.sam, at=AT + 2 * HOUR)
    return mara


def close(customer: Customer) -> None:
    tickets = Ticket.objects.filter(customer=customer, merged_into__isnull=True)
    tickets.update(state="closed", closed_at=AT + DAY)


def erase(customer: Customer, by: User, *, at: dt.datetime = DONE_BY, **more: Any) -> Erasure:
    row = erasing.erase(customer, by=by, at=at, basis=Erasure.Basis.CONSENT_WITHDRAWN, request_ref="PR-1", **more)
    while erasing.carry_out(at):
        pass
    row.refresh_from_db()
    return row


def findings() -> list[str]:
    with connection.cursor() as cursor:
        cursor.execute("select csp_trail_seal(100000)")
    return [str(one) for one in verifying.verify(TrailEntry.objects.latest("recorded_at").recorded_at)]


def everything_of(customer: Customer) -> str:
    """What stands in the database about a neighbour."""
    tickets = Ticket.objects.filter(customer=customer).order_by("pk")
    said = Interaction.objects.filter(ticket__in=tickets, customer=customer).order_by("pk")
    return repr([*tickets.values_list("subject", "state"), *said.values_list("body", "sender_address"),
                 customer.name, *customer.addresses.values_list("value", flat=True)])  # fmt: skip


# ---------------------------------------------------------------- everywhere


def test_after_an_erasure_no_marked_word_is_left_anywhere_and_every_seal_verifies(
    cast: Cast, privacy_owner: User, log_lines: io.StringIO
) -> None:
    plant = Planted()
    mara = story(cast, plant)
    assert findings() == []
    before = plant.in_database()
    standing = set().union(*before.values())
    # what is encrypted, or stands in files alone, cannot be seen in a dump in the first place
    sealed = {
        "header",
        "file",
        "form file text",
        "scan",
        "transcript",
        "nested sender",
        "nested subject",
        "nested body",
    }
    assert plant.words.keys() - standing <= sealed | {"remark name", "html"}, "a planted word never stood anywhere"
    neighbour, clocks = everything_of(cast.rhea), Deadline.objects.count()
    entries, tickets = TrailEntry.objects.count(), Ticket.objects.filter(customer=mara).count()
    close(mara)

    row = erase(mara, privacy_owner)

    assert row.finished_at == DONE_BY
    assert plant.in_database() == {}
    assert plant.in_files(Path(settings.DATA_DIR)) == {}
    assert plant.in_broker() == set()
    assert plant.in_text(log_lines.getvalue()) == set()
    assert findings() == []
    # skeleton, clocks and proof
    assert Ticket.objects.filter(customer=mara).count() == tickets
    assert Deadline.objects.count() == clocks
    assert TrailEntry.objects.count() > entries
    assert everything_of(cast.rhea) == neighbour
    for blob in Blob.objects.filter(key__destroyed_at__isnull=False).select_related("key"):
        assert bytes(blob.sealed) == bytes(blob.key.wrapped) == b""
        with pytest.raises(vault.Unreadable):
            vault.read(blob)
    certificate = json.loads(row.certificate)
    assert row.digest == hashlib.sha256(row.certificate.encode()).hexdigest()
    assert certificate["records"]["erased"] == row.items.count() >= 5
    assert certificate["rows"]["tickets.interaction"] >= 8
    assert plant.in_text(row.certificate) == set()
    assert "4.3" in certificate["rule"]


def test_whoever_writes_again_is_somebody_new(cast: Cast, privacy_owner: User) -> None:
    mailbox(cast.team)
    sender = "mara@lakeside.example"
    ticket = arrive(letter("Once.", sender=f"Mara <{sender}>"), at=AT).ticket
    close(ticket.customer)
    erase(ticket.customer, privacy_owner)
    again = arrive(letter("Twice.", sender=f"Mara <{sender}>", answers="<x@y>"), at=DONE_BY + DAY).ticket
    assert again.customer != ticket.customer
    assert again.pk != ticket.pk
    assert Address.objects.get(value=sender).customer == again.customer
    assert findings() == []


def ordered(cast: Cast, by: User, *, closed: bool = True, **more: Any) -> tuple[Ticket, Erasure]:
    """One closed ticket of Carl's, and the order to erase him."""
    ticket = make.ticket(team=cast.team, customer=cast.carl, assignee=cast.rita)
    make.answer(ticket=ticket, by=cast.rita, at=AT + HOUR, accepted_at=AT + HOUR)
    if closed:
        close(cast.carl)
    return ticket, erasing.erase(cast.carl, by=by, at=DONE_BY, basis="objection", **more)


def outcomes(row: Erasure) -> dict[str, str]:
    return {f"{item.kind}:{item.number}": item.outcome for item in row.items.all()}


def test_why_nothing_was_owed_outlives_the_words(cast: Cast, privacy_owner: User) -> None:
    make.ticket(team=cast.team, customer=cast.carl, origin=Ticket.Origin.IMPORTED)
    asked = make.ticket(team=cast.team, customer=cast.carl)
    deadlines.waive(asked.respond, by=cast.sam, at=AT, reason="Carl rang: a slip")
    why = sorted(Deadline.objects.values_list("pk", "void_why"))
    assert {word for _pk, word in why} == {"", "imported", "waived"}
    close(cast.carl)
    erase(cast.carl, privacy_owner)
    assert not Deadline.objects.filter(void_reason__contains="Carl").exists()
    assert sorted(Deadline.objects.values_list("pk", "void_why")) == why


# ---------------------------------------------------------------- who may, and when


def test_the_privacy_owner_orders_it_once_and_with_a_basis(cast: Cast, privacy_owner: User) -> None:
    make.ticket(team=cast.team, customer=cast.carl)
    for by in (cast.rita, cast.sam, cast.adam, cast.vera):
        with pytest.raises(Refused, match="privacy owner"):
            erasing.erase(cast.carl, by=by, at=AT, basis="objection")
    for basis in ("", "because", "expiry"):
        with pytest.raises(Refused, match="basis"):
            erasing.erase(cast.carl, by=privacy_owner, at=AT, basis=basis)
    row = erasing.erase(cast.carl, by=privacy_owner, at=AT, basis="objection", request_ref="PR-7")
    with pytest.raises(Refused, match="under way"):
        erasing.erase(cast.carl, by=privacy_owner, at=AT, basis="objection")
    entry = TrailEntry.objects.get(act=Act.ERASURE_ORDERED)
    assert (entry.subject, json.loads(entry.facts)["request"]) == (row.trail_subject, "PR-7")
    refused(f"delete from csp_erasure where id = {row.pk}", saying="by disposal only")
    refused("update csp_erasure set basis = 'child'", saying="what was ordered")


def test_what_is_still_open_waits_until_it_is_closed(cast: Cast, privacy_owner: User) -> None:
    ticket, row = ordered(cast, privacy_owner, closed=False)
    assert [(one.kind, one.waits) for one in erasing.preview(cast.carl, at=AT)] == [
        ("ticket", True),
        ("customer", True),
    ]
    assert erasing.carry_out(DONE_BY) == 0
    ticket.refresh_from_db()
    assert ticket.subject
    close(cast.carl)
    assert erasing.carry_out(DONE_BY + DAY) == 3
    row.refresh_from_db()
    assert row.finished_at == DONE_BY + DAY


def test_the_preview_counts_what_would_go_and_changes_nothing(cast: Cast, privacy_owner: User) -> None:
    ticket = make.ticket(team=cast.team, customer=cast.carl)
    make.ticket(team=cast.team, customer=cast.rhea)
    before = TrailEntry.objects.count()
    one, who = erasing.preview(cast.carl, at=AT)
    assert (one.reference, one.rows["tickets.interaction"], one.kept_by) == (ticket.reference, 1, "")
    assert who.rows == {"csp.customer": 1, "csp.address": 1}
    assert TrailEntry.objects.count() == before


@pytest.mark.parametrize("stop", ["name", "blank", "tell", "trail", "certificate", "ledger"])
def test_killed_at_any_instant_and_run_again_it_ends_with_one_certificate(
    cast: Cast, privacy_owner: User, monkeypatch: pytest.MonkeyPatch, stop: str
) -> None:
    ticket, row = ordered(cast, privacy_owner)

    def kill(*_what: object, **_more: object) -> None:
        raise KeyboardInterrupt

    where = {
        "name": (erasing, "name"), "blank": (blanking, "blank"), "tell": (blanking, "tell"),
        "trail": (blanking, "blank_trail"), "certificate": (erasing.trail, "canonical"), "ledger": (ledger, "write"),
    }[stop]  # fmt: skip
    with monkeypatch.context() as patch:
        patch.setattr(*where, kill)
        with pytest.raises(KeyboardInterrupt):
            erasing.carry_out(DONE_BY)
    row.refresh_from_db()
    assert row.finished_at is None
    for _again in range(3):
        while erasing.carry_out(DONE_BY):
            pass
    row.refresh_from_db()
    assert row.finished_at == DONE_BY
    assert TrailEntry.objects.filter(act=Act.ERASURE_FINISHED).count() == 1
    assert TrailEntry.objects.filter(act=Act.ERASED, subject=ticket.trail_subject).count() == 1
    assert ErasureLine.objects.count() == 1
    assert not Interaction.objects.exclude(body="").exists()
    assert findings() == []


# ---------------------------------------------------------------- what the database itself keeps


def test_outside_an_unfinished_erasure_nothing_is_blanked_by_whatever_word(cast: Cast, privacy_owner: User) -> None:
    _ticket, row = ordered(cast, privacy_owner)
    blank = "update tickets_interaction set body = ''"
    for word in ("", "yes", "0", str(row.pk + 1)):
        refused(f"select set_config('csp.erasure', '{word}', true)", blank, saying="does not change")
    name = f"select set_config('csp.erasure', '{row.pk}', true)"
    refused(name, "update tickets_interaction set body = 'other'", saying="may be blanked, not rewritten")
    refused(name, "update tickets_interaction set occurred_at = now()", saying="does not change")
    refused(name, "update csp_deadline set due_at = now()", saying="terms and outcome|breach_is_dated")
    refused(name, "delete from tickets_interaction", saying="by disposal only")
    while erasing.carry_out(DONE_BY):
        pass
    refused(name, "update csp_trailentry set personal = '', salt = ''", saying="does not change")
    refused("update csp_erasure set certificate = '{}'", saying="certified")
    refused("update csp_erasureline set line = '{}'", saying="is evidence")


def test_text_that_is_gone_without_a_word_in_the_trail_is_found(cast: Cast, privacy_owner: User) -> None:
    """An erasure excuses what it names, and nothing else."""
    other = make.ticket(team=cast.team, customer=cast.rhea)
    make.message(ticket=other, at=AT + HOUR, by=cast.carl, body="Carl says so in Rhea's ticket.")
    erase(cast.carl, privacy_owner)
    assert findings() == []
    told = TrailEntry.objects.get(act=Act.ERASED, subject=other.trail_subject)
    assert json.loads(told.facts)["entries"]
    make.ticket(team=cast.team, customer=cast.carl)
    row = erasing.erase(cast.carl, by=privacy_owner, at=DONE_BY, basis="objection")
    stands = TrailEntry.objects.filter(context=other.trail_subject).exclude(personal="").latest("pk")
    with connection.cursor() as cursor:
        cursor.execute("select set_config('csp.erasure', %s, true)", [str(row.pk)])
        cursor.execute("update csp_trailentry set personal = '', salt = '' where id = %s", [stands.pk])
    assert f"entry {stands.pk}: its personal text is gone, and nothing says why" in findings()


def test_every_personal_column_is_in_reach_or_is_about_one_of_us() -> None:
    """A new model that holds something of customers is found by its foreign keys, or says how it is found."""
    found, fresh = {Customer}, {Customer}
    while fresh:
        models = {
            field.model
            for model in fresh
            for field in reach.children(model)
            if reach.record_of(field.model).kept in reach.FOLLOWED
        } | {target for model in fresh for _field, target in reach._upward(model)}
        fresh = models - found
        found |= models
    for model in reach.ours():
        record = reach.record_of(model)
        if (
            not record.personal
            or model in found
            or model._meta.label in OF_MANY
            or record.address
            or record.who
            or record.refers
        ):
            continue
        assert record.kept not in reach.FOLLOWED or record.person == "user", model._meta.label


# ---------------------------------------------------------------- holds


def test_a_hold_on_a_ticket_keeps_it_and_the_name_and_what_it_kept_goes_once_it_is_lifted(
    cast: Cast, privacy_owner: User
) -> None:
    held, other = (make.ticket(team=cast.team, customer=cast.carl, subject=name) for name in ("Held", "Not held"))
    close(cast.carl)
    hold = holding.place(held, team=cast.team, by=cast.sam, at=AT + DAY, reason="A claim is pending")
    assert [row.kept_by for row in erasing.preview(cast.carl, at=DONE_BY)] == [hold.reference, "", hold.reference]
    row = erase(cast.carl, privacy_owner)
    assert outcomes(row) == {
        held.trail_subject: "held", other.trail_subject: "erased", f"customer:{cast.carl.pk}": "held"
    }  # fmt: skip
    certificate = json.loads(row.certificate)
    assert len(certificate["kept"]) == certificate["records"]["held"] == 2
    assert all(hold.reference in line for line in certificate["kept"])
    held.refresh_from_db()
    other.refresh_from_db()
    cast.carl.refresh_from_db()
    assert (held.subject, other.subject, cast.carl.name) == ("Held", "", "Carl Contact")
    assert findings() == []

    assert erasing.take_up_again(DONE_BY + DAY) == 0
    holding.lift(hold, by=cast.sam, at=DONE_BY + DAY, reason="Settled")
    assert erasing.take_up_again(DONE_BY + DAY) == 1
    assert erasing.take_up_again(DONE_BY + DAY) == 0
    while erasing.carry_out(DONE_BY + DAY):
        pass
    again = Erasure.objects.get(continues=row)
    assert (again.request_ref, again.finished_at) == ("PR-1", DONE_BY + DAY)
    cast.carl.refresh_from_db()
    assert (cast.carl.name, cast.carl.erased_at) == ("", DONE_BY + DAY)
    assert not Ticket.objects.filter(customer=cast.carl).exclude(subject="").exists()
    assert findings() == []


def test_a_hold_on_the_customer_refuses_the_order_and_one_placed_meanwhile_wins(
    cast: Cast, privacy_owner: User
) -> None:
    make.ticket(team=cast.team, customer=cast.rhea)
    hold = holding.place(cast.rhea, team=cast.team, by=cast.sam, at=AT, reason="A claim")
    with pytest.raises(Refused, match=hold.reference):
        erasing.erase(cast.rhea, by=privacy_owner, at=AT, basis="objection")
    ticket, row = ordered(cast, privacy_owner)
    holding.place(cast.carl, team=cast.team, by=cast.sam, at=DONE_BY, reason="A claim came in")
    while erasing.carry_out(DONE_BY):
        pass
    assert set(outcomes(row).values()) == {"held"}
    ticket.refresh_from_db()
    assert ticket.subject


def test_a_hold_on_a_case_keeps_the_tickets_that_it_rests_on(cast: Cast, privacy_owner: User) -> None:
    ticket = make.ticket(team=cast.team, customer=cast.carl, assignee=cast.rita)
    make.tick(at=AT + DAY + SECOND)
    case = NonCompliance.objects.get()
    close(cast.carl)
    hold = holding.place(case, team=cast.team, by=cast.sam, at=DONE_BY, reason="An audit is under way")
    row = erase(cast.carl, privacy_owner)
    assert outcomes(row)[ticket.trail_subject] == "held"
    assert row.items.get(kind="ticket").why.endswith(hold.reference)


# ---------------------------------------------------------------- the last mail


def test_the_last_mail_goes_out_and_is_blanked_then(cast: Cast, privacy_owner: User) -> None:
    mail = make_mail("carl@northwind.example")
    _ticket, row = ordered(cast, privacy_owner, farewell=mail)
    while erasing.carry_out(DONE_BY):
        pass
    row.refresh_from_db()
    mail.refresh_from_db()
    assert row.finished_at is None, "not before the person was told"
    assert (mail.state, mail.to) == ("queued", ["carl@northwind.example"])
    OutboundMessage.objects.filter(pk=mail.pk).update(state="accepted", accepted_at=DONE_BY, ended_at=DONE_BY)
    assert erasing.carry_out(DONE_BY + SECOND) == 1
    mail.refresh_from_db()
    row.refresh_from_db()
    assert (mail.to, mail.body, row.finished_at) == ([], "", DONE_BY + SECOND)
    assert findings() == []


def make_mail(address: str) -> OutboundMessage:
    return outbox.post(
        kind=OutboundMessage.Kind.PRIVACY, dedupe_key="farewell", to=[address], subject="Done", body="You are erased.",
        at=DONE_BY,
    )  # fmt: skip


# ---------------------------------------------------------------- restrict and keep


def keep(cast: Cast, by: User, what: str = "ticket", *, months: int = 6, at: dt.datetime = AT) -> Keeping:
    return keepings.decide(
        cast.contract, what=what, basis="claims", reason="Warranty claims run for three years.", months=months,
        expires_at=at + 400 * DAY, by=by, at=at,
    )  # fmt: skip


def test_the_controller_decides_per_class_with_basis_months_and_an_end(cast: Cast, privacy_owner: User) -> None:
    for by in (cast.sam, cast.adam):
        with pytest.raises(Refused, match="privacy owner"):
            keep(cast, by)
    row = keep(cast, privacy_owner)
    with pytest.raises(Refused, match="already"):
        keep(cast, privacy_owner)
    assert not Keeping.objects.in_force(AT - SECOND).exists()
    assert Keeping.objects.in_force(row.expires_at - SECOND).exists()
    assert not Keeping.objects.in_force(row.expires_at).exists(), "decided anew, or the default holds again"
    refused("update csp_keeping set reason = 'x'", saying="what was decided")
    keepings.end(row, by=privacy_owner, at=AT + DAY)
    assert not Keeping.objects.in_force(AT + DAY).exists()
    with pytest.raises(Refused, match="ended"):
        keepings.end(row, by=privacy_owner, at=AT + 2 * DAY)
    assert [entry.act for entry in TrailEntry.objects.filter(subject=row.trail_subject)] == ["setting.changed"] * 2


def test_what_the_controller_keeps_is_locked_the_person_told_and_erased_at_its_end(
    cast: Cast, privacy_owner: User
) -> None:
    ticket = make.ticket(team=cast.team, customer=cast.carl, subject="Locked away", body="Kept words")
    log.record(
        team=cast.team, source=Remark.Source.PHONE, received_at=AT, at=AT, score=2, words="Not kept",
        who=log.Who(customer=cast.carl), by=cast.rita,
    )  # fmt: skip
    close(cast.carl)
    keep(cast, privacy_owner)
    row = erase(cast.carl, privacy_owner)
    lock = Lock.objects.get()
    assert outcomes(row) == {
        ticket.trail_subject: "locked", f"remark:{Remark.objects.get().pk}": "erased",
        f"customer:{cast.carl.pk}": "locked",
    }  # fmt: skip
    assert Remark.objects.get().words == ""
    with pytest.raises(vault.Unreadable):
        vault.read(Identity.objects.get().blob)
    assert (lock.then, lock.expires_at) == ("erase", dt.datetime(2025, 9, 8, 8, tzinfo=dt.UTC))
    told = lock.told
    assert told is not None
    assert told.to == ["carl@northwind.example"]
    for words in ("Legal claims", "Warranty claims", "2025-09-08", "complain"):
        assert words in told.body

    # nobody sees it, nobody works on it, and it stays whole
    for user in (cast.rita, cast.sam, cast.vera):
        assert not Ticket.objects.visible_to(user).filter(pk=ticket.pk).exists()
        assert browser(user).get(ticket.path).status_code == 404
    with pytest.raises(Refused, match="locked"):
        handling.note(ticket, by=cast.rita, at=DONE_BY, body="May I?")
    assert not search.customers_like("Carl", user=cast.rita, limit=5)
    ticket.refresh_from_db()
    assert ticket.subject == "Locked away"
    with pytest.raises(Refused, match="not opened again"):
        locking.unlock(lock, by=privacy_owner, at=DONE_BY)
    assert findings() == []

    # to the second at its end
    assert erasing.erase_expired(lock.expires_at - SECOND) == 0
    assert erasing.erase_expired(lock.expires_at) == 1
    assert erasing.erase_expired(lock.expires_at) == 0
    while erasing.carry_out(lock.expires_at + FAREWELL):
        pass
    ticket.refresh_from_db()
    cast.carl.refresh_from_db()
    lock.refresh_from_db()
    told.refresh_from_db()
    assert (ticket.subject, cast.carl.name, told.to, lock.reason) == ("", "", [], blanking.DASH)
    assert lock.ended_at == lock.expires_at + FAREWELL
    assert findings() == []


def test_a_lock_on_request_ends_by_itself_to_the_second_and_whoever_writes_again_is_answered(
    cast: Cast, privacy_owner: User
) -> None:
    mailbox(cast.team)
    old = arrive(letter("Once.", id="<once@x>"), at=AT).ticket
    other = arrive(letter("Still open.", id="<open@x>"), at=AT).ticket
    Ticket.objects.filter(pk=old.pk).update(state="resolved", resolved_at=AT + HOUR)
    until = AT + 30 * DAY
    for by, reason, end in (
        (cast.sam, "x", until), (privacy_owner, " ", until), (privacy_owner, "x", AT),
        (privacy_owner, "x", AT + 4000 * DAY),
    ):  # fmt: skip
        with pytest.raises(Refused):
            locking.lock(old.customer, contract=cast.contract, by=by, at=AT + DAY, until=end, reason=reason)
    locks = locking.lock(
        old.customer, contract=cast.contract, by=privacy_owner, at=AT + DAY, until=until, reason="You contest it."
    )
    assert {lock.what for lock in locks} == {"ticket", "remark"}

    def seen() -> set[int]:
        return set(Ticket.objects.visible_to(cast.rita).values_list("pk", flat=True))

    assert seen() == {other.pk}, "what is open is answered first"
    Ticket.objects.filter(pk=other.pk).update(state="closed", closed_at=AT + 2 * DAY)
    assert locking.extend(AT + 2 * DAY) == 1
    assert locking.extend(AT + 2 * DAY) == 0
    assert seen() == set()
    new = arrive(letter("Once more.", answers="<once@x>"), at=AT + 3 * DAY).ticket
    assert new.pk not in (old.pk, other.pk)
    locking.extend(AT + 3 * DAY)
    assert seen() == {new.pk}

    assert locking.expire(until - SECOND) == 0
    assert locking.expire(until) == 2
    assert locking.expire(until) == 0
    assert seen() == {old.pk, other.pk, new.pk}
    assert Lock.objects.standing().count() == 0
    assert findings() == []


def test_only_the_privacy_owner_looks_at_what_is_locked_and_says_why(cast: Cast, privacy_owner: User) -> None:
    make.ticket(team=cast.team, customer=cast.carl)
    close(cast.carl)
    lock = locking.lock(
        cast.carl, contract=cast.contract, by=privacy_owner, at=DONE_BY, until=DONE_BY + DAY, reason="Contested"
    )[0]
    for by, reason in ((cast.sam, "A claim came"), (cast.adam, "A claim came"), (privacy_owner, "x")):
        with pytest.raises(Refused):
            locking.read(lock, by=by, at=DONE_BY, reason=reason)
    locking.read(lock, by=privacy_owner, at=DONE_BY, reason="A court asks for it")
    assert TrailEntry.objects.filter(act=Act.LOCK_READ, context=f"customer:{cast.carl.pk}").count() == 1


def test_a_locked_record_is_not_disposed_of(cast: Cast, privacy_owner: User) -> None:
    ticket = make.ticket(team=cast.team, customer=cast.carl)
    close(cast.carl)
    [lock, _other] = locking.lock(
        cast.carl, contract=cast.contract, by=privacy_owner, at=DONE_BY, until=DONE_BY + DAY, reason="Contested"
    )
    root = retention.BY_KIND["ticket"]
    assert terms.held(root, terms.family(root, [ticket.pk])) == {ticket.pk: lock.reference}
