"""Rulings on unsorted mail: genuine dates from the original receipt, spam keeps its reason, both can be looked at."""

from __future__ import annotations

import datetime as dt

import pytest

from csp import notices
from csp.access import Refused
from csp.models import Breach, Contract, Notice, OutboundMessage, TrailEntry, Version
from csp.roles import Role
from tests import factories
from tests.cast import Cast
from tests.factories import AT, DAY, HOUR, SECOND
from tests.tickets.intake.letters import arrive, letter, mailbox
from tickets import acknowledging, sorting
from tickets.models import InboundMessage, Ruling, SenderRule, Ticket

State, Verdict = InboundMessage.State, Ruling.Verdict


@pytest.fixture
def waiting(cast: Cast) -> InboundMessage:
    mailbox(cast.team)
    row = arrive(letter("Order 4711 is late", sender="Shop <noreply@shop.example>"))
    assert row.state == State.UNSORTED
    return row


def test_genuine_opens_the_ticket_with_clocks_from_the_original_receipt(cast: Cast, waiting: InboundMessage) -> None:
    sorting.rule(waiting, Verdict.GENUINE, by=cast.rita, at=AT + 3 * HOUR, reason="An order")
    waiting.refresh_from_db()
    ticket = Ticket.objects.get()
    assert (waiting.state, waiting.ticket) == (State.OPENED, ticket)
    assert ticket.respond.starts_at == ticket.acknowledge.starts_at == AT
    assert ticket.respond.due_at == AT + DAY
    assert ticket.opened_at == AT + 3 * HOUR
    assert not Breach.objects.exists()


def test_ruled_too_late_the_breach_is_there_at_once(cast: Cast, waiting: InboundMessage) -> None:
    sorting.rule(waiting, Verdict.GENUINE, by=cast.rita, at=AT + 2 * DAY, reason="An order")
    found = {row.obligation: row.breached_at for row in Breach.objects.all()}
    assert found == {"acknowledge": AT + DAY, "respond": AT + DAY, "triage": AT + 23 * HOUR}


def test_a_person_who_was_taken_for_a_machine_is_acknowledged(cast: Cast) -> None:
    mailbox(cast.team)
    row = arrive(letter(sender="new@new.example", List_Id="<list.new.example>"))
    assert row.state == State.UNSORTED
    sorting.rule(row, Verdict.GENUINE, by=cast.rita, at=AT + HOUR, reason="A person")
    acknowledging.acknowledge(AT + HOUR)
    assert OutboundMessage.objects.get().to == ["new@new.example"]


def test_spam_keeps_person_and_reason_and_opens_nothing(cast: Cast, waiting: InboundMessage) -> None:
    ruling = sorting.rule(waiting, Verdict.SPAM, by=cast.rita, at=AT + HOUR, reason="Advertising")
    waiting.refresh_from_db()
    assert (waiting.state, ruling.ruled_by, ruling.reason) == (State.SPAM, cast.rita, "Advertising")
    assert not Ticket.objects.exists()
    assert TrailEntry.objects.filter(act="mail.spam", actor=f"user:{cast.rita.pk}").exists()


def test_one_ruling_each_and_never_without_a_reason(cast: Cast, waiting: InboundMessage) -> None:
    with pytest.raises(Refused, match="why"):
        sorting.rule(waiting, Verdict.SPAM, by=cast.rita, at=AT, reason=" ")
    sorting.rule(waiting, Verdict.SPAM, by=cast.rita, at=AT, reason="Advertising")
    with pytest.raises(Refused, match="already"):
        sorting.rule(waiting, Verdict.GENUINE, by=cast.sam, at=AT, reason="No")


def test_only_people_of_the_team_rule_and_see(cast: Cast, waiting: InboundMessage) -> None:
    for nobody in (cast.otto, cast.vera, cast.adam, cast.fay):
        with pytest.raises(Refused):
            sorting.rule(waiting, Verdict.SPAM, by=nobody, at=AT, reason="Mine")
        assert not InboundMessage.objects.visible_to(nobody).exists()
    assert InboundMessage.objects.visible_to(cast.rita).unsorted().get() == waiting


def test_without_a_mailbox_the_first_team_sees_it(cast: Cast) -> None:
    row = arrive(letter(sender="noreply@shop.example"))
    assert InboundMessage.objects.visible_to(cast.rita).get() == row
    assert not InboundMessage.objects.visible_to(cast.otto).exists()
    sorting.rule(row, Verdict.GENUINE, by=cast.rita, at=AT, reason="An order")
    assert Ticket.objects.get().team == cast.team


def test_the_sender_is_known_from_then_on(cast: Cast, waiting: InboundMessage) -> None:
    sorting.rule(waiting, Verdict.GENUINE, by=cast.rita, at=AT, reason="Our shop", also_rule_sender=True)
    rule = SenderRule.objects.get()
    assert (rule.pattern, rule.verdict) == ("noreply@shop.example", "allow")
    assert arrive(letter("Order 2", sender="noreply@shop.example")).state == State.OPENED
    sorting.set_sender_rule(
        "noreply@shop.example", SenderRule.Verdict.BLOCK, by=cast.rita, at=AT, reason="Hacked", contract=cast.contract
    )
    assert arrive(letter("Order 3", sender="noreply@shop.example")).state == State.UNSORTED
    sorting.set_sender_rule("noreply@shop.example", None, by=cast.rita, at=AT, reason="Mended", contract=cast.contract)
    assert not SenderRule.objects.filter(is_active=True).exists()


