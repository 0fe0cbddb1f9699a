"""HTML of a stranger: made safe to show, and turned into words.

`sanitise(html, cid_url=...)` is for the moment of rendering (never stored): an allow-list by nh3 behind a tokeniser of
our own. nh3 is quadratic in nesting and any HTML parser can be made to multiply elements, so the tokeniser first writes
the document anew: every tag closed, at most `DEPTH` deep, at most `ELEMENTS` elements, no image from elsewhere. Nothing
of the text goes at these limits, only the tags. The whole is at most `WRITTEN` characters, however long escaping makes
it, and says where it was cut. `text(html)` gives the words with paragraphs, lists, links and quotes. Both take time in
proportion to the input and never raise.

The tokeniser is ours because `html.parser.HTMLParser` is quadratic, and no size limit helps: 200 KB of "<!--" take it
22 s and 200 KB of "<a =" 155 s (Python 3.11.7), where this one takes 0.3 s for 4 MB of either. Of the 27 hostile
pages it was tried with, 4 MB at the most, it did not end within 12 s on 13.
"""

import re
from collections.abc import Callable, Iterator
from html import escape, unescape
from typing import NamedTuple
from urllib.parse import urlsplit

import nh3
from django.utils.translation import gettext as _

DEPTH = 100
FORMATTING_DEPTH = 12
ELEMENTS = 30_000
TOKENS = 60_000
CHARACTERS = 2_000_000  # of text and attributes that are kept; beyond, the raw source has the rest
WRITTEN = 3_000_000  # of the document that is shown, in which an ampersand is five characters
STRETCH = 20_000  # of what is written without a break: nh3 is quadratic in ampersands and hard spaces of one text
ATTRIBUTES = 40
CUT = "[…]"  # ends a text that is longer than these limits


def _names(text: str) -> frozenset[str]:
    return frozenset(text.split())


_VOID = _names("area base br col embed hr img input link meta param source track wbr")
_RAW = _names("script style title textarea xmp iframe noembed noframes noscript svg math template object applet")
_FORMATTING = _names("a b big code em font i nobr s small strike strong tt u")
_BLOCKS = _names("""
    address article aside blockquote body caption center dd details dir div dl dt fieldset figcaption figure footer form
    h1 h2 h3 h4 h5 h6 header hr html li main nav ol p pre section summary table tbody td tfoot th thead tr ul
""")
_PARAGRAPHS = _names("p h1 h2 h3 h4 h5 h6 ul ol dl table blockquote pre")
_TAGS = _names("""
    a abbr address article aside b bdi bdo big blockquote br caption center code col colgroup dd del details dfn div dl
    dt em figcaption figure font footer h1 h2 h3 h4 h5 h6 header hr i img ins kbd li main mark ol p pre q s samp section
    small span strike strong sub summary sup table tbody td tfoot th thead time tr tt u ul var wbr
""")
_STYLES = _names("""
    background-color border border-bottom border-collapse border-color border-left border-right border-spacing
    border-style border-top border-width color direction display font-family font-size font-style font-variant
    font-weight height letter-spacing line-height list-style-type margin margin-bottom margin-left margin-right
    margin-top max-width min-width overflow-wrap padding padding-bottom padding-left padding-right padding-top
    text-align text-decoration text-indent text-transform unicode-bidi vertical-align white-space width word-break
    word-wrap
""")
_SCHEMES = frozenset({"https", "http", "mailto", "tel"})
_ALLOWED = {
    "*": {"style", "dir", "lang", "title", "align", "valign", "width", "height", "bgcolor", "color"},
    "a": {"href"},
    "img": {"src", "alt"},
    "td": {"colspan", "rowspan"},
    "th": {"colspan", "rowspan", "scope"},
    "font": {"face", "size"},
    "ol": {"start", "type"},
    "table": {"border", "cellpadding", "cellspacing"},
}
_NAME = re.compile(r"[a-zA-Z][^\s/>\"'<]{0,40}")
_ATTRIBUTE = re.compile(r"[\s/]*+([^\s=>/][^\s=>/]{0,200})(?:\s*+=\s*+)?")
_BARE = re.compile(r"[^\s>]*")
_ANY_TAG = re.compile(r"<[^<>]*+>")
_HIDDEN = re.compile(r"display\s*:\s*none|mso-hide\s*:\s*all", re.IGNORECASE)


class Token(NamedTuple):
    """kind is "text", "cut", "open" or "close"; `text` is the unescaped text or the tag's name in lower case."""

    kind: str
    text: str
    attributes: dict[str, str] = {}


