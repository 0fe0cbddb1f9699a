"""More than 500 messages of our own making, ordinary and hostile, each with what must come of it.

    for sample in corpus.samples(): sample.raw, sample.words, sample.kind, sample.problems ...

Deterministic: the same samples, byte for byte, in every run. `DESK`, `DOMAIN` and `KEYS` are the receiving desk's.
"""

# Tables of mail, one message to a line where it can be.
# ruff: noqa: E501
# fmt: off

import base64
import quopri
import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache

from tickets.intake import references
from tickets.intake.verdicts import Kind

DOMAIN = "desk.example"
DESK = f"support@{DOMAIN}"
KEYS = (b"a key of the corpus, 32 bytes ...",)
CHECKER = f"mx.{DOMAIN}"


@dataclass(frozen=True)
class Sample:
    """One message. `words` must stand in its text, `subject` be its subject; None means that nothing is claimed."""

    name: str
    raw: bytes
    kind: Kind = Kind.INQUIRY
    reason: str | None = None
    words: tuple[str, ...] = ()
    subject: str | None = None
    problems: tuple[str, ...] = ()
    files: tuple[str, ...] = ()


# Words in each script, and the charsets that hold them.
TEXTS = {
    "german": ("Die Lieferung über 300 € fehlt, bitte prüfen Sie das: Größe Ä-Ö-Ü, Straße 5.", "utf-8 windows-1252 iso-8859-15"),
    "french": ("Ma commande n'est pas arrivée, ça m'étonne : où est-elle passée ? Très déçu, élève Noël.", "utf-8 windows-1252 iso-8859-1"),
    "spanish": ("¿Dónde está mi pedido? Mañana será tarde, señor Núñez.", "utf-8 windows-1252 iso-8859-1"),
    "polish": ("Proszę o pomoc, zamówienie nie dotarło: żółć, gęślą jaźń.", "utf-8 iso-8859-2 windows-1250"),
    "czech": ("Příliš žluťoučký kůň úpěl ďábelské ódy, objednávka chybí.", "utf-8 iso-8859-2 windows-1250"),
    "turkish": ("Siparişim gelmedi, lütfen kontrol eder misiniz? İğne, ışık, ağaç.", "utf-8 iso-8859-9 windows-1254"),
    "greek": ("Η παραγγελία μου δεν ήρθε ακόμα, μπορείτε να το ελέγξετε;", "utf-8 iso-8859-7 windows-1253"),
    "russian": ("Здравствуйте, мой заказ до сих пор не пришёл, проверьте пожалуйста.", "utf-8 koi8-r windows-1251 iso-8859-5"),
    "ukrainian": ("Доброго дня, моє замовлення ще не надійшло, перевірте його.", "utf-8 koi8-u windows-1251"),
    "hebrew": ("שלום, ההזמנה שלי עדיין לא הגיעה, אנא בדקו", "utf-8 iso-8859-8 windows-1255"),
    "arabic": ("مرحبا، لم يصل طلبي بعد، يرجى التحقق من ذلك", "utf-8 iso-8859-6 windows-1256"),
    "japanese": ("ご注文の商品がまだ届いていません。確認をお願いします。", "utf-8 iso-2022-jp shift_jis euc-jp"),
    "chinese": ("您好，我的订单还没有收到，请帮我查一下，谢谢。", "utf-8 gb18030 gb2312 gbk hz-gb-2312"),
    "taiwanese": ("您好，我的訂單還沒有收到，請幫我查一下，謝謝。", "utf-8 big5"),
    "korean": ("안녕하세요, 제 주문이 아직 도착하지 않았습니다. 확인 부탁드립니다.", "utf-8 euc-kr ks_c_5601-1987 iso-2022-kr"),
    "thai": ("สวัสดีค่ะ สินค้าที่สั่งยังไม่มาถึง", "utf-8 tis-620 windows-874"),
    "vietnamese": ("Đơn hàng của tôi vẫn chưa đến, xin hãy kiểm tra.", "utf-8"),
    "emoji": ("Where is my parcel? 📦😡 Family 👨‍👩‍👧‍👦 is waiting 🇩🇪", "utf-8 utf-16 utf-7"),
}
PYTHON = {
    "hz-gb-2312": "hz", "ks_c_5601-1987": "euc-kr", "windows-874": "cp874", "windows-1252": "cp1252",
    "iso-8859-9": "cp1254", "tis-620": "cp874", "iso-8859-1": "cp1252",
}


def encode(text: str, charset: str) -> bytes:
    return text.encode(PYTHON.get(charset, charset))