@pytest.mark.parametrize("pattern", ["shop.example", "", "a b@shop.example", "@", "a@b,c@d"])
def test_a_rule_names_an_address_or_a_domain(cast: Cast, pattern: str) -> None:
    with pytest.raises(Refused, match="Write an address"):
        sorting.set_sender_rule(
            pattern, SenderRule.Verdict.BLOCK, by=cast.rita, at=AT, reason="x", contract=cast.contract
        )


def test_spam_can_be_taken_back_and_is_then_ruled_genuine_from_its_first_receipt(
    cast: Cast, waiting: InboundMessage
) -> None:
    ruling = sorting.rule(waiting, Verdict.SPAM, by=cast.rita, at=AT, reason="Advertising")
    sorting.undo(ruling, by=cast.rita, at=AT + HOUR)
    waiting.refresh_from_db()
    assert waiting.state == State.UNSORTED
    with pytest.raises(Refused):
        sorting.undo(ruling, by=cast.rita, at=AT + HOUR)
    sorting.rule(waiting, Verdict.GENUINE, by=cast.rita, at=AT + 2 * HOUR, reason="An order after all")
    assert Ticket.objects.get().received_at == AT


def test_genuine_is_not_undone_because_its_clocks_run(cast: Cast, waiting: InboundMessage) -> None:
    ruling = sorting.rule(waiting, Verdict.GENUINE, by=cast.rita, at=AT, reason="An order")
    with pytest.raises(Refused, match="waive"):
        sorting.undo(ruling, by=cast.rita, at=AT)


def test_a_share_is_checked_by_somebody_else(cast: Cast) -> None:
    mailbox(cast.team)
    rulings = []
    for number in range(60):
        row = arrive(letter(f"Offer {number}", sender=f"noreply@shop{number}.example"))
        rulings.append(sorting.rule(row, Verdict.SPAM, by=cast.sam, at=AT, reason="Advertising"))
    drawn = [ruling for ruling in rulings if ruling.is_sampled]
    assert 3 <= len(drawn) <= 24
    first, second = drawn[:2]
    with pytest.raises(Refused, match="yourself"):
        sorting.review(first, by=cast.sam, at=AT + HOUR, agrees=True)
    with pytest.raises(Refused):
        sorting.review(first, by=cast.rita, at=AT + HOUR, agrees=True)
    zoe = factories.person(name="Zoe Second", role=Role.SUPERVISOR, team=cast.team)
    assert sorting.review(first, by=zoe, at=AT + HOUR, agrees=True).review_agrees
    sorting.review(second, by=zoe, at=AT + HOUR, agrees=False)
    second.inbound.refresh_from_db()
    assert second.inbound.state == State.UNSORTED, "whoever disagrees takes it back"


def test_what_was_noticed_is_said_in_sentences(cast: Cast) -> None:
    row = arrive(letter(Reply_To="x@y.example", sender="noreply@shop.example"))
    assert any("another address" in sentence for sentence in sorting.sentences(row))
    assert sorting.sort_by(row) == AT + 20 * HOUR


def test_a_whole_domain_is_a_supervisors_to_rule_and_only_for_an_own_contract(cast: Cast) -> None:
    block = SenderRule.Verdict.BLOCK
    with pytest.raises(Refused, match="supervisor"):
        sorting.set_sender_rule("@gmail.com", block, by=cast.rita, at=AT, reason="Spam", contract=cast.contract)
    sorting.set_sender_rule("@gmail.com", block, by=cast.sam, at=AT, reason="Spam", contract=cast.contract)
    other = Contract.objects.create(company="Elsewhere", created_at=AT)
    with pytest.raises(Refused):
        sorting.set_sender_rule("@gmail.com", block, by=cast.sam, at=AT, reason="Spam", contract=other)


def test_a_rule_reaches_the_mail_of_its_contract_alone(cast: Cast) -> None:
    other = Contract.objects.create(company="Elsewhere", created_at=AT)
    Version.objects.create(contract=other, number=0, title="First", in_force_from=factories.SINCE, created_at=AT)
    team = factories.team(contract=other, name="Their desk")
    mailbox(team, address="their@desk.example", is_default=True)
    sorting.set_sender_rule(
        "carl@northwind.example", SenderRule.Verdict.BLOCK, by=cast.rita, at=AT, reason="x", contract=cast.contract
    )
    assert arrive(letter("To them", to="their@desk.example")).state == State.OPENED


@pytest.mark.parametrize(("after", "told"), [(16 * HOUR, 0), (16 * HOUR + SECOND, 2)])
def test_four_hours_before_its_time_is_over_those_who_sort_are_reminded_once(
    cast: Cast, waiting: InboundMessage, after: dt.timedelta, told: int
) -> None:
    assert sorting.warn(AT + after) == told
    assert sorting.warn(AT + after) == 0
    rows = Notice.objects.filter(key__startswith="unsorted:")
    assert {row.user for row in rows} == ({cast.rita, cast.sam} if told else set())
    assert all("has to rule on it by" in notices.sentence(row) for row in rows)
