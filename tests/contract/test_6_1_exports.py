"""Clauses 6.1 and 4.3: whoever takes personal data as a file, and whoever it is handed to, is on record.

Every address that answers with a file goes through one place (csp.exporting). An export says of whom its rows are, so
that the person is told who received them and a correction or an erasure is passed on.
"""

from __future__ import annotations

import ast
import functools
import hashlib
import inspect
import io
import json
import re
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.test import Client
from django.urls import get_resolver, reverse

import csp.urls  # noqa: F401  registers every reading
from audits import holdings
from audits.models import Statement
from csp import admin, checks, deadlines, exporting
from csp.access import Refused
from csp.events import Act
from csp.models import (
    Appointment,
    Contract,
    ContractEnd,
    Customer,
    DataRequest,
    Disposal,
    Erasure,
    Export,
    OutboundMessage,
    PrivacyTerms,
    TrailEntry,
    User,
)
from csp.models.agreement import Side
from csp.privacy import held, packages, recipients, rectifying, requests
from csp.roles import Office, Role
from feedback import log
from feedback.models import Remark
from tests import factories as make
from tests.cast import Cast
from tests.tickets.desk import at_nine, browser
from training import courses, records
from training.models import Course

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("at_nine")]
__all__ = ["at_nine"]
ROOT = Path(__file__).parents[2]
Kind, Channel = DataRequest.Kind, DataRequest.Channel
FIRM = "Parcel firm <Data@parcels.example>"

# One file of one record: its opening has an act of its own, by its own verb. An export belongs below (`ways`).
OPENED: dict[str, Act | None] = {
    "attachment": Act.ATTACHMENT_READ,
    "api_attachment": Act.ATTACHMENT_READ,
    "source": Act.SOURCE_READ,
    "assessment_file": Act.ATTACHMENT_READ,
    "action_evidence": Act.EVIDENCE_READ,
    "action_item_file": Act.ITEM_EVIDENCE_READ,
    "data_package": Act.PACKAGE_FETCHED,  # by the person it is about
    "request_file": None,  # likewise: what they sent or were sent
    "course_file": None,  # material of a course, about nobody
}


@pytest.fixture
def olive(cast: Cast) -> User:
    owner = make.person(name="Olive Owner")
    Appointment.objects.create(
        contract=cast.contract, office=Office.PRIVACY_OWNER, user=owner, starts_at=make.SINCE
    )  # fmt: skip
    return owner


def asked(cast: Cast, kind: Kind, customer: Customer | None = None) -> DataRequest:
    return requests.open_request(
        team=cast.team, kind=kind, channel=Channel.PHONE, received_at=make.AT, by=cast.rita, at=make.AT,
        customer=customer or cast.carl, proven="Known by voice",
    )  # fmt: skip


def remark(cast: Cast, customer: Customer) -> Remark:
    row, _new = log.record(
        source=Remark.Source.PHONE, words="The bill is wrong.", received_at=make.AT, at=make.AT,
        team=cast.team, by=cast.rita, score=2, wants_answer=False, who=log.Who(customer=customer),
    )  # fmt: skip
    return row


def taken(user: User, path: str, **typed: str) -> bytes:
    answer: Any = browser(user).post(path, typed)
    assert answer.status_code == 200, (path, answer.status_code, answer.content[:300])
    return b"".join(answer.streaming_content) if answer.streaming else bytes(answer.content)


# ---------------------------------------------------------------- every address that answers with a file


DOORS = {"as_file", "at_once", "download"}


def handing_out(module: Any) -> set[str]:
    """The functions and classes of a module that answer with a file, themselves or by one that does."""
    tree = ast.parse(inspect.getsource(module))
    called: dict[str, set[str]] = {}
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            calls = [one.func for one in ast.walk(node) if isinstance(one, ast.Call)]
            called[node.name] = {one.id for one in calls if isinstance(one, ast.Name)} | {
                one.attr for one in calls if isinstance(one, ast.Attribute) and one.attr in DOORS
            }
    found: set[str] = set()
    while more := {name for name, names in called.items() if names & (DOORS | found)} - found:
        found |= more
    return found


def addresses_with_files() -> set[str]:
    found = set()
    look = functools.cache(handing_out)
    for _route, pattern in checks.patterns(get_resolver()):
        view: Any = inspect.unwrap(pattern.callback)
        view = getattr(view, "view_class", None) or getattr(view, "cls", None) or view
        if view.__module__.partition(".")[0] in held.OURS and view.__name__ in look(sys.modules[view.__module__]):
            found.add(str(pattern.name))
    return found


