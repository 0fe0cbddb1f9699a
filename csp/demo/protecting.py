"""What persons asked for their data, to their erasure and a lock; two breaches; register, notices (clause 6.1)."""

from __future__ import annotations

import datetime as dt

from django.db import transaction

from csp import loops, trail
from csp.demo import seldom
from csp.demo.company import Company
from csp.demo.ruling import told
from csp.models import Customer, DataBreach, DataRequest, Erasure, Lock, OutboundMessage, User
from csp.privacy import (
    breaches,
    carrying_out,
    erasing,
    locking,
    processing,
    published,
    recipients,
    request_loops,
    requests,
    terms,
)

DAY, HOUR, SECOND = dt.timedelta(days=1), dt.timedelta(hours=1), dt.timedelta(seconds=1)
Kind, Channel = DataRequest.Kind, DataRequest.Channel

NOTICE = {
    "en-gb": """# Who is responsible

Lakeside Home. You reach our data protection officer at privacy@lakeside.example.

# What we keep, and why

Your name and addresses, what you wrote and what we answered, to settle your matter and to show that we did (contract).

# How long

Five years after the matter is closed, as our service contract says; feedback as long.

# Your rights

You can see, correct, take along or erase your data, restrict it and object, on the page of your request or by a mail.
""",
    "de": """# Wer verantwortlich ist

Lakeside Home. Unsere Datenschutzbeauftragte erreichen Sie unter privacy@lakeside.example.

# Was wir speichern, und warum

Name und Adressen, was Sie schrieben und was wir antworteten, um Ihr Anliegen zu erledigen und das zu belegen (Vertrag).

# Wie lange

Fünf Jahre nach dem Abschluss, wie es unser Servicevertrag sagt; Rückmeldungen ebenso.

# Ihre Rechte

Sie können Ihre Daten einsehen, berichtigen, mitnehmen, löschen, einschränken lassen und widersprechen.
""",
}
REGISTER = (
    ("Answering inquiries and complaints", "To answer customers and to show that it was done in time",
     "Contract (article 6(1)(b))", "Customers and whoever writes for them", "Names, addresses, letters, calls, files",
     "The carrier, for deliveries", "Five years after closing, then thirty days"),
    ("Surveys and feedback", "To find out how good the service is", "Legitimate interest (article 6(1)(f))",
     "Customers", "Scores and remarks, who gave them kept apart and encrypted", "", "Five years"),
    ("Training and reviews of staff", "To keep the service good", "Employment (article 6(1)(b))", "Staff",
     "Courses, tests, reviews", "", "Two years after a review, training until five years after leaving"),
)  # fmt: skip


def protect(firm: Company, anchor: dt.datetime) -> None:
    """Make all of it up to the anchor, in one transaction; found again later."""
    if DataRequest.objects.exists():
        return
    whole = transaction.atomic()
    whole._from_testcase = True  # type: ignore[attr-defined]  # as csp.demo.past.tell says
    with whole, trail.source("demonstration"):
        _protect(firm, anchor)


def _protect(firm: Company, anchor: dt.datetime) -> None:
    amara = User.objects.get(name="Amara Diallo")
    terms.change(
        firm.contract,
        {"authority": "The Information Commissioner", "authority_url": "https://authority.example/complain",
         "country": "GB", "subdivision": "ENG"},
        by=amara, at=anchor - 90 * DAY,
    )  # fmt: skip
    for language, text in NOTICE.items():
        published.publish(firm.contract, language=language, text=text, by=amara, at=anchor - 90 * DAY)
    names = ("name", "purpose", "basis", "people", "data", "recipients", "kept_for")
    for row in REGISTER:
        values = dict(zip(names, row, strict=True)) | {
            "transfers": "",
            "safeguards": "One permission table, files encrypted under keys of their own, readings recorded.",
        }  # fmt: skip
        processing.save(firm.contract, values, by=amara, at=anchor - 88 * DAY)
    _requests(firm, anchor, amara)
    _forgotten(firm, anchor, amara)
    _locked(firm, anchor, amara)
    _breaches(firm, anchor, amara)


def _requests(firm: Company, anchor: dt.datetime, amara: User) -> None:
    people = list(Customer.objects.filter(addresses__kind="mail", tickets__isnull=False).distinct().order_by("pk")[:5])
    keys = sorted(firm.teams)
    wishes = (
        (Kind.RECTIFICATION, Channel.PHONE, 55, "My name has changed."),
        (Kind.ACCESS, Channel.LETTER, 24, "Please send me all that you hold on me."),
        (Kind.UNSORTED, Channel.FORM, 9, "What do you know of me? And take me off your list."),
        (Kind.ERASURE, Channel.MAIL, 3, "I have moved away. Please forget me."),
    )
    for number, (customer, (kind, channel, days, words)) in enumerate(zip(people, wishes, strict=False)):
        team = firm.teams[keys[number % len(keys)]]
        by = firm.representatives[keys[number % len(keys)]][0]
        at = anchor - days * DAY
        row = requests.open_request(
            team=team, kind=kind, channel=channel, received_at=at - 2 * HOUR, at=at, by=by, customer=customer,
            words=words,
        )  # fmt: skip
        if kind == Kind.RECTIFICATION:
            requests.prove(row, how="Called back on the number on file.", by=amara, at=at + DAY)
            requests.withdraw(row, words="By telephone: it was the right name after all.", by=amara, at=at + 2 * DAY)
        elif kind == Kind.ACCESS:
            requests.ask_identity(row, what="Please name your last order.", by=amara, at=at + DAY)
            requests.prove(row, how="Named the last order.", by=amara, at=at + 4 * DAY)
            recipients.record(
                firm.contract, customer=customer, name="Lakeland Carriers", mail="data@carriers.example",
                what="Name and address, for a delivery", given_at=at - 30 * DAY, by=amara, at=at + 4 * DAY,
            )  # fmt: skip


