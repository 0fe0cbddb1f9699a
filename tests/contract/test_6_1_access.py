"""Clause 6.1: what is held on a person is found, corrected, handed out and passed on; nobody else's is.

A package holds everything that the models declare and what each app adds. Other people's names and addresses are hidden
in it, staff stand as a role. Its link ends, its key is destroyed then, and every opening is on record. A correction is
made and told to everybody who was given the data. Whoever objects to surveys gets none.
"""

from __future__ import annotations

import datetime as dt
import io
import json
import re
import zipfile
from typing import Any

import pytest
from django.test import Client

from audits import holdings
from csp import vault
from csp.access import Refused
from csp.models import (
    Address,
    Appointment,
    BlobKey,
    DataPackage,
    DataRecipient,
    DataRequest,
    OutboundMessage,
    TrailEntry,
    User,
)
from csp.privacy import carrying_out, erasing, held, locking, packages, recipients, rectifying, request_loops, requests
from csp.roles import Office
from feedback import log, objections
from feedback.models import Remark, StoppedSurveys
from tests import factories as make
from tests.cast import Cast
from tests.tickets.desk import at_nine, browser
from tickets import disclosure, handling, request_links
from tickets.conversation import File, Said
from tickets.models import Interaction, Ticket

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("at_nine")]
__all__ = ["at_nine"]
SECOND, HOUR, DAY = make.SECOND, make.HOUR, make.DAY
Kind, Channel = DataRequest.Kind, DataRequest.Channel
PHONE = "+4420 7946 0000"


@pytest.fixture
def olive(cast: Cast) -> User:
    owner = make.person(name="Olive Owner")
    Appointment.objects.create(
        contract=cast.contract, office=Office.PRIVACY_OWNER, user=owner, starts_at=make.SINCE
    )  # fmt: skip
    return owner


@pytest.fixture
def matter(cast: Cast) -> Ticket:
    """Carl's ticket, in which Rhea wrote as well, with a file, a note and an answer that names people."""
    ticket = make.ticket(
        team=cast.team, customer=cast.carl, received_at=make.AT - 5 * HOUR,
        body="My neighbour rhea@rival.example saw it, call her: +44 20 7946 0999.",
    )  # fmt: skip
    make.message(ticket=ticket, at=make.AT - 4 * HOUR, by=cast.rhea, body="I am Rhea Rival and saw it too.")
    said = Said(
        kind=Interaction.Kind.MAIL, direction=Interaction.Direction.IN, body="See the picture.",
        occurred_at=make.AT - 3 * HOUR, customer=cast.carl, sender_name="Carl Contact",
        sender_address="carl@northwind.example", files=[File(name="../hob.txt", content_type="text/plain",
                                                                   content=b"COLD-HOB")],
    )  # fmt: skip
    handling.receive(ticket, said, at=make.AT - 3 * HOUR, by=cast.carl)
    handling.note(
        ticket, by=cast.rita, at=make.AT - 2 * HOUR, body="Asked Otto Other about it; carl@northwind.example is fine."
    )
    make.answer(ticket=ticket, by=cast.rita, at=make.AT - HOUR, accepted_at=make.AT - HOUR, body="Rita will see to it.")
    return ticket


def asked(cast: Cast, kind: DataRequest.Kind = Kind.ACCESS, **more: object) -> DataRequest:
    values: dict[str, object] = {"proven": "Called back", "customer": cast.carl, "by": cast.rita}
    return requests.open_request(
        team=cast.team, kind=kind, channel=Channel.PHONE, received_at=make.AT, at=make.AT, **(values | more),  # type: ignore[arg-type]
    )  # fmt: skip


def made(cast: Cast, olive: User, at: dt.datetime = make.AT) -> DataPackage:
    return packages.make(asked(cast), holdings.SOURCES, by=olive, at=at)


