"""Messages from files: one message, an mbox, or a Maildir; each given out one by one, however large the whole."""

from __future__ import annotations

import mailbox
from collections.abc import Iterator
from pathlib import Path


class NotMail(Exception):
    """There is nothing here that messages could be read from. The sentence says how to mend it."""


def messages(path: Path) -> Iterator[bytes]:
    """The messages in a file or folder, as they lie there. Raises NotMail."""
    if path.is_dir():
        if not (path / "cur").is_dir() and not (path / "new").is_dir():
            raise NotMail(f"{path} is a folder, but no Maildir: it has neither cur/ nor new/.")
        yield from _maildir(path)
        return
    try:
        with path.open("rb") as file:
            is_mbox = file.read(5) == b"From "
    except OSError as error:
        raise NotMail(f"{path} cannot be read: {error.strerror}. Check the path and its permissions.") from error
    if is_mbox:
        yield from _mbox(path)
    else:
        yield path.read_bytes()


def _mbox(path: Path) -> Iterator[bytes]:
    box = mailbox.mbox(path, create=False)
    try:
        for key in box.iterkeys():
            yield box.get_bytes(key)
    finally:
        box.close()


def _maildir(path: Path) -> Iterator[bytes]:
    for part in ("cur", "new"):
        for file in sorted((path / part).glob("*")) if (path / part).is_dir() else ():
            if file.is_file() and not file.name.startswith("."):
                yield file.read_bytes()
