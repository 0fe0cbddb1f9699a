"""Clause 3.2: an amount above somebody's limit waits for another person before the matter is resolved."""

from decimal import Decimal

import pytest
from django.db import IntegrityError, transaction

from csp.events import Act
from csp.models import Notice, TrailEntry
from csp.roles import Role
from tests import factories as make
from tests.cast import Cast
from tests.contract.refusals import refused
from tests.tickets.desk import at_nine, browser
from tickets import authority, closing, lifecycle, resolving
from tickets.closing import NotFinished
from tickets.handling import Refused
from tickets.models import Approval, AuthorityLimit, Category, Resolution, Ticket

pytestmark = pytest.mark.usefixtures("at_nine")
__all__ = ["at_nine"]
AT, HOUR = make.AT, make.HOUR
SAID = {"cause": "work", "cause_note": "Not tested.", "kind": "goodwill", "text": "Paid for the lost day."}
REP, LEAD = Role.REPRESENTATIVE, Role.SUPERVISOR
State = Ticket.State


@pytest.fixture
def ticket(cast: Cast) -> Ticket:
    """A complaint of Rita's, answered; representatives may grant 80 alone."""
    authority.set_limit(cast.contract, role=REP, amount=Decimal(80), by=cast.sam, at=AT)
    row = make.ticket(team=cast.team, customer=cast.carl, assignee=cast.rita, kind=Ticket.Kind.COMPLAINT)
    make.answer(ticket=row, by=cast.rita, at=AT + HOUR, accepted_at=AT + HOUR)
    return Ticket.objects.get(pk=row.pk)


def lacking(ticket: Ticket, to: State = State.RESOLVED) -> list[str]:
    return [row.name for row in closing.missing(Ticket.objects.get(pk=ticket.pk), to) if row.name != "steps"]


def grant(ticket: Ticket, amount: str, by: object, hours: int = 2) -> Resolution:
    return resolving.write_down(ticket, by=by, at=AT + hours * HOUR, **SAID, amount=Decimal(amount))


def told(user: object) -> list[str]:
    return list(Notice.objects.filter(user=user, kind=Notice.Kind.APPROVAL).values_list("facts__says", flat=True))


def test_the_limit_itself_needs_nobody_and_a_cent_more_needs_another_person(cast: Cast, ticket: Ticket) -> None:
    grant(ticket, "80.00", cast.rita)
    assert lacking(ticket) == []
    assert not Approval.objects.exists()
    grant(ticket, "80.01", cast.rita)
    assert lacking(ticket) == lacking(ticket, State.CLOSED)[:1] == ["approval"]
    assert told(cast.sam) == ["amount.asked"]
    assert not told(cast.rita)
    with pytest.raises(NotFinished, match="Another person has to approve it"):
        lifecycle.change_state(ticket, to=State.RESOLVED, by=cast.sam, at=AT + 3 * HOUR)
    row = authority.decide(ticket, by=cast.sam, at=AT + 3 * HOUR, agrees=True)
    assert (row.amount, row.limit, row.asked_by, row.decided_by) == (Decimal("80.01"), 80, cast.rita, cast.sam)
    assert lacking(ticket) == []
    assert told(cast.rita) == ["amount.agreed"]
    acts = list(TrailEntry.objects.filter(act__startswith="amount.").order_by("pk").values_list("act", "actor"))
    assert acts == [(Act.AMOUNT_ASKED, f"user:{cast.rita.pk}"), (Act.AMOUNT_AGREED, f"user:{cast.sam.pk}")]
    grant(ticket, "80.00", cast.rita, 4)  # less than was approved
    grant(ticket, "80.01", cast.rita, 5)  # and again as much
    assert lacking(ticket) == []
    grant(ticket, "80.02", cast.rita, 6)  # more is another question
    assert lacking(ticket) == ["approval"]


def test_nobody_approves_an_own_amount_or_one_above_an_own_limit(cast: Cast, ticket: Ticket) -> None:
    second = make.person(name="Ria Second", role=REP, team=cast.team)
    authority.set_limit(cast.contract, role=LEAD, amount=Decimal(500), by=cast.adam, at=AT)
    grant(ticket, "100", cast.rita)
    for person, sentence in ((cast.rita, "own amount"), (second, "above your limit"), (cast.olga, "role")):
        with pytest.raises(Refused, match=sentence):
            authority.decide(ticket, by=person, at=AT + 3 * HOUR, agrees=True)
    with pytest.raises(Refused, match="Say why not"):
        authority.decide(ticket, by=cast.sam, at=AT + 3 * HOUR, agrees=False, reason=" ")
    authority.decide(ticket, by=cast.sam, at=AT + 3 * HOUR, agrees=False, reason="Half is enough.")
    assert lacking(ticket) == ["approval"]
    assert told(cast.rita) == ["amount.refused"]
    with pytest.raises(Refused, match="waits"):
        authority.decide(ticket, by=cast.sam, at=AT + 3 * HOUR, agrees=True)
    # Words of another person's do not make the amount theirs, another amount does.
    resolving.write_down(ticket, by=cast.sam, at=AT + 4 * HOUR, **SAID, amount=Decimal(100))
    assert lacking(ticket) == ["approval"]
    grant(ticket, "101", cast.sam, 5)
    assert lacking(ticket) == []
    assert set(Approval.objects.values_list("decision", flat=True)) == {"refused", "dropped"}
    # Above the limit of every supervisor here administrators are told.
    grant(ticket, "500.01", cast.sam, 6)
    assert lacking(ticket) == ["approval"]
    assert told(cast.adam) == ["amount.asked"]
    with pytest.raises(Refused, match="own amount"):
        authority.decide(ticket, by=cast.sam, at=AT + 7 * HOUR, agrees=True)