def opened(content: bytes) -> tuple[dict[str, Any], zipfile.ZipFile]:
    file = zipfile.ZipFile(io.BytesIO(content))
    assert file.testzip() is None
    return json.loads(file.read("data.json")), file


def everything(file: zipfile.ZipFile) -> str:
    """All text of the package, its names too, but for the files as they were."""
    names = [name for name in file.namelist() if not name.startswith("files/")]
    return "\n".join([*names, *(file.read(name).decode() for name in names)])


# ---------------------------------------------------------------- what is in it


def test_the_package_has_every_part_and_hides_everybody_else(cast: Cast, olive: User, matter: Ticket) -> None:
    Address.objects.create(customer=cast.carl, kind="phone", value="442079460000", created_at=make.SINCE)
    log.record(
        team=cast.team, source=Remark.Source.PHONE, received_at=make.AT, at=make.AT, score=2, soon="",
        words="MY-OWN-WORDS", who=log.Who(customer=cast.carl),
    )  # fmt: skip
    log.record(
        team=cast.team, source=Remark.Source.PHONE, received_at=make.AT, at=make.AT, score=1, soon="",
        words="HERS-ALONE", who=log.Who(customer=cast.rhea),
    )  # fmt: skip
    data, file = opened(vault.read(made(cast, olive).blob))
    text = everything(file)
    codes = {part["code"] for part in data["parts"]}
    assert {
        "csp.customer", "csp.address", "csp.datarequest", "csp.outboundmessage", "tickets.ticket",
        "tickets.interaction", "tickets.attachment.content", "feedback.remark",
    } <= codes  # fmt: skip
    assert "Carl Contact" in text
    assert "carl@northwind.example" in text
    assert "MY-OWN-WORDS" in text
    for hidden in ("Rhea", "rhea@rival.example", "0999", "Rita", "Otto", "HERS-ALONE", "rita@desk"):
        assert hidden not in text, hidden
    for shown in ("[another person]", "[address of another]", "[number of another]", "[employee]"):
        assert shown in text
    [name] = [name for name in file.namelist() if name.startswith("files/tickets.attachment")]
    assert (file.read(name), ".." in name) == (b"COLD-HOB", False)
    assert file.read("index.html").startswith(b"<!doctype html>")
    assert b"<script" not in file.read("index.html")
    assert file.read("csv/tickets.ticket.csv").startswith("\ufeffid".encode())


def test_a_table_of_the_package_is_words_to_a_spreadsheet_and_its_empty_cells_are_empty() -> None:
    rows = [{"id": "1", "said": "=1+1", "note": ""}, {"id": "-2", "said": "  @SUM(A1)", "note": "tomorrow; =2"}]
    lines = packages._csv(rows).removeprefix("\ufeff").splitlines()
    assert lines == ["id,said,note", "1,'=1+1,", "'-2,'  @SUM(A1),tomorrow;' =2"]


def test_every_model_that_is_about_customers_is_walked(cast: Cast, olive: User) -> None:
    found = {model._meta.label for model in held.about_customers()}
    assert {
        "csp.Customer",
        "csp.Address",
        "tickets.Ticket",
        "tickets.Interaction",
        "tickets.Call",
        "feedback.Survey",
    } <= found
    assert not found & {"csp.User", "training.Attempt", "audits.Measure"}, "staff are no customers"


def test_nothing_of_the_package_is_anothers(cast: Cast, olive: User, matter: Ticket) -> None:
    hers = make.ticket(
        team=cast.team, customer=cast.rhea, received_at=make.AT - HOUR, subject="RHEAS-MATTER", body="HER-BODY"
    )
    make.message(ticket=hers, at=make.AT - HOUR / 2, by=cast.carl, body="CARLS-WORDS-ELSEWHERE")
    _data, file = opened(vault.read(made(cast, olive).blob))
    text = everything(file)
    assert "CARLS-WORDS-ELSEWHERE" in text
    assert "RHEAS-MATTER" not in text
    assert "HER-BODY" not in text


