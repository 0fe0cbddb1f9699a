"""Clause 2.3: a feedback team studies what customers say. Texts that are alike are found, named, and told of in time.

The product suggests out of feedback and tickets; an analyst decides. Of tickets an analyst sees how many of which
category, and no more.
"""

from __future__ import annotations

import datetime as dt

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from csp import loops
from csp.access import Refused
from csp.models import Notice, TrailEntry, User
from csp.roles import Office
from feedback import similar, themes
from feedback.models import Group, Recurrence, Remark, Text, Theme
from tests import factories as make
from tests.cast import Cast
from tests.contract.refusals import refused
from tests.contract.test_4_2_feedback_log import said
from tests.contract.test_8_1_noncompliance import appoint
from tests.tickets.desk import at_nine, browser
from tickets import lifecycle
from tickets.models import Category, Ticket

__all__ = ["at_nine"]
pytestmark = pytest.mark.django_db

DAY, SECOND = make.DAY, make.SECOND
LATE = (
    "The delivery came two hours after the promised window.",
    "Nobody told me that the delivery window had moved.",
    "I waited all morning, the promised delivery window was missed again.",
    "Missed delivery window, second time this month.",
    "Your driver missed the delivery window and nobody called.",
)
BILL = "The invoice is hard to read and lists parts that I never ordered."


def related(*, at: dt.datetime = make.AT) -> int:
    return loops.run_dry(similar.relate, at)


def groups() -> list[set[str]]:
    """The words of each group that has more than one text."""
    found = [
        {text.remark.words if text.remark else text.ticket.subject for text in group.texts.all()}
        for group in Group.objects.order_by("pk")
    ]
    return [words for words in found if len(words) > 1]


def test_texts_that_say_the_same_are_found_whatever_they_are_in(cast: Cast) -> None:
    for words in LATE[:3]:
        said(cast, words=words)
    said(cast, words=BILL)
    said(cast, score=1, words="")
    ticket = make.ticket(team=cast.team, customer=cast.carl, subject="Delivery window missed")
    make.ticket(team=cast.team, customer=cast.rhea, subject="Can I order a second shelf?")
    assert related() == 6, "a score alone says nothing"
    assert related() == 0
    [together] = groups()
    assert together == {*LATE[:3], ticket.subject}


def test_german_texts_are_read_as_german(cast: Cast) -> None:
    one = said(cast, words="Die Lieferung kam viel zu spät und niemand hat angerufen.")
    two = said(cast, words="Niemand hat mich angerufen, dass die Lieferung später kommt.")
    said(cast, words="Die Rechnung war viel zu hoch und niemand hat sie erklärt.")
    related()
    assert {one.words, two.words} in groups()


def test_what_a_ticket_was_resolved_with_counts_once_it_is_known(cast: Cast) -> None:
    said(cast, words="The hinge of the oven door broke after two weeks of use.")
    ticket = make.ticket(team=cast.team, customer=cast.carl, subject="My order of last month")
    related()
    assert groups() == []
    make.answer(ticket=ticket, by=cast.rita, at=make.AT + make.HOUR, accepted_at=make.AT + make.HOUR)
    lifecycle.change_state(
        ticket, to=Ticket.State.RESOLVED, by=cast.rita, at=make.AT + 2 * make.HOUR,
        resolution="Replaced the broken hinge of the oven door after two weeks.",
    )  # fmt: skip
    related(at=make.AT + 2 * make.HOUR)
    assert [len(found) for found in groups()] == [2]
    assert related(at=make.AT + 3 * make.HOUR) == 0, "it moves once"


def test_what_a_remark_became_is_not_counted_beside_it(cast: Cast) -> None:
    said(cast, score=1, words=LATE[0], wants_answer=True)
    assert Ticket.objects.count() == 1
    assert related() == 1


# ---------------------------------------------------------------- the analyst decides


def suggested(cast: Cast, *, count: int = 4) -> tuple[Group, list[Remark]]:
    """A group of remarks that are alike."""
    remarks = [said(cast, words=words) for words in LATE[:count]]
    related()
    group = Group.objects.get(texts__remark=remarks[0])
    return group, remarks


def named(cast: Cast, *, count: int = 4) -> tuple[Theme, list[Remark]]:
    group, remarks = suggested(cast, count=count)
    theme = themes.accept(
        group, remarks, name="Delivery window missed", clause="3.1", team=cast.team, by=cast.fay, at=make.AT
    )
    return theme, remarks


