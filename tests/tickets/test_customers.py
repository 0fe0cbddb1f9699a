"""Customers: their record and addresses, whose ticket one is, and two who turn out to be one."""

from __future__ import annotations

import pytest

from csp import holding
from csp.access import Refused
from csp.events import Act
from csp.models import Address, Appointment, Customer, OutboundMessage, TrailEntry
from csp.privacy import locking
from csp.roles import Office, Role
from tests import factories as make
from tests.cast import Cast
from tests.factories import AT, DAY, HOUR, SECOND
from tests.tickets.intake.letters import arrive, letter, mailbox
from tickets import acknowledging, confidence, customers, merging, search
from tickets.intake import threading
from tickets.models import Ticket

pytestmark = pytest.mark.django_db
SAID = {"organisation": "Northwind", "language": "de", "zone": "Europe/Berlin", "note": "Call before noon."}


@pytest.fixture
def ticket(cast: Cast) -> Ticket:
    return make.ticket(team=cast.team, customer=cast.carl)


def acts(subject: str) -> list[str]:
    return list(TrailEntry.objects.filter(subject=subject).order_by("pk").values_list("act", flat=True))


def locked(cast: Cast) -> None:
    """All that is held of Carl is locked on his request."""
    owner = make.person(name="Pia Privacy")
    Appointment.objects.create(
        contract=cast.contract, office=Office.PRIVACY_OWNER, user=owner, starts_at=make.SINCE
    )  # fmt: skip
    until = AT + 30 * DAY
    locking.lock(cast.carl, contract=cast.contract, by=owner, at=AT, until=until, reason="You contest it.")


def parked(cast: Cast) -> Ticket:
    """A mail that does not say who sent it."""
    mailbox(cast.team)
    row = arrive(letter(sender=""))
    assert row.ticket is not None
    acknowledging.acknowledge(AT)
    row.ticket.refresh_from_db()
    return row.ticket


# ---------------------------------------------------------------- the record


def test_whoever_serves_a_customer_changes_the_record_and_it_says_what_it_was(cast: Cast, ticket: Ticket) -> None:
    customers.change(cast.carl, by=cast.rita, at=AT, name=" Carl  Contact ", **SAID)
    carl = Customer.objects.get(pk=cast.carl.pk)
    assert (carl.name, carl.language, carl.zone, carl.note) == (
        "Carl Contact", "de", "Europe/Berlin", "Call before noon.",
    )  # fmt: skip
    assert carl.history.count() == 2
    entry = TrailEntry.objects.get(act=Act.CUSTOMER_CHANGED)
    assert "note" in entry.facts
    assert "Call before noon." not in entry.facts
    customers.change(cast.carl, by=cast.rita, at=AT, name="Carl Contact", **SAID)
    assert TrailEntry.objects.filter(act=Act.CUSTOMER_CHANGED).count() == 1


def test_others_do_not_change_it(cast: Cast, ticket: Ticket) -> None:
    for person in (cast.otto, cast.vera, cast.adam, cast.fay):
        with pytest.raises(Refused, match="works on a ticket"):
            customers.change(cast.carl, by=person, at=AT, name="X", **SAID)
        with pytest.raises(Refused, match="works on a ticket"):
            customers.add_address(cast.carl, kind="mail", value="x@y.example", by=person, at=AT)


def test_who_a_complaint_is_about_does_not_reach_the_customer_through_it(cast: Cast) -> None:
    ticket = make.ticket(team=cast.team, customer=cast.carl, kind=Ticket.Kind.COMPLAINT)
    confidence.say_whom(ticket, about=cast.rita, by=cast.sam, at=AT)
    assert not customers.serves(cast.carl, cast.rita)


@pytest.mark.parametrize(("field", "value"), [("zone", "Mars/Phobos"), ("language", "not a language")])
def test_what_is_no_zone_or_language_is_refused(cast: Cast, ticket: Ticket, field: str, value: str) -> None:
    with pytest.raises(Refused, match="that we know"):
        customers.change(cast.carl, by=cast.rita, at=AT, name="Carl", **(SAID | {field: value}))


# ---------------------------------------------------------------- addresses


@pytest.mark.parametrize(
    ("kind", "typed", "kept"),
    [("mail", " Carl@Home.Example ", "carl@home.example"), ("phone", "+44 (20) 7946-0000", "+442079460000")],
)
def test_an_address_is_kept_in_one_form(cast: Cast, ticket: Ticket, kind: str, typed: str, kept: str) -> None:
    row = customers.add_address(cast.carl, kind=kind, value=typed, by=cast.rita, at=AT)
    assert row.value == kept
    assert row.is_primary == (kind == "phone")  # the first of its kind
    assert Act.ADDRESS_ADDED in acts(f"customer:{cast.carl.pk}")