def test_a_name_that_is_also_the_persons_own_word_stays(cast: Cast) -> None:
    make.person(name="Carl Colleague")
    veil = held.Veil(cast.carl, ["Nora Northwind"])
    assert veil.hide("Carl Contact asked Colleague; NORA NORTHWIND of Northwind said so") == (
        "Carl Contact asked [employee]; [another person] of Northwind said so"
    )
    assert veil.hide(f"{PHONE} or +49 30 123456") == "[number of another] or [number of another]"


def test_who_looked_gives_days_and_purposes_and_no_names(cast: Cast, olive: User, matter: Ticket) -> None:
    disclosure.read_ticket(matter, by=cast.vera, at=make.AT - DAY)
    address = cast.carl.addresses.get()
    disclosure.show_address(matter, address, by=cast.rita, at=make.AT)
    other = make.ticket(team=cast.team, customer=cast.rhea)
    disclosure.read_ticket(other, by=cast.vera, at=make.AT)
    data, _file = opened(vault.read(made(cast, olive).blob))
    assert data["who_looked"] == [
        {"day": "2025-03-02", "purpose": "Quality audit of the service"},
        {"day": "2025-03-03", "purpose": "Reaching the person: an address was shown"},
    ]
    again, _file = opened(vault.read(made(cast, olive).blob))
    assert again["who_looked"][-1]["purpose"] == "Gathering the data for this person"


# ---------------------------------------------------------------- who may, and when


def test_no_package_without_proof_of_who_asks_nor_by_anybody(cast: Cast, olive: User) -> None:
    with pytest.raises(Refused, match="not proven"):
        packages.make(asked(cast, proven=""), holdings.SOURCES, by=olive, at=make.AT)
    with pytest.raises(Refused, match="privacy owner"):
        packages.make(asked(cast), holdings.SOURCES, by=cast.sam, at=make.AT)
    with pytest.raises(Refused, match="copy"):
        packages.make(asked(cast, Kind.ERASURE), holdings.SOURCES, by=olive, at=make.AT)
    with pytest.raises(Refused, match="which customer"):
        packages.make(asked(cast, customer=None, name="Nobody"), holdings.SOURCES, by=olive, at=make.AT)


def link_of(message: OutboundMessage) -> str:
    found = re.search(r"https?://[^/\s]+(/my-data/\S+)", message.body)
    assert found
    return found[1]


def test_the_link_answers_the_request_when_a_server_outside_has_it(cast: Cast, olive: User, matter: Ticket) -> None:
    package = packages.send(made(cast, olive), by=olive, at=make.AT)
    request = package.request
    assert package.message is not None
    with pytest.raises(Refused, match="on its way"):
        packages.send(package, by=olive, at=make.AT)
    package.message.state, package.message.accepted_at = "accepted", make.AT + SECOND
    package.message.save()
    assert request_loops.settle(make.AT + DAY) == 1
    request.refresh_from_db()
    request.answer.refresh_from_db()
    assert (request.state, request.answer.met_at) == ("answered", make.AT + SECOND)


def test_opening_the_link_fetches_nothing_and_every_fetching_is_recorded(cast: Cast, olive: User) -> None:
    package = packages.send(made(cast, olive), by=olive, at=make.AT)
    assert package.message is not None
    link, client = link_of(package.message), Client()
    for _scanner in range(2):
        page = client.get(link)
        assert (page.status_code, page["Referrer-Policy"], page["Cache-Control"]) == (200, "no-referrer", "no-store")
    fetched = TrailEntry.objects.filter(act="data_package.fetched")
    assert not fetched.exists()
    for _twice in range(2):
        answer = client.post(link)
        assert answer["Content-Type"] == "application/zip"
        opened(answer.content)
    assert [entry.actor for entry in fetched] == [f"customer:{cast.carl.pk}"] * 2
    assert package.request.steps.filter(kind="fetched").count() == 1


