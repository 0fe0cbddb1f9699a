"""Bytes to the words that were meant: which charset a text is really in, whatever its label says.

`decode(data, declared)` never raises. It trusts, in this order: a byte order mark; UTF-8 that is valid and not ASCII
(no other charset looks like it by accident, but for the double-byte ones); the declared charset, if it decodes
strictly; what the bytes look like (a short list of charsets that mail is really written in); UTF-8 or windows-1252
with visible replacements. `storable(text)` makes any text fit for PostgreSQL and for a page: no NUL, no lone
surrogate, no invisible control character; what stood there stays visible as a symbol.
"""

import codecs
import re
from dataclasses import dataclass

# Only these may be asked of Python's codecs: the registry also holds `punycode` (quadratic), `unicode_escape`, `zip`.
# The label often names a small set where the bytes come from a larger one; the codec is the larger one, as in browsers.
_LABELS = """
    utf-8: utf-8 utf8 utf-8mb4
    utf-16: utf-16 unicode ucs-2
    utf-16-le: utf-16le utf-16-le
    utf-16-be: utf-16be utf-16-be
    utf-32: utf-32
    utf-7: utf-7 utf7 unicode-1-1-utf-7
    hz: hz hz-gb-2312
    koi8-r: koi8-r koi8 cskoi8r
    koi8-u: koi8-u
    ptcp154: ptcp154
    cp1252: us-ascii ascii ansi ansi_x3.4-1968 iso-8859-1 latin1 latin-1 l1
    cp1254: iso-8859-9
    cp1251: win-1251
    cp874: iso-8859-11 tis-620 windows-874
    cp850: cp-850
    iso8859-2: latin2
    iso8859-8: iso-8859-8-i
    iso8859-15: latin9
    mac_roman: macintosh x-mac-roman mac
    mac_cyrillic: x-mac-cyrillic
    iso2022_jp_ext: iso-2022-jp iso-2022-jp-1
    iso2022_jp_2: iso-2022-jp-2
    iso2022_jp_3: iso-2022-jp-3
    iso2022_kr: iso-2022-kr
    cp932: shift_jis shift-jis sjis x-sjis ms_kanji windows-31j cp932
    euc_jp: euc-jp x-euc-jp
    gb18030: gb18030 gb2312 gb_2312-80 gbk x-gbk cp936 euc-cn
    big5hkscs: big5 big5-hkscs cn-big5
    cp950: cp950
    cp949: euc-kr ks_c_5601-1987 ks_c_5601 cp949 windows-949 x-windows-949
"""
_KNOWN = {
    **{f"iso-8859-{n}": f"iso8859-{n}" for n in (2, 3, 4, 5, 6, 7, 8, 10, 13, 14, 15, 16)},
    **{f"{kind}{n}": f"cp{n}" for n in range(1250, 1259) for kind in ("windows-", "cp")},
    **{f"{kind}{n}": f"cp{n}" for n in (437, 850, 852, 855, 858, 862, 866, 874) for kind in ("ibm", "cp")},
    **{
        label: codec.strip()
        for codec, _, labels in (line.partition(":") for line in _LABELS.strip().splitlines())
        for label in labels.split()
    },
}
_DOUBLE_BYTE = {"cp932", "euc_jp", "gb18030", "big5hkscs", "cp950", "cp949"}
_WEAK_LABELS = {"cp1252"}  # what software writes when it does not know
_BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_SAMPLE = 8_000  # bytes that are enough to know a charset by
_ISO_2022 = re.compile(rb"\x1b[$(][()@-J]")


@dataclass(frozen=True)
class Decoded:
    """A text, the charset it was read in, whether another one was declared, and whether bytes were unreadable."""

    text: str
    charset: str
    relabelled: bool = False
    damaged: bool = False


def known(label: str | None) -> str | None:
    """Python's name for a declared charset, or None if nobody should trust the label."""
    if not label:
        return None
    name = label.strip().strip("\"'").lower().replace(" ", "-").split(";")[0].split("*")[0]
    for spelling in (
        name,
        name.replace("_", "-"),
        name.removeprefix("x-"),
        name.replace("iso8859", "iso-8859").replace("_", "-"),
    ):
        if spelling in _KNOWN:
            return _KNOWN[spelling]
    return None