@pytest.mark.parametrize(
    ("kind", "typed", "says"),
    [
        ("mail", "nonsense", "cannot be written to"),
        ("mail", "support@desk.example", "one of our own"),
        ("phone", "12", "five"),
        ("phone", "x", "five"),
        ("mail", "CARL@northwind.example", "has this address already"),
    ],
)
def test_what_is_no_address_is_refused(cast: Cast, ticket: Ticket, kind: str, typed: str, says: str) -> None:
    mailbox(cast.team)
    with pytest.raises(Refused, match=says):
        customers.add_address(cast.carl, kind=kind, value=typed, by=cast.rita, at=AT)


def test_an_address_belongs_to_one_customer_and_the_refusal_names_who(cast: Cast, ticket: Ticket) -> None:
    with pytest.raises(customers.Taken, match="join them") as refusal:
        customers.add_address(cast.carl, kind="mail", value="Rhea@Rival.example", by=cast.rita, at=AT)
    assert refusal.value.customer == cast.rhea


def test_mail_from_an_address_that_was_added_is_theirs_and_a_participants(cast: Cast, ticket: Ticket) -> None:
    customers.add_address(cast.carl, kind="mail", value="carl@home.example", by=cast.rita, at=AT)
    mailbox(cast.team)
    row = arrive(letter(sender="carl@home.example"), at=AT + HOUR)
    assert row.ticket is not None
    assert row.ticket.customer == cast.carl
    assert "carl@home.example" in threading.participants(ticket)


def test_another_becomes_the_first_when_the_first_goes(cast: Cast, ticket: Ticket) -> None:
    second = customers.add_address(cast.carl, kind="mail", value="carl@home.example", by=cast.rita, at=AT)
    third = customers.add_address(cast.carl, kind="mail", value="c@c.example", by=cast.rita, at=AT, is_primary=True)
    assert [row.pk for row in cast.carl.addresses.filter(is_primary=True)] == [third.pk]
    customers.make_primary(second, by=cast.rita, at=AT)
    customers.remove_address(second, by=cast.rita, at=AT)
    left = cast.carl.addresses.order_by("pk")
    assert [(row.value, row.is_primary) for row in left] == [("carl@northwind.example", True), ("c@c.example", False)]
    assert Act.ADDRESS_REMOVED in acts(f"customer:{cast.carl.pk}")
    assert Address.history.filter(id=second.pk, history_type="-").exists()


def test_a_number_is_added_by_who_serves_the_customer_and_not_while_they_are_locked(cast: Cast, ticket: Ticket) -> None:
    who = {"name": "", "email": "carl@northwind.example", "at": AT}

    def numbers() -> list[str]:
        return list(cast.carl.addresses.filter(kind="phone").values_list("value", flat=True))

    for stranger in (cast.otto, cast.olga):
        assert customers.find_or_add(phone="020 7946 0001", by=stranger, **who) == cast.carl
    assert (numbers(), acts(f"customer:{cast.carl.pk}")) == ([], [])
    assert customers.find_or_add(phone="020 7946 0002", by=cast.rita, **who) == cast.carl
    assert numbers() == ["02079460002"]
    locked(cast)
    assert customers.find_or_add(phone="020 7946 0003", by=cast.rita, **who) == cast.carl  # linked, for a new ticket
    assert numbers() == ["02079460002"]


def test_nobody_finds_who_is_locked(cast: Cast, ticket: Ticket) -> None:
    assert search.customers_like("carl@northwind.example", user=cast.otto, limit=5) == [cast.carl]
    locked(cast)
    for words in ("carl@northwind.example", "carl@north", "Carl"):
        for person in (cast.rita, cast.otto):
            assert search.customers_like(words, user=person, limit=5) == [], words


def test_what_waited_for_an_address_is_acknowledged(cast: Cast) -> None:
    phil = customers.find_or_add(name="Phil", email="", phone="020 7946 0000", by=cast.rita, at=AT)
    ticket = make.ticket(team=cast.team, customer=phil)
    acknowledging.acknowledge(AT)
    ticket.refresh_from_db()
    assert ticket.acknowledge_next_at is None
    assert "No e-mail address" in ticket.acknowledge_by_hand
    customers.add_address(phil, kind="mail", value="phil@home.example", by=cast.rita, at=AT + HOUR)
    acknowledging.acknowledge(AT + HOUR)
    assert OutboundMessage.objects.get(kind="acknowledgement").to == ["phil@home.example"]