def tokens(html: str) -> Iterator[Token]:
    """The document as text and tags, linear, with scripts, styles and comments left out."""
    at, size, budget = 0, len(html), CHARACTERS
    last = {quote: html.rfind(quote) for quote in "\"'"}
    gone: set[str] = set()  # closing marks that are known not to come any more
    for _count in range(TOKENS):
        if at >= size or budget <= 0:
            break
        start = html.find("<", at)
        if start != at:
            stop = size if start < 0 else start
            chunk = html[at : min(stop, at + budget)]
            budget -= len(chunk)
            yield Token("text", unescape(chunk))
            at += len(chunk)
            continue
        after = html[at + 1 : at + 2]
        if html.startswith("<!--", at):
            stop = html.find("-->", at + 4) if "-->" not in gone else -1
            if stop < 0:
                gone.add("-->")
            at = stop + 3 if stop >= 0 else _behind(html, at, ">", gone)
        elif after in ("!", "?"):
            at = _behind(html, at, ">", gone)
        elif after == "/" and (name := _NAME.match(html, at + 2)):
            at = _behind(html, at, ">", gone)
            yield Token("close", name.group().lower())
        elif name := _NAME.match(html, at + 1):
            tag = name.group().lower()
            attributes, at = _attributes(html, name.end(), last)
            budget -= sum(len(value) for key, value in attributes.items() if key != "src")
            if tag in _RAW:
                closing = re.compile(f"</{tag}", re.IGNORECASE)
                found = closing.search(html, at) if tag not in gone else None
                if found:
                    at = _behind(html, found.start(), ">", gone)
                else:
                    gone.add(tag)
                continue
            yield Token("open", tag, attributes)
        else:
            budget -= 1
            yield Token("text", "<")
            at += 1
    if at < size:
        # Too many tags to be meant: the words of the rest without their form, and a mark if even those are too many.
        rest = _ANY_TAG.sub(" ", html[at:])
        yield Token("text", unescape(rest[: max(budget, 0)]))
        if len(rest) > budget:
            yield Token("cut", f" {CUT}")


def _behind(html: str, at: int, mark: str, gone: set[str]) -> int:
    stop = html.find(mark, at) if mark not in gone else -1
    if stop < 0:
        gone.add(mark)
        return at + 1 if html[at + 1 : at + 2] not in "!?/" else at + 2
    return stop + 1


def _attributes(html: str, at: int, last: dict[str, int]) -> tuple[dict[str, str], int]:
    found: dict[str, str] = {}
    for _count in range(ATTRIBUTES * 5):
        match = _ATTRIBUTE.match(html, at)
        if not match:
            break
        at = match.end()
        value = ""
        if match.group().rstrip().endswith("=") and len(match.group().rstrip()) > 1:
            quote = html[at : at + 1]
            if quote in last and quote and last[quote] > at:
                stop = html.index(quote, at + 1)
                value, at = html[at + 1 : stop], stop + 1
            else:
                bare = _BARE.match(html, at)
                value, at = (bare.group(), bare.end()) if bare else ("", at)
        if len(found) < ATTRIBUTES:
            found.setdefault(match.group(1).lower(), unescape(value[:8_000]))
    stop = html.find(">", at, at + 2_000)
    return found, stop + 1 if stop >= 0 else at


def sanitise(html: str, *, cid_url: Callable[[str], str | None]) -> str:
    """Safe HTML for the sandboxed frame. `cid_url` gives our address of an inline image, or None if there is none."""
    return nh3.clean(
        _rebuild(html, cid_url),
        tags=set(_TAGS),
        clean_content_tags={"script", "style", "title"},
        attributes={tag: set(names) for tag, names in _ALLOWED.items()},
        attribute_filter=_filter,
        link_rel=None,
        url_schemes=set(_SCHEMES),
        filter_style_properties=set(_STYLES),
        set_tag_attribute_values={"a": {"target": "_blank", "rel": "noopener nofollow noreferrer"}},
    )


def _filter(tag: str, name: str, value: str) -> str | None:
    # url() in a style would fetch something: from elsewhere, and when the page is opened.
    if name == "style" and re.search(r"url|image|expression|@|\\|/\*", value, re.IGNORECASE):
        return None
    return value


def _safe_link(value: str) -> str | None:
    value = re.sub(r"[\x00-\x20]+", "", value) if not value.lower().startswith(("mailto:", "tel:")) else value.strip()
    try:
        parts = urlsplit(value)
    except ValueError:
        return None
    if parts.scheme.lower() in {"mailto", "tel"} or (parts.scheme.lower() in {"https", "http"} and parts.netloc):
        return value
    return None