def test_every_address_that_answers_with_a_file_is_known_here(cast: Cast, olive: User) -> None:
    """Whoever adds one: an export goes into `ways`, a file whose opening is an act of its own into OPENED."""
    assert addresses_with_files() == set(ways(cast, olive)) | set(OPENED)


def test_nothing_but_the_one_place_answers_with_a_file() -> None:
    wrong = []
    for app in held.OURS:
        for path in (ROOT / app).rglob("*.py"):
            text = path.read_text(encoding="utf-8")
            if path == ROOT / "csp/exporting.py" or "intake" in path.parts:
                continue  # the reading of mail knows the header, too
            found = re.findall(r'FileResponse|StreamingHttpResponse|\["Content-Disposition"\](?! = "inline")|'
                               r'"Content-Disposition":', text)  # fmt: skip
            wrong += [f"{path.relative_to(ROOT)}: {one}" for one in found]
    assert wrong == []


def ways(cast: Cast, olive: User) -> dict[str, Callable[[], tuple[User, str, str]]]:
    """Of each export how it is taken: by whom, from which address, and whom it is about."""
    carl, month = f"customer:{cast.carl.pk}", "?period=2025-03"

    def feedback() -> tuple[User, str, str]:
        return cast.fay, reverse("feedback_export"), remark(cast, cast.carl).trail_subject

    def evidence_list() -> tuple[User, str, str]:
        ticket = make.ticket(team=cast.team, customer=cast.carl, received_at=make.AT - 3 * make.DAY)
        make.tick(at=make.AT)
        assert ticket.received_at < make.AT
        return cast.vera, reverse("assurance_export", args=["breaches"]) + month, carl

    def figures() -> tuple[User, str, str]:
        return cast.sam, reverse("metrics_export", args=["csv"]) + month, ""

    def behind_a_figure() -> tuple[User, str, str]:
        make.ticket(team=cast.team, customer=cast.carl, received_at=make.AT - 3 * make.DAY)
        make.tick(at=make.AT)
        return cast.sam, reverse("metric_tickets_export", args=["first", "csv"]) + month, carl

    def statement() -> tuple[User, str, str]:
        [clock] = deadlines.start([deadlines.draft(
            "statement", deadlines.Subject("S-1", "/statements/1/", cast.contract, cast.team), cast.version,
            starts_at=make.AT,
        )], at=make.AT)  # fmt: skip
        row = Statement.objects.create(
            contract=cast.contract, month=make.AT.date().replace(day=1, month=2), deadline=clock
        )
        row.versions.create(
            number=1, document="{}", digest="0" * 64, signed_at=make.AT, signed_by=cast.sam, comment="So it was."
        )
        return cast.sam, reverse("statement_file", args=[row.pk, 1]), ""

    def disposal() -> tuple[User, str, str]:
        row = Disposal.objects.create(
            contract=cast.contract, judged_at=make.AT, proposed_at=make.AT, proposed_by=cast.sam, certificate="{}"
        )
        return cast.vera, reverse("disposal_certificate", args=[row.pk]), ""

    def erasure() -> tuple[User, str, str]:
        row = Erasure.objects.create(
            contract=cast.contract, customer=cast.carl, approved_by=olive, approved_at=make.AT, finished_at=make.AT,
            certificate="{}", digest="0" * 64,
        )  # fmt: skip
        return olive, reverse("erasure_certificate", args=[row.pk]), carl

    def register() -> tuple[User, str, str]:
        return olive, reverse("processing_export"), ""

    def package() -> tuple[User, str, str]:
        row = packages.make(asked(cast, Kind.ACCESS), holdings.SOURCES, by=olive, at=make.AT)
        return olive, reverse("data_package_look", args=[row.pk]), carl

    def training() -> Any:
        course = courses.current(Course.objects.get(code="communication"))
        assert course is not None
        return records.record_evidence(
            course, cast.rita, passed_at=make.AT, note="Seen.", by=cast.sam, at=make.AT,
            files=[courses.File("list.pdf", "application/pdf", b"%PDF")],
        )  # fmt: skip

    def certificate() -> tuple[User, str, str]:
        return cast.sam, reverse("certificate_pdf", args=[training().pk]), f"user:{cast.rita.pk}"

    def proof() -> tuple[User, str, str]:
        return cast.sam, reverse("training_proof", args=[training().files.get().pk]), f"user:{cast.rita.pk}"

    def ended(**more: Any) -> ContractEnd:
        PrivacyTerms.objects.create(
            contract=cast.contract, part="processor", controller="Northwind plc",
            controller_mail="dpo@northwind.example", changed_at=make.SINCE,
        )  # fmt: skip
        return ContractEnd.objects.create(
            contract=cast.contract, ended_at=make.SINCE, choice="returned", said="A letter", recorded_by=olive,
            recorded_at=make.SINCE, **more,
        )  # fmt: skip

    def returned() -> tuple[User, str, str]:
        make.ticket(team=cast.team, customer=cast.carl, received_at=make.AT)
        return olive, reverse("contract_end_file", args=[ended().pk]), carl

    def end_certificate() -> tuple[User, str, str]:
        row = ended(received_at=make.AT, approved_by=cast.adam, approved_at=make.AT, finished_at=make.AT,
                    certificate="{}")  # fmt: skip
        return olive, reverse("contract_end_certificate", args=[row.pk]), ""

    return {
        "contract_end_file": returned, "contract_end_certificate": end_certificate,
        "feedback_export": feedback, "assurance_export": evidence_list, "metrics_export": figures,
        "metric_tickets_export": behind_a_figure, "statement_file": statement, "disposal_certificate": disposal,
        "erasure_certificate": erasure, "processing_export": register, "data_package_look": package,
        "certificate_pdf": certificate, "training_proof": proof,
    }  # fmt: skip