def decode(data: bytes, declared: str | None = None) -> Decoded:
    """The text of these bytes, by the best evidence there is."""
    label = known(declared)
    for bom, codec in _BOMS:
        if data.startswith(bom):
            text = data.decode(codec, "replace")
            return Decoded(text.removeprefix("\ufeff"), codec, label not in (None, codec, "utf-8"), "\ufffd" in text)
    if _might_be_utf16(data):
        codec = "utf-16-le" if data[1::2].count(0) >= data[::2].count(0) else "utf-16-be"
        if (wide := _strictly(data, codec)) is not None:
            return Decoded(wide, codec, relabelled=label not in (codec, "utf-16"))
    if data.isascii():
        return _decode_seven_bits(data, label, declared)
    return _decode_eight_bits(data, label, declared)


def _decode_seven_bits(data: bytes, label: str | None, declared: str | None) -> Decoded:
    if b"\x1b" in data and _ISO_2022.search(data):
        escapes = "iso2022_kr" if b"\x1b$)C" in data else "iso2022_jp_ext"
        codec = label if label and label.startswith("iso2022") else escapes
        text = data.decode(codec, "replace")
        return Decoded(text, codec, relabelled=codec != label, damaged="\ufffd" in text)
    if label in {"utf-7", "hz"} and (shifted := _strictly(data, label)) is not None:
        return Decoded(shifted, label)
    return Decoded(data.decode("ascii"), "us-ascii", relabelled=bool(declared) and label is None)


def _decode_eight_bits(data: bytes, label: str | None, declared: str | None) -> Decoded:
    as_utf8 = _strictly(data, "utf-8")
    accident = as_utf8 and label in _DOUBLE_BYTE and _only_two_byte_pairs(as_utf8) and _strictly(data, label)
    if as_utf8 is not None and not accident:
        return Decoded(as_utf8, "utf-8", relabelled=bool(declared) and label != "utf-8")
    if label and label != "utf-8" and (as_declared := _strictly(data, label)) is not None:
        ascii_only = "ascii" in (declared or "").lower()
        # "ascii" is wrong for certain here; "latin-1" may be right, so more must speak against it.
        guess = _looks_like(data, least=6 if ascii_only else 24) if label in _WEAK_LABELS else None
        if guess is None:
            return Decoded(as_declared, label, relabelled=ascii_only)
        return Decoded(data.decode(guess, "replace"), guess, relabelled=True)
    if _mostly_utf8(data):
        return Decoded(data.decode("utf-8", "replace"), "utf-8", label not in (None, "utf-8"), damaged=True)
    guess = _looks_like(data)
    if guess is None and label and label != "utf-8" and label not in _WEAK_LABELS:
        return Decoded(data.decode(label, "replace"), label, damaged=True)  # the label is right, a byte or two are not
    codec = guess or "cp1252"
    text = data.decode(codec, "replace")
    return Decoded(text, codec, relabelled=bool(declared), damaged="\ufffd" in text)


def _strictly(data: bytes, codec: str) -> str | None:
    try:
        return data.decode(codec)
    except (UnicodeError, LookupError, ValueError):
        # cp1252 leaves five bytes undefined that Latin-1 mail does contain; they are controls and are shown as such.
        return data.decode("latin-1") if codec == "cp1252" and _rarely_undefined(data) else None


def _rarely_undefined(data: bytes) -> bool:
    return sum(data.count(byte) for byte in b"\x81\x8d\x8f\x90\x9d") * 100 < len(data)


def _might_be_utf16(data: bytes) -> bool:
    head = data[:_SAMPLE]
    zeros, half = head.count(0), len(head) // 2
    return (
        half > 1
        and len(data) % 2 == 0
        and zeros * 10 > half * 4
        and max(head[::2].count(0), head[1::2].count(0)) * 10 > zeros * 9
    )


