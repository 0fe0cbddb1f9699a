"""Blanking what rows say of a person, in the caller's erasure: the row, its number, its times and its proof stay.

The database lets a personal column go only to nothing, or to a dash where a constraint asks for a word, and only in a
transaction that names an unfinished erasure (csp 0030). Earlier versions are blanked with their row, the salts of
earlier marks go, and of the trail the personal text: seals and digests still verify, and tell nothing.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection, Iterable, Mapping, Set
from typing import Any

from django.contrib.postgres.fields import ArrayField
from django.db import connection, models
from django.db.models import CheckConstraint, Q

from csp import marking, trail
from csp.events import Act
from csp.models import Address, BlobKey, Customer, OutboundMessage, TrailEntry
from csp.privacy.reach import Rows, blanked, name_of, ours, record_of

DASH = "–"


def blank(found: Rows, *, at: dt.datetime) -> dict[str, int]:
    """Blank the personal columns of these rows. Returns how many rows of which table said something."""
    counts: dict[str, int] = {}
    for model in sorted(found, key=lambda one: one._meta.label_lower):
        numbers = list(found[model])
        if not numbers or not blanked(model):
            continue
        done = _remove_addresses(numbers) if model is Address else _blank_rows(model, numbers, at)
        forget_earlier(model, numbers)
        _blank_copies(model, numbers, found)
        if done:
            counts[model._meta.label_lower] = done
    return counts


def _blank_rows(model: type[models.Model], numbers: list[int], at: dt.datetime) -> int:
    rows = model._base_manager.filter(pk__in=numbers)
    values, says = values_of(model), says_something(model)
    more: dict[str, Any] = {}
    if model is Customer:
        more = {"language": "", "zone": "", "erased_at": at}
        says |= Q(erased_at__isnull=True)
    elif model is BlobKey:
        more = {"destroyed_at": at}
    elif model is OutboundMessage:
        waiting = rows.filter(state=OutboundMessage.State.QUEUED)
        waiting.update(state=OutboundMessage.State.CANCELLED, ended_at=at)
    elif record_of(model).address and any(field.name == "is_active" for field in model._meta.concrete_fields):
        more = {"is_active": False}  # a rule for an address that is gone
    done = rows.filter(says).update(**values, **more)
    history = getattr(model, "history", None)
    if history is not None:
        past = history.model._base_manager.filter(**{f"{model._meta.pk.attname}__in": numbers})
        if model is Customer:
            past.delete()
        else:
            kept = {field.name for field in history.model._meta.concrete_fields}
            past.update(**{name: value for name, value in values.items() if name in kept}, history_change_reason=None)
    return done


def _blank_copies(model: type[models.Model], numbers: list[int], found: Rows) -> None:
    """Where words stood in a row of somebody else's, too: an excerpt of what was written last."""
    for path in record_of(model).copied:
        name, _sep, column = path.partition("__")
        field = model._meta.get_field(name)
        rows = model._base_manager.filter(pk__in=numbers).exclude(**{f"{name}__in": found.get(field.related_model, ())})  # type: ignore[arg-type]
        field.related_model._base_manager.filter(pk__in=set(rows.values_list(field.attname, flat=True))).update(  # type: ignore[union-attr]
            **{column: ""}
        )


def values_of(model: type[models.Model]) -> dict[str, Any]:
    """What each personal column is set to."""
    asked = _asked_for(model)
    return {name: _nothing(model._meta.get_field(name), name in asked) for name in blanked(model)}


def says_something(model: type[models.Model]) -> Q:
    """The rows of which a personal column is neither empty nor a dash."""
    found = Q(pk__in=[])
    for name in blanked(model):
        field = model._meta.get_field(name)
        empty: Any = dict if _is_json(field) else list if isinstance(field, ArrayField) else str
        something = ~Q(**{name: b"" if isinstance(field, models.BinaryField) else empty()})
        if field.null:
            something &= Q(**{f"{name}__isnull": False})
        if isinstance(field, models.CharField | models.TextField):
            something &= ~Q(**{name: DASH})
        found |= something
    return found


def _asked_for(model: type[models.Model]) -> set[str]:
    """The columns that a constraint compares: there, a word stays a word."""
    names: set[str] = set()

    def walk(condition: Any) -> None:
        for child in getattr(condition, "children", ()):
            if isinstance(child, tuple):
                names.add(str(child[0]).partition("__")[0])
            else:
                walk(child)

    for constraint in model._meta.constraints:
        if isinstance(constraint, CheckConstraint):
            walk(constraint.condition)
    return names


def _is_json(field: Any) -> bool:
    return isinstance(field, models.JSONField)


