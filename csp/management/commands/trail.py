"""`./run manage trail verify|export|key|seal`: check the trail, hand it out, and what a verifier needs."""

from __future__ import annotations

import sys
from argparse import ArgumentParser
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from csp import clock, exporting, loops, marking, marks, sealing, verifying
from csp.access import Refused
from csp.models import TrailEntry


class Command(BaseCommand):
    help = "Verify the trail (whole, a range of seals, or one entry), export it, print the public key, seal it now."

    def add_arguments(self, parser: ArgumentParser) -> None:
        verbs = parser.add_subparsers(dest="verb", required=True)
        verify = verbs.add_parser("verify", help="check every entry, seal, checkpoint and row of evidence")
        verify.add_argument("--from", dest="first", type=int, help="first seal of a range")
        verify.add_argument("--to", dest="last", type=int, help="last seal of a range")
        verify.add_argument("--entry", type=int, help="check this entry alone")
        verify.add_argument("--record", metavar="LABEL:NUMBER", help="check this record alone: tickets.ticket:4790")
        verify.add_argument("--note", type=Path, action="append", default=[], help="a checkpoint kept outside")
        export = verbs.add_parser("export", help="the trail as lines of JSON, for docs/verify_trail.py")
        export.add_argument("--from", dest="first", type=int, default=1)
        export.add_argument("--to", dest="last", type=int)
        export.add_argument("--personal", action="store_true", help="with personal text and salts; that is recorded")
        export.add_argument("--for", dest="recipient", default="", metavar="NAME <ADDRESS>",
                            help="who outside gets it, if anybody")  # fmt: skip
        verbs.add_parser("key", help="the public key of the checkpoints")
        verbs.add_parser("seal", help="seal what waits and sign a checkpoint")

    def handle(self, *args: Any, **options: Any) -> None:
        getattr(self, f"_{options['verb']}")(options)

    def _verify(self, options: dict[str, Any]) -> None:
        if options["entry"] is not None:
            entry = TrailEntry.objects.filter(pk=options["entry"]).first()
            if entry is None:
                raise CommandError(f"There is no entry {options['entry']} in the trail.")
            findings = verifying.one(entry)
        elif options["record"] is not None:
            findings = self._record(options["record"])
        elif options["first"] is not None or options["last"] is not None:
            findings = verifying.chain(first=options["first"] or 1, last=options["last"], progress=self._progress)
        else:
            findings = verifying.verify(clock.now(), progress=self._progress)
        count = 0
        for finding in findings:
            count += 1
            self.stdout.write(str(finding))
        for path in options["note"]:
            try:
                note = path.read_text(encoding="utf-8")
            except (OSError, UnicodeDecodeError) as error:
                raise CommandError(f"{path} cannot be read: {error}") from error
            for finding in verifying.check_note(note, str(path)):
                count += 1
                self.stdout.write(str(finding))
        if count:
            raise CommandError(f"{count} findings: the record is not as it was written.")
        self.stdout.write("Whole: nothing was changed, removed, added or reordered.")

    def _record(self, name: str) -> Iterator[marks.Finding]:
        label, _colon, number = name.partition(":")
        models = {model._meta.label_lower: model for model in marking.evidence()}
        if label.lower() not in models or not number.isdecimal():
            raise CommandError(f"{name} names no record of evidence. Its kinds are: {', '.join(models)}.")
        return marks.rows_of(models[label.lower()], only=int(number))

    def _progress(self, done: int, of: int) -> None:
        if sys.stderr.isatty() or done == of:
            self.stderr.write(f"{done} of {of}", ending="\r" if done < of else "\n")

    def _export(self, options: dict[str, Any]) -> None:
        if options["personal"]:
            try:
                to = exporting.Recipient.read(options["recipient"])
            except Refused as refusal:
                raise CommandError(str(refusal)) from refusal
            narrowed = {name: str(options[name]) for name in ("first", "last") if options[name] is not None}
            exporting.on_the_server("csp.trailentry", narrowed, to=to, at=clock.now())
        for line in verifying.export(first=options["first"], last=options["last"], personal=options["personal"]):
            self.stdout.write(line)

    def _key(self, options: dict[str, Any]) -> None:
        self.stdout.write(sealing.public_key())

    def _seal(self, options: dict[str, Any]) -> None:
        at = clock.now()
        sealed = loops.run_dry(sealing.seal, at)
        self.stdout.write(f"{sealed} entries sealed, {sealing.checkpoint(at)} checkpoint signed")