READ = {  # by GET
    "contract_end_certificate", "statement_file", "disposal_certificate", "erasure_certificate", "processing_export",
    "certificate_pdf", "training_proof",
}  # fmt: skip


@pytest.mark.parametrize(
    "name",
    ["feedback_export", "assurance_export", "metrics_export", "metric_tickets_export", "data_package_look",
     "contract_end_file", *sorted(READ)],
)  # fmt: skip
def test_an_export_says_who_took_what_of_whom_and_how_much(cast: Cast, olive: User, name: str) -> None:
    user, path, whom = ways(cast, olive)[name]()
    answer: Any = browser(user).get(path) if name in READ else browser(user).post(path)
    assert answer.status_code == 200, answer.content[:300]
    content = b"".join(answer.streaming_content) if answer.streaming else answer.content
    row = Export.objects.get()
    begun, ended = (TrailEntry.objects.get(act=act) for act in (Act.EXPORTED, Act.EXPORT_ENDED))
    said = json.loads(ended.facts)
    assert begun.actor == ended.actor == f"user:{user.pk}"
    assert (row.by, row.is_listed, row.about) == (user, True, [whom] if whom else [])
    assert (said["records"], said["format"], said["rows"], said["whole"]) == (row.what, row.format, row.rows, True)
    assert (said["export"], said["about"], said["about_count"]) == (row.pk, row.about, len(row.about))
    assert said["narrowed"] == json.loads(begun.facts)["narrowed"]
    assert row.ended_at is not None
    assert row.digest == said["sha256"] == hashlib.sha256(content).hexdigest()
    assert answer["Content-Disposition"].startswith("attachment; filename=")
    assert answer["Cache-Control"] == "no-store"


def test_every_list_of_the_reading_room_says_of_whom_its_rows_are(cast: Cast) -> None:
    """Each model that is registered, whoever may read it; those that know their person name them."""
    ticket = make.ticket(team=cast.team, customer=cast.carl, received_at=make.AT - 3 * make.DAY, assignee=cast.rita)
    make.answer(ticket=ticket, by=cast.rita, at=make.AT, accepted_at=make.AT)
    asked(cast, Kind.ACCESS)
    said = remark(cast, cast.carl)
    make.tick(at=make.AT)
    make.grant(user=cast.vera, role=Role.ADMINISTRATOR)
    client = browser(cast.vera)
    named: dict[str, list[str]] = {}
    for model in admin.site._registry:
        path = f"/admin/{model._meta.app_label}/{model._meta.model_name}/export/"
        answer: Any = client.post(path, {"format": "csv"})
        assert answer.status_code == 200, path
        b"".join(answer.streaming_content)
        row = Export.objects.latest("pk")
        assert (row.what, row.by, row.is_listed) == (model._meta.label_lower, cast.vera, True)
        named[row.what] = row.about
    carl, known = f"customer:{cast.carl.pk}", {f"customer:{cast.carl.pk}", f"customer:{cast.rhea.pk}"}
    for what in ("tickets.ticket", "tickets.historicalticket", "tickets.interaction", "csp.datarequest",
                 "csp.datarequeststep"):  # fmt: skip
        assert named[what] == [carl], what
    assert set(named["csp.customer"]) == set(named["csp.historicalcustomer"]) == set(named["csp.address"]) == known
    assert named["feedback.remark"] == [said.trail_subject]
    assert f"user:{cast.rita.pk}" in named["csp.user"]
    assert f"user:{cast.rita.pk}" in named["csp.rolegrant"]
    assert named["csp.breach"] == [ticket.trail_subject]
    assert {ticket.trail_subject, said.trail_subject} <= set(named["csp.trailentry"])