def _rebuild(html: str, cid_url: Callable[[str], str | None]) -> str:
    """The same document, well-formed and shallow, with its images resolved or replaced."""
    page = _Page()
    stack: list[str] = []
    dropped: dict[str, int] = {}  # tags left out for depth, whose closing tags must be left out too
    elements = 0
    is_cut = False

    def close_until(name: str) -> None:
        while stack:
            top = stack.pop()
            page.put(f"</{top}>")
            if top == name:
                return

    for kind, name, attributes in tokens(html):
        if kind == "cut" or page.room <= 0:
            is_cut = True
            break
        if kind == "text":
            page.say(name)
        elif kind == "close":
            if dropped.get(name):
                dropped[name] -= 1
            elif name in stack:
                close_until(name)
            elif name == "p":
                page.put("<br>")
        elif name == "img":
            elements += 1
            if elements < ELEMENTS:
                page.put(_image(attributes, cid_url))
        elif name in _TAGS:
            elements += 1
            if name in _BLOCKS and "p" in stack:
                close_until("p")  # as every browser does; leaving it open would let formatting multiply
            if name == "a" and "a" in stack:
                close_until("a")
            deep = len(stack) >= DEPTH or (
                name in _FORMATTING and sum(tag in _FORMATTING for tag in stack) >= FORMATTING_DEPTH
            )
            if elements > ELEMENTS or deep:
                if name not in _VOID:
                    dropped[name] = dropped.get(name, 0) + 1
                continue
            page.put(f"<{name}{_written(name, attributes)}>")
            if name not in _VOID:
                stack.append(name)
    close_until("")
    if is_cut or page.room <= 0:
        words = _("This message is too long to show here. Its source holds the rest.")
        page.put(f"<p><em>{CUT} {escape(words)}</em></p>")
    return "".join(page.out)


