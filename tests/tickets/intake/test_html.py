"""A stranger's HTML: nothing in it runs, nothing is fetched, its words stay, and it cannot take long."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.costs import in_letters
from tickets.intake import html


def sanitise(source, cids=None):
    return html.sanitise(source, cid_url=(cids or {}).get)


@pytest.mark.parametrize(
    "source",
    [
        "<script>alert(1)</script>",
        "<img src=x onerror=alert(1)>",
        "<svg onload=alert(1)><script>alert(1)</script></svg>",
        '<a href="javascript:alert(1)">x</a>',
        '<a href=" java\nscript:alert(1)">x</a>',
        '<a href="data:text/html,<script>alert(1)</script>">x</a>',
        "<iframe src=https://evil.example></iframe>",
        "<math><mtext><table><mglyph><style><img src=x onerror=alert(1)>",
        "<form action=https://evil.example><input name=password><button>go</button></form>",
        "<style>@import url(https://evil.example)</style>",
        "<link rel=stylesheet href=https://evil.example>",
        '<p style="background:url(https://evil.example/x)">x</p>',
        '<p style="background-color:url(https://evil.example/x)">x</p>',
        '<p style="color:re\\64;position:fixed;top:0">x</p>',
        "<meta http-equiv=refresh content='0;url=https://evil.example'>",
        "<base href=https://evil.example>",
        "<img src=https://evil.example/pixel.gif width=1 height=1>",
        '<img src="//evil.example/x.png">',
        '<table background="https://evil.example/x.png"><tr><td>x</table>',
        '<p title="&quot;><script>alert(1)</script>">x</p>',
        "<scr<script>ipt>alert(1)</scr</script>ipt>",
        "<noscript><p title='</noscript><img src=x onerror=alert(1)>'>",
        "<a href='https://x.example' onclick='alert(1)' target=_self rel=opener id=x class=y>x</a>",
    ],
)
def test_nothing_runs_and_nothing_is_fetched(source):
    safe = sanitise(source).lower()
    tags = html.tokens(safe)
    for token in tags:
        if token.kind == "open":
            assert token.text not in {
                "script",
                "img",
                "iframe",
                "form",
                "input",
                "style",
                "link",
                "meta",
                "base",
                "svg",
                "math",
            }
            assert not [
                name for name in token.attributes if name.startswith("on") or name in {"id", "class", "background"}
            ]
            assert "evil.example" not in "".join(token.attributes.values()) or token.attributes.get("title")
            assert "javascript" not in token.attributes.get("href", "")
            assert "position" not in token.attributes.get("style", "")


def test_links_open_elsewhere_and_tell_nothing():
    safe = sanitise('<a href="https://shop.example/?a=1&amp;b=2">shop</a>')
    assert 'rel="noopener nofollow noreferrer"' in safe
    assert 'target="_blank"' in safe
    assert 'href="https://shop.example/?a=1&amp;b=2"' in safe


def test_only_our_own_inline_pictures_are_shown():
    safe = sanitise(
        '<img src="cid:logo@x" alt="Logo"><img src="cid:gone"><img src="https://a.example/b.png" alt="B">',
        {"logo@x": "/files/7"},
    )
    assert safe.count("<img") == 1
    assert 'src="/files/7"' in safe
    assert safe.count("Image not loaded") == 2


def test_ordinary_form_survives():
    safe = sanitise(
        '<p style="color:red">A <b>bold</b> <i>word</i></p><ul><li>one<li>two</ul><table><tr><td colspan=2>x</table>'
    )
    assert safe.startswith('<p style="color:red">A <b>bold</b> <i>word</i></p><ul><li>one')
    assert 'colspan="2"' in safe


@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("<p>One</p><p>Two</p>", "One\n\nTwo"),
        ("<div>One</div><div>Two</div>", "One\nTwo"),
        ("One<br>Two<br><br>Three", "One\nTwo\n\nThree"),
        ("<ul><li>a</li><li>b</li></ul>", "- a\n- b"),
        ("<ol><li>a<li>b</ol>", "1. a\n2. b"),
        ('See <a href="https://a.example/x">here</a>.', "See here <https://a.example/x>."),
        ('<a href="https://a.example/">a.example</a>', "a.example"),
        ('<a href="mailto:a@b.example">a@b.example</a>', "a@b.example"),
        ("<p>Mine</p><blockquote>Yours<br>too</blockquote>", "Mine\n>\n> Yours\n> too"),
        ("<pre>a\n  b</pre>", "a\n  b"),
        ("<table><tr><td>a<td>b<tr><td>c<td>d</table>", "a\tb\nc\td"),
        ("a\n   b\t c", "a b c"),
        ("1 &lt; 2 &amp; 3&nbsp;> 2", "1 < 2 & 3 > 2"),
        ("x < y <3", "x < y <3"),
        ('<div style="display: none">preheader</div>Words', "Words"),
        ("<title>t</title><style>p{}</style><!-- c -->Words", "Words"),
        ("<p></p><p> </p>", ""),
    ],
)
def test_words_of_html(source, words):
    assert html.text(source) == words


HOSTILE = {
    "divs": "<div>" * 200_000 + "x",
    "fonts": "".join(f"<font size={n}>" for n in range(20_000)) + "<p>x" * 50_000,
    "paragraphs": "<p>" * 700_000,
    "formatting": "<p><b><i><u><s><tt><em><font><big>" * 20_000 + "</p><p>" * 100_000,
    "misnested": "<b><i></b></i><p>" * 100_000,
    "tables": "<table><tr><td>" * 100_000,
    "table fonts": "<table><font>" * 100_000,
    "open quotes": '<a "' * 500_000,
    "less than": "<" * 3_000_000,
    "comments": "<!--" * 1_000_000,
    "scripts": "<script>" * 500_000,
    "half scripts": "<script" * 500_000,
    "entities": "&" + "a" * 33 + ("&" + "a" * 33) * 60_000,
    "equals": "<a =" * 1_000_000,
    "closing": "</a" * 1_000_000,
    "spaces": "<a" + " " * 5_000_000,
    "ampersands": "&" * 2_000_000,
    "written ampersands": "&amp;" * 400_000,
    "words and ampersands": "words & " * 250_000,
    "hard spaces": "\xa0" * 2_000_000,
    "ampersands beside cells": "<table>" + ("&" * 3_999 + "<tr>") * 500,
    "ampersands in links": ('<a href="https://x.example/?' + "&" * 7_000 + '">&</a>') * 280,
    "hidden": '<div style="display:none">' * 100_000,
}


@pytest.mark.slow
@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_html_costs_little_more_than_a_letter(name):
    assert in_letters(lambda: html.text(HOSTILE[name]))[1] < 75
    assert in_letters(lambda: sanitise(HOSTILE[name]))[1] < 150


@pytest.mark.parametrize("source", ["&" * 2_000_000, "\xa0" * 2_000_000, ("<b>" + "<" * 40 + "</b>") * 50_000])
def test_what_grows_by_escaping_is_cut_with_a_word_about_it(source):
    safe = sanitise(source)
    assert len(safe) < html.WRITTEN + 2 * html.STRETCH
    assert safe.endswith("<p><em>[…] This message is too long to show here. Its source holds the rest.</em></p>")


def test_words_beyond_the_limit_are_said_to_be_cut():
    assert sanitise("<p>" + "word " * 500_000).endswith("Its source holds the rest.</em></p>")
    assert html.text("<p>" + "word " * 500_000).endswith(html.CUT)


@pytest.mark.parametrize("unit", ["word & word ", "&", "\xa0", "<b>one</b> two "])
def test_a_long_text_is_whole_and_broken_only_where_a_line_may_break(unit):
    source = unit * 5_000
    safe = sanitise(source)
    whole = sanitise(unit) * 5_000
    assert safe.replace("<wbr>", "") == whole
    assert "<wbr>" in safe
    assert "d<wbr>" not in safe


def test_a_text_of_the_usual_length_is_not_broken():
    assert "<wbr>" not in sanitise("<p>words &amp;&nbsp;words</p>" * 500)


def test_the_words_behind_too_many_tags_are_kept():
    assert "the end" in html.text("<div>" * 200_000 + "the end")
    assert "the end" in sanitise("<div>" * 200_000 + "the end")


tags = st.sampled_from(
    [
        "<p>",
        "</p>",
        "<b>",
        "</b>",
        "<table>",
        "<tr>",
        "<td>",
        "</table>",
        "<a",
        "href='",
        '">',
        "<!--",
        "-->",
        "<script>",
        "</script>",
        "<li>",
        "<ul>",
        "</ul>",
        "&",
        "&lt;",
        "<",
        ">",
        "<img",
        "src=cid:",
    ]
)


@given(st.lists(tags | st.text(max_size=5), max_size=60).map("".join))
@settings(max_examples=300, deadline=None)
def test_no_html_makes_it_fail(source):
    html.text(source)
    again = sanitise(source)
    assert "<script" not in again.lower()
