"""What the product holds of one customer: found by what the models declare and by their foreign keys.

No list names the tables. From the customer's number the foreign keys lead down to tickets and everything in them; what
is found leads up to what goes along with it (mails, stored bytes, clocks) if nobody else needs it. A mail address leads
to mail that nobody sorted yet, a keyed digest to feedback, a reference to notices (csp.records.Record).
"""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Collection, Iterable, Iterator
from typing import Any

from django.apps import apps
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q

from csp import vault
from csp.models import Address, Customer, Hold, Lock, Notice, OutboundMessage
from csp.records import Kept, Record

Rows = dict[type[models.Model], set[int]]

# The classes of records that are about customers. Others name one at most: a case, a certificate, a course.
FOLLOWED = frozenset({Kept.TICKET, Kept.SPAM, Kept.UNSORTED, Kept.FEEDBACK, Kept.MACHINERY, Kept.PRIVACY})


@dataclasses.dataclass(frozen=True, slots=True)
class Head:
    """One record that is erased, held or locked as a whole: a ticket with all that was merged into it, a remark."""

    model: type[Any]
    number: int

    @property
    def kind(self) -> str:
        return kind_of(self.model)

    @property
    def name(self) -> str:
        return f"{self.kind}:{self.number}"

    def row(self) -> Any:
        """The record itself; None where it is gone."""
        return self.model._base_manager.filter(pk=self.number).first()


@functools.cache
def ours() -> tuple[type[models.Model], ...]:
    """Every model of ours, without the tables of earlier versions."""
    return tuple(model for model in apps.get_models() if isinstance(model.__dict__.get("record"), Record))


def blanked(model: type[Any]) -> tuple[str, ...]:
    """The columns of a model that an erasure blanks."""
    record = record_of(model)
    return (*record.personal, *record.words)


def record_of(model: type[Any]) -> Record:
    record: Record = model.record
    return record


def name_of(model: type[Any], number: int) -> str:
    """How the trail names a row that is a subject of its own; empty for one that is not."""
    if model is Customer:
        return f"customer:{number}"
    return str(model(pk=number).trail_subject) if hasattr(model, "trail_subject") else ""


def kind_of(model: type[Any]) -> str:
    return name_of(model, 0).partition(":")[0]


def model_of(kind: str) -> type[Any]:
    """The model whose rows the trail names so. Raises LookupError."""
    for model in ours():
        if (model is Customer or hasattr(model, "trail_subject")) and kind_of(model) == kind:
            return model
    raise LookupError(kind)


def children(model: type[Any]) -> list[models.ForeignKey[Any, Any]]:
    """The foreign keys of our models that point at this one, but for the tables of earlier versions."""
    return [
        relation.field
        for relation in model._meta.get_fields(include_hidden=True)
        if isinstance(relation, models.ManyToOneRel) and relation.related_model in ours()
    ]


# ---------------------------------------------------------------- where it begins


def addresses(customer: Customer) -> list[str]:
    """The customer's addresses and numbers, in the form they are compared by."""
    return list(Address.objects.filter(customer=customer).order_by("pk").values_list("value", flat=True))


def heads(customer: Customer) -> list[Head]:
    """The customer's records, each once, the oldest first; without the customer."""
    found = []
    for field in children(Customer):
        model = field.model
        record = record_of(model)
        if record.kept not in FOLLOWED or not hasattr(model, "trail_subject"):
            continue
        rows = model._base_manager.filter(**{field.name: customer.pk})
        if record.joined_by:
            of_another = Q(**{f"{record.joined_by}__{field.name}": customer.pk})
            rows = rows.exclude(of_another)
        found += [Head(model, number) for number in rows.order_by("pk").values_list("pk", flat=True)]
    for model, numbers in by_digest(customer).items():
        for field, target in _upward(model):
            if hasattr(target, "trail_subject"):
                targets = model._base_manager.filter(pk__in=numbers).order_by(field.attname)
                found += [Head(target, number) for number in targets.values_list(field.attname, flat=True)]
    return found


def by_digest(customer: Customer) -> Rows:
    """What is kept apart from the customer and knows the number, or an address, as a keyed digest."""
    digests = [vault.keyed_digest("customer", number) for number in sorted(Customer.known_as([customer.pk]))]
    digests += [vault.keyed_digest("address", address) for address in addresses(customer)]
    known = [bytes.fromhex(digest) for digest in digests]
    return {
        model: set(model._base_manager.filter(**{f"{record_of(model).who}__in": known}).values_list("pk", flat=True))
        for model in ours()
        if record_of(model).who
    }


def by_address(customer: Customer) -> Rows:
    """What bears one of the customer's mail addresses."""
    values = [address for address in addresses(customer) if "@" in address]
    found: Rows = {}
    for model in ours() if values else ():
        for name in record_of(model).address:
            field = model._meta.get_field(name)
            if isinstance(field, ArrayField):
                bears = Q(**{f"{name}__overlap": values})
            else:
                bears = functools.reduce(Q.__or__, (Q(**{f"{name}__iexact": value}) for value in values))
            found.setdefault(model, set()).update(model._base_manager.filter(bears).values_list("pk", flat=True))
    return found


# ---------------------------------------------------------------- what hangs on it


def reach(starts: Rows, *, without: Rows | None = None) -> Rows:
    """Everything that belongs to these rows. What stands in `without` (heads), and all in it, is left out."""
    left_out = without or {}
    found: Rows = {}
    fresh = {model: set(numbers) for model, numbers in starts.items() if numbers}
    while fresh:
        for model, numbers in fresh.items():
            found.setdefault(model, set()).update(numbers)
        fresh = _down(fresh, found, left_out)
        if not fresh:
            fresh = _along(found, left_out)
    return found


