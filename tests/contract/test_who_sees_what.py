"""Who sees what of feedback and of reviews: every role, own, other and of the team, by every way to it.

One table for each kind of record. `words`: what was said is read; `fact`: that there is such a record, without a word
of it; `figures`: groups of five; `nothing`: not even that. A way that is not in a table shows no word to anybody.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator

import pytest
from django.test import Client

from audits import reviews
from audits.lists import LISTS
from audits.models import Review
from csp import clock
from csp.models import TrailEntry, User
from csp.roles import Role
from feedback import log
from feedback.models import Remark
from tests import factories as make
from tests.audits import reviewing as review_of
from tests.cast import Cast

pytestmark = pytest.mark.django_db

# What nobody reads by accident: the words of a remark, of an assessment and of a person's own view, a customer's name.
REMARK, ASSESSMENT, OWN, GOAL, CUSTOMER = (
    "zebraremark", "zebraassessment", "zebraownview", "zebragoal", "Zebulon Zebra",
)  # fmt: skip
ROLES = ("rita", "sam", "sid", "otto", "olga", "fay", "vera", "adam", "tess")

# Reviews on their own page: of Rita (held by Sam), of Otto (held by Olga), of Sam (held by Tess, who is above all).
# Sid is another supervisor of Rita's team.
REVIEWS = {
    "rita": ("words", "nothing", "nothing"),
    "sam": ("words", "nothing", "words"),
    "sid": ("fact", "nothing", "fact"),
    "otto": ("nothing", "words", "nothing"),
    "olga": ("nothing", "words", "nothing"),
    "fay": ("nothing", "nothing", "nothing"),
    "vera": ("fact", "fact", "fact"),
    "adam": ("nothing", "nothing", "nothing"),
    "tess": ("words", "words", "words"),
}
# The same in the reading room of Django's admin, where no word of a review is at all.
ADMIN_OF_REVIEWS = dict.fromkeys(ROLES, "nothing") | {"vera": "fact"}

# A remark about Rita's team and one about Otto's: on its page, in the log, by searching the log, and as figures.
FEEDBACK = {
    "rita": ("nothing", "nothing"),
    "sam": ("words", "nothing"),
    "sid": ("words", "nothing"),
    "otto": ("nothing", "nothing"),
    "olga": ("nothing", "words"),
    "fay": ("words", "words"),
    "vera": ("words", "words"),
    "adam": ("nothing", "nothing"),
    "tess": ("nothing", "nothing"),
}
FIGURES = {
    "rita": ("figures", "nothing"),
    "sam": ("figures", "nothing"),
    "sid": ("figures", "nothing"),
    "otto": ("nothing", "figures"),
    "olga": ("nothing", "figures"),
    "fay": ("figures", "figures"),
    "vera": ("figures", "figures"),
    "adam": ("nothing", "nothing"),
    "tess": ("nothing", "nothing"),
}


@dataclasses.dataclass(frozen=True, slots=True)
class Scene:
    """Closed reviews of three people, and remarks about two teams."""

    people: dict[str, User]
    reviews: tuple[Review, Review, Review]
    remarks: tuple[Remark, Remark]


@pytest.fixture
def scene(cast: Cast) -> Scene:
    now = clock.now()
    tess = review_of.appoint(make.person(name="Tess Top"), cast.contract)
    sid = make.person(name="Sid Second", role=Role.SUPERVISOR, team=cast.team)
    review_of.begin(cast.contract, at=now - 20 * make.DAY)
    held = []
    for person in (cast.rita, cast.otto, cast.sam):
        row = review_of.of(person)
        assert row.reviewer is not None
        reviews.comment(row, text=OWN, by=person, at=now)
        reviews.add_goal(row, text=GOAL, due_on=(now + 90 * make.DAY).date(), by=row.reviewer, at=now)
        review_of.drafted(row, at=now, text=ASSESSMENT)
        reviews.hold(row, held_at=now, by=row.reviewer, at=now)
        review_of.signed(row, by=person, at=now, agrees=False)
        review_of.signed(row, by=row.reviewer, at=now)
        held.append(row)
    remarks = []
    for team in (cast.team, cast.other_team):
        for number in range(12):
            remark, _new = log.record(
                score=1 + number % 5, words=REMARK if not number else "", team=team, source=Remark.Source.SURVEY,
                received_at=now, at=now, who=log.Who(name=CUSTOMER, address=f"z{number}.{team.pk}@zebra.example"),
            )  # fmt: skip
            if not number:
                remarks.append(remark)
    people = {name: getattr(cast, name) for name in ROLES if hasattr(cast, name)} | {"sid": sid, "tess": tess}
    for person in people.values():
        person.held_cache = None
    return Scene(people, (held[0], held[1], held[2]), (remarks[0], remarks[1]))


def client_of(scene: Scene, role: str) -> Client:
    client = Client()
    client.force_login(scene.people[role], backend="csp.access.TableBackend")
    return client


def read(client: Client, path: str, **asked: str) -> str:
    """What the answer shows; nothing where it is refused."""
    answer = client.get(path, asked)
    return answer.content.decode() if answer.status_code == 200 else ""


def shows(text: str, *words: str) -> str:
    if not text:
        return "nothing"
    return "words" if any(word in text for word in words) else "fact"


def a_review_is_read_by_the_three_whom_it_concerns(scene: Scene, client: Client, role: str) -> None:
    found = tuple(shows(read(client, row.path), ASSESSMENT, OWN, GOAL) for row in scene.reviews)
    assert found == REVIEWS[role]


def the_list_of_reviews_names_what_one_may_know_of_and_says_no_word(scene: Scene, client: Client, role: str) -> None:
    page = read(client, "/reviews/")
    named = tuple(f'href="{row.path}"' in page for row in scene.reviews)
    assert named == tuple(seen != "nothing" for seen in REVIEWS[role])
    assert shows(page, ASSESSMENT, OWN, GOAL) == "fact"


def no_search_finds_a_review_or_who_said_something(scene: Scene, client: Client, role: str) -> None:
    for word in (ASSESSMENT, OWN, GOAL, "Zebulon", scene.reviews[0].reference):
        for path in ("/search/", "/feedback/", "/customers/"):
            page = read(client, path, q=word)
            assert page.count(word) <= 3, "the question itself is all there is"
            assert not any(row.path in page for row in scene.reviews), (path, word)


def no_export_carries_a_word_of_either(scene: Scene, client: Client, role: str) -> None:
    for code in LISTS:
        answer = client.post(f"/compliance/{code}/export/")
        if answer.status_code != 200:
            continue
        text = b"".join(answer.streaming_content).decode()  # type: ignore[attr-defined]  # a streaming answer
        for word in (ASSESSMENT, OWN, GOAL, REMARK, CUSTOMER):
            assert word not in text, (code, word)


def pages_of_admin(scene: Scene) -> Iterator[str]:
    for name in ("review", "signed", "papers", "talk", "goal", "anotherreviewer"):
        yield f"/admin/audits/{name}/"
        yield f"/admin/audits/{name}/{scene.reviews[0].pk}/change/"


def the_reading_room_shows_that_a_review_was_held_and_no_word_of_it(scene: Scene, client: Client, role: str) -> None:
    assert (
        shows(read(client, f"/admin/audits/review/{scene.reviews[0].pk}/change/"), ASSESSMENT)
        == (ADMIN_OF_REVIEWS[role])
    )
    for path in (*pages_of_admin(scene), "/admin/csp/trailentry/"):
        assert shows(read(client, path), ASSESSMENT, OWN, GOAL) != "words", path


def a_remark_is_read_by_its_page_by_the_log_and_by_searching_it_alike(scene: Scene, client: Client, role: str) -> None:
    by_page = tuple(shows(read(client, row.path), REMARK) for row in scene.remarks)
    assert by_page == FEEDBACK[role]
    for asked in ({}, {"q": REMARK}):
        page = read(client, "/feedback/", **asked)
        in_log = tuple("words" if f'href="{row.path}"' in page else "nothing" for row in scene.remarks)
        assert in_log == FEEDBACK[role], asked


def figures_of_feedback_are_of_own_teams_and_of_whole_groups(scene: Scene, client: Client, role: str) -> None:
    page = read(client, "/feedback/groups/")
    found = tuple("figures" if row.team.name in page else "nothing" for row in scene.remarks)
    assert found == FIGURES[role]
    assert REMARK not in page


def who_gave_feedback_is_on_no_page_of_it(scene: Scene, client: Client, role: str) -> None:
    for path in ("/feedback/", "/feedback/groups/", "/feedback/inbox/", *(row.path for row in scene.remarks),
                 "/admin/feedback/remark/", f"/admin/feedback/remark/{scene.remarks[0].pk}/change/"):  # fmt: skip
        page = read(client, path)
        assert CUSTOMER not in page, path
        assert "zebra.example" not in page, path


@pytest.mark.parametrize("role", ROLES)
def test_each_role_sees_what_the_tables_say_by_every_way(scene: Scene, role: str) -> None:
    client = client_of(scene, role)
    a_review_is_read_by_the_three_whom_it_concerns(scene, client, role)
    the_list_of_reviews_names_what_one_may_know_of_and_says_no_word(scene, client, role)
    no_search_finds_a_review_or_who_said_something(scene, client, role)
    no_export_carries_a_word_of_either(scene, client, role)
    the_reading_room_shows_that_a_review_was_held_and_no_word_of_it(scene, client, role)
    a_remark_is_read_by_its_page_by_the_log_and_by_searching_it_alike(scene, client, role)
    figures_of_feedback_are_of_own_teams_and_of_whole_groups(scene, client, role)
    who_gave_feedback_is_on_no_page_of_it(scene, client, role)


def test_every_reading_of_a_review_is_on_record(scene: Scene) -> None:
    row = scene.reviews[0]
    readings = TrailEntry.objects.filter(subject=row.trail_subject, act="review.read")
    for role in ROLES:
        before = readings.count()
        read(client_of(scene, role), row.path)
        assert readings.count() - before == (REVIEWS[role][0] == "words"), role
