"""People are told each thing once; somebody always is; and a bad minute is one mail for each person."""

from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.conf import settings
from django.test import Client

from csp import deadlines, notices
from csp.models import Deadline, Notice, OutboundMessage, User
from csp.notices import MAIL_EVERY, Rungs, Telling
from csp.roles import Role
from tests import factories as make
from tests.cast import Cast

AT, DAY, SECOND = make.AT, make.DAY, make.SECOND


def telling(key: str, *people: User, **more: Any) -> Telling:
    return Telling(kind=Notice.Kind.REPLY, key=key, to=people, subject_ref=f"#{key}", path=f"/tickets/{key}/", **more)


def told(user: User) -> list[str]:
    return list(Notice.objects.filter(user=user).order_by("pk").values_list("key", flat=True))


def mails_to(user: User) -> list[OutboundMessage]:
    return list(OutboundMessage.objects.filter(kind="notice", to=[user.email]).order_by("created_at", "pk"))


def leave(user: User) -> None:
    User.objects.filter(pk=user.pk).update(is_active=False, left_at=AT)
    user.refresh_from_db()


# ---------------------------------------------------------------- once per person and thing


def test_the_same_thing_is_told_to_the_same_person_once(cast: Cast) -> None:
    notices.tell(telling("1", cast.rita, cast.sam, cast.rita), at=AT)
    notices.tell(telling("1", cast.rita, cast.olga), telling("2", cast.rita), at=AT + SECOND)
    assert told(cast.rita) == ["1", "2"]
    assert told(cast.sam) == told(cast.olga) == ["1"]
    assert Notice.objects.get(user=cast.rita, key="1").created_at == AT, "the first one stays as it was"


def test_who_has_read_it_is_not_told_again(cast: Cast) -> None:
    notices.tell(telling("1", cast.rita), at=AT)
    assert notices.mark_read(cast.rita, at=AT + SECOND) == 1
    notices.tell(telling("1", cast.rita), at=AT + DAY)
    assert Notice.objects.get().read_at == AT + SECOND
    assert notices.mark_read(cast.rita, at=AT + DAY) == 0


def test_reading_ones_own_leaves_the_others_unread(cast: Cast) -> None:
    notices.tell(telling("1", cast.rita, cast.sam), at=AT)
    other = Notice.objects.get(user=cast.sam)
    assert notices.mark_read(cast.rita, at=AT, only=other) == 0
    notices.mark_read(cast.rita, at=AT)
    assert Notice.objects.get(pk=other.pk).read_at is None


def test_who_does_not_work_here_is_told_nothing(cast: Cast) -> None:
    leave(cast.rita)
    notices.tell(telling("1", cast.rita, cast.sam), at=AT)
    assert (told(cast.rita), told(cast.sam)) == ([], ["1"])


def test_who_left_before_the_mail_went_gets_none(cast: Cast) -> None:
    notices.tell(telling("1", cast.rita, cast.sam), at=AT)
    leave(cast.rita)
    assert notices.mail_collected(AT) == 1
    assert (mails_to(cast.rita), len(mails_to(cast.sam))) == ([], 1)


# ---------------------------------------------------------------- who must know


def breach(cast: Cast, **more: Any) -> Deadline:
    ticket = make.ticket(team=cast.team, customer=cast.carl, **more)
    deadlines.sweep(AT + DAY + SECOND)
    return Deadline.objects.get(pk=ticket.respond_id)


def told_of_breaches() -> set[str]:
    return set(Notice.objects.filter(kind=Notice.Kind.BREACH).values_list("user__name", flat=True))


def test_a_breach_is_told_to_the_one_responsible_and_the_teams_supervisors(cast: Cast) -> None:
    breach(cast, assignee=cast.rita)
    assert told_of_breaches() == {cast.rita.name, cast.sam.name}
    assert Notice.objects.filter(kind=Notice.Kind.BREACH).count() == 6  # three clocks, two people


def test_where_there_is_no_supervisor_the_administrators_are_told(cast: Cast) -> None:
    cast.sam.grants.update(ends_at=AT + DAY)  # the last moment is that of the sweep
    breach(cast)
    assert told_of_breaches() == {cast.adam.name}


def test_a_supervisor_who_left_is_none(cast: Cast) -> None:
    leave(cast.sam)
    breach(cast)
    assert told_of_breaches() == {cast.adam.name}


def test_a_supervisor_who_begins_tomorrow_is_none_yet(cast: Cast) -> None:
    cast.sam.grants.update(ends_at=AT)
    make.person(name="Tom Tomorrow", role=Role.SUPERVISOR, team=cast.team, since=AT + 2 * DAY)
    assert Rungs(AT + DAY).supervisors(cast.team.pk) == [cast.adam]
    assert [user.name for user in Rungs(AT + 2 * DAY).supervisors(cast.team.pk)] == ["Tom Tomorrow"]


def test_the_supervisors_of_another_team_are_not_told(cast: Cast) -> None:
    breach(cast)
    assert told(cast.olga) == told(cast.otto) == []