# ---------------------------------------------------------------- whose ticket it is


def test_a_mail_without_a_sender_gets_its_customer_and_is_acknowledged_and_answered(cast: Cast) -> None:
    ticket = parked(cast)
    assert ticket.customer is None
    with pytest.raises(Refused, match="Add one"):
        make.answer(ticket=ticket, by=cast.rita, at=AT)
    customers.set_named(ticket, name="Nora New", email="nora@new.example", phone="", by=cast.rita, at=AT + HOUR)
    acknowledging.acknowledge(AT + HOUR)
    ticket.refresh_from_db()
    assert str(ticket.customer) == "Nora New"
    assert OutboundMessage.objects.get(kind="acknowledgement").to == ["nora@new.example"]
    make.answer(ticket=ticket, by=cast.rita, at=AT + 2 * HOUR, accepted_at=AT + 2 * HOUR)
    assert OutboundMessage.objects.get(kind="answer").to == ["nora@new.example"]
    ticket.refresh_from_db()
    assert ticket.respond.met_at == AT + 2 * HOUR
    entry = TrailEntry.objects.get(act=Act.CUSTOMER_SET)
    assert (entry.subject, entry.actor) == (ticket.trail_subject, f"user:{cast.rita.pk}")
    assert Act.CUSTOMER_ADDED in acts(f"customer:{ticket.customer_id}")


def test_a_correction_takes_along_what_was_merged_and_ends_the_others_links(cast: Cast, ticket: Ticket) -> None:
    second = make.ticket(team=cast.team, customer=cast.carl)
    make.ticket(team=cast.team, customer=cast.rhea)
    merging.merge(second, into=ticket, by=cast.rita, at=AT)
    customers.set_customer(second, customer=cast.rhea, by=cast.rita, at=AT + HOUR)
    for row in Ticket.objects.filter(pk__in=[ticket.pk, second.pk]):
        assert (row.customer, row.link_epoch) == (cast.rhea, 1)
    assert ticket.history.count() >= 2
    assert threading.participants(ticket) >= {"rhea@rival.example"}


def test_who_may_not_say_whose_ticket_it_is(cast: Cast, ticket: Ticket) -> None:
    make.ticket(team=cast.other_team, customer=cast.rhea)
    with pytest.raises(Refused, match="cannot be chosen"):  # Rita does not serve Rhea
        customers.set_customer(ticket, customer=cast.rhea, by=cast.rita, at=AT)
    for person in (cast.otto, cast.vera, cast.adam):
        with pytest.raises(Refused):
            customers.set_customer(ticket, customer=cast.rhea, by=person, at=AT)
    # whoever knows the address names her by it
    customers.set_named(ticket, name="", email="rhea@rival.example", phone="", by=cast.rita, at=AT)
    assert Ticket.objects.get(pk=ticket.pk).customer == cast.rhea


def test_a_hold_on_the_customer_keeps_the_ticket_there(cast: Cast, ticket: Ticket) -> None:
    make.ticket(team=cast.team, customer=cast.rhea)
    holding.place(cast.carl, team=cast.team, by=cast.sam, at=AT, reason="A claim")
    with pytest.raises(Refused, match="are held"):
        customers.set_customer(ticket, customer=cast.rhea, by=cast.rita, at=AT)
    with pytest.raises(Refused, match="are held"):
        customers.join(cast.carl, into=cast.rhea, by=cast.rita, at=AT)
    with pytest.raises(Refused, match="are held"):
        customers.remove_address(cast.carl.addresses.get(), by=cast.rita, at=AT)


# ---------------------------------------------------------------- two who are one


def joined(cast: Cast) -> tuple[Ticket, Ticket]:
    """Rhea turns out to be Carl: her ticket and address are his."""
    his = make.ticket(team=cast.team, customer=cast.carl)
    hers = make.ticket(team=cast.team, customer=cast.rhea)
    customers.join(cast.rhea, into=cast.carl, by=cast.rita, at=AT + HOUR)
    return his, hers