# ---------------------------------------------------------------- to whom it went, and what follows


def recipients_in(cast: Cast, olive: User, customer: Customer) -> tuple[list[str], list[str]]:
    """Whom this customer is told about: recipients outside, and the purposes of those who looked."""
    package = packages.make(asked(cast, Kind.ACCESS, customer), holdings.SOURCES, by=olive, at=make.AT + make.DAY)
    with zipfile.ZipFile(io.BytesIO(packages.look_at(package, by=olive, at=make.AT + make.DAY))) as file:
        found = json.loads(file.read("data.json"))
        page = file.read("index.html").decode()
    for row in found["recipients"]:
        assert row["recipient"] in page
    return (
        [f"{row['recipient']}: {row['what']}" for row in found["recipients"]],
        [row["purpose"] for row in found["who_looked"]],
    )


def test_a_person_is_told_of_exports_that_hold_them_and_of_no_other(cast: Cast, olive: User) -> None:
    mine = make.ticket(team=cast.team, customer=cast.carl, received_at=make.AT)
    make.ticket(team=cast.team, customer=cast.rhea, received_at=make.AT, channel="form")
    taken(cast.vera, "/admin/tickets/ticket/export/?channel__exact=mail", format="csv", recipient=FIRM)
    taken(cast.vera, "/admin/tickets/ticket/export/?channel__exact=mail", format="csv")
    said = remark(cast, cast.carl)
    taken(cast.fay, "/feedback/export/", recipient="Printer of the yearly report")
    assert said.trail_subject in Export.objects.latest("pk").about
    outside, looked = recipients_in(cast, olive, cast.carl)
    assert outside == ["Parcel firm: tickets", "Printer of the yearly report: remarks"]
    assert looked.count("Quality audit of the service") == 2
    assert looked.count("Export of records") == 1
    assert recipients_in(cast, olive, cast.rhea) == ([], [])
    begun = TrailEntry.objects.filter(act=Act.EXPORTED).earliest("pk")
    assert json.loads(begun.facts)["handed_on"] is True
    assert json.loads(begun.personal) == {"recipient": "Parcel firm"}
    assert mine.customer == cast.carl


def test_a_correction_reaches_whoever_an_export_was_handed_to(cast: Cast, olive: User) -> None:
    make.ticket(team=cast.team, customer=cast.carl, received_at=make.AT)
    taken(cast.vera, "/admin/tickets/ticket/export/", format="xlsx", recipient=FIRM)
    request = asked(cast, Kind.RECTIFICATION)
    assert "Parcel firm" in browser(olive).get(request.own_path).content.decode()
    rectifying.correct(request, name="Karl Contact", organisation="Northwind", by=olive, at=make.AT)
    [mail] = OutboundMessage.objects.filter(to=["data@parcels.example"])
    assert "Carl Contact → Karl Contact" in mail.body
    assert "tickets" in mail.body
    assert request.steps.filter(kind="passed_on", words="Parcel firm").exists()
    assert recipients.of(cast.contract, cast.rhea) == []


def test_what_whoever_acts_for_the_other_party_takes_is_given_to_the_party(cast: Cast, olive: User) -> None:
    Contract.objects.filter(pk=cast.contract.pk).update(party="Northern Rail")
    User.objects.filter(pk=cast.vera.pk).update(side=Side.PARTY)
    cast.vera.refresh_from_db()
    make.ticket(team=cast.team, customer=cast.carl, received_at=make.AT)
    taken(cast.vera, "/admin/tickets/ticket/export/", format="csv")
    assert recipients_in(cast, olive, cast.carl)[0] == ["Northern Rail: tickets"]
    assert [one.mail for one in recipients.of(cast.contract, cast.carl)] == [cast.vera.email]