def mail(
    body: bytes | str,
    *,
    sender: str = "Carl Contact <carl@northwind.example>",
    subject: str | bytes = "A question about my order",
    kind: str | None = "text/plain; charset=utf-8",
    encoding: str | None = "8bit",
    drop: tuple[str, ...] = (),
    extra: str | bytes = "",
    end: bytes = b"\r\n",
    number: int = 1,
) -> bytes:
    """One message. `extra` holds further header lines, `drop` the names of the usual ones to leave out."""
    usual: list[tuple[str, str | bytes | None]] = [
        ("Received", f"from out.northwind.example by {CHECKER} with ESMTP id q{number}; Mon, 2 Mar 2026 10:15:00 +0100"),
        ("From", sender),
        ("To", f"Support <{DESK}>"),
        ("Subject", subject),
        ("Date", "Mon, 2 Mar 2026 10:14:58 +0100"),
        ("Message-ID", f"<m{number}@northwind.example>"),
        ("MIME-Version", "1.0"),
        ("Content-Type", kind),
        ("Content-Transfer-Encoding", encoding),
    ]
    lines = [
        name.encode() + b": " + (value.encode() if isinstance(value, str) else value)
        for name, value in usual
        if value is not None and name.lower() not in drop
    ]
    if extra:
        lines.append((extra.encode() if isinstance(extra, str) else extra).rstrip(b"\r\n"))
    return end.join(lines) + end + end + (body.encode() if isinstance(body, str) else body) + end


def part(body: bytes | str, kind: str = "text/plain; charset=utf-8", *, headers: str = "", base64_: bool = False) -> bytes:
    data = body.encode() if isinstance(body, str) else body
    lines = [f"Content-Type: {kind}"] + ([headers] if headers else [])
    if base64_:
        lines.append("Content-Transfer-Encoding: base64")
        data = base64.encodebytes(data).replace(b"\n", b"\r\n")
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + data


def multi(*parts: bytes, boundary: str = "=_b1", closed: bool = True) -> bytes:
    mark = b"--" + boundary.encode()
    return b"".join(mark + b"\r\n" + each + b"\r\n" for each in parts) + (mark + b"--\r\n" if closed else b"")


def many(kind: str, boundary: str = "=_b1", more: str = "") -> str:
    return f'multipart/{kind}; boundary="{boundary}"{more}'


@cache
def samples() -> tuple[Sample, ...]:
    """All of them, each name once."""
    found = [sample for make in MAKERS for sample in make()]
    found.extend(_mutations(found))
    if len({sample.name for sample in found}) != len(found):
        raise ValueError("Two samples have one name.")
    return tuple(found)


def _charsets() -> Iterator[Sample]:
    for language, (text, charsets) in TEXTS.items():
        for charset in charsets.split():
            data = encode(text, charset)
            flat = {"utf-16", "utf-7"}
            for encoding, body in (
                ("base64", base64.encodebytes(data)),
                ("quoted-printable", quopri.encodestring(data)),
                ("8bit", data),
            ):
                if encoding == "8bit" and charset in flat:
                    continue
                yield Sample(
                    f"charset/{language}/{charset}/{encoding}",
                    mail(body, kind=f"text/plain; charset={charset}", encoding=encoding),
                    words=(text,),
                )
            if charset != "utf-7":
                word = base64.b64encode(data).decode()
                yield Sample(
                    f"subject/{language}/{charset}",
                    mail("Hello", subject=f"=?{charset}?B?{word}?="),
                    subject=text,
                    words=("Hello",),
                )


def _wrong_charsets() -> Iterator[Sample]:
    for language, (text, _charsets) in TEXTS.items():
        for label in ("us-ascii", "iso-8859-1", "windows-1252", "unknown-8bit", "x-nonsense", "\0", "punycode", "iso-8859-2"):
            yield Sample(
                f"mislabelled/{language}/utf-8 as {label!r}",
                mail(text, kind=f'text/plain; charset="{label}"'),
                words=(text,),
                problems=("wrong_charset",),
            )
        yield Sample(f"mislabelled/{language}/utf-8 unlabelled", mail(text, kind="text/plain"), words=(text,))
        yield Sample(f"header/{language}/raw utf-8", mail("Hello", subject=text), subject=text)
        cut = text.encode()
        halves = [base64.b64encode(cut[at : at + 10]).decode() for at in range(0, len(cut), 10)]
        yield Sample(
            f"header/{language}/words split inside characters",
            mail("Hello", subject="\r\n ".join(f"=?utf-8?B?{half}?=" for half in halves)),
            subject=text,
        )
        quoted = "".join(f"={byte:02X}" for byte in cut)
        yield Sample(f"header/{language}/q word", mail("Hello", subject=f"=?UTF-8?q?{quoted}?="), subject=text)
    for language, charset in (
        ("german", "windows-1252"), ("french", "iso-8859-1"), ("spanish", "windows-1252"), ("russian", "koi8-r"),
        ("russian", "windows-1251"), ("japanese", "shift_jis"), ("japanese", "euc-jp"), ("japanese", "iso-2022-jp"),
        ("korean", "euc-kr"), ("chinese", "gb18030"),
    ):
        text = TEXTS[language][0]
        for label in ("utf-8", "us-ascii", "x-nonsense"):
            yield Sample(
                f"mislabelled/{language}/{charset} as {label}",
                mail(encode(text, charset), kind=f"text/plain; charset={label}"),
                words=(text,),
                problems=("wrong_charset",),
            )
    text = TEXTS["german"][0]
    yield Sample("mislabelled/utf-16 as utf-8", mail(text.encode("utf-16"), kind="text/plain; charset=utf-8"), words=("Größe",))
    yield Sample("header/raw latin-1", mail("Hello", subject="Größe".encode("latin-1")), subject="Größe")
    yield Sample("header/word with spaces", mail("Hello", subject="=?utf-8?Q?Wo ist es??="), subject="Wo ist es?")
    yield Sample("header/word without end", mail("Hello", subject="=?utf-8?B?SGVsbG8"), subject="=?utf-8?B?SGVsbG8")
    yield Sample("header/unknown charset", mail("Hello", subject="=?x-what?B?SGVsbG8=?="), subject="Hello")
    yield Sample("header/missing padding", mail("Hello", subject="=?utf-8?B?SGVsbG8?="), subject="Hello")
    yield Sample("damaged/utf-8 cut inside a character", mail("Größe und ".encode() + b"\xc3"), words=("Größe und",), problems=("damaged_text",))


