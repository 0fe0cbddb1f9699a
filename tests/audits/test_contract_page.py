"""The page of the contract: the version's own words, how each clause stands, who signed, how open points are read."""

from __future__ import annotations

import pytest

from csp import agreement
from csp.contract import CLAUSES
from csp.models import Reading, Signature, User, Version
from tests import factories as make
from tests.cast import Cast
from tests.contract.test_8_1_noncompliance import officers
from tests.factories import AT, DAY, HOUR
from tests.tickets.desk import at_nine, browser

__all__ = ["at_nine", "officers"]
pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("at_nine")]

TEXT = """An agreement between two parties, made in 2 copies.
1. The first part
1.1 Zebras are counted.
Also on Sundays.
3. The third part
§3.1. Giraffes answer 24 letters.
10. Both parties sign here.
42.7 stands nowhere.
"""


def test_the_words_of_a_version_are_found_by_clause() -> None:
    assert agreement.wording(Version(text=TEXT)) == {
        "1.1": "Zebras are counted.\nAlso on Sundays.",
        "3.1": "Giraffes answer 24 letters.",
        "10": "Both parties sign here.\n42.7 stands nowhere.",
    }
    assert agreement.wording(Version(text="")) == {}


def test_the_page_shows_the_versions_own_words_live_state_readings_and_signatures(
    cast: Cast, officers: dict[str, User]
) -> None:
    version = cast.version
    Version.objects.filter(pk=version.pk).update(in_force_from=AT - 9 * DAY, in_force_until=AT - DAY)
    new = Version.objects.create(
        contract=cast.contract, number=7, title="Our terms", text=TEXT, in_force_from=AT - DAY, created_at=AT - DAY
    )
    Reading.objects.create(version=new, key="complex", value="above 1,000")
    for side, user in (("company", officers["company"]), ("party", officers["party"])):
        Signature.objects.create(
            version=new, side=side, signed_by=user, signed_at=AT - DAY, name=user.name, digest="ab" * 32
        )
    make.ticket(team=cast.team, customer=cast.carl, received_at=AT - DAY - HOUR)
    make.tick(at=AT)
    shown = browser(cast.rita).get("/contract/").content.decode()
    for text in (
        "Zebras are counted.", "Giraffes answer 24 letters.", "above 1,000", "Cora Company", "Paul Party",
        "abababababababab", "Our terms, version 7", "Overdue", "not measured", "#row-3.1", "Versions",
    ):  # fmt: skip
        assert text in shown, text
    for number in CLAUSES:
        assert f'id="c{number}"' in shown
    assert "Signed by both parties." in shown
    assert "unsigned</span>" not in shown
    old = browser(cast.rita).get(f"/contract/?version={version.number}").content.decode()
    assert "not in force" in old
    assert "Zebras" not in old
    assert "On the board" not in old, "an earlier version has no live state"
    assert browser(cast.rita).get("/contract/?version=99").status_code == 404
    assert browser(cast.rita).get("/contract/?version=x").status_code == 404


def test_both_parties_representatives_read_it_without_any_role(cast: Cast, officers: dict[str, User]) -> None:
    for name in ("company", "party", "owner"):
        assert browser(officers[name]).get("/contract/").status_code == 200, name
    assert browser(make.person(name="Una Unrelated")).get("/contract/").status_code == 403
    assert browser(cast.adam).get("/contract/").status_code == 200
