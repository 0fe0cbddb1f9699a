"""Drawing a sample that anybody can draw again (clause 6.3). Pure.

The algorithm, so that it can be followed by hand:

1. The population is a list of pairs, a ticket's number and its group (`team:3 channel:mail`, or nothing where all are
   drawn from together). Its digest is SHA-256 over the query as canonical JSON and, each on a line of its own, every
   pair as `number TAB group`, by number.
2. Each group has its share of the sample in proportion to its size, by largest remainders (of equal ones the group
   that comes first by name). Where the sample has room for it, every group has at least one; what that takes is taken
   from the groups that are furthest above their share (of equal ones the last by name).
3. Within a group the tickets are put in the order of SHA-256 over `seed|group|number`, in hexadecimal. The first ones
   are the sample; a ticket drawn for another is the next in that order.
4. Of the tickets drawn first, those whose SHA-256 over `seed|twice|number` is lowest are scored twice: the share that
   the plan says, rounded up.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import math
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

Member = tuple[int, str]  # a ticket's number and its group


@dataclasses.dataclass(frozen=True, slots=True)
class Drawn:
    """One ticket of the sample: its rank in the whole, and its place in the shuffled group, both from one."""

    rank: int
    group: str
    group_rank: int
    number: int


def _hash(*parts: object) -> str:
    return hashlib.sha256("|".join(map(str, parts)).encode()).hexdigest()


def digest(query: Mapping[str, Any], members: Iterable[Sequence[Any]]) -> str:
    """What proves a population: which query found it, and every ticket in it."""
    said = json.dumps(query, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    lines = [f"{number}\t{group}" for number, group in sorted((int(number), str(group)) for number, group in members)]
    return hashlib.sha256("\n".join([said, *lines]).encode()).hexdigest()


def groups_of(members: Iterable[Sequence[Any]]) -> dict[str, list[int]]:
    found: dict[str, list[int]] = defaultdict(list)
    for number, group in members:
        found[str(group)].append(int(number))
    return dict(found)


def shuffled(seed: str, group: str, numbers: Iterable[int]) -> list[int]:
    """A group in the order in which it is drawn from."""
    return sorted(numbers, key=lambda number: (_hash(seed, group, number), number))


def shares(sizes: Mapping[str, int], wanted: int) -> dict[str, int]:
    """How many of each group are drawn: in proportion, never more than there are, `wanted` in all if there are so many.

    Where `wanted` allows it, no group is left out.
    """
    total = sum(sizes.values())
    wanted = min(wanted, total)
    if not total:
        return {}
    least = 1 if wanted >= len(sizes) else 0
    found = {group: min(size, max(least, size * wanted // total)) for group, size in sizes.items()}

    def over(group: str) -> tuple[int, str]:  # how far a group is above its exact share, in whole numbers
        return found[group] * total - sizes[group] * wanted, group

    while sum(found.values()) > wanted:  # what makes sure of every group is taken from the best served
        found[max((group for group in found if found[group] > least), key=over)] -= 1
    while sum(found.values()) < wanted:
        found[min((group for group in found if found[group] < sizes[group]), key=over)] += 1
    return found


def draw(seed: str, members: Iterable[Sequence[Any]], wanted: int) -> list[Drawn]:
    """The sample: group by group in the order of their names, in each the first of the shuffled."""
    groups = groups_of(members)
    counts = shares({group: len(numbers) for group, numbers in groups.items()}, wanted)
    found: list[Drawn] = []
    for group in sorted(groups):
        for place, number in enumerate(shuffled(seed, group, groups[group])[: counts[group]], start=1):
            found.append(Drawn(len(found) + 1, group, place, number))
    return found


def another(
    seed: str, members: Iterable[Sequence[Any]], group: str, taken: Collection[int], rank: int
) -> Drawn | None:  # fmt: skip
    """The next of that group that has not been drawn yet; None where all of it has."""
    numbers = groups_of(members).get(group, [])
    for place, number in enumerate(shuffled(seed, group, numbers), start=1):
        if number not in taken:
            return Drawn(rank, group, place, number)
    return None


def twice(seed: str, numbers: Iterable[int], percent: int) -> frozenset[int]:
    """Which of those drawn first are scored by a second person as well."""
    known = list(numbers)
    count = math.ceil(len(known) * percent / 100)
    return frozenset(sorted(known, key=lambda number: (_hash(seed, "twice", number), number))[:count])