def test_a_suggestion_becomes_a_theme_and_what_comes_later_is_suggested_for_it(cast: Cast) -> None:
    theme, remarks = named(cast, count=3)
    assert set(themes.remarks_of(theme)) == set(remarks)
    ticket = make.ticket(team=cast.team, customer=cast.carl, subject="Promised delivery window missed")
    later = said(cast, words=LATE[3])
    related()
    assert [text.remark for text in similar.unsorted([cast.contract.pk])] == [later]
    assert [text.ticket for text in themes.ticket_texts_of(theme)] == [ticket], "tickets are counted by themselves"
    themes.add(theme, [later], by=cast.fay, at=make.AT)
    assert not similar.unsorted([cast.contract.pk]).exists()
    assert TrailEntry.objects.filter(act="theme.texts_added", subject=theme.trail_subject).count() == 2


def test_merging_splitting_and_dismissing_are_undone(cast: Cast) -> None:
    theme, remarks = named(cast)
    other = themes.begin(cast.contract, name="Late", by=cast.fay, at=make.AT)
    themes.add(other, [said(cast, words=BILL), remarks[0]], by=cast.fay, at=make.AT)
    before = set(themes.remarks_of(theme))

    themes.merge(other, into=theme, by=cast.fay, at=make.AT)
    assert themes.remarks_of(theme).count() == 5, "a remark that was in both counts once"
    assert list(Theme.objects.standing()) == [theme]
    themes.restore(other, by=cast.fay, at=make.AT)
    assert set(themes.remarks_of(theme)) == before
    assert themes.remarks_of(other).count() == 2

    fresh = themes.split(theme, remarks[:2], name="Nobody called", by=cast.fay, at=make.AT)
    assert set(themes.remarks_of(fresh)) == set(remarks[:2])
    assert set(themes.remarks_of(theme)) == set(remarks[2:])
    themes.merge(fresh, into=theme, by=cast.fay, at=make.AT)
    assert set(themes.remarks_of(theme)) == before

    themes.dismiss(theme, by=cast.fay, at=make.AT)
    assert not Theme.objects.standing().filter(pk=theme.pk).exists()
    themes.restore(theme, by=cast.fay, at=make.AT)
    assert Theme.objects.standing().filter(pk=theme.pk).exists()
    refused(f"delete from feedback_theme where id = {theme.pk}", saying="by disposal only")
    refused("update feedback_themetext set remark_id = remark_id + 1", saying="does not change")


def test_a_dismissed_suggestion_is_gone_and_comes_back(cast: Cast) -> None:
    group, _remarks = suggested(cast)
    themes.dismiss_group(group, by=cast.fay, at=make.AT)
    assert group not in similar.standing_groups([cast.contract.pk])
    with pytest.raises(Refused, match="dismissed"):
        themes.accept(group, [], name="x", by=cast.fay, at=make.AT)
    themes.restore_group(group, by=cast.fay, at=make.AT)
    assert group in similar.standing_groups([cast.contract.pk])


@pytest.mark.parametrize("who", ["rita", "sam", "olga", "vera", "adam"])
def test_only_analysts_sort(cast: Cast, who: str) -> None:
    group, remarks = suggested(cast)
    user: User = getattr(cast, who)
    with pytest.raises(Refused):
        themes.accept(group, remarks, name="x", by=user, at=make.AT)
    with pytest.raises(Refused):
        themes.dismiss_group(group, by=user, at=make.AT)


def test_nothing_is_merged_with_itself_or_put_where_nobody_looks(cast: Cast) -> None:
    theme, remarks = named(cast)
    with pytest.raises(Refused, match="another theme"):
        themes.merge(theme, into=theme, by=cast.fay, at=make.AT)
    with pytest.raises(Refused, match="Choose the texts"):
        themes.split(theme, [], name="x", by=cast.fay, at=make.AT)
    themes.dismiss(theme, by=cast.fay, at=make.AT)
    with pytest.raises(Refused, match="takes no texts"):
        themes.add(theme, remarks, by=cast.fay, at=make.AT)


# ---------------------------------------------------------------- recurring


