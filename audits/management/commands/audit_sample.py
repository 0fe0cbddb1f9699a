"""Draw the sample of an audit again from what was frozen, and say whether it is the one on record (clause 6.3)."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from audits import sampling
from audits.models import Audit, Draw, Population


class Command(BaseCommand):
    help = "Draw an audit's sample again from its frozen population and seed, and compare it with the record."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("audit", help="the audit's number: 7 or A-7")

    def handle(self, *args: Any, audit: str, **options: Any) -> None:
        number = audit.upper().removeprefix("A-")
        row = Audit.objects.filter(pk=int(number)).first() if number.isdecimal() and len(number) < 19 else None
        if row is None:
            raise CommandError(f"There is no audit {audit}.")
        people = Population.objects.filter(audit=row).first()
        if people is None:
            raise CommandError(f"No sample of {row.reference} has been drawn yet.")
        found = sampling.digest(people.query, people.members)
        self.stdout.write(f"Audit       {row.reference} {row.title}")
        self.stdout.write(f"Population  {people.size} tickets, frozen {people.frozen_at:%Y-%m-%d %H:%M:%S} UTC")
        self.stdout.write(f"Digest      {found}")
        self.stdout.write(f"Seed        {people.seed}")
        self.stdout.write("rank  ticket    place  group")
        recorded = list(row.draws.select_related("replaces").order_by("rank"))
        expected = again(row, people, recorded)
        for one in expected:
            self.stdout.write(f"{one.rank:>4}  {f'#{one.number}':<8}  {one.group_rank:>5}  {one.group or 'all'}")
        if found != people.digest:
            raise CommandError("The population is not the one that was frozen: its digest differs.")
        if [(one.rank, one.group, one.group_rank, one.number) for one in expected] != [
            (draw.rank, draw.group, draw.group_rank, draw.number) for draw in recorded
        ]:
            raise CommandError("The draws on record are not the ones that this seed gives.")
        self.stdout.write("This is the sample on record.")


def again(audit: Audit, people: Population, recorded: list[Draw]) -> list[sampling.Drawn]:
    """The draws that seed and population give; a draw for another is the next of its group at that time."""
    found = sampling.draw(people.seed, people.members, audit.sample_size)
    for draw in recorded:
        if draw.replaces is not None:
            taken = {one.number for one in found}
            one = sampling.another(people.seed, people.members, draw.replaces.group, taken, len(found) + 1)
            if one is not None:
                found.append(one)
    return found