@pytest.mark.parametrize("bend", [lambda t: t[:-4] + "aaaa", lambda t: "nothing", lambda t: t + "x"])
def test_a_link_that_was_made_up_opens_nothing(cast: Cast, olive: User, bend: Any) -> None:
    package = packages.send(made(cast, olive), by=olive, at=make.AT)
    assert Client().get(f"/my-data/{bend(packages.token(package))}/").status_code == 404
    assert Client().post(f"/my-data/{bend(packages.token(package))}/").status_code == 404


def test_the_link_ends_to_the_second_and_the_key_is_destroyed(cast: Cast, olive: User) -> None:
    package = packages.send(made(cast, olive), by=olive, at=make.AT)
    end = make.AT + packages.LIFE
    token = packages.token(package)
    assert packages.read(token, end) == package
    with pytest.raises(packages.NotGood):
        packages.read(token, end + SECOND)
    assert packages.destroy_old(end) == 0
    assert packages.destroy_old(end + SECOND) == 1
    assert packages.destroy_old(end + SECOND) == 0
    package.refresh_from_db()
    assert package.destroyed_at == end + SECOND
    assert bytes(BlobKey.objects.get(pk=package.blob_id).wrapped) == b""
    with pytest.raises(vault.Unreadable):
        packages.look_at(package, by=olive, at=end + SECOND)
    assert TrailEntry.objects.filter(act="data_package.destroyed").count() == 1


def test_a_package_that_nobody_sent_opens_by_no_link(cast: Cast, olive: User) -> None:
    package = made(cast, olive)
    with pytest.raises(packages.NotGood):
        packages.read(packages.token(package), make.AT)


# ---------------------------------------------------------------- correcting, and passing it on


def test_a_correction_is_made_told_and_on_record(cast: Cast, olive: User, matter: Ticket) -> None:
    recipients.record(
        cast.contract, customer=cast.carl, name="Parcel firm", mail="Data@parcels.example", what="Name and address",
        given_at=make.AT - DAY, by=olive, at=make.AT,
    )  # fmt: skip
    recipients.record(
        cast.contract, name="Auditor", what="All tickets of 2024", given_at=make.AT - DAY, by=olive, at=make.AT
    )
    recipients.record(
        cast.contract, customer=cast.rhea, name="Hers", mail="x@y.example", what="x", given_at=make.AT, by=olive,
        at=make.AT,
    )  # fmt: skip
    request = asked(cast, Kind.RECTIFICATION, words="I am called Karl")
    address = cast.carl.addresses.get()
    rectifying.correct(
        request, name="Karl Contact", organisation="Northwind", wrong_address=address.pk,
        right_address="KARL@northwind.example", by=olive, at=make.AT,
    )  # fmt: skip
    cast.carl.refresh_from_db()
    request.refresh_from_db()
    assert (cast.carl.name, cast.carl.addresses.get().value) == ("Karl Contact", "karl@northwind.example")
    assert (request.done_at, request.address) == (make.AT, "karl@northwind.example")
    [mail] = OutboundMessage.objects.filter(to=["data@parcels.example"])
    assert "Carl Contact → Karl Contact" in mail.body
    assert not OutboundMessage.objects.filter(to=["x@y.example"]).exists()
    steps = list(request.steps.filter(kind="passed_on").order_by("pk").values_list("words", flat=True))
    assert steps == ["Parcel firm", "Auditor has no mail address and has to be told by hand."]
    assert TrailEntry.objects.filter(act="customer.changed", subject=f"customer:{cast.carl.pk}").exists()
    assert matter.customer == cast.carl
    requests.answer(request, words="Corrected.", by=olive, at=make.AT)