def _structures() -> Iterator[Sample]:
    pdf, png = b"%PDF-1.4\nnothing\n%%EOF", b"\x89PNG\r\n\x1a\n" + b"\0" * 40
    hello = part("The words.")
    html = part("<p>The <b>rich</b> words.</p>", "text/html; charset=utf-8")
    attached = part(pdf, "application/pdf", headers='Content-Disposition: attachment; filename="order.pdf"', base64_=True)
    picture = part(png, "image/png; name=logo.png", headers="Content-ID: <logo@x>\r\nContent-Disposition: inline", base64_=True)
    yield Sample("mime/alternative", mail(multi(hello, html), kind=many("alternative")), words=("The words.",))
    yield Sample("mime/html only", mail("<p>Dear desk</p><ul><li>one</li></ul>", kind="text/html"), words=("Dear desk", "- one"))
    yield Sample("mime/mixed", mail(multi(hello, attached), kind=many("mixed")), words=("The words.",), files=("order.pdf",))
    yield Sample("mime/related", mail(multi(html, picture), kind=many("related")), words=("The rich words.",), files=("logo.png",))
    inner = part(multi(hello, html, boundary="in"), many("alternative", "in"))
    yield Sample("mime/mixed alternative", mail(multi(inner, attached), kind=many("mixed")), words=("The words.",), files=("order.pdf",))
    yield Sample("mime/apple", mail(multi(hello, attached, part("More below.")), kind=many("mixed")), words=("The words.", "More below."))
    placeholder = part("This message requires an HTML viewer.")
    yield Sample("mime/placeholder", mail(multi(placeholder, html), kind=many("alternative")), words=("The rich words.",))
    yield Sample("mime/empty plain", mail(multi(part(" "), html), kind=many("alternative")), words=("The rich words.",))
    yield Sample("mime/not closed", mail(multi(hello, attached, closed=False), kind=many("mixed")), words=("The words.",), files=("order.pdf",), problems=("cut_short",))
    yield Sample("mime/no boundary named", mail(multi(hello, attached), kind="multipart/mixed"), words=("The words.",), files=("order.pdf",), problems=("boundary_missing",))
    yield Sample("mime/wrong boundary", mail(multi(hello), kind=many("mixed", "other")), words=("The words.",), problems=("boundary_missing",))
    yield Sample("mime/boundary never", mail("Only words.", kind=many("mixed")), words=("Only words.",), problems=("boundary_missing",))
    yield Sample("mime/no parts", mail("--=_b1--", kind=many("mixed")), problems=("boundary_missing",))
    yield Sample("mime/bad type", mail("Words", kind="text"), words=("Words",))
    yield Sample("mime/no type", mail("Words", kind=None, encoding=None), words=("Words",))
    yield Sample("mime/unknown encoding", mail("Words", encoding="rot13"), words=("Words",), problems=("damaged_encoding",))
    yield Sample("mime/plain called base64", mail("Hello, these are words! No base64.", encoding="base64"), words=("these are words!",), problems=("damaged_encoding",))
    yield Sample("mime/base64 cut", mail(base64.b64encode(b"The first words, then it ends")[:-3], encoding="base64"), words=("The first words",))
    yield Sample("mime/quoted-printable damaged", mail("Gr=C3=B6=C3=9Fe =ZZ and = more=", encoding="quoted-printable"), words=("Größe",))
    yield Sample("mime/soft line breaks", mail("one lo=\r\nng line", encoding="quoted-printable"), words=("one long line",))
    yield Sample("mime/flowed", mail("This goes \r\non here.\r\n> quoted \r\n> too", kind="text/plain; format=flowed"), words=("This goes on here.", "> quoted too"))
    yield Sample("mime/bare newlines", mail("Words", end=b"\n"), words=("Words",))
    yield Sample("mime/old mac newlines", mail("Words", end=b"\r"), words=("Words",))
    yield Sample("mime/mbox line", b"From carl@northwind.example Mon Mar  2 10:15:00 2026\n" + mail("Words"), words=("Words",))
    yield Sample("mime/uuencode", mail("See:\nbegin 644 a.txt\n#0V%T\n`\nend"), words=("begin 644 a.txt",))
    for name, kind, file in (
        ("calendar", "text/calendar; method=REQUEST", "text-calendar-1.ics"),
        ("forward", "message/rfc822", "Inner.eml"),
        ("winmail", "application/ms-tnef; name=winmail.dat", "winmail.dat"),
        ("csv", "text/csv; name=orders.csv", "orders.csv"),
        ("signature", "application/pgp-signature", "application-pgp-signature-1.asc"),
        ("svg", "image/svg+xml; name=x.svg", "x.svg"),
        ("nameless", "image/jpeg", "image-jpeg-1.jpg"),
        ("2231", "application/pdf; name*0*=utf-8''%C3%A4; name*1=rger.pdf", "ärger.pdf"),
        ("2231 latin", "application/pdf; name*=iso-8859-1'de'%E4rger.pdf", "ärger.pdf"),
        ("2047 name", 'application/pdf; name="=?utf-8?B?w6RyZ2VyLnBkZg==?="', "ärger.pdf"),
        ("path", 'application/pdf; name="../../etc/passwd"', "passwd"),
        ("windows path", 'application/pdf; name="C:\\\\temp\\\\a.pdf"', "a.pdf"),
        ("direction", "application/pdf; name*=utf-8''invoice%E2%80%AEfdp.exe", "invoice\ufffdfdp.exe"),
        ("raw umlaut", 'application/pdf; name="größe.pdf"', "größe.pdf"),
        ("nul", "application/pdf; name*=utf-8''a%00b.pdf", "a_b.pdf"),
        ("long", f'application/pdf; name="{"n" * 500}.pdf"', f"{'n' * 140}.pdf"),
    ):
        body = "Subject: Inner\r\n\r\nForwarded words" if name == "forward" else "content"
        kind_of = Kind.UNSORTED if file.endswith(".exe") else Kind.INQUIRY
        raw = mail(multi(hello, part(body, kind)), kind=many("mixed"))
        yield Sample(f"file/{name}", raw, kind_of, words=("The words.",), files=(file,))
    yield Sample("file/only", mail(pdf, kind="application/pdf; name=a.pdf", encoding="binary"), files=("a.pdf",))
    yield Sample("file/empty", mail(multi(hello, part(b"", "application/pdf; name=e.pdf")), kind=many("mixed")), files=("e.pdf",))
    big = random.Random(1).randbytes(3_000_000)
    yield Sample("file/big", mail(multi(hello, part(big, "application/zip; name=big.zip", base64_=True)), kind=many("mixed")), files=("big.zip",))
    encrypted = multi(part("Version: 1", "application/pgp-encrypted"), part("-----BEGIN", "application/octet-stream; name=e.asc"))
    yield Sample("crypto/pgp", mail(encrypted, kind=many("encrypted")), Kind.PARKED, problems=("encrypted",), files=("e.asc",))
    yield Sample("crypto/smime", mail("AAAA", kind="application/pkcs7-mime; smime-type=enveloped-data; name=smime.p7m", encoding="base64"), Kind.PARKED, files=("smime.p7m",))
    signed = multi(hello, part("sig", "application/pkcs7-signature; name=smime.p7s"))
    yield Sample("crypto/signed", mail(signed, kind=many("signed")), words=("The words.",), files=("smime.p7s",))
    for depth in (2, 5, 10, 20, 50, 63, 65, 80, 200):
        body = part("Deep words.")
        for level in range(depth):
            body = part(multi(body, boundary=f"b{level}."), many("mixed", f"b{level}."))
        kind, _, rest = body.partition(b"\r\n\r\n")
        raw = mail(rest, kind=kind.decode().removeprefix("Content-Type: "), encoding=None)
        if depth <= 64:
            yield Sample(f"nested/{depth} deep", raw, words=("Deep words.",))
        else:
            yield Sample(f"nested/{depth} deep", raw, problems=("too_deep",), files=("multipart-mixed-1",))
    wrapped = mail("Innermost")
    for _level in range(50):
        wrapped = mail(wrapped, kind="message/rfc822", encoding=None)
    yield Sample("nested/50 messages", wrapped, files=("A question about my order.eml",))
    for count in (100, 999, 3_000):
        body = multi(*(part(f"word{n}") for n in range(count)))
        problems = ("too_many_parts",) if count > 1_000 else ()
        yield Sample(f"parts/{count}", mail(body, kind=many("mixed")), words=("word0", "word99"), problems=problems)