def test_who_is_responsible_and_a_supervisor_is_told_once(cast: Cast) -> None:
    breach(cast, assignee=cast.sam)
    assert Notice.objects.filter(kind=Notice.Kind.BREACH, user=cast.sam).count() == 3  # of each clock once


# ---------------------------------------------------------------- by mail


def test_all_that_waits_for_one_person_is_one_mail(cast: Cast) -> None:
    notices.tell(*[telling(str(number), cast.rita) for number in range(50)], telling("0", cast.sam), at=AT)
    assert notices.mail_collected(AT) == 2
    [mail] = mails_to(cast.rita)
    assert "50" in mail.subject
    for number in range(50):
        assert f"#{number}: the customer wrote." in mail.body
        assert f"{settings.SITE_URL}/tickets/{number}/" in mail.body
    assert mail.headers["Auto-Submitted"] == "auto-generated"
    [other] = mails_to(cast.sam)
    assert (other.subject, "#1:" in other.body) == ("#0: the customer wrote.", False)
    assert notices.mail_collected(AT + DAY) == 0, "and none of it is mailed again"


def test_the_next_mail_waits_for_a_minute_and_then_brings_all_that_came_meanwhile(cast: Cast) -> None:
    notices.tell(telling("1", cast.rita), at=AT)
    assert notices.mail_collected(AT) == 1
    for seconds in (1, 20, 59):
        notices.tell(telling(f"late{seconds}", cast.rita), at=AT + seconds * SECOND)
        assert notices.mail_collected(AT + seconds * SECOND) == 0
    assert notices.mail_collected(AT + MAIL_EVERY - make.SECOND / 1000) == 0
    assert notices.mail_collected(AT + MAIL_EVERY) == 1
    first, second = mails_to(cast.rita)
    assert [f"#late{seconds}:" in second.body for seconds in (1, 20, 59)] == [True] * 3
    assert "#1:" not in second.body
    assert second.created_at - first.created_at == MAIL_EVERY


def test_one_persons_minute_is_not_another_ones(cast: Cast) -> None:
    notices.tell(telling("1", cast.rita), at=AT)
    notices.mail_collected(AT)
    notices.tell(telling("2", cast.rita, cast.sam), at=AT + SECOND)
    assert notices.mail_collected(AT + SECOND) == 1
    assert (len(mails_to(cast.rita)), len(mails_to(cast.sam))) == (1, 1)


def test_what_is_for_the_page_alone_is_not_mailed(cast: Cast) -> None:
    notices.tell(telling("1", cast.rita, by_mail=False), at=AT)
    assert notices.mail_collected(AT) == 0
    assert told(cast.rita) == ["1"]


def test_when_it_was_due_is_said_in_the_readers_own_zone(cast: Cast, client: Client) -> None:
    facts = {"obligation": "respond", "clause": "3.1", "due": notices.fact(AT)}
    for person, zone in ((cast.rita, "Asia/Tokyo"), (cast.sam, "America/New_York")):
        User.objects.filter(pk=person.pk).update(zone=zone)
    broken = Telling(kind=Notice.Kind.BREACH, key="b", to=[cast.rita, cast.sam], subject_ref="#9", facts=facts)
    notices.tell(broken, at=AT)
    notices.mail_collected(AT)
    for person, zone in ((cast.rita, "Asia/Tokyo"), (cast.sam, "America/New_York")):
        local = AT.astimezone(ZoneInfo(zone))
        said = f"was due {local:%a} {local.day} {local:%b, %H:%M} and was not kept"
        [mail] = mails_to(person)
        assert said in mail.body
        client.force_login(person, backend="csp.access.TableBackend")
        assert said in client.get("/notices/").text


def test_the_page_tells_the_newest_first_whenever_it_was_written(cast: Cast, client: Client) -> None:
    for hours in (5, *range(-50, 0), 3):
        notices.tell(telling(f"at {hours}", cast.rita), at=AT + hours * make.HOUR)
    client.force_login(cast.rita, backend="csp.access.TableBackend")
    page = client.get("/notices/")
    first = [row.key for row, _sentence in page.context["notices"]]
    assert first[:3] == ["at 5", "at 3", "at -1"]
    rest = [row.key for row, _s in client.get("/notices/", {"after": page.context["after"]}).context["notices"]]
    assert rest == ["at -49", "at -50"]


def test_a_notice_that_cannot_be_said_stops_none_of_the_others(cast: Cast, caplog: pytest.LogCaptureFixture) -> None:
    broken = Telling(kind=Notice.Kind.BREACH, key="broken", to=[cast.rita], subject_ref="#9", facts={})
    notices.tell(broken, telling("1", cast.rita), at=AT)
    assert notices.mail_collected(AT) == 1
    [mail] = mails_to(cast.rita)
    assert "#9" in mail.body
    assert "#1: the customer wrote." in mail.body
    assert "cannot be said in full" in caplog.text