def test_an_export_that_names_not_all_may_hold_anybody(
    cast: Cast, olive: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exporting, "MOST_ABOUT", 1)
    make.ticket(team=cast.team, customer=cast.carl, received_at=make.AT)
    taken(cast.vera, "/admin/csp/customer/export/", format="csv", recipient="Archive")
    row = Export.objects.get()
    assert (row.is_listed, row.about) == (False, [])
    assert json.loads(TrailEntry.objects.get(act=Act.EXPORT_ENDED).facts)["about_count"] is None
    assert recipients_in(cast, olive, cast.carl)[0] == ["Archive: customers"]


def test_a_killed_export_may_hold_anybody_and_one_that_is_broken_off_whom_it_named(cast: Cast, olive: User) -> None:
    make.ticket(team=cast.team, customer=cast.carl, received_at=make.AT)
    client = Client()
    client.force_login(cast.vera)
    answer: Any = client.post("/admin/tickets/ticket/export/", {"format": "jsonl", "recipient": "Archive"})
    assert Export.objects.get().ended_at is None
    assert recipients_in(cast, olive, cast.rhea)[0] == ["Archive: tickets"], "until it ends nobody knows"
    next(iter(answer.streaming_content))
    for closer in answer._resource_closers:
        closer()
    assert Export.objects.get().about == [f"customer:{cast.carl.pk}"]
    assert recipients_in(cast, olive, cast.rhea)[0] == []


def test_the_register_names_whoever_records_were_handed_to(cast: Cast, olive: User) -> None:
    make.ticket(team=cast.team, customer=cast.carl, received_at=make.AT)
    taken(cast.vera, "/admin/tickets/ticket/export/", format="csv", recipient=FIRM)
    taken(cast.vera, "/admin/tickets/interaction/export/", format="csv")
    page = browser(olive).get("/privacy/register/").content.decode()
    assert "Parcel firm" in page
    assert "by Vera Auditor" in page
    [row] = json.loads(browser(olive).get("/privacy/register/export/").content)["handed_on"]
    assert (row["recipient"], row["what"], row["by"], row["rows"]) == ("Parcel firm", "tickets", "Vera Auditor", 1)


@pytest.mark.parametrize("typed", ["@", "Firm <x@y>", "a@b@c", "Firm <>@"])
def test_a_recipient_who_cannot_be_written_to_is_refused_before_anything_goes(cast: Cast, typed: str) -> None:
    with pytest.raises(Refused):
        exporting.Recipient.read(typed)
    assert browser(cast.vera).post("/admin/tickets/ticket/export/", {"format": "csv", "recipient": typed}).status_code \
        == 422  # fmt: skip
    for user, path in ((cast.vera, "/compliance/breaches/export/"), (cast.fay, "/feedback/export/"),
                       (cast.sam, "/metrics/first/export/csv/")):  # fmt: skip
        assert browser(user).post(path, {"recipient": typed}).status_code == 302, path
    assert not Export.objects.exists()
    assert exporting.Recipient.read("  Firm  <A@B.example> ") == exporting.Recipient("Firm", "a@b.example")
    assert exporting.Recipient.read("a@b.example") == exporting.Recipient("a@b.example", "a@b.example")
    assert exporting.Recipient.read("") == exporting.NOBODY


def test_the_trail_printed_on_the_server_with_personal_text_is_an_export(cast: Cast, olive: User) -> None:
    out = io.StringIO()
    call_command("trail", "export", stdout=out)
    assert not Export.objects.exists(), "without personal text it names nobody"
    call_command("trail", "export", "--personal", "--for", FIRM, stdout=out)
    entry = TrailEntry.objects.get(act=Act.EXPORTED)
    assert (entry.actor, json.loads(entry.personal)) == ("system:operator", {"recipient": "Parcel firm"})
    assert recipients_in(cast, olive, cast.carl)[0] == ["Parcel firm: trail"]
    assert "by the operator of the server" in browser(olive).get("/privacy/register/").content.decode()
    with pytest.raises(CommandError, match="cannot be written to"):
        call_command("trail", "export", "--personal", "--for", "x@y", stdout=out)