class _Page:
    """The document as it is written. Once it is full no text follows, and what was opened is closed."""

    def __init__(self) -> None:
        self.out: list[str] = []
        self.room = WRITTEN
        self.unbroken = 0

    def put(self, tag: str) -> None:
        self.out.append(tag)
        self.room -= len(tag)

    def say(self, text: str) -> None:
        """Write text, with a mark wherever it grows long that a line may break there: at a space, where there is one.

        Counted over tags: what stands in a table outside its cells is joined again before it, whatever is between.
        """
        at = 0
        while at < len(text) and self.room > 0:
            stop = at + STRETCH // 5
            if stop < len(text):
                stop = text.rfind(" ", at + STRETCH // 10, stop) + 1 or stop
            said = escape(text[at:stop], quote=False)
            length = len(said) + 5 * said.count("\xa0")  # nh3 writes each of them as an entity
            if self.unbroken + length > STRETCH:
                self.put("<wbr>")
                self.unbroken = 0
            self.out.append(said)
            self.room -= length
            self.unbroken += length
            at = stop


def _written(name: str, attributes: dict[str, str]) -> str:
    kept = []
    for key, value in attributes.items():
        if key == "href" and name == "a":
            link = _safe_link(value)
            if link is None:
                continue
            value = link
        if key in _ALLOWED["*"] or key in _ALLOWED.get(name, ()):
            kept.append(f' {key}="{escape(value)}"')
    return "".join(kept)


def _image(attributes: dict[str, str], cid_url: Callable[[str], str | None]) -> str:
    source = attributes.get("src", "").strip()
    alt = attributes.get("alt", "").strip()
    if source.lower().startswith("cid:"):
        url = cid_url(source[4:].strip("<> "))
        if url:
            sizes = {key: value for key, value in attributes.items() if key in {"width", "height", "style", "title"}}
            return f'<img src="{escape(url)}" alt="{escape(alt)}"{_written("img", sizes)}>'
    if attributes.get("width", "").strip() in {"0", "1"} or attributes.get("height", "").strip() in {"0", "1"}:
        return ""  # a counting pixel shows nothing, so nothing is missing
    words = _("Image not loaded: %(name)s") % {"name": alt} if alt else _("Image not loaded")
    return f"<em>[{escape(words)}]</em>"


def text(html: str) -> str:
    """The words of an HTML body, as a person would have typed them."""
    words = _Words()
    words.read(html)
    if words.has_hidden and not words.result().strip():
        words = _Words(show_hidden=True)  # all of it was hidden: better odd words than none
        words.read(html)
    return words.result()


class _Words:
    """Collects lines; knows how deep in quotes, lists and hidden elements it is."""

    def __init__(self, *, show_hidden: bool = False) -> None:
        self.show_hidden = show_hidden
        self.has_hidden = False
        self.lines: list[str] = []
        self.line: list[str] = []
        self.quotes = 0
        self.pre = 0
        self.lists: list[int | None] = []
        self.hidden: list[str] = []  # the open elements since one that is hidden
        self.link: tuple[str, int] | None = None
        self.wants_blank = False
        self.bullet = ""

    def read(self, html: str) -> None:
        for kind, name, attributes in tokens(html):
            if self.hidden:
                self._while_hidden(kind, name)
            elif kind in {"text", "cut"}:
                self._say(name)
            elif kind == "open":
                self._open(name, attributes)
            else:
                self._close(name)
        self._end_line()

    def result(self) -> str:
        return "\n".join(self.lines).strip("\n")

    def _while_hidden(self, kind: str, name: str) -> None:
        if kind == "open" and name not in _VOID and len(self.hidden) < 10_000:
            self.hidden.append(name)
        elif kind == "close" and name in self.hidden[-DEPTH:]:
            while self.hidden and self.hidden.pop() != name:
                pass

    def _say(self, said: str) -> None:
        if self.pre:
            first, *rest = said.replace("\r", "").split("\n")
            self._put(first)
            for line in rest:
                self._end_line(keep_empty=True)
                self._put(line)
            return
        said = re.sub(r"[ \t\r\n\f]+", " ", said)
        if said.startswith(" ") and (not self.line or self.line[-1].endswith(" ")):
            said = said[1:]
        self._put(said)

    def _put(self, said: str) -> None:
        if said:
            if self.bullet:
                self.line.append(self.bullet)
                self.bullet = ""
            self.line.append(said)

    def _end_line(self, *, keep_empty: bool = False) -> None:
        line = "".join(self.line)
        line = line if self.pre else line.replace("\xa0", " ").rstrip() if line.strip() else ""
        self.line = []
        if self.link:
            self.link = (self.link[0], 0)
        mark = "> " * min(self.quotes, 20)
        if line or keep_empty:
            if self.wants_blank and self.lines and self.lines[-1].strip("> "):
                self.lines.append(mark.rstrip())
            self.wants_blank = False
            self.lines.append((mark + line).rstrip() if not self.pre or mark else mark + line)

    def _open(self, name: str, attributes: dict[str, str]) -> None:
        if not self.show_hidden and name not in _VOID and _HIDDEN.search(attributes.get("style", "")[:2_000]):
            self.hidden, self.has_hidden = [name], True
        elif name == "br":
            self._end_line(keep_empty=True)
        elif name == "img":
            if alt := attributes.get("alt", "").strip():
                self._put(f"[{alt}]")
        elif name == "hr":
            self._end_line()
            self.line = ["-" * 10]
            self._end_line()
        elif name == "a":
            self.link = (attributes.get("href", "").strip(), len(self.line))
        elif name in {"td", "th"}:
            if self.line and not self.line[-1].endswith((" ", "\t")):
                self.line.append("\t")
        elif name in _BLOCKS:
            self._end_line()
            self.wants_blank |= name in _PARAGRAPHS and not (name in {"ul", "ol"} and bool(self.lists))
            if name == "blockquote":
                self.quotes += 1
            elif name == "pre":
                self.pre += 1
            elif name in {"ul", "ol"}:
                self.lists.append(0 if name == "ol" else None)
            elif name == "li":
                self._item()

    def _item(self) -> None:
        indent = "  " * min(max(len(self.lists) - 1, 0), 10)
        number = self.lists[-1] if self.lists else None
        if number is None:
            self.bullet = f"{indent}- "
        else:
            self.lists[-1] = number + 1
            self.bullet = f"{indent}{number + 1}. "

    def _close(self, name: str) -> None:
        if name == "a" and self.link:
            href, since = self.link
            self.link = None
            shown = "".join(self.line[since:]).strip()
            target = href.removeprefix("mailto:").removeprefix("tel:")
            if (
                _safe_link(href)
                and target.rstrip("/") not in (shown.rstrip("/"), "http://" + shown, "https://" + shown)
                and len(href) <= 1_000
            ):
                self._put(f" <{target}>" if shown else f"<{target}>")
        elif name in _BLOCKS and name not in {"td", "th"}:
            self._end_line()
            self.wants_blank |= name in _PARAGRAPHS
            if name == "blockquote":
                self.quotes = max(0, self.quotes - 1)
            elif name == "pre":
                self.pre = max(0, self.pre - 1)
            elif name in {"ul", "ol"} and self.lists:
                self.lists.pop()