def _nothing(field: Any, is_asked_for: bool) -> Any:
    if isinstance(field, ArrayField):
        return []
    if _is_json(field):
        return {}
    if isinstance(field, models.BinaryField):
        return None if field.null else b""
    if is_asked_for:
        return models.Case(models.When(**{field.name: ""}, then=models.Value("")), default=models.Value(DASH))
    return None if field.null else ""


def _remove_addresses(numbers: list[int]) -> int:
    """One address is one customer's, so it goes as a row: whoever writes from it next is somebody new."""
    gone, _of_what = Address.objects.filter(pk__in=numbers).delete()
    Address.history.filter(id__in=numbers).delete()  # the removal has left one more
    return gone


def forget_earlier(model: type[models.Model], numbers: list[int]) -> None:
    """Forget the salts of every mark but the last of a row, which is over what stands there now."""
    if model._meta.db_table not in marking.guarded_tables():
        return
    with connection.cursor() as cursor:
        cursor.execute(
            "with mine as (select m.id, m.row, max(m.id) over (partition by m.row) as last from csp_evidencemark m "
            "where m.row = any(%s) and m.shape_id in (select id from csp_evidenceshape where relation = %s)) "
            "update csp_evidencemark m set salt = '' from mine where mine.id = m.id and mine.id < mine.last "
            "and length(m.salt) > 0",
            [numbers, model._meta.db_table],
        )


# ---------------------------------------------------------------- the trail


def names_in(found: Rows) -> set[str]:
    """How the trail names those of these rows that are subjects of their own."""
    return {name for model, numbers in found.items() for number in numbers if (name := name_of(model, number))}


def blank_trail(names: Set[str], found: Rows, *, actor: str = "") -> dict[str, list[int] | None]:
    """Blank the personal text of the entries about these, of what `actor` did, and of those that vouch for `found`.

    Returns the subjects of which the trail has to say so; with the numbers of the entries where not all were blanked.
    """
    whole = TrailEntry.objects.filter(Q(context__in=names) | Q(subject__in=names)).filter(_UNBLANKED)
    subjects: dict[str, list[int] | None] = dict.fromkeys(names & set(whole.values_list("context", flat=True)))
    subjects |= dict.fromkeys(names & set(whole.values_list("subject", flat=True)))
    _blank_entries(whole)
    others = _vouching(found, names)
    if actor:
        others = others | TrailEntry.objects.filter(actor=actor)
    parts: dict[str, list[int]] = {}
    for number, subject in others.filter(_UNBLANKED).order_by("pk").values_list("pk", "subject"):
        parts.setdefault(subject, []).append(number)
    _blank_entries(TrailEntry.objects.filter(pk__in=[number for some in parts.values() for number in some]))
    return subjects | {subject: some for subject, some in parts.items() if subject not in subjects}


# An entry that says that something was erased has nothing to blank, and stays as it is.
_UNBLANKED = ~Q(personal="", salt=b"", address="") & ~Q(act=Act.ERASED, personal="", address="")


def _blank_entries(rows: models.QuerySet[TrailEntry]) -> None:
    rows.update(personal="", salt=b"", address="", address_salt=b"")


def _vouching(found: Rows, names: Collection[str]) -> models.QuerySet[TrailEntry]:
    """Entries about other matters that hold a salted digest of one of these rows: who wrote in another's ticket."""
    vouching = Q(pk__in=[])
    for model, numbers in found.items():
        for field in model._meta.concrete_fields:
            target = field.related_model
            if not isinstance(target, type) or target not in ours() or not hasattr(target, "trail_subject"):
                continue
            rows = model._base_manager.filter(pk__in=numbers).exclude(**{field.attname: None})
            for number, owner in rows.values_list("pk", field.attname):
                context = name_of(target, owner)
                if context not in names:
                    vouching |= Q(context=context, facts__contains=f'"{model._meta.label_lower}:{number}":')
    return TrailEntry.objects.filter(vouching)


def tell(
    subjects: Mapping[str, list[int] | None], *, erasure: int, context: str, by: trail.Actor, at: dt.datetime,
    counts: Mapping[str, Mapping[str, int]],
) -> None:  # fmt: skip
    """Say in the trail of each subject that it was erased, by which erasure, and how many rows went."""
    entries: Iterable[trail.Entry] = (
        trail.Entry(
            Act.ERASED, subject, by=by, at=at, context=context,
            facts={"erasure": erasure} | ({"rows": counts[subject]} if counts.get(subject) else {})
            | ({"entries": some} if some is not None else {}),
        )
        for subject, some in sorted(subjects.items())
    )  # fmt: skip
    trail.record_all(entries)