def test_what_recurs_is_told_once_and_on_the_edge_of_the_second(cast: Cast) -> None:
    lead = make.person(name="Lea Lead")
    appoint(cast, Office.FEEDBACK_LEAD, lead)
    window = 28 * DAY
    said(cast, words=LATE[0])
    for words in LATE[1:4]:
        said(cast, words=words, received_at=make.AT + DAY, at=make.AT + DAY)
    make.ticket(
        team=cast.other_team, customer=cast.carl, subject="Delivery window missed", received_at=make.AT + DAY,
        kind=Ticket.Kind.COMPLAINT,
    )  # fmt: skip
    related(at=make.AT + DAY)
    assert themes.recur(make.AT + window) == 0, "the first is 28 days old to the second: it is out"
    assert themes.recur(make.AT + window - SECOND) == 1
    row = Recurrence.objects.get()
    assert (row.remarks, row.tickets, row.recurs_texts, row.recurs_days) == (4, 1, 5, 28)
    told = Notice.objects.filter(facts__says="feedback.recurs")
    assert {notice.user for notice in told} == {cast.fay, lead, cast.sam, cast.olga}, "of both teams concerned"
    said(cast, words=LATE[4], received_at=make.AT + 2 * DAY, at=make.AT + 2 * DAY)
    related(at=make.AT + 2 * DAY)
    for days in (2, 3, 20):
        assert themes.recur(make.AT + days * DAY) == 0
    assert told.count() == 4
    refused("update feedback_recurrence set remarks = 1", saying="does not change")


def test_one_fewer_than_the_rule_asks_recurs_not_and_the_rule_can_be_set(cast: Cast) -> None:
    suggested(cast, count=4)
    assert themes.recur(make.AT) == 0
    with pytest.raises(Refused):
        themes.change_rule(cast.contract, recurs_texts=4, recurs_days=7, by=cast.sam, at=make.AT)
    themes.change_rule(cast.contract, recurs_texts=4, recurs_days=7, by=cast.fay, at=make.AT)
    assert themes.recur(make.AT) == 1


def test_what_is_praised_or_merely_asked_often_is_no_issue(cast: Cast) -> None:
    for words in LATE:
        said(cast, words=words, score=4)
    for _each in range(5):
        make.ticket(team=cast.team, customer=cast.carl, subject="Delivery window missed")
    related()
    assert themes.recur(make.AT) == 0
    Ticket.objects.update(kind=Ticket.Kind.COMPLAINT)
    assert themes.recur(make.AT) == 1
    assert (Recurrence.objects.get().remarks, Recurrence.objects.get().tickets) == (0, 5)


def test_a_group_that_was_told_of_is_not_told_of_again_as_a_theme(cast: Cast) -> None:
    group, remarks = suggested(cast, count=5)
    assert themes.recur(make.AT) == 1
    themes.accept(group, remarks, name="Delivery window missed", by=cast.fay, at=make.AT)
    assert themes.recur(make.AT) == 0


def test_a_theme_recurs_with_what_nobody_has_sorted_yet(cast: Cast) -> None:
    theme, _remarks = named(cast, count=4)
    assert themes.recur(make.AT) == 0
    said(cast, words=LATE[4])
    related()
    assert themes.recur(make.AT) == 1
    assert Recurrence.objects.get().theme == theme


def test_what_was_dismissed_does_not_recur(cast: Cast) -> None:
    group, _remarks = suggested(cast, count=5)
    themes.dismiss_group(group, by=cast.fay, at=make.AT)
    assert themes.recur(make.AT) == 0


# ---------------------------------------------------------------- places are stable

WORDS = ["delivery", "window", "missed", "invoice", "wrong", "amount", "driver", "friendly", "hinge", "broken", "oven"]
SENTENCES = st.lists(
    st.lists(st.sampled_from(WORDS), min_size=1, max_size=6).map(" ".join), min_size=1, max_size=8
)  # fmt: skip


def places_of(cast: Cast, sentences: list[str], *, step: int) -> list[int]:
    """For each sentence the number of the first one in its group, after placing so many at a time."""
    remarks = [said(cast, words=words) for words in sentences]
    while similar.relate(make.AT, limit=step):
        pass
    group_of = dict(Text.objects.filter(remark__in=remarks).values_list("remark", "group"))
    found = [group_of[remark.pk] for remark in remarks]
    return [found.index(group) for group in found]


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(sentences=SENTENCES, more=SENTENCES, step=st.integers(1, 9))
def test_places_do_not_depend_on_the_work_and_stay_when_more_comes(
    cast: Cast, sentences: list[str], more: list[str], step: int
) -> None:
    class Undone(Exception):
        pass

    def tried(all_of_them: list[str], step: int) -> list[int]:
        found: list[int] = []
        whole = transaction.atomic()
        whole._from_testcase = True  # type: ignore[attr-defined]  # the loop's own transactions may stand in it
        try:
            with whole:
                found = places_of(cast, all_of_them, step=step)
                raise Undone
        except Undone:
            return found

    at_once = tried(sentences, 200)
    assert tried(sentences, step) == at_once
    assert tried([*sentences, *more], step)[: len(sentences)] == at_once


