"""Clause 3.2: a complaint about a colleague does not exist for that colleague, anywhere."""

import pytest

from csp import notices
from csp.models import Deadline, KeptFrom, Notice, TrailEntry, User
from csp.roles import Role
from tests import factories as make
from tests.cast import Cast
from tests.csp.test_api import caller
from tests.tickets.desk import at_nine, browser
from tickets import assignment, confidence, desk, escalation, handling, merging, queues, search
from tickets.handling import Refused
from tickets.models import Attachment, Interaction, Ticket

pytestmark = pytest.mark.usefixtures("at_nine")
__all__ = ["at_nine"]
AT, HOUR, DAY, SECOND = make.AT, make.HOUR, make.DAY, make.SECOND
WORDS = "Unbearable rudeness"


@pytest.fixture
def ticket(cast: Cast) -> Ticket:
    """A complaint about Rita, who had it and was on it; her supervisor says so."""
    row = make.ticket(
        team=cast.team, customer=cast.carl, assignee=cast.rita, kind=Ticket.Kind.COMPLAINT, subject=WORDS,
        received_at=AT - 2 * HOUR,
    )  # fmt: skip
    handling.note(row, by=cast.sam, at=AT - HOUR, body="See the file.", files=[make_file()])
    desk.arrive(row, by=cast.rita, at=AT - HOUR)
    make.message(ticket=row, at=AT - HOUR)
    assert cast.rita.notices.filter(subject_ref=row.reference).exists()
    confidence.say_whom(row, about=cast.rita, by=cast.sam, at=AT - HOUR)
    return Ticket.objects.get(pk=row.pk)


def make_file():
    from tickets.conversation import File

    return File("a.txt", "text/plain", b"words")


def test_it_is_in_no_list_search_page_file_or_count_of_theirs(cast: Cast, ticket: Ticket) -> None:
    rita, sam = browser(cast.rita), browser(cast.sam)
    said = Interaction.objects.filter(ticket=ticket).order_by("pk")
    file = Attachment.objects.get(interaction__ticket=ticket)
    for path in (
        ticket.path,
        f"{ticket.path}peek/",
        f"{ticket.path}earlier/",
        f"{ticket.path}resolution/",
        f"{ticket.path}state/",
        f"{ticket.path}write/",
        f"{ticket.path}about/",
        f"/attachments/{file.pk}/",
    ):
        assert rita.get(path).status_code == 404, path
        assert sam.get(path).status_code in (200, 302), path
    assert rita.get(f"/interactions/{said[0].pk}/source/").status_code == 404
    for path in (
        *(f"/queue/{view.value}/" for view in queues.View),
        "/queue/rail/",
        "/search/?q=Unbearable",
        "/palette/?q=Unbearable",
        f"/search/?q={ticket.pk}",
        "/notices/",
        "/unsorted/rulings/",
    ):
        page = rita.get(path, follow=True).content.decode()
        assert WORDS not in page, path
        assert f"{ticket.reference}<" not in page, path
    assert WORDS in sam.get("/search/?q=Unbearable").content.decode()
    assert WORDS in sam.get("/queue/team/").content.decode()
    assert not any(str(one) != "0" for one in queues.counts(cast.rita, at=AT, view=queues.View.TEAM).values())
    assert str(queues.counts(cast.sam, at=AT, view=queues.View.TEAM)["team"]) == "1"
    assert queues.next_for(cast.rita, at=AT) is None
    assert queues.next_for(cast.sam, at=AT).pk == ticket.pk
    assert not search.search(WORDS, user=cast.rita).tickets
    assert rita.get(f"/changes?scope=ticket:{ticket.pk}&since=0").status_code == 400
    changed = {who: who.get("/changes?scope=queue:team&since=_").json()["cursor"] for who in (rita, sam)}
    assert [cursor.endswith("_0") for cursor in changed.values()] == [True, False]


def test_who_complained_is_no_customer_whom_they_find(cast: Cast, ticket: Ticket) -> None:
    """Else the one thing that the colleague would learn is who complained."""
    rita, sam = browser(cast.rita), browser(cast.sam)
    doors = (
        lambda asks, words: asks.get("/tickets/new/customers/", {"find": words}).content.decode(),
        lambda asks, words: asks.get("/search/", {"q": words}).content.decode(),
    )
    for door in doors:
        for words in ("Carl", "Northwind", "carl@north"):
            assert "Carl Contact" not in door(rita, words), words
            assert "Carl Contact" in door(sam, words), words
    found = {
        who: caller(who).get("customers/", q="Carl").json()["items"] for who in (cast.rita, cast.sam)
    }  # fmt: skip
    assert [len(rows) for rows in found.values()] == [0, 1]
    other = make.ticket(team=cast.team, customer=cast.carl)  # another matter of theirs is found as any
    assert search.customers_like("Carl", user=cast.rita, limit=5) == [cast.carl]
    assert [row.pk for row in search.search("Carl", user=cast.rita).tickets] == [other.pk]


