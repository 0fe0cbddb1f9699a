"""Clause 4.2: feedback is logged in confidence. Who said it is kept apart, encrypted, and opened only with a reason.

What comes by a survey's link is confidential. What comes by the open form without a name is anonymous, and there is no
way back. Representatives see figures of five and more, and no customer's score.
"""

from __future__ import annotations

import csv
import datetime as dt
import io
import json
import re

import pytest
from django.db import IntegrityError, connection, transaction
from django.test import Client
from hypothesis import given
from hypothesis import strategies as st

from csp.access import Refused
from csp.models import Blob, BlobKey, Notice, TrailEntry, User
from csp.roles import Office
from feedback import groups, importing, log, themes
from feedback.models import Identity, Remark
from tests import factories as make
from tests.cast import Cast
from tests.contract.test_8_1_noncompliance import appoint
from tests.tickets.desk import at_nine, browser

__all__ = ["at_nine"]
WHO = "Zoltan Zeppelin"


def said(cast: Cast, *, score: int | None = 2, words: str = "Nobody called me back.", **more: object) -> Remark:
    fields: dict[str, object] = {
        "team": cast.team, "source": Remark.Source.PHONE, "received_at": make.AT, "at": make.AT,
        "who": log.Who(name=WHO, address="zoltan@zeppelin.example"),
    }  # fmt: skip
    remark, _new = log.record(score=score, words=words, **(fields | more))  # type: ignore[arg-type]
    return remark


def whole_database() -> str:
    """Every column of every table as text, but the sealed bytes as they lie there."""
    with connection.cursor() as cursor:
        cursor.execute("select relname from pg_class where relkind = 'r' and relnamespace = 'public'::regnamespace")
        tables = [name for (name,) in cursor.fetchall()]
        found = []
        for table in tables:
            cursor.execute(f"select coalesce(string_agg(t::text, chr(10)), '') from \"{table}\" t")
            found.append(cursor.fetchone()[0])
    return "\n".join(found)


@pytest.mark.django_db
def test_who_said_it_stands_nowhere_in_the_clear(cast: Cast) -> None:
    remark = said(cast, words=f"I am {WHO}, call 0171 234 56 78 or write to zoltan@zeppelin.example.")
    assert remark.words == "I am ••• •••, call ••• or write to •••."
    text = whole_database().lower()
    for secret in ("zoltan", "zeppelin", "0171 234"):
        assert secret not in text
    assert Identity.objects.get(remark=remark).blob_id


@pytest.mark.django_db
def test_an_identity_is_opened_with_a_reason_that_is_recorded_and_told(cast: Cast) -> None:
    owner = make.person(name="Petra Privacy")
    appoint(cast, Office.PRIVACY_OWNER, owner)
    remark = said(cast)
    with pytest.raises(Refused):
        log.open_identity(remark, reason=" no ", by=cast.sam, at=make.AT)
    who, words = log.open_identity(remark, reason="To call back", by=cast.sam, at=make.AT)
    assert (who.name, words) == (WHO, "Nobody called me back.")
    entry = TrailEntry.objects.get(act="feedback.opened")
    assert entry.subject == remark.trail_subject
    assert json.loads(entry.personal)["reason"] == "To call back"
    assert Notice.objects.get(user=owner).facts["says"] == "feedback.opened"


@pytest.mark.django_db
@pytest.mark.parametrize("who", ["rita", "otto", "olga", "fay", "vera", "adam"])
def test_nobody_else_opens_an_identity(cast: Cast, who: str) -> None:
    remark = said(cast)
    with pytest.raises(Refused):
        log.open_identity(remark, reason="I would like to know", by=getattr(cast, who), at=make.AT)
    assert not TrailEntry.objects.filter(act="feedback.opened").exists()


@pytest.mark.django_db
def test_from_the_open_form_without_a_name_there_is_no_way_back(cast: Cast) -> None:
    Client(REMOTE_ADDR="203.0.113.77").post("/tell-us/", {"score": "1", "words": "Rude."})
    remark = Remark.objects.get()
    assert remark.level == "anonymous"
    assert not Identity.objects.exists()
    assert "203.0.113.77" not in whole_database()
    with pytest.raises(Refused, match="anonymous"):
        log.open_identity(remark, reason="I would like to know", by=cast.sam, at=make.AT)


