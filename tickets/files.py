"""Files that people attach and look at: their kind is told by their content, never by their name."""

from __future__ import annotations

from typing import Any

import puremagic
from django.core.files.uploadedfile import UploadedFile
from django.utils.translation import gettext as _

from tickets.conversation import File

UNKNOWN = "application/octet-stream"
_LOOKED_AT = 65_536

# What a browser may show in our own pages: pictures that cannot carry a script, by their first bytes.
_SIGNATURES = (
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"GIF87a", "image/gif"),
    (b"GIF89a", "image/gif"),
)


def shown_inline_as(content: bytes) -> str:
    """The type under which these bytes may be shown as a picture; empty for everything else."""
    if content[:4] == b"RIFF" and content[8:12] == b"WEBP":
        return "image/webp"
    return next((kind for start, kind in _SIGNATURES if content.startswith(start)), "")


def kind_of(content: bytes) -> str:
    """The type that the content has; unknown ones are just bytes."""
    try:
        return str(puremagic.from_string(content[:_LOOKED_AT], mime=True)) or UNKNOWN
    except Exception:  # a detector that stumbles over somebody's bytes must not cost us the file
        return "text/plain" if content and b"\x00" not in content[:_LOOKED_AT] else UNKNOWN


def name_of(upload: UploadedFile[Any]) -> str:
    """What the file is called, without signs that cannot be printed."""
    return "".join(sign for sign in (upload.name or "") if sign.isprintable()).strip() or _("file")


def uploaded(upload: UploadedFile[Any]) -> File:
    """What somebody chose in a form, as a file of an interaction."""
    content = upload.read()
    declared = upload.content_type or ""
    return File(name=name_of(upload), content_type=kind_of(content), content=content, declared_type=declared[:120])