def test_it_is_not_theirs_to_work_on_and_leaves_their_hands(cast: Cast, ticket: Ticket) -> None:
    assert ticket.assignee is None
    assert not Deadline.objects.filter(subject_ref=ticket.reference, responsible=cast.rita).exists()
    for act in (
        lambda: assignment.assign(ticket, to=cast.rita, by=cast.sam, at=AT),
        lambda: handling.note(ticket, by=cast.rita, at=AT, body="Mine?"),
        lambda: escalation.escalate(ticket, by=cast.rita, at=AT, reason="Mine?"),
        lambda: confidence.say_whom(ticket, about=None, by=cast.rita, at=AT),
        lambda: confidence.say_whom(ticket, about=cast.sam, by=cast.sam, at=AT),
    ):
        with pytest.raises(Refused):
            act()
    page = browser(cast.sam).get(f"{ticket.path}assign/").content.decode()
    assert (cast.rita.name in page, cast.sam.name in page) == (False, True)
    inquiry = make.ticket(team=cast.team, customer=cast.rhea)
    with pytest.raises(Refused, match="Only a complaint"):
        confidence.say_whom(inquiry, about=cast.rita, by=cast.sam, at=AT)


def test_a_supervisor_hears_and_sees_nothing_of_a_complaint_about_them(cast: Cast, ticket: Ticket) -> None:
    second = make.person(name="Sue Second", role=Role.SUPERVISOR, team=cast.team)
    confidence.say_whom(ticket, about=cast.sam, by=cast.rita if cast.rita.pk != ticket.about_id else second, at=AT)
    assert not cast.sam.notices.filter(subject_ref=ticket.reference).exists()
    with pytest.raises(Refused, match="cannot decide"):
        escalation.escalate(ticket, by=second, at=AT, reason="Rude", to=cast.sam)
    row = escalation.escalate(ticket, by=second, at=AT, reason="Rude")
    make.tick(at=AT + DAY + SECOND)
    make.tick(at=AT + 6 * DAY)
    told = Notice.objects.filter(user=cast.sam)
    assert not [one for one in told if ticket.reference in notices.sentence(one)]
    assert second.notices.filter(subject_ref=ticket.reference).exists()
    with pytest.raises(Refused):
        escalation.accept(row, by=cast.sam, at=AT)
    sam = browser(cast.sam)
    for path in ("/escalations/", "/noncompliance/", "/compliance/complaints/?period=2025-03", "/compliance/promises/"):
        assert ticket.reference not in sam.get(path).content.decode(), path
    assert ticket.reference in browser(second).get("/escalations/").content.decode()
    assert sam.post(f"/escalations/{row.pk}/accept/").status_code == 404


def test_where_only_the_one_concerned_would_hear_administrators_do(cast: Cast, ticket: Ticket) -> None:
    second = make.person(name="Sue Second", role=Role.REPRESENTATIVE, team=cast.team)
    confidence.say_whom(ticket, about=cast.sam, by=second, at=AT)
    escalation.escalate(ticket, by=second, at=AT, reason="Rude")
    assert cast.adam.notices.filter(kind=Notice.Kind.ESCALATION, subject_ref=ticket.reference).exists()


def test_the_reading_room_leaves_it_out_for_an_auditor_whom_it_is_about(cast: Cast, ticket: Ticket) -> None:
    make.grant(user=cast.rita, role=Role.AUDITOR, contract=cast.contract)
    rita, vera = (browser(User.objects.get(pk=person.pk)) for person in (cast.rita, cast.vera))
    entry = TrailEntry.objects.filter(context=ticket.trail_subject).earliest("pk")
    for path in (
        f"/admin/tickets/ticket/{ticket.pk}/change/",
        f"/admin/csp/deadline/{ticket.respond_id}/change/",
        f"/admin/tickets/interaction/{ticket.interactions.earliest('pk').pk}/change/",
        f"/admin/csp/trailentry/{entry.pk}/change/",
    ):
        assert vera.get(path).status_code == 200, path
        assert rita.get(path).status_code == 302, path  # to the first page: there is no such record
    history = "/admin/tickets/historicalticket/"
    assert f">{ticket.pk}<" not in rita.get(history).content.decode()


def test_a_merge_and_its_undoing_keep_it_from_them(cast: Cast, ticket: Ticket) -> None:
    other = make.ticket(team=cast.team, customer=cast.carl, received_at=AT - HOUR, assignee=cast.rita)
    merging.merge(ticket, into=other, by=cast.sam, at=AT)
    assert not Ticket.objects.visible_to(cast.rita).exists()
    assert KeptFrom.objects.filter(user=cast.rita, until__isnull=True).count() == 2
    merging.unmerge(ticket, by=cast.sam, at=AT)
    assert not Ticket.objects.visible_to(cast.rita).filter(pk=ticket.pk).exists()
    confidence.say_whom(other, about=None, by=cast.sam, at=AT)
    assert Ticket.objects.visible_to(cast.rita).filter(pk=other.pk).exists()