def test_two_customers_who_are_one_have_one_record_with_both_addresses_and_all_tickets(cast: Cast) -> None:
    Customer.objects.filter(pk=cast.rhea.pk).update(note="Speaks French.")
    _his, hers = joined(cast)
    rhea, carl = Customer.objects.get(pk=cast.rhea.pk), Customer.objects.get(pk=cast.carl.pk)
    assert (rhea.joined_into, rhea.joined_at) == (carl, AT + HOUR)
    assert carl.note == "Speaks French."
    assert [(row.value, row.is_primary) for row in carl.addresses.order_by("pk")] == [
        ("carl@northwind.example", True), ("rhea@rival.example", False),
    ]  # fmt: skip
    assert set(carl.tickets.values_list("pk", flat=True)) == {_his.pk, hers.pk}
    assert hers.history.first().customer_id == carl.pk
    assert hers.interactions.get().customer_id == rhea.pk  # what was said stays as it was said
    assert Customer.known_as([carl.pk]) == {carl.pk, rhea.pk}
    assert Act.CUSTOMERS_JOINED in acts(f"customer:{carl.pk}")
    assert Act.CUSTOMER_SET in acts(hers.trail_subject)


def test_an_answer_to_another_of_their_addresses_reaches_who_asked_before_they_were_joined(cast: Cast) -> None:
    _his, hers = joined(cast)
    said = make.answer(ticket=hers, by=cast.rita, at=AT + 2 * HOUR)
    OutboundMessage.objects.filter(kind="answer").update(to=["carl@northwind.example"])
    make.accept(interaction=said, at=AT + 2 * HOUR)
    hers.refresh_from_db()
    assert hers.respond.met_at == AT + 2 * HOUR


def test_a_join_is_undone_within_the_day_with_what_came_since(cast: Cast) -> None:
    Customer.objects.filter(pk=cast.rhea.pk).update(note="Speaks French.")
    his, hers = joined(cast)
    mailbox(cast.team)
    since = arrive(letter(sender="rhea@rival.example"), at=AT + 2 * HOUR).ticket
    assert since is not None
    assert since.customer == cast.carl
    customers.part(cast.rhea, by=cast.rita, at=AT + HOUR + DAY)
    rhea = Customer.objects.get(pk=cast.rhea.pk)
    assert rhea.joined_into is None
    assert set(rhea.tickets.values_list("pk", flat=True)) == {hers.pk, since.pk}
    assert [(row.value, row.is_primary) for row in rhea.addresses.all()] == [("rhea@rival.example", True)]
    assert list(Customer.objects.get(pk=cast.carl.pk).tickets.all()) == [his]
    assert Customer.objects.get(pk=cast.carl.pk).note == ""
    assert Act.CUSTOMERS_PARTED in acts(f"customer:{rhea.pk}")


def test_after_the_day_or_with_merged_tickets_a_join_stays(cast: Cast) -> None:
    his, hers = joined(cast)
    with pytest.raises(Refused, match="for a day"):
        customers.part(cast.rhea, by=cast.rita, at=AT + HOUR + DAY + SECOND)
    merging.merge(hers, into=his, by=cast.rita, at=AT + 2 * HOUR)
    with pytest.raises(Refused, match="were merged since"):
        customers.part(cast.rhea, by=cast.rita, at=AT + 3 * HOUR)
    merging.unmerge(hers, by=cast.rita, at=AT + 4 * HOUR)
    customers.part(cast.rhea, by=cast.rita, at=AT + 5 * HOUR)


def test_only_who_works_in_all_their_teams_joins_two_customers(cast: Cast, ticket: Ticket) -> None:
    make.ticket(team=cast.team, customer=cast.rhea)
    make.ticket(team=cast.other_team, customer=cast.rhea)
    with pytest.raises(Refused, match="Another team"):
        customers.join(cast.rhea, into=cast.carl, by=cast.rita, at=AT)
    with pytest.raises(Refused, match="tickets of both"):
        customers.join(cast.rhea, into=cast.carl, by=cast.otto, at=AT)
    with pytest.raises(Refused, match="one customer already"):
        customers.join(cast.rhea, into=cast.rhea, by=cast.rita, at=AT)
    make.grant(user=cast.sam, role=Role.SUPERVISOR, team=cast.other_team)
    customers.join(cast.rhea, into=cast.carl, by=cast.sam, at=AT)
    with pytest.raises(Refused, match="was joined"):
        customers.join(cast.rhea, into=cast.carl, by=cast.sam, at=AT)


def test_new_customers_are_in_the_trail_whoever_brought_them(cast: Cast) -> None:
    mailbox(cast.team)
    ticket = arrive(letter(sender="Nora New <nora@new.example>")).ticket
    assert ticket is not None
    entry = TrailEntry.objects.get(act=Act.CUSTOMER_ADDED)
    assert (entry.subject, entry.actor) == (f"customer:{ticket.customer_id}", "system:intake")
    assert "nora@new.example" not in entry.facts
