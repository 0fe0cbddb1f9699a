"""Components: what they draw, how they name it, and that the small ones stay small."""

from __future__ import annotations

import gzip
import json
import re
from types import SimpleNamespace
from typing import Any

import pytest
from django.conf import settings
from django.template import Context, Template
from django.test import Client, RequestFactory
from django.utils import translation

from csp import places
from csp.contract import CLAUSES
from csp.roles import Permission
from tests.csp.styleguide import NOW, SampleForm, face

pytestmark = pytest.mark.urls("tests.csp.styleguide")


def render(source: str, **context: Any) -> str:
    return Template(source).render(Context({"at": NOW, **context}))


def test_a_clock_carries_its_thresholds_as_data_and_its_words_for_both_readers() -> None:
    html = render("{% clock face %}", face=face("3:12"))
    assert 'data-state="soon"' in html
    assert 'data-due="2026-11-17T17:32:00+00:00"' in html
    assert 'data-urgent="2026-11-17T16:32:00+00:00"' in html
    assert "3\u00a0h\u00a012\u00a0m" in html
    assert ", 3 hours 12 minutes left, running out, due today 17:32" in html


def test_a_clock_that_has_ended_does_not_run() -> None:
    assert "data-due" not in render("{% clock face %}", face=face("1:00", met_at=NOW))


def test_no_clock_draws_nothing() -> None:
    assert render("{% clock face %}", face=None).strip() == ""


def test_every_clause_has_a_tag_with_a_name_and_an_address() -> None:
    for number, clause in CLAUSES.items():
        html = render("{% clause number %}", number=number)
        assert f'#c{number}"' in html
        assert f'aria-label="Clause {number}, ' in html
        assert clause.title.split()[0] in html


def test_a_clause_that_does_not_exist_is_a_fault_of_ours() -> None:
    with pytest.raises(KeyError):
        render('{% clause "99.9" %}')


def test_every_icon_that_templates_name_is_in_the_sprite() -> None:
    sprite = (settings.BASE_DIR / "static/csp/icons/sprite.svg").read_text()
    known = set(re.findall(r'id="i-([\w-]+)"', sprite))
    named = {place.icon for place in places.PLACES}
    for template in (settings.BASE_DIR / "templates").rglob("*.html"):
        named |= set(re.findall(r'\{% icon "([\w-]+)"', template.read_text()))
    assert named <= known


def test_what_people_write_is_escaped() -> None:
    hostile = '"><script>alert(1)</script>'
    for source in (
        "{% avatar text %}", "{% pill text %}", "{% banner text %}", "{% empty text text %}", "{% mask text %}",
        '{% entry "in" who=text how=text %}{{ text }}{% endentry %}', "{% fold text %}{{ text }}{% endfold %}",
        '{% event "mail" text text %}', '{% icon "mail" label=text %}',
    ):  # fmt: skip
        assert "<script" not in render(source, text=hostile), source


def test_a_field_ties_its_label_hint_and_errors_to_its_control() -> None:
    html = render("{{ form.email.as_field_group }}", form=SampleForm({"email": "wrong"}))
    assert 'for="id_email"' in html
    assert 'aria-invalid="true"' in html
    described = re.findall(r'aria-describedby="([^"]+)"', html)[0].split()
    assert "id_email_error" in described
    for target in described:
        assert f'id="{target}"' in html
    hinted = render('{% field form.email hint="Only for answers" %}', form=SampleForm())
    assert 'aria-describedby="id_email_helptext"' in hinted
    assert 'id="id_email_helptext"' in hinted


def test_what_is_optional_is_marked_and_what_is_required_is_not() -> None:
    assert "optional" in render("{% field form.order %}", form=SampleForm())
    assert "optional" not in render("{% field form.subject %}", form=SampleForm())


def test_the_summary_of_errors_counts_them_and_links_each_to_its_field() -> None:
    html = render("{% error_summary form %}", form=SampleForm({"email": "wrong", "procedure": "1", "kind": "q"}))
    assert "2 things to put right" in html
    assert 'href="#id_email"' in html
    assert render("{% error_summary form %}", form=SampleForm()).strip() == ""


def test_the_pager_keeps_the_filters_in_the_address() -> None:
    request = RequestFactory().get("/queue/?channel=mail&channel=phone&after=old&q=a%26b")
    html = render('{% pager "1 to 50" after="new" %}', request=request)
    assert "?channel=mail&amp;channel=phone&amp;q=a%26b&amp;after=new" in html


def test_scripts_speak_the_readers_language_and_get_every_word_they_use() -> None:
    used = set()
    for script in (settings.BASE_DIR / "static/csp/js").glob("*.js"):
        used |= set(re.findall(r"(?<!/)\bwords\.(\w+)", script.read_text()))
    with translation.override("en-gb"):
        given = json.loads(Template("{% script_words %}").render(Context(autoescape=False)))
    assert used <= given.keys()
    assert set(given["said"]) == {"ample", "soon", "urgent", "over"}


def test_navigation_shows_what_exists_to_who_may_see_it() -> None:
    def asked(path: str, *permissions: str) -> list[places.Item]:
        request: Any = RequestFactory().get(path)
        request.user = SimpleNamespace(is_authenticated=True, has_perm=set(permissions).__contains__)
        return [item for section in places.sections(request) for item in section.items]

    shown = [
        places.Place("search", "Search", "search"),
        places.Place("theme", "Theme", "moon", permission=Permission.SEE_TICKETS),
        places.Place("not_built_yet", "Nowhere", "ban"),
    ]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(places, "PLACES", shown)
        assert [item.label for item in asked("/search/deeper/")] == ["Search"]
        both = asked("/search/deeper/", Permission.SEE_TICKETS.value)
        assert [(item.label, item.current) for item in both] == [("Search", True), ("Theme", False)]


def test_the_style_sheets_stay_within_their_budget() -> None:
    sheets = b"".join(path.read_bytes() for path in sorted((settings.BASE_DIR / "static/csp/css").glob("*.css")))
    assert len(gzip.compress(sheets, mtime=0)) <= 16 * 1024


def test_the_frame_without_scripts_is_complete() -> None:
    html = Client().get("/styleguide/").content.decode()
    for landmark in ('id="main"', 'class="skip"', 'aria-label="Main"', 'id="toasts"', 'action="/search/"'):
        assert landmark in html
    assert "Demonstration company" in html
    assert html.count("<h1") == 1