@given(st.lists(st.tuples(st.integers(1, 9), st.floats(0, 1)), max_size=9), st.randoms())
def test_the_closest_group_does_not_depend_on_the_order(found: list[tuple[int, float]], random: object) -> None:
    shuffled = list(found)
    random.shuffle(shuffled)  # type: ignore[attr-defined]  # a Random of hypothesis
    best = similar.closest(found)
    assert similar.closest(shuffled) == best
    assert best is None or best[1] >= similar.ENOUGH


# ---------------------------------------------------------------- who sees what


@pytest.mark.usefixtures("at_nine")
def test_analysts_see_of_tickets_only_how_many_of_which_category(cast: Cast) -> None:
    theme, _remarks = named(cast)
    delivery = Category.objects.create(contract=cast.contract, name="Deliveries")
    for team in (cast.team, cast.other_team):
        ticket = make.ticket(team=team, customer=cast.carl, subject="Zanzibar delivery window missed")
        Ticket.objects.filter(pk=ticket.pk).update(category=delivery)
    related()
    ticket = Ticket.objects.get(team=cast.team)
    analyst = browser(cast.fay).get(theme.path).content.decode()
    assert "Deliveries" in analyst
    assert "2 tickets" in analyst
    assert "Zanzibar" not in analyst
    assert ticket.path not in analyst
    supervisor = browser(cast.sam).get(theme.path).content.decode()
    assert ticket.path in supervisor
    assert Ticket.objects.get(team=cast.other_team).path not in supervisor


@pytest.mark.usefixtures("at_nine")
def test_a_supervisor_reads_of_a_theme_what_own_teams_were_told(cast: Cast) -> None:
    here = said(cast, words="Zanzibar: the promised delivery window was missed.")
    there = said(cast, words="Timbuktu: the promised delivery window was missed.", team=cast.other_team)
    theme = themes.begin(cast.contract, name="Windows", by=cast.fay, at=make.AT)
    themes.add(theme, [here, there], by=cast.fay, at=make.AT)
    pages = {name: browser(getattr(cast, name)).get(theme.path).content.decode() for name in ("sam", "olga", "fay")}
    assert ("Zanzibar" in pages["sam"], "Timbuktu" in pages["sam"]) == (True, False)
    assert ("Zanzibar" in pages["olga"], "Timbuktu" in pages["olga"]) == (False, True)
    assert ("Zanzibar" in pages["fay"], "Timbuktu" in pages["fay"]) == (True, True)
    for page in pages.values():
        assert "Zeppelin" not in page
        assert "zoltan" not in page
    for nobody in (cast.rita, cast.adam):
        assert browser(nobody).get(theme.path).status_code == 403
        assert browser(nobody).get("/feedback/sort/").status_code == 403


@pytest.mark.usefixtures("at_nine")
def test_sorting_on_the_page(cast: Cast) -> None:
    group, remarks = suggested(cast, count=3)
    client = browser(cast.fay)
    page = client.get("/feedback/sort/").content.decode()
    assert LATE[0] in page
    answer = client.post(
        f"/feedback/sort/{group.pk}/accept/",
        {"remark": [remarks[0].pk, remarks[1].pk], "name": "Windows", "clause": "3.1", "team": ""},
    )
    assert answer.status_code == 302
    theme = Theme.objects.get()
    assert set(themes.remarks_of(theme)) == set(remarks[:2])
    assert client.post(f"/feedback/sort/{group.pk}/dismiss/").status_code == 302
    assert Group.objects.get(pk=group.pk).dismissed_at is None, "it is part of a theme"
    assert LATE[2] in client.get("/feedback/sort/").content.decode(), "left out, it can still be put in"
    assert client.post(f"{theme.path}dismiss/").status_code == 302
    assert client.post(f"{theme.path}restore/").status_code == 302
    assert Theme.objects.standing().count() == 1