def _headers() -> Iterator[Sample]:
    body = "Where is my order?"
    said = (body,)
    yield Sample("header/no date", mail(body, drop=("date",)), words=said, problems=("no_date",))
    yield Sample("header/no message id", mail(body, drop=("message-id",)), words=said, problems=("no_message_id",))
    yield Sample("header/no subject", mail(body, drop=("subject",)), words=said, subject="")
    yield Sample("header/no to", mail(body, drop=("to",)), words=said)
    yield Sample("header/no from", mail(body, drop=("from",)), Kind.PARKED, words=said, problems=("no_sender",))
    yield Sample("header/no from but return path", mail(body, drop=("from",), extra="Return-Path: <c@n.example>"), words=said, problems=("no_from",))
    yield Sample("header/no from but reply-to", mail(body, drop=("from",), extra="Reply-To: c@n.example"), words=said, problems=("no_from",))
    yield Sample("header/two message ids", mail(body, extra="Message-ID: <second@northwind.example>"), words=said, problems=("many_message_ids",))
    yield Sample("header/doubled message id", mail(body, extra="Message-ID: <m1@northwind.example>"), words=said)
    yield Sample("header/two froms", mail(body, extra="From: other@rival.example"), words=said, problems=("doubled_header", "many_senders"))
    yield Sample("header/two subjects", mail(body, extra="Subject: other"), words=said, problems=("doubled_header",))
    yield Sample("header/folded subject", mail(body, subject="a long\r\n subject\r\n\there"), subject="a long subject here".replace(" here", "\there"))
    yield Sample("header/nul in subject", mail(body, subject=b"a\0b"), words=said, subject="a\u2400b")
    yield Sample("header/escape in subject", mail(body, subject=b"a\x1b[31mb"), subject="a\u241b[31mb")
    yield Sample("header/surrogates", mail(b"a \xed\xa0\x80 b"), words=("a ", " b"))
    yield Sample("header/blank line missing", b"From: carl@northwind.example\nSubject: x\nHello, I wait.\nAnd more.", words=("Hello, I wait.", "And more."), problems=("header_damaged",))
    yield Sample("header/rubbish line", mail(body, extra="this is no field\r\nX-After: yes"), words=said, subject="A question about my order")
    yield Sample("header/rubbish in the middle", b"From: c@n.example\nrubbish\nSubject: kept\n\nwords", subject="kept", problems=("header_damaged",))
    yield Sample("header/huge field", mail(body, extra="X-Huge: " + "x" * 100_000), words=said)
    yield Sample("header/huge header", mail(body, extra="\r\n".join(f"X-H{n}: {'y' * 900}" for n in range(400))), words=said, problems=("headers_cut",))
    yield Sample("header/very many fields", mail(body, extra="\r\n".join(f"X-H{n}: y" for n in range(3_000))), words=said, problems=("headers_cut",))
    yield Sample("header/very many recipients", mail(body, extra="Cc: " + ", ".join(f"c{n}@n.example" for n in range(900))), words=said, problems=("many_addresses",))
    yield Sample("header/very long body line", mail("start " + "w" * 300_000 + " end"), words=("start ", " end"))
    yield Sample("header/very long text", mail("begin " + "words " * 200_000), words=("begin ",), problems=("text_cut",), files=("text-plain-1.txt",))
    yield Sample("header/date of nonsense", mail(body, drop=("date",), extra="Date: the day before yesterday"), words=said)
    for number, sender in enumerate((
        '"Contact, Carl" <carl@northwind.example>', "carl@northwind.example (Carl (the) Contact)", "carl@northwind.example", "<carl@northwind.example>",
        "Carl Contact carl@northwind.example", "=?utf-8?q?Carl_C=C3=B6ntact?= <carl@northwind.example>", '"=?utf-8?q?Carl?=" <carl@northwind.example>',
        "Carl <carl@northwind.example", "Carl <CARL@NORTHWIND.EXAMPLE>", "Friends: carl@northwind.example;", "Carl\r\n <carl@northwind.example>",
        'Carl "The Cat" Contact <carl@northwind.example>', "Carl <mailto:carl@northwind.example>", "other words, carl@northwind.example",
    )):
        yield Sample(f"sender/{number}", mail(body, sender=sender), words=said)
    for number, sender in enumerate(("", "nobody", "<>", '"', "@", "Carl <>", "((((", "a@", "\0")):
        yield Sample(f"no sender/{number}", mail(body, sender=sender), Kind.PARKED, words=said, problems=("no_sender",))


