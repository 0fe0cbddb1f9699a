"""Removing a record with all that belongs to it: found by its foreign keys, not by a list that somebody must keep up.

What points at a removed row goes too, if it is of the same class of records or working state. If it is of another class
(a breach that a case rests on), the record is still needed, and stays. What a removed row points at goes only where the
root says so and nobody else needs it: clocks, mail, stored bytes. Histories go with their rows. Of the trail the
personal text is blanked; entries, seals and digests stay.
"""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Iterable
from typing import Any

from django.db import connection, models

from csp.models import Deadline, EvidenceMark, EvidenceShape, KeptFrom, TrailEntry
from csp.records import Kept
from csp.retention import Root, family

Rows = dict[type[models.Model], dict[int, int]]  # model -> row -> the root's number that it goes with


@dataclasses.dataclass(slots=True)
class Closure:
    """All that goes with some roots, and what keeps one of them from going."""

    rows: Rows = dataclasses.field(default_factory=dict)
    needed: dict[int, str] = dataclasses.field(default_factory=dict)  # root's number -> why it stays

    def of(self, model: type[models.Model]) -> dict[int, int]:
        return self.rows.setdefault(model, {})


def closure(root: Root, numbers: Iterable[int]) -> Closure:
    """What goes with these roots. Looks only."""
    found = Closure()
    members = family(root, set(numbers))
    found.of(root.model).update(members)
    fresh: Rows = {root.model: dict(members)}
    refs = {f"{root.prefix}{pk}": number for pk, number in members.items()}
    for named in (Deadline, KeptFrom):  # these name their matter, and point at nothing
        rows = dict(named._base_manager.filter(subject_ref__in=list(refs)).values_list("pk", "subject_ref"))
        found.of(named).update({pk: refs[ref] for pk, ref in rows.items()})
    fresh[Deadline] = dict(found.of(Deadline))
    for model, others in root.more(members).items() if root.more is not None else ():
        found.of(model).update(others)
        fresh[model] = dict(others)
    while fresh:
        fresh = _pointing(root, found, fresh)
        if not fresh:
            fresh = _owned(root, found)
    return found


def _related(model: type[models.Model]) -> list[models.Field[Any, Any]]:
    """The foreign keys of our models that point at this one, but for the tables of histories."""
    return [
        relation.field
        for relation in model._meta.get_fields(include_hidden=True)
        if isinstance(relation, models.ManyToOneRel)
        and hasattr(relation.related_model, "record")
        and not hasattr(relation.related_model, "instance_type")
    ]


def _pointing(root: Root, found: Closure, fresh: Rows) -> Rows:
    """What points at rows that were found last, taken along or written down as a need."""
    added: Rows = {}
    going = {root.kept, Kept.MACHINERY, *root.along}
    for model, owners in fresh.items():
        for key in _related(model):
            child: Any = key.model
            belongs = root.belongs.get(child._meta.label_lower)
            rows = child._base_manager.filter(**{f"{key.name}__in": list(owners)})
            of_others = set()
            if belongs is not None:
                of_others = set(
                    rows.exclude(**{f"{belongs}__in": list(found.of(root.model))}).values_list("pk", flat=True)
                )
            goes = child.record.kept in going or child._meta.label_lower in root.takes
            stays = not goes or (child is root.model and root.is_kept_by_its_own)
            for pk, parent in rows.values_list("pk", key.attname).iterator(chunk_size=5000):
                if pk in found.of(child):
                    continue
                if stays or pk in of_others:
                    found.needed[owners[parent]] = f"{child._meta.label_lower}:{pk}"
                    continue
                found.of(child)[pk] = owners[parent]
                added.setdefault(child, {})[pk] = owners[parent]
    return added


def _owned(root: Root, found: Closure) -> Rows:
    """What found rows point at and nobody else does: theirs alone, and so it goes with them."""
    added: Rows = {}
    for model in list(found.rows):
        for field in model._meta.concrete_fields:
            target = field.related_model
            if not isinstance(target, type) or target._meta.label_lower not in root.owns:
                continue
            rows = model._base_manager.filter(pk__in=list(found.of(model))).exclude(**{field.name: None})
            candidates = {
                pk: found.of(model)[owner]
                for owner, pk in rows.values_list("pk", field.attname)
                if pk not in found.of(target)
            }
            for key in _related(target) if candidates else []:
                if key.model._meta.label_lower in root.owns[target._meta.label_lower]:
                    continue
                users = key.model._base_manager.filter(**{f"{key.name}__in": list(candidates)})
                for pk, used in users.values_list("pk", key.attname):
                    if pk not in found.of(key.model):
                        candidates.pop(used, None)
            if candidates:
                found.of(target).update(candidates)
                added.setdefault(target, {}).update(candidates)
    return added


def remove(root: Root, found: Closure) -> dict[int, dict[str, int]]:
    """Remove what was found, in the caller's disposal (csp.disposing). Returns for each root how many rows of what."""
    counts: dict[int, dict[str, int]] = {}
    for model, rows in found.rows.items():
        for number in rows.values():
            of_root = counts.setdefault(number, {})
            of_root[model._meta.label_lower] = of_root.get(model._meta.label_lower, 0) + 1
    blank_trail(subjects_of(root, found))
    # Constraints wait for the end of the transaction, but for the one that dates a breach by its deadline.
    for model in sorted(found.rows, key=lambda one: one is Deadline):
        numbers = list(found.rows[model])
        if not numbers:
            continue
        history = getattr(model, "history", None)
        if history is not None:
            past = history.model._base_manager.filter(**{f"{model._meta.pk.attname}__in": numbers})
            past._raw_delete(past.db)
        _forget_salts(model, numbers)
        rows_ = model._base_manager.filter(pk__in=numbers)
        rows_._raw_delete(rows_.db)
    return counts


def digests(found: Closure) -> dict[int, str]:
    """For each root a digest of what its rows said last, as their marks hold it: proof of what was removed."""
    lines: dict[int, list[str]] = {}
    for model, rows in found.rows.items():
        shapes = EvidenceShape.objects.filter(relation=model._meta.db_table)
        last = EvidenceMark.objects.filter(shape__in=shapes, row__in=list(rows)).order_by("row", "-pk").distinct("row")
        for row, plain in last.values_list("row", "plain"):
            lines.setdefault(rows[row], []).append(f"{model._meta.label_lower}:{row} {bytes(plain).hex()}")
    return {
        number: hashlib.sha256("\n".join(sorted(of_root)).encode()).hexdigest() for number, of_root in lines.items()
    }


def subjects_of(root: Root, found: Closure) -> dict[str, int]:
    """The names under which the trail knows what goes, each with its root."""
    names = {f"{root.kind}:{pk}": number for pk, number in found.of(root.model).items()}
    for model, rows in found.rows.items():
        if kind := root.named.get(model._meta.label_lower):
            names |= {f"{kind}:{pk}": number for pk, number in rows.items()}
    return names


def blank_trail(subjects: Iterable[str]) -> None:
    """Words and addresses go; act, actor, times, digests and seal stay."""
    names = list(subjects)
    rows = TrailEntry.objects.filter(context__in=names) | TrailEntry.objects.filter(subject__in=names)
    rows.exclude(personal="", salt=b"", address="").update(personal="", salt=b"", address="", address_salt=b"")


def _forget_salts(model: type[models.Model], numbers: list[int]) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "update csp_evidencemark set salt = '' where length(salt) > 0 and row = any(%s) "
            "and shape_id in (select id from csp_evidenceshape where relation = %s)",
            [numbers, model._meta.db_table],
        )