def test_a_limit_is_by_category_and_counts_from_now_on(cast: Cast, ticket: Ticket) -> None:
    freight = Category.objects.create(contract=cast.contract, name="Freight")
    Ticket.objects.filter(pk=ticket.pk).update(category=freight)
    ticket.refresh_from_db()
    authority.set_limit(cast.contract, role=REP, amount=Decimal(20), by=cast.sam, at=AT, category=freight)
    assert authority.limit_of(cast.rita, ticket) == 20
    assert authority.limit_of(cast.sam, ticket) is None
    assert authority.limit_of(cast.otto, ticket) == 0
    grant(ticket, "30", cast.rita)
    assert lacking(ticket) == ["approval"]
    authority.set_limit(cast.contract, role=REP, amount=None, by=cast.sam, at=AT, category=freight)
    assert authority.limit_of(cast.rita, ticket) is None
    assert lacking(ticket) == ["approval"]  # until it is written down anew
    grant(ticket, "30", cast.rita, 3)
    assert lacking(ticket) == []
    authority.set_limit(cast.contract, role=REP, amount=Decimal(10), by=cast.sam, at=AT, category=freight)
    assert lacking(ticket) == []
    assert AuthorityLimit.objects.filter(category=freight, ended_at=AT).count() == 2
    for role, by, sentence in ((LEAD, cast.sam, "administrator"), (REP, cast.rita, "role"), (REP, cast.vera, "role")):
        with pytest.raises(Refused, match=sentence):
            authority.set_limit(cast.contract, role=role, amount=Decimal(9999), by=by, at=AT)


def test_what_was_approved_and_what_the_limits_were_stays(cast: Cast, ticket: Ticket) -> None:
    grant(ticket, "100", cast.rita)
    authority.decide(ticket, by=cast.sam, at=AT + 3 * HOUR, agrees=True, reason="Once.")
    for change in (
        "update tickets_approval set amount = 5000",
        "update tickets_approval set decision = 'refused'",
        f"update tickets_approval set decided_by_id = {cast.olga.pk}",
        "delete from tickets_approval",
        "update tickets_authoritylimit set amount = 5000",
        "delete from tickets_authoritylimit",
    ):
        refused(change, saying="a fact on record does not change|removed by disposal only")
    with pytest.raises(IntegrityError), transaction.atomic():
        AuthorityLimit.objects.create(
            contract=cast.contract, role=REP, amount=1, set_at=AT, set_by=cast.sam
        )  # fmt: skip


def test_it_is_asked_and_decided_in_the_browser_and_limits_are_set_there(cast: Cast, ticket: Ticket) -> None:
    rita, sam, adam = browser(cast.rita), browser(cast.sam), browser(cast.adam)
    rita.post(f"{ticket.path}resolution/", {**SAID, "amount": "120.50", "then": ""})
    page = rita.get(ticket.path).content.decode()
    assert "120.50 waits for another person; the limit of Rita Representative is 80.00" in page
    where = f"{ticket.path}approval/"
    assert "would grant 120.50; up to 80.00" in sam.get(where).content.decode()
    assert "own amount" in rita.post(where, {"agrees": "yes"}).content.decode()
    refusal = sam.post(where, {"agrees": "no", "reason": ""})
    assert (refusal.status_code, "Say why not" in refusal.content.decode()) == (422, True)
    assert sam.post(where, {"agrees": "yes", "reason": "Once."}).status_code == 302
    assert "120.50: Approved, Sam Supervisor" in rita.get(ticket.path).content.decode()
    limits = "/settings/limits/"
    begun = {"contract": cast.contract.pk, "category": "", "role": REP, "amount": "60"}
    assert sam.post(limits, begun).status_code == 302
    assert "60.00" in adam.get(limits).content.decode()
    assert sam.post(limits, {**begun, "role": LEAD}).status_code == 422
    assert sam.post(limits, {**begun, "amount": "-1"}).status_code == 422
    assert adam.post(limits, {**begun, "role": LEAD, "amount": ""}).status_code == 302
    assert (rita.get(limits).status_code, browser(cast.vera).get(limits).status_code) == (403, 403)
    assert [who.post(limits).status_code for who in (rita, sam, adam)] == [403, 200, 200]
    found = {who.name: browser(who).post(where).status_code for who in (cast.otto, cast.sam, cast.vera, cast.adam)}
    assert list(found.values()) == [404, 422, 403, 403]
