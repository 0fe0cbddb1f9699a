"""Charts: across in per cent, down in pixels, no style, and the numbers beside them."""

from __future__ import annotations

import re

from django.template import Context, Template

from csp import charts


def test_a_distribution_tells_apart_what_lies_past_its_limit() -> None:
    counts = [4, 2, 0, 1]
    drawn = charts.histogram(
        counts, limit=3, limit_label="24 h", ticks=[(0, "0 h"), (2, "16 h")], marks=[(0.5, "half")]
    )
    assert [bar.kind for bar in drawn.bars] == ["a", "a", "o"], "an empty one is not drawn"
    assert [bar.height for bar in drawn.bars] == [126, 63, 31.5]
    assert all(bar.y + bar.height == drawn.base for bar in drawn.bars)
    assert drawn.limit_x == 75
    assert [(tick.x, tick.anchor) for tick in drawn.ticks] == [(0, "start"), (50, "middle")]
    assert drawn.marks[0].x == 12.5


def test_one_among_thousands_can_still_be_seen() -> None:
    drawn = charts.histogram([100_000, 1], limit=1, limit_label="", ticks=[])
    assert drawn.bars[1].height == charts.LEAST


def test_two_marks_near_each_other_do_not_stand_in_each_others_way() -> None:
    drawn = charts.histogram([1] * 10, limit=8, limit_label="", ticks=[], marks=[(1, "half"), (2, "9 of 10")])
    assert drawn.marks[0].y != drawn.marks[1].y


def test_a_mark_written_to_its_left_does_not_run_into_the_one_before() -> None:
    drawn = charts.histogram([1] * 10, limit=8, limit_label="", ticks=[], marks=[(1, "half"), (6, "9 of 10")])
    assert [(mark.anchor, mark.y) for mark in drawn.marks] == [("start", 13), ("end", 29)]
    far = charts.histogram([1] * 10, limit=8, limit_label="", ticks=[], marks=[(1, "half"), (9.5, "9 of 10")])
    assert [mark.y for mark in far.marks] == [13, 13]


def test_columns_are_stacked_from_the_bottom_and_bear_their_total() -> None:
    drawn = charts.columns([(2, 1, 1), (0, 0, 0), (1, 0, 0)], ["w 1", "w 2", "w 3"])
    assert [bar.kind for bar in drawn.bars] == ["a", "b", "c", "a"]
    assert drawn.bars[0].y > drawn.bars[1].y > drawn.bars[2].y == charts.STACK_TOP
    assert [total.text for total in drawn.totals] == ["4", "1"]
    assert [name.text for name in drawn.names] == ["w 1", "w 3"]


def test_a_chart_is_an_image_with_a_sentence_and_a_table_and_has_no_style() -> None:
    context = {
        "hist": charts.histogram([1, 0], limit=1, limit_label="24 h", ticks=[(0, "0 h")], marks=[(0.2, "half")]),
        "columns": charts.columns([(1, 0, 0)], ["w 1"]),
        "rows": [("0 to 1 h", 1)],
        "headings": ["Time", "Tickets"],
    }
    page = Template('{% hist hist "One." headings rows %}{% stacked columns "Two." headings rows %}')
    html = page.render(Context(context))
    assert html.count('role="img"') == html.count("Show as table") == 2
    assert 'aria-label="One."' in html
    assert "style=" not in html
    assert "viewBox" not in html, "text never scales"
    for name in ("x", "x1", "x2", "width"):
        assert all(value.endswith("%") or value == "0" for value in re.findall(rf' {name}="([^"]*)"', html)), name
    assert '<th scope="row">0 to 1 h</th><td class="n">1</td>' in html