def _only_two_byte_pairs(text: str) -> bool:
    """Whether every non-ASCII character took two bytes and none stands in a Western word: perhaps an accident."""
    return not re.search("[\u0800-\U0010ffff]|[A-Za-z][\u0080-\u07ff]|[\u0080-\u07ff][A-Za-z]", text)


def _mostly_utf8(data: bytes) -> bool:
    """Many good sequences and a few broken ones: cut in the middle of a character, or something pasted into it."""
    text = data[:_SAMPLE].decode("utf-8", "replace")
    broken = text.count("\ufffd")
    good = len(_HIGH.findall(text)) - broken
    return good >= 2 * broken and good > 0


_HIGH = re.compile("[^\x00-\x7f]")


def _share(text: str, wanted: str) -> float:
    letters = len(_HIGH.findall(text))
    return len(re.findall(wanted, text)) / letters if letters else 0.0


def _looks_like(data: bytes, least: int = 6) -> str | None:
    """A charset that these unlabelled bytes can only be in, or None: then they are Western, or nobody knows."""
    head = data[:_SAMPLE]
    high = len(re.findall(rb"[\x80-\xff]", head))
    latin_letters = len(re.findall(rb"[A-Za-z]", head))
    if high < least or high < latin_letters:
        return None  # Western text has far fewer accents than plain letters
    head = head[: len(head) - 1] if _strictly(head, "gb18030") is None and len(data) > _SAMPLE else head
    kana, hangul, han = r"[\u3040-\u30ff]", r"[\uac00-\ud7a3]", r"[\u4e00-\u9fff\u3000-\u303f\uff00-\uffef]"
    for codec, script, enough in (("cp932", kana, 0.25), ("euc_jp", kana, 0.25), ("cp949", hangul, 0.85)):
        text = _strictly(head, codec)
        if text is not None and _share(text, script) >= enough and _share(text, r"[\uff61-\uff9f]") < 0.2:
            return codec
    # Cyrillic: the charset in which the common letters are common, and of equals the one that gives small letters.
    cyrillic = {codec: head.decode(codec, "replace") for codec in ("koi8-r", "cp1251", "cp866", "iso8859-5")}

    def likely(codec: str) -> float:
        text = cyrillic[codec]
        return _share(text, "[оеаинтсрвлкмдОЕАИНТСРВЛКМД]") + 0.3 * _share(text, "[а-яё]")

    best = max(cyrillic, key=likely)
    if _share(cyrillic[best], "[а-яёА-ЯЁ]") > 0.9 and likely(best) > 0.75:
        return best
    common = "[的一是不了在人有我他中上大和地到以要就出可也你能子那得下年後后您好這個們來為國說時會對請謝問題訂單]"
    simplified = _strictly(head, "gb18030")
    traditional = _strictly(head, "big5hkscs")
    if traditional is not None and (simplified is None or _share(traditional, han) > _share(simplified, han)):
        return "big5hkscs"
    if simplified is not None and _share(simplified, han) > 0.9:
        if (
            traditional is not None
            and _share(traditional, han) > 0.9
            and _share(traditional, common) > _share(simplified, common)
        ):
            return "big5hkscs"
        return "gb18030"
    return None


# NUL cannot be stored; a lone surrogate cannot be encoded; the rest would be invisible or move a terminal's cursor.
_UNSTORABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")
_OVERRIDES = re.compile("[\u202a-\u202e\u2066-\u2069]")


def _visible(match: re.Match[str]) -> str:
    point = ord(match.group())
    return chr(0x2400 + point) if point < 0x20 else "\u2421" if point == 0x7F else "\ufffd"


def storable(text: str) -> str:
    """The same text, fit to be stored and shown: line ends are \\n, what cannot be stored becomes a visible symbol."""
    return _UNSTORABLE.sub(_visible, text.replace("\r\n", "\n").replace("\r", "\n"))


def storable_line(text: str) -> str:
    """One line of storable text without direction overrides, which could make a name or a file read as another."""
    return _OVERRIDES.sub("\ufffd", " ".join(storable(text).split("\n"))).strip()