def _wreckage() -> Iterator[Sample]:
    for number, raw in enumerate((b"", b"\0", b"\0" * 1_000, b"\r\n", b"\n\n\n", b" \t ")):
        yield Sample(f"nothing/{number}", raw, Kind.PARKED, "unreadable", problems=("empty",))
    for number, raw in enumerate((
        b"hello", b"\xff\xfe\x00", b":", b"From:", b"MZ\x90\0" * 100, b"%PDF-1.4\n1 0 obj", b"\x1f\x8b\x08" + b"\xaa" * 200, b"Subject: only a subject",
        b"Content-Type: multipart/mixed; boundary=\n\n--\n--\n----", b"{\"json\": true}", b"<html><p>page</p>", b"--\n" * 1_000, b"a: b\n" * 1_000, bytes(range(256)) * 10,
    )):
        yield Sample(f"no mail/{number}", raw, Kind.PARKED, "unreadable", problems=("no_sender",))
    chance = random.Random(7)
    for number in range(40):
        yield Sample(f"noise/{number}", b"\xff" + chance.randbytes(chance.randrange(1, 3_000)), Kind.PARKED, "unreadable")
    html = "text/html; charset=utf-8"
    for name, body, words in (
        ("nested divs", "<div>" * 200_000 + "Deep words", ("Deep words",)),
        ("open quotes", '<a "' * 20_000 + ">Words", ()),
        ("script", "<script>alert(1)</script><p onclick=x>Words</p>", ("Words",)),
        ("unclosed comment", "Words <!-- and more", ("Words",)),
        ("fonts", "".join(f"<font size={n}>" for n in range(3_000)) + "<p>Words" * 3_000, ("Words",)),
        ("entities", "&#0;&#xD800;&#x110000;&nbsp;Words &amp; &unknown;", ("Words & &unknown;",)),
        ("hidden only", '<div style="display:none">Words</div>', ("Words",)),
        ("outlook", "<!--[if mso]><p>no</p><![endif]--><p class=MsoNormal>Words<o:p></o:p></p>", ("Words",)),
        ("rtl", '<div dir="rtl">שלום</div>', ("שלום",)),
        ("remote image", '<p>Words</p><img src="https://track.example/p.png" alt="Logo">', ("Words", "[Logo]")),
        ("meta charset", '<meta charset="utf-8"><p>Größe</p>', ("Größe",)),
    ):
        yield Sample(f"html/{name}", mail(body, kind=html), words=words)