def _carried(at: dt.datetime) -> None:
    """The next mail server takes what was written to persons, and what waited for that happens."""
    for message in OutboundMessage.objects.filter(
        kind=OutboundMessage.Kind.PRIVACY, state=OutboundMessage.State.QUEUED, created_at=at
    ):
        message.state, message.attempts, message.answer = OutboundMessage.State.ACCEPTED, 1, "250 accepted"
        message.accepted_at = message.ended_at = at + 3 * SECOND
        message.save()
    loops.run_dry(request_loops.settle, at + 5 * SECOND)


def _asked(firm: Company, key: str, kind: DataRequest.Kind, words: str, by: User, at: dt.datetime) -> DataRequest:
    """A customer's wish, by mail; who asks is proven on the next day."""
    ticket = told(key)
    row = requests.open_request(
        team=ticket.team, kind=kind, channel=Channel.MAIL, received_at=at - HOUR, at=at,
        by=firm.representatives["invoices"][0], customer=ticket.customer, words=words,
    )  # fmt: skip
    requests.prove(row, how="Called back on the number on file.", by=by, at=at + DAY)
    return row


def _forgotten(firm: Company, anchor: dt.datetime, amara: User) -> None:
    """Asked for, done, told and certified; the clocks and the proof of what was promised stay."""
    row = _asked(firm, seldom.FORGOTTEN, Kind.ERASURE, "I have moved. Please delete everything about me.", amara,
                 anchor - 19 * DAY)  # fmt: skip
    at = anchor - 16 * DAY
    carrying_out.erase(
        row, basis=Erasure.Basis.NO_LONGER_NEEDED, by=amara, at=at,
        words="Your name, your addresses and all that was written are erased. What remains says that we kept our word.",
    )  # fmt: skip
    _carried(at)
    loops.run_dry(erasing.carry_out, at + 10 * SECOND)


def _locked(firm: Company, anchor: dt.datetime, amara: User) -> None:
    """Kept, and used for nothing until the bank has answered; the privacy owner alone has looked at it since."""
    row = _asked(firm, seldom.DISPUTED, Kind.RESTRICTION, "The date is wrong. Do not use it until that is settled.",
                 amara, anchor - 14 * DAY)  # fmt: skip
    at = anchor - 12 * DAY
    carrying_out.restrict(
        row, until=anchor + 48 * DAY, reason="You dispute the date of a payment; your bank is asked.", by=amara, at=at
    )
    requests.answer(row, words="Nothing of yours is used until your bank has answered.", by=amara, at=at)
    _carried(at)
    for lock in Lock.objects.standing().filter(customer=row.customer).order_by("pk")[:1]:
        locking.read(lock, by=amara, at=anchor - 5 * DAY, reason="The customer rang and asked until when.")


def _breaches(firm: Company, anchor: dt.datetime, amara: User) -> None:
    key = sorted(firm.teams)[0]
    team, by = firm.teams[key], firm.representatives[key][0]
    past = breaches.open_breach(
        team=team, nature=DataBreach.Nature.CONFIDENTIALITY, aware_at=anchor - 40 * DAY, at=anchor - 40 * DAY + HOUR,
        what="A delivery note with an address lay in another customer's parcel.", by=by,
    )  # fmt: skip
    breaches.describe(
        past, data="Name and address of one customer", persons=1, consequences="None likely",
        measures="The note was fetched; two check the parcels.", by=amara, at=anchor - 39 * DAY,
    )  # fmt: skip
    breaches.assess(past, is_high_risk=False, reason="It came back sealed.", by=amara, at=anchor - 39 * DAY)
    breaches.decide_no_risk(
        past, reason="One name, seen by one person who gave it back at once.", by=amara, at=anchor - 39 * DAY
    )
    breaches.close(past, words="Parcels are checked by two.", by=amara, at=anchor - 35 * DAY)
    now = breaches.open_breach(
        team=team, nature=DataBreach.Nature.AVAILABILITY, aware_at=anchor - 30 * HOUR, at=anchor - 29 * HOUR,
        what="A laptop was left on a train. Its disk is encrypted.", by=by,
    )  # fmt: skip
    breaches.assess(now, is_high_risk=False, reason="The disk is encrypted.", by=amara, at=anchor - 20 * HOUR)