def test_a_correction_refuses_what_is_somebody_elses_and_what_is_nothing(cast: Cast, olive: User) -> None:
    request = asked(cast, Kind.RECTIFICATION)
    same: dict[str, Any] = {"name": "Carl Contact", "organisation": "Northwind", "by": olive, "at": make.AT}
    with pytest.raises(Refused, match="Nothing was changed"):
        rectifying.correct(request, **same)
    with pytest.raises(Refused, match="Another customer"):
        rectifying.correct(request, right_address="rhea@rival.example", **same)
    with pytest.raises(Refused, match="no address of the customer"):
        rectifying.correct(request, wrong_address=cast.rhea.addresses.get().pk, right_address="a@b.example", **same)
    with pytest.raises(Refused, match="cannot be written to"):
        rectifying.correct(request, right_address="a@b", **same)
    with pytest.raises(Refused, match="not proven"):
        rectifying.correct(asked(cast, Kind.RECTIFICATION, proven=""), **(same | {"name": "X"}))
    assert DataRecipient.objects.count() == 0


def test_an_objection_to_surveys_is_carried_out_at_once_by_whatever_channel(cast: Cast, olive: User) -> None:
    request = asked(cast, Kind.OBJECTION, about_surveys=True, proven="")
    unknown = asked(cast, Kind.OBJECTION, about_surveys=True, customer=None, name="Somebody")
    assert objections.carry_out(make.AT) == 1
    assert objections.carry_out(make.AT) == 0
    assert StoppedSurveys.objects.get().customer == cast.carl
    request.refresh_from_db()
    assert request.done_at == make.AT
    requests.sort(unknown, kind=Kind.OBJECTION, about_surveys=True, customer=cast.rhea, by=olive, at=make.AT)
    assert objections.carry_out(make.AT) == 1


# ---------------------------------------------------------------- the doors


def test_a_customer_asks_on_the_page_of_the_request_and_only_once_for_one_sheet(cast: Cast, matter: Ticket) -> None:
    carl = request_links.address_of("carl@northwind.example")
    assert carl is not None
    page = f"/request/{request_links.token(matter, carl, at=make.AT)}/data/"
    client = Client()
    token = re.search(r'name="token" value="([^"]+)"', client.get(page).content.decode())
    assert token
    assert not DataRequest.objects.exists(), "looking is not asking"
    for _twice in range(2):
        assert client.post(page, {"kind": "access", "token": token[1]}).status_code == 302
    request = DataRequest.objects.get()
    assert (request.kind, request.channel, request.customer, request.identity) == (
        "access",
        "page",
        cast.carl,
        "proven",
    )
    assert (request.answer.starts_at, request.path) == (make.AT, matter.path)
    wrong = client.post(page, {"kind": "rectification", "token": "", "words": " "})
    assert (wrong.status_code, DataRequest.objects.count()) == (422, 1)
    client.post(page, {"kind": "surveys", "token": ""})
    assert DataRequest.objects.filter(about_surveys=True, kind="objection").exists()
    assert "Answer by" in client.get(page).content.decode()


def test_staff_open_one_from_a_ticket_with_what_the_ticket_knows(cast: Cast, matter: Ticket) -> None:
    client = browser(cast.rita)
    assert f"/data-request/add/?ticket={matter.pk}" in client.get(matter.path).content.decode()
    form = client.get(f"/data-request/add/?ticket={matter.pk}").content.decode()
    assert f'value="{cast.carl.pk}"' in form
    sent = client.post(
        f"/data-request/add/?ticket={matter.pk}",
        {
            "kind": "erasure", "channel": "mail", "received_at": "2025-03-03T04:00", "team": cast.team.pk,
            "customer": cast.carl.pk,
        },
    )  # fmt: skip
    assert sent.status_code == 302
    request = DataRequest.objects.get()
    assert (request.kind, request.path, request.subject_ref) == ("erasure", matter.path, matter.reference)
    assert browser(cast.otto).get(f"/data-request/add/?ticket={matter.pk}").status_code == 404