@pytest.mark.django_db
def test_once_its_key_is_destroyed_an_identity_is_gone_and_the_words_stay(cast: Cast) -> None:
    remark = said(cast)
    key = BlobKey.objects.get(blob=Identity.objects.get(remark=remark).blob)
    key.wrapped, key.destroyed_at = b"", make.AT
    key.save()
    with pytest.raises(Refused, match="erased"):
        log.open_identity(remark, reason="I would like to know", by=cast.sam, at=make.AT)
    assert Remark.objects.get().words == "Nobody called me back."


@pytest.mark.django_db
def test_what_was_said_does_not_change(cast: Cast) -> None:
    remark = said(cast)
    for change in ("score = 5", "received_at = now()", "words = 'All was well.'"):
        with pytest.raises(IntegrityError), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(f"update feedback_remark set {change} where id = %s", [remark.pk])
    with pytest.raises(IntegrityError), transaction.atomic():
        Remark.objects.all().delete()
    assert Blob.objects.filter(pk=Identity.objects.get().blob_id).exists()


@pytest.mark.django_db
@pytest.mark.usefixtures("at_nine")
def test_who_sees_what(cast: Cast) -> None:
    here = said(cast, words="Zanzibar waits.")
    there = said(cast, words="Zanzibar waits.", team=cast.other_team)

    def seen(user: User) -> set[int]:
        client = browser(user)
        return {r.pk for r in (here, there) if client.get(r.path).status_code == 200}

    assert seen(cast.sam) == {here.pk}
    assert seen(cast.olga) == {there.pk}
    assert seen(cast.fay) == seen(cast.vera) == {here.pk, there.pk}
    for nobody in (cast.rita, cast.otto, cast.adam):
        assert seen(nobody) == set()
        answer = browser(nobody).get("/feedback/", follow=True)
        assert answer.status_code in (200, 403)
        assert "Zanzibar" not in answer.content.decode()
    for user in (cast.fay, cast.vera, cast.sam):
        page = browser(user).get("/feedback/").content.decode()
        assert "Zanzibar" in page
        assert "Zeppelin" not in page
        assert "zoltan" not in page
    found = browser(cast.sam).get("/feedback/?q=zanzibar").content.decode()
    assert here.reference in found
    assert there.reference not in found


@pytest.mark.django_db
@pytest.mark.usefixtures("at_nine")
def test_representatives_see_figures_of_five_and_nothing_of_fewer(cast: Cast) -> None:
    client = browser(cast.rita)
    asked = {"words": "", "source": Remark.Source.SURVEY}

    def figures() -> list[str]:
        return re.findall(r"<td.*?</td>", client.get("/feedback/groups/").content.decode())

    for score in (1, 2, 3, 4, 5):
        said(cast, score=score, **asked)
    for score in (1, 1, 1, 1):
        said(cast, score=score, words="", source=Remark.Source.PHONE)  # what somebody of ours adds counts nowhere
        said(cast, score=score, **asked)
        assert figures() == [], "five, and five more behind them"
    assert "not 5 scores yet" in client.get("/feedback/groups/").content.decode()
    said(cast, score=1, **asked)
    whole = figures()
    assert '<td class="n"><b>3.0</b></td>' in whole
    said(cast, score=1, **asked)
    assert figures() == whole, "one more answer shows in no figure"