def _down(fresh: Rows, found: Rows, left_out: Rows) -> Rows:
    added: Rows = {}

    def take(rows: models.QuerySet[Any]) -> None:
        model = rows.model
        for key in model._meta.concrete_fields:
            if gone := left_out.get(key.related_model):
                rows = rows.exclude(**{f"{key.name}__in": gone})
        fresh_ones = set(rows.values_list("pk", flat=True))
        fresh_ones -= found.get(model, set()) | left_out.get(model, set())
        if fresh_ones:
            added.setdefault(model, set()).update(fresh_ones)

    for model, numbers in fresh.items():
        parts = record_of(model).parts
        for field in children(model):
            child = field.model
            kept = record_of(child).kept
            if (kept in FOLLOWED or kept is record_of(model).kept) and (
                parts is None or child._meta.label_lower in parts
            ):
                take(child._base_manager.filter(**{f"{field.name}__in": numbers}))
        if hasattr(model, "reference"):
            names = [getattr(model(pk=number), "reference", "") for number in numbers]
            for other in ours():
                if column := record_of(other).refers:
                    take(other._base_manager.filter(**{f"{column}__in": names}))
    return added


def _upward(model: type[Any]) -> list[tuple[Any, type[Any]]]:
    """The foreign keys of this model to what goes along with whatever points at it."""
    found = []
    for field in model._meta.concrete_fields:
        target = field.related_model
        if isinstance(target, type) and target in ours() and record_of(target).parts is not None:
            found.append((field, target))
    return found


def _along(found: Rows, left_out: Rows) -> Rows:
    """What found rows point at and nobody else does."""
    added: Rows = {}
    for model in list(found):
        for field, target in _upward(model):
            if target is OutboundMessage and model is Notice:
                continue  # a mail that collected notices of many matters; see notice_mails
            rows = model._base_manager.filter(pk__in=found[model]).exclude(**{field.attname: None})
            candidates = set(rows.values_list(field.attname, flat=True)) - found.get(target, set())
            candidates -= left_out.get(target, set())
            for used, _user in needed(target, candidates, found) if candidates else ():
                candidates.discard(used)
            if candidates:
                added.setdefault(target, set()).update(candidates)
    return added


def needed(target: type[Any], numbers: Collection[int], found: Rows) -> Iterator[tuple[int, str]]:
    """Which of these rows something points at that was not found, and what that is."""
    parts = record_of(target).parts or ()
    for field in children(target):
        user = field.model
        if user._meta.label_lower in parts or record_of(user).kept not in FOLLOWED:
            continue  # a certificate, a case or a request names it, and needs none of its words
        users = user._base_manager.filter(**{f"{field.name}__in": numbers}).exclude(pk__in=found.get(user, set()))
        for number, used in users.values_list("pk", field.attname):
            yield used, f"{user._meta.label_lower}:{number}"


def notice_mails(found: Rows) -> set[int]:
    """The mails to staff in which somebody's words about these records were passed on."""
    notices = Notice.objects.filter(pk__in=found.get(Notice, set()), mail__isnull=False).exclude(words="")
    return set(notices.values_list("mail", flat=True))


# ---------------------------------------------------------------- what keeps it


def families(head: Head) -> set[int]:
    """The head and every row of its kind that was joined to it, at any depth."""
    joined_by = record_of(head.model).joined_by
    found, fresh = {head.number}, {head.number}
    while fresh and joined_by:
        rows = head.model._base_manager.filter(**{f"{joined_by}__in": fresh}).exclude(pk__in=found)
        fresh = set(rows.values_list("pk", flat=True))
        found |= fresh
    return found


def held_by(customer: Customer, head: Head, found: Rows) -> str:
    """The standing hold that keeps this record, by itself, by its customer or by a case that rests on it."""
    holds = Hold.objects.standing()
    own = Q(kind=head.kind, number__in=families(head)) | Q(kind=Hold.Kind.CUSTOMER, number=customer.pk)
    for kind, numbers in cases(found).items():
        own |= Q(kind=kind, number__in=numbers)
    hold = holds.filter(own).order_by("pk").first()
    return hold.reference if hold is not None else ""


def cases(found: Rows) -> dict[str, set[int]]:
    """The records of other kinds that rest on these rows (a case on a breach), as holds name them."""
    resting: dict[str, set[int]] = {}
    for model, numbers in list(found.items()):
        for field in children(model):
            child = field.model
            if record_of(child).kept is not Kept.CASE:
                continue
            rows = child._base_manager.filter(**{f"{field.name}__in": numbers})
            for up in child._meta.concrete_fields:
                target = up.related_model
                if target not in ours() or not hasattr(target, "trail_subject"):
                    continue
                if record_of(target).kept is Kept.CASE:
                    of_rows = set(rows.exclude(**{up.attname: None}).values_list(up.attname, flat=True))
                    resting.setdefault(kind_of(target), set()).update(of_rows)
    return resting


def with_decisions(found: Rows, names: Iterable[str], customer: Customer | None) -> Rows:
    """Add the reasons that people gave for holding or locking these records."""
    kinds: dict[str, set[int]] = {}
    for name in names:
        kind, _colon, number = name.partition(":")
        kinds.setdefault(kind, set()).add(int(number))
    about = [Q(kind=kind, number__in=numbers) for kind, numbers in kinds.items() if kind in Hold.Kind.values]
    if about:
        found[Hold] = set(Hold.objects.filter(functools.reduce(Q.__or__, about)).values_list("pk", flat=True))
    if customer is not None:
        found[Lock] = set(Lock.objects.filter(customer=customer).values_list("pk", flat=True))
    return found