def _answers() -> Iterator[Sample]:
    """Mail that answers something of ours, quoted in the ways of many programs."""
    ours = references.message_id(ticket=4790, serial="a1", domain=DOMAIN, keys=KEYS)
    for language, introduction in (
        ("en", "On Mon, 2 Mar 2026 at 10:14, Desk <support@desk.example> wrote:"), ("de", "Am 02.03.26 um 10:14 schrieb Desk:"),
        ("fr", "Le lun. 2 mars 2026 à 10:14, Desk <support@desk.example> a écrit :"), ("es", "El lun, 2 mar 2026 a las 10:14, Desk (<support@desk.example>) escribió:"),
        ("it", "Il giorno lun 2 mar 2026 alle ore 10:14 Desk <support@desk.example> ha scritto:"), ("nl", "Op ma 2 mrt 2026 om 10:14 schreef Desk <support@desk.example>:"),
        ("pt", "Em seg., 2 de mar. de 2026 às 10:14, Desk <support@desk.example> escreveu:"), ("pl", "pon., 2 mar 2026 o 10:14 Desk <support@desk.example> napisał(a):"),
    ):
        body = f"My answer.\n\n{introduction}\n> Your question.\n> Two lines.\n"
        yield Sample(f"answer/{language}", mail(body, subject="Re: A question", extra=f"In-Reply-To: {ours}\r\nReferences: {ours}"), words=("My answer.", "Your question."))
    yield Sample("answer/forward", mail("FYI\n\n---------- Forwarded message ---------\nFrom: a@b.example\n\nThe matter", subject="Fwd: it"), words=("The matter",))


def report(said: str, status: str, original: bytes, *, subject: str = "Undelivered Mail Returned to Sender") -> bytes:
    body = multi(part(said), part(status, "message/delivery-status"), part(original, "text/rfc822-headers"))
    return mail(
        body,
        sender="MAILER-DAEMON@out.northwind.example",
        subject=subject,
        kind=many("report", more="; report-type=delivery-status"),
        encoding=None,
        extra="Return-Path: <>\r\nAuto-Submitted: auto-replied",
    )


