"""The charset of a text is known by evidence; a label is believed where it can be true."""

import pytest

from tickets.intake.charsets import decode, storable, storable_line


@pytest.mark.parametrize(
    ("text", "charset", "label"),
    [
        ("Müller & Söhne, Gößweinstraße", "cp1252", "iso-8859-1"),
        ("ÄÄÄÄÄÄÄ", "cp1252", "iso-8859-1"),
        ("éèàçôé", "cp1252", "windows-1252"),
        ("ÉÈÀÇÔ!", "cp1252", "utf-8"),
        ("联通", "gbk", "gb2312"),
        ("こんにちは", "cp932", None),
        ("Привет", "koi8-r", None),
        ("Привет", "cp1251", "us-ascii"),
        ("ПРИВЕТ ВСЕМ", "cp1251", None),
        ("ПРИВЕТ ВСЕМ", "koi8-r", None),
        ("Żółw", "iso8859-2", "iso-8859-2"),
        ("Grüße", "utf-8", "gb2312"),
        ("“smart” quotes – and €", "cp1252", "iso-8859-1"),
        ("Words", "utf-16", "utf-8"),
        ("Words", "utf-16-le", None),
        ("Größe", "utf-8-sig", "iso-8859-1"),
    ],
)
def test_the_words_that_were_meant(text, charset, label):
    assert decode(text.encode(charset), label).text == text


def test_a_wrong_label_and_a_broken_byte_are_told():
    assert decode("Größe".encode(), "us-ascii").relabelled
    assert not decode("Größe".encode(), "utf-8").relabelled
    broken = decode("Größe, Straße".encode() + b"\xff", "utf-8")
    assert (broken.text, broken.damaged) == ("Größe, Straße\ufffd", True)


def test_what_cannot_be_stored_is_shown():
    assert storable("a\0b\x1bc\x7fd\ud800e\r\nf\rg\x85\ufffe") == "a\u2400b\u241bc\u2421d\ufffde\nf\ng\ufffd\ufffd"
    assert storable("שלום \u200f👨‍👩‍👧 \t ok") == "שלום \u200f👨‍👩‍👧 \t ok"
    assert storable_line("invoice\u202efdp.exe\nx") == "invoice\ufffdfdp.exe x"
