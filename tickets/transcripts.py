"""Reading the transcript of a call from a file: plain text, WebVTT or SubRip. Pure.

    words = transcripts.read(name, content)      # raises NotATranscript, which names the line

What comes out is plain text, a line for each thing said: when, who where the file says it, and the words.
"""

from __future__ import annotations

import re

import webvtt
from django.utils.translation import gettext as _
from webvtt.errors import MalformedCaptionError, MalformedFileError

LARGEST = 2 * 1024 * 1024
_TIME = r"(?:(\d{1,3}):)?([0-5]\d):([0-5]\d)[.,](\d{3})"
_TIMES = re.compile(rf"\s*{_TIME}\s+-->\s+{_TIME}(?:\s.*)?\Z")
_ASIDE = re.compile(r"(?:NOTE|STYLE|REGION)(?:\s|\Z)")


class NotATranscript(Exception):
    """The file is no transcript; the message says what is wrong, and in which line."""

    def __init__(self, line: int, what: str) -> None:
        super().__init__(_("Line %(line)d: %(what)s") % {"line": line, "what": what})
        self.line = line


def read(name: str, content: bytes) -> str:
    """The words of a transcript. Raises NotATranscript."""
    if len(content) > LARGEST:
        raise NotATranscript(1, _("The file is larger than 2 MB; that is no transcript."))
    text = _text(content)
    ending = name.rpartition(".")[2].lower()
    if ending == "vtt" or text.startswith("WEBVTT"):
        words = _captions(text)
    elif ending == "srt":
        times = [line.replace(",", ".") if "-->" in line else line for line in text.split("\n")]
        words = _captions("\n".join(["WEBVTT", "", *times]), before=2)
    else:
        words = text.strip()
    if not words:
        raise NotATranscript(1, _("There is nothing in this file."))
    return words


def _text(content: bytes) -> str:
    if b"\x00" in content:
        line = content[: content.index(b"\x00")].count(b"\n") + 1
        raise NotATranscript(line, _("This is no text. Save it as plain text, WebVTT or SRT."))
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise NotATranscript(line, _("These letters are not in UTF-8. Save the file as UTF-8.")) from None
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _captions(text: str, *, before: int = 0) -> str:
    """What is said in captions, each with its time. `before` lines of the text are not the file's own."""
    _check(text.split("\n"), before)
    try:
        captions = webvtt.from_string(text).captions
    except (MalformedFileError, MalformedCaptionError):  # what the check above has not seen
        raise NotATranscript(1, _("This file cannot be read as captions.")) from None
    said = []
    for caption in captions:
        words = " ".join(caption.text.split())
        who = f"{caption.voice}: " if caption.voice else ""
        if words:
            said.append(f"[{caption.start.partition('.')[0]}] {who}{words}")
    return "\n".join(said)


def _check(lines: list[str], before: int) -> None:
    """Raise NotATranscript for the first line that is not as WebVTT has it."""
    if not re.match(r"WEBVTT(?:[ \t].*)?\Z", lines[0]):
        raise NotATranscript(1, _("A WebVTT file begins with the word WEBVTT."))
    is_head, expects_times, is_aside, last = True, True, False, 0
    for number, line in enumerate(lines, 1):
        if not line.strip():
            if last == -1:
                raise _no_times(number - 1 - before)
            is_head, expects_times, is_aside, last = False, True, False, 0
        elif is_aside or (is_head and "-->" not in line):
            continue
        elif "-->" in line:
            _check_times(line, number - before, is_due=expects_times)
            is_head, expects_times, last = False, False, number
        elif last == 0 and _ASIDE.match(line):
            is_aside = True
        elif expects_times and last == 0:
            last = -1  # the name of a caption; its times stand in the next line
        elif expects_times:
            raise _no_times(number - before)
    if last == -1:
        raise _no_times(len(lines) - before)


def _no_times(line: int) -> NotATranscript:
    return NotATranscript(line, _("Here should stand from when to when, such as 00:01:02.500 --> 00:01:05.000."))


def _check_times(line: str, number: int, *, is_due: bool) -> None:
    found = _TIMES.match(line)
    if found is None:
        raise NotATranscript(number, _("Times are written as 00:01:02.500 --> 00:01:05.000."))
    if not is_due:
        raise NotATranscript(number, _("Between two captions stands an empty line."))
    first, second = _seconds(found.groups()[:4]), _seconds(found.groups()[4:])
    if second < first:
        raise NotATranscript(number, _("This caption ends before it begins."))


def _seconds(parts: tuple[str | None, ...]) -> float:
    hours, minutes, seconds, thousandths = (int(part or 0) for part in parts)
    return hours * 3600 + minutes * 60 + seconds + thousandths / 1000