@given(st.lists(st.integers(1, 5), max_size=60))
def test_every_figure_speaks_of_five_and_more_and_never_changes_again(scores: list[int]) -> None:
    rows = [(dt.date(2025, 3, 1), score) for score in scores]
    found = groups.complete(rows)
    assert all(group.size == groups.FIVE for group in found)
    assert len(found) == len(scores) // groups.FIVE
    assert groups.complete(rows[:-1]) == found[: len(rows[:-1]) // groups.FIVE]


@pytest.mark.django_db
def test_a_file_with_a_wrong_line_names_it_and_records_nothing(cast: Cast) -> None:
    content = (
        "received,score,words,source\n2025-03-01,4,Good,paper\n2025-13-01,4,Bad date,paper\n2025-03-01,9,Bad,\n,,,\n"
    )
    good, bad = importing.read(content.encode(), [cast.team], zone=dt.UTC, at=make.AT)
    assert [row.line for row in good] == [2]
    assert [(problem.line, problem.text[:10]) for problem in bad] == [(3, "“received”"), (4, "“score” is")]
    for wrong in (b"\xff\xfe\x00", b"", b"score\n4\n", b"received,colour\n2025-03-01,red\n"):
        with pytest.raises(Refused):
            importing.read(wrong, [cast.team], zone=dt.UTC, at=make.AT)


@pytest.mark.django_db
@pytest.mark.usefixtures("at_nine")
def test_a_file_brought_in_twice_is_recorded_once(cast: Cast) -> None:
    content = "received;score;words;source;name\n2025-03-01;2;Slow;paper;Zoltan Zeppelin\n2025-03-02 10:00;;Fine;;\n"
    for _twice in range(2):
        rows, problems = importing.read(content.encode(), [cast.team], zone=dt.UTC, at=make.AT)
        assert not problems
        importing.bring_in(rows, cast.contract, by=cast.fay, at=make.AT)
    assert [(r.score, r.words, r.level) for r in Remark.objects.order_by("pk")] == [
        (2, "Slow", "confidential"), (None, "Fine", "anonymous"),
    ]  # fmt: skip
    with pytest.raises(Refused):
        importing.bring_in(rows, cast.contract, by=cast.rita, at=make.AT)


@pytest.mark.django_db
@pytest.mark.usefixtures("at_nine")
def test_what_came_by_telephone_is_typed_in_by_the_desk(cast: Cast) -> None:
    answer = browser(cast.rita).post(
        "/feedback/add/",
        {"source": "phone", "team": cast.team.pk, "received_at": "2025-03-03T08:30", "score": "2",
         "words": "Nobody called", "name": WHO},
    )  # fmt: skip
    assert answer.status_code == 302
    remark = Remark.objects.get()
    assert (remark.source, remark.recorded_by, remark.level) == ("phone", cast.rita, "confidential")
    early = browser(cast.rita).post(
        "/feedback/add/",
        {"source": "phone", "team": cast.team.pk, "received_at": "2025-03-03T23:30", "words": "Nobody called"},
    )
    assert early.status_code == 422
    assert "future" in early.content.decode()


# ---------------------------------------------------------------- as a file


def taken(user: User, address: str = "/feedback/export/") -> list[list[str]]:
    """What this person gets as a file, line by line."""
    answer = browser(user).post(address)
    assert answer.status_code == 200
    return list(csv.reader(io.StringIO(b"".join(answer.streaming_content).decode())))  # type: ignore[attr-defined]


@pytest.mark.django_db
@pytest.mark.usefixtures("at_nine")
def test_the_feedback_team_takes_the_log_as_a_file_which_is_on_record(cast: Cast) -> None:
    remark = said(cast, words=f"=1+1 I am {WHO}; the bill is wrong.")
    theme = themes.begin(cast.contract, name="Bills", by=cast.fay, at=make.AT)
    themes.add(theme, [remark], by=cast.fay, at=make.AT)
    said(cast, score=5, words="Lovely.")
    heads, first = taken(cast.fay, "/feedback/export/?score=low")
    row = dict(zip(heads, first, strict=True))
    assert (row["Feedback"], row["Score"], row["Received"], row["Themes"]) == (
        remark.reference,
        "2",
        "2025-03-03",
        "Bills",
    )
    assert row["Words"] == "'=1+1 I am ••• •••; the bill is wrong.", "no formula, and no name"
    entry = TrailEntry.objects.filter(act="record.exported").earliest("pk")
    assert entry.actor == f"user:{cast.fay.pk}"
    assert json.loads(entry.facts)["narrowed"]["score"] == "low"
    assert len(taken(cast.vera)) == 3
    assert browser(cast.adam).post("/feedback/export/").status_code == 403


@pytest.mark.django_db
@pytest.mark.usefixtures("at_nine")
def test_representatives_take_whole_groups_of_five_and_no_words(cast: Cast) -> None:
    for number in range(11):
        said(cast, score=4, words=f"Zanzibar {number}", source=Remark.Source.SURVEY)
    for user in (cast.rita, cast.sam):
        heads, *rows = taken(user)
        assert [row[heads.index("Answers")] for row in rows] == ["5"], "five, with five more behind them"
        assert "Zanzibar" not in str(rows)
    assert len(taken(cast.otto)) == 1