def _robots() -> Iterator[Sample]:
    ours = references.message_id(ticket=4790, serial="a1", domain=DOMAIN, keys=KEYS)
    original = f"Message-ID: {ours}\r\nSubject: Your order\r\nTo: gone@northwind.example".encode()
    who = "Final-Recipient: rfc822; gone@northwind.example\r\n"
    mta = "Reporting-MTA: dns; out.northwind.example\r\n\r\n"
    for action, code in (("failed", "5.1.1"), ("failed", "5.2.2"), ("failed", "4.4.7"), ("delayed", "4.4.1"), ("Failed", "5.7.1"), ("", "5.0.0")):
        line = f"Action: {action}\r\n" if action else ""
        reason = "not_yet_delivered" if action == "delayed" else "not_delivered"
        yield Sample(f"bounce/dsn {action} {code}", report("It failed.", f"{mta}{who}{line}Status: {code}\r\n", original), Kind.BOUNCE, reason, words=("It failed.",))
    yield Sample("receipt/delivered", report("Done.", f"{mta}{who}Action: delivered\r\nStatus: 2.0.0", original, subject="Delivered"), Kind.AUTOMATIC, "delivered")
    receipt = multi(part("Read."), part("Disposition: manual-action; displayed", "message/disposition-notification"))
    yield Sample("receipt/read", mail(receipt, kind=many("report", more="; report-type=disposition-notification")), Kind.AUTOMATIC, "read_receipt")
    for name, body, extra, subject in (
        ("qmail", f"Hi. This is the qmail-send program.\nI've given up. Sorry.\n\n<gone@northwind.example>:\nno mailbox here by that name (#5.1.1)\n\n--- Below this line is a copy.\n\nMessage-ID: {ours}\n", "Return-Path: <>", "failure notice"),
        ("exim", f"A message that you sent could not be delivered.\n\n  gone@northwind.example\n    550 User unknown\n\n------ This is a copy ------\nMessage-ID: {ours}\n", "X-Failed-Recipients: gone@northwind.example", "Mail delivery failed: returning message"),
        ("exchange", f"Ihre Nachricht wurde nicht zugestellt an gone@northwind.example: 550 5.1.10\n\n> Message-ID: {ours}", "Return-Path: <>", "Unzustellbar: Ihre Bestellung"),
        ("greylist", f"Your message to gone@northwind.example is delayed, we will keep trying. 451 4.7.1\nMessage-ID: {ours}", "Return-Path: <>", "Warning: message delayed 4 hours"),
    ):
        reason = "not_yet_delivered" if name == "greylist" else "not_delivered"
        yield Sample(f"bounce/{name}", mail(body, sender="Mail Delivery System <mailer-daemon@mx.northwind.example>", subject=subject, extra=extra), Kind.BOUNCE, reason)
    answer = f"In-Reply-To: {ours}\r\n"
    for name, subject, extra, reason in (
        ("vacation", "Automatic reply: Your order", "Auto-Submitted: auto-generated\r\nX-Auto-Response-Suppress: All", "out_of_office"),
        ("abwesend", "Abwesenheitsnotiz: Ihre Anfrage", answer + "Auto-Submitted: auto-replied", "out_of_office"),
        ("absence", "Réponse automatique : Votre commande", answer + "Auto-Submitted: auto-replied (vacation)", "out_of_office"),
        ("vacation program", "Re: Your order", answer + "X-Autoreply: yes", "auto_replied"),
        ("precedence", "Re: Your order", answer + "Precedence: auto_reply", "auto_replied"),
        ("null path", "Out of office", "Return-Path: <>", "out_of_office"),
        ("helpdesk", "We received your request", answer + "Auto-Submitted: auto-replied", "auto_replied"),
    ):
        yield Sample(f"automatic/{name}", mail("I am away.", subject=subject, extra=extra), Kind.AUTOMATIC, reason, words=("I am away.",))
    yield Sample("person/writes about out of office", mail("The office is out of paper.", subject="Out of office supplies"), words=("out of paper",))
    yield Sample("person/writes undeliverable", mail("My parcel is undeliverable?", subject="Undeliverable parcel"))
    own_id = "<own1@desk.example>"
    mark = f"Message-ID: {own_id}\r\n{references.MARK_HEADER}: {references.mark(own_id, keys=KEYS)}"
    yield Sample("own/came back", mail("We have your mail.", sender=DESK, drop=("message-id",), extra=mark), Kind.OWN, "own_mark")
    false = f"{references.MARK_HEADER}: {references.mark('<other@desk.example>', keys=KEYS)}"
    yield Sample("own/false mark", mail("Not ours.", extra=false), words=("Not ours.",))
    yield Sample("own/address without mark", mail("Name: Jane\nwrote a form", sender=f"Website <{DESK}>"), Kind.UNSORTED, "own_address")
    checked = f"Authentication-Results: {CHECKER}; spf=fail smtp.mailfrom={DOMAIN}; dmarc=fail header.from={DOMAIN}"
    yield Sample("own/forged colleague", mail("Pay this", sender=f"boss@{DOMAIN}", extra=checked), Kind.UNSORTED, "forged_own_domain")
    strange = checked.replace(CHECKER, "mx.evil.example")
    yield Sample("own/claim of a stranger", mail("Please look", sender=f"boss@{DOMAIN}", extra=strange), words=("Please look",))
    for name, sender, extra, reason in (
        ("noreply", "Shop <noreply@shop.example>", "", "noreply"),
        ("no-reply tag", "no-reply+123@shop.example", "", "noreply"),
        ("donotreply", "orders.do-not-reply@shop.example", "", "noreply"),
        ("nicht antworten", "nicht-antworten@shop.example", "", "noreply"),
        ("generated", "monitor@host.example", "Auto-Submitted: auto-generated", "auto_generated"),
        ("replied to nothing", "desk@other.example", "Auto-Submitted: auto-replied", "auto_generated"),
        ("list", "a@list.example", "List-Id: <news.list.example>\r\nPrecedence: list", "mailing_list"),
        ("newsletter", "news@shop.example", "List-Unsubscribe: <https://shop.example/u>", "mailing_list"),
        ("bulk", "a@shop.example", "Precedence: bulk", "bulk"),
        ("wordpress form", "wordpress@site.example", "X-WPCF7-Content-Type: text/plain", "form"),
        ("mailer form", "web@site.example", "X-Mailer: WPForms/1.8", "form"),
    ):
        yield Sample(f"machine/{name}", mail("Words.", sender=sender, extra=extra), Kind.UNSORTED, reason, words=("Words.",))
    for name, body, subject, extra in (
        ("flag", "Buy.", "Hello", "X-Spam-Flag: YES"),
        ("status", "Buy.", "Hello", "X-Spam-Status: Yes, score=9"),
        ("link only", "https://bad.example/x", "hi", ""),
        ("lures", "Casino jackpot for you", "HELLO DEAR FRIEND", ""),
        ("seo", "Our SEO services and backlinks", "ranking", ""),
        ("unauthenticated", "Casino", "Hello", f"Authentication-Results: {CHECKER}; dmarc=fail; spf=fail; dkim=fail"),
    ):
        yield Sample(f"spam/{name}", mail(body, subject=subject, extra=extra, sender="x@bad.example"), Kind.UNSORTED, "spam")
    program = multi(part("Open it."), part("MZ", "application/octet-stream; name=invoice.pdf.exe"))
    yield Sample("spam/program", mail(program, kind=many("mixed")), Kind.UNSORTED, "spam", files=("invoice.pdf.exe",))
    yield Sample("ham/no flag", mail("Hello", extra="X-Spam-Flag: NO"), words=("Hello",))
    for number in range(10):
        loop = "\r\n".join(f"Received: from a by b{step}.example; Mon, 2 Mar 2026 10:15:00 +0100" for step in range(30))
        extra = f"{loop}\r\nAuto-Submitted: auto-replied\r\nIn-Reply-To: {ours}"
        yield Sample(f"loop/{number}", mail("Thank you for your message.", number=number, extra=extra), Kind.AUTOMATIC, "auto_replied")
    for number in range(5):
        yield Sample(f"doubled/{number}", mail(f"Words number {number}.", number=77), words=(f"Words number {number}.",))