def test_an_auditor_reads_the_request_without_knowing_who_asked(cast: Cast, olive: User) -> None:
    request = asked(cast, words="I, Carl Contact, want it all at carl@northwind.example")
    page = browser(cast.vera).get(request.own_path).content.decode()
    assert "want it all" in page
    assert "Carl" not in page
    assert "northwind.example" not in page
    assert "Carl Contact" in browser(olive).get(request.own_path).content.decode()
    assert "Carl" not in browser(cast.vera).get("/privacy/").content.decode()


# ---------------------------------------------------------------- erasing, and keeping without using


def _erased(at: dt.datetime) -> None:
    while erasing.carry_out(at):
        pass


def given_to(cast: Cast, olive: User) -> None:
    recipients.record(
        cast.contract, customer=cast.carl, name="Parcel firm", mail="data@parcels.example", what="Name and address",
        given_at=make.AT - DAY, by=olive, at=make.AT,
    )  # fmt: skip


def test_an_erasure_on_request_tells_the_person_and_the_recipients_and_then_forgets_the_request_too(
    cast: Cast, olive: User, matter: Ticket
) -> None:
    given_to(cast, olive)
    Ticket.objects.filter(pk=matter.pk).update(state="closed", closed_at=make.AT)
    request = asked(cast, Kind.ERASURE, words="Erase me, SAID-CARL")
    doubtful = asked(cast, Kind.ERASURE, proven="")
    done: dict[str, Any] = {"basis": "consent_withdrawn", "words": "It is gone.", "at": make.AT}
    with pytest.raises(Refused, match="not proven"):
        carrying_out.erase(doubtful, by=olive, **done)
    with pytest.raises(Refused, match="privacy owner"):
        carrying_out.erase(request, by=cast.adam, **done)
    requests.withdraw(doubtful, words="Twice", by=olive, at=make.AT)
    erasure = carrying_out.erase(request, by=olive, **done)
    assert erasure.request_ref == request.reference
    _erased(make.AT)
    request.refresh_from_db()
    cast.carl.refresh_from_db()
    assert (request.words, cast.carl.name) == ("Erase me, SAID-CARL", "Carl Contact"), "its mails have not gone yet"
    mails = OutboundMessage.objects.filter(kind="privacy", state="queued").order_by("pk")
    assert [(mail.to, "Carl Contact" in mail.body) for mail in mails] == [
        (["data@parcels.example"], True), (["carl@northwind.example"], False),
    ]  # fmt: skip
    for mail in list(mails):
        mail.state, mail.accepted_at, mail.ended_at = "accepted", make.AT + SECOND, make.AT + SECOND
        mail.save()
    assert request_loops.settle(make.AT + HOUR) == 1
    _erased(make.AT + HOUR)
    request.refresh_from_db()
    cast.carl.refresh_from_db()
    assert (request.state, request.name, request.address, request.words) == ("answered", "", "", "")
    assert cast.carl.erased_at is not None
    erasure.refresh_from_db()
    assert erasure.certificate
    left = repr([*OutboundMessage.objects.values(), *TrailEntry.objects.values(), *request.steps.values()])
    for gone in ("Carl Contact", "carl@northwind.example", "SAID-CARL"):
        assert gone not in left, gone


def test_a_restriction_locks_tells_and_passes_on(cast: Cast, olive: User, matter: Ticket) -> None:
    given_to(cast, olive)
    request = asked(cast, Kind.RESTRICTION)
    carrying_out.restrict(request, until=make.AT + 30 * DAY, reason="The bill is disputed.", by=olive, at=make.AT)
    assert locking.is_locked("customer", cast.carl.pk)
    assert OutboundMessage.objects.filter(to=["data@parcels.example"]).count() == 1
    request.refresh_from_db()
    assert request.done_at == make.AT
    with pytest.raises(Refused, match="done already"):
        carrying_out.restrict(request, until=make.AT + 30 * DAY, reason="Again", by=olive, at=make.AT)
    requests.answer(request, words="It is locked.", by=olive, at=make.AT)