def _ordinary() -> Iterator[Sample]:
    chance = random.Random(3)
    things = ("order", "invoice", "parcel", "refund", "contract", "password", "delivery", "appointment")
    for number in range(60):
        thing = chance.choice(things)
        body = f"Dear desk,\n\nmy {thing} number {1000 + number} is missing. What happens next?\n\nKind regards\nCarl\n-- \nCarl Contact\nNorthwind"
        sender = f"Person {number} <person{number}@northwind.example>"
        yield Sample(f"ordinary/{number}", mail(body, sender=sender, subject=f"My {thing}", number=1_000 + number), words=(f"{thing} number {1000 + number}",), subject=f"My {thing}")


def _mutations(found: list[Sample]) -> Iterator[Sample]:
    """Damaged copies. Nothing is known of them but that none may be lost, crash or take long (kind is not claimed)."""
    chance = random.Random(11)
    small = [sample for sample in found if 200 < len(sample.raw) < 20_000]
    for number in range(100):
        base = chance.choice(small)
        data = bytearray(base.raw)
        for _cut in range(chance.randrange(1, 12)):
            at = chance.randrange(len(data))
            change = chance.randrange(4)
            if change == 0:
                data[at] = chance.randrange(256)
            elif change == 1:
                del data[at : at + chance.randrange(1, 60)]
            elif change == 2:
                data[at:at] = chance.choice((b"\0", b"\r\n\r\n", b"\r\n", b"--=_b1\r\n", b"=?utf-8?B?", b'"', b"\xff\xfe", b";" * 50))
            else:
                data[at : at + 40] = data[chance.randrange(len(data)) :][:40]
            if not data:
                data = bytearray(b"x")
        yield Sample(f"{MUTATED}{number}/{base.name}", bytes(data))


MUTATED = "mutated/"
MAKERS: tuple[Callable[[], Iterator[Sample]], ...] = (
    _charsets, _wrong_charsets, _structures, _headers, _wreckage, _answers, _robots, _ordinary,
)
