"""What is held on a person: every model's own declaration is walked, and each app adds what only it can find.

The registry says which rows are about whom (csp.records). An upper app hands in a Source: encrypted files, words kept
apart from who said them, rows in other people's matters. Third parties are hidden: another person's address or number,
the names of those who work here (shown as their role), the names of others in the same matter.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import json
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from django.apps import apps
from django.db import models
from django.db.models import QuerySet
from django.utils.translation import gettext as _

from csp import trail
from csp.events import Act
from csp.models import Address, Customer, Mailbox, OutboundMessage, RoleGrant, TrailEntry, User
from csp.privacy import recipients
from csp.records import Record
from csp.roles import Role

OURS = ("csp", "tickets", "feedback", "training", "audits")
# Kept for the machine alone, or the person's own keys.
LEFT_OUT = {"csp.DataPackage", "csp.NoticeSeen"}
_MAIL = re.compile(r"[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,8}")
_PHONE = re.compile(r"(?<![\w•])(?:\+|00)\d(?:[ ()/.\-]{0,2}\d){6,16}(?!\w)")


@dataclasses.dataclass(frozen=True, slots=True)
class File:
    name: str
    content: bytes


@dataclasses.dataclass(slots=True)
class Part:
    """Records of one kind: what they are called, and of each its columns as text."""

    code: str  # "tickets.interaction"
    title: str
    rows: list[dict[str, str]]
    files: list[File] = dataclasses.field(default_factory=list)


@dataclasses.dataclass(frozen=True, slots=True)
class Source:
    """What one app adds: its parts, the names of others in the same matters, and what the trail calls the matters."""

    parts: Callable[[Customer, Veil], Iterable[Part]]
    others: Callable[[Customer], Iterable[str]] = lambda customer: ()
    contexts: Callable[[Customer], Iterable[str]] = lambda customer: ()


class Veil:
    """Hides in a text who else is in it. Errs on the side of hiding."""

    def __init__(self, customer: Customer, others: Iterable[str] = ()) -> None:
        own = list(customer.addresses.values_list("value", flat=True))
        self._mails = {value.lower() for value in own if "@" in value}
        self._mails |= {value.lower() for value in Mailbox.objects.values_list("address", flat=True)}
        self._phones = {_digits(value) for value in own if "@" not in value}
        spared = {word.lower() for word in re.findall(r"\w+", f"{customer.name} {customer.organisation}")}
        self._staff = _names(User.objects.values_list("name", flat=True), spared)
        self._others = _names(others, spared)

    def hide(self, text: str) -> str:
        """The text without other people's addresses, numbers and names."""
        text = _MAIL.sub(lambda found: found[0] if found[0].lower() in self._mails else _("[address of another]"), text)
        text = _PHONE.sub(
            lambda found: found[0] if _digits(found[0]) in self._phones else _("[number of another]"), text
        )
        for pattern, word in ((self._staff, _("[employee]")), (self._others, _("[another person]"))):
            if pattern is not None:
                text = pattern.sub(word, text)
        return text


def _digits(text: str) -> str:
    return re.sub(r"\D", "", text).lstrip("0")


def _names(names: Iterable[str], spared: set[str]) -> re.Pattern[str] | None:
    """Whole names in any case, and each word of them as it is written, but for the person's own."""
    whole, words = set(), set()
    for name in names:
        found = re.findall(r"\w[\w'’-]*", name)
        if found and not {word.lower() for word in found} <= spared:
            whole.add(r"\s+".join(map(re.escape, found)))
        words |= {
            re.escape(word) for word in found if len(word) > 2 and word.lower() not in spared and word[0].isupper()
        }
    parts = [f"(?i:{'|'.join(sorted(whole, key=len, reverse=True))})"] if whole else []
    parts += ["|".join(sorted(words, key=len, reverse=True))] if words else []
    return re.compile(rf"(?<!\w)(?:{'|'.join(parts)})(?!\w)") if parts else None


# ---------------------------------------------------------------- the registry


def about_customers() -> Iterator[type[models.Model]]:
    """Every model of ours whose rows are about a customer, by its own declaration."""
    for app in OURS:
        for model in apps.get_app_config(app).get_models():
            record = getattr(model, "record", None)
            if not isinstance(record, Record) or getattr(model, "instance_type", None) is not None:
                continue
            if record.person and leads_to(model, record.person) is Customer:
                yield model


def leads_to(model: type[models.Model], path: str) -> Any:
    """Whose row a model's look-up path to a person ends at."""
    here: Any = model
    for name in path.split("__") if path != "self" else ():
        here = here._meta.get_field(name).related_model
    return here


def rows_of(model: type[models.Model], customer: Customer) -> QuerySet[Any]:
    """The rows of one model that are about this customer."""
    path = model.record.person  # type: ignore[attr-defined]  # every model of ours declares its record
    numbers = Customer.known_as([customer.pk])
    return model._base_manager.filter(**{f"{'pk' if path == 'self' else path}__in": numbers}).order_by("pk")


def earlier_of(model: type[models.Model], customer: Customer) -> QuerySet[Any] | None:
    """What these rows were before, where that is kept."""
    history = getattr(model, "history", None)
    path = model.record.person  # type: ignore[attr-defined]  # as above
    if history is None or "__" in path:
        return None
    column = "id" if path == "self" else f"{path}_id"
    numbers = Customer.known_as([customer.pk])
    return history.model._base_manager.filter(**{f"{column}__in": numbers}).order_by("history_id")


def row_of(row: models.Model, veil: Veil) -> dict[str, str]:
    """One row as text, column by column; who of us had a hand in it as a role."""
    found: dict[str, str] = {}
    for field in row._meta.concrete_fields:
        value = field.value_from_object(row)
        if value in (None, "", [], {}) or isinstance(field, models.BinaryField) or getattr(field, "generated", False):
            continue
        if field.related_model is User:
            found[field.name] = _("employee")
        elif isinstance(field, models.DateTimeField):
            found[field.name] = value.astimezone(dt.UTC).isoformat(timespec="seconds")
        elif isinstance(value, (list, dict)):
            found[field.name] = veil.hide(json.dumps(value, ensure_ascii=False, default=str))
        elif isinstance(value, str) and field.choices:
            found[field.name] = str(dict(field.flatchoices).get(value, value))
        elif isinstance(value, str):
            found[field.name] = veil.hide(value)
        else:
            found[field.name] = str(value)
    return found


def registered(customer: Customer, veil: Veil) -> Iterator[Part]:
    """The parts that follow from the declarations alone."""
    for model in about_customers():
        if model._meta.label in LEFT_OUT:
            continue
        rows = [row_of(row, veil) for row in rows_of(model, customer).iterator(chunk_size=500)]
        code, title = model._meta.label_lower, str(model._meta.verbose_name_plural)
        if rows:
            yield Part(code, title[:1].upper() + title[1:], rows)
        earlier = earlier_of(model, customer)
        past = [row_of(row, veil) for row in earlier.iterator(chunk_size=500)] if earlier is not None else []
        if past:
            yield Part(
                f"{code}.earlier", _("%(what)s, earlier versions") % {"what": title[:1].upper() + title[1:]}, past
            )


def sent_to(customer: Customer, veil: Veil) -> Iterator[Part]:
    """Every mail that left for one of the person's addresses."""
    addresses = [row.value for row in customer.addresses.filter(kind=Address.Kind.MAIL)]
    rows = OutboundMessage.objects.filter(to__overlap=addresses) if addresses else OutboundMessage.objects.none()
    found = [row_of(row, veil) for row in rows.order_by("pk").iterator(chunk_size=500)]
    if found:
        yield Part("csp.outboundmessage", _("Mails that we sent"), found)


def recipients_of(customer: Customer, sources: Sequence[Source]) -> list[dict[str, str]]:
    """To whom the person's data was given; who received everybody's is among them."""
    return [
        {"recipient": row.name, "what": row.what, "given_at": row.given_at.astimezone(dt.UTC).isoformat("T", "seconds")}
        for row in recipients.of_anybody(customer, contexts_of(customer, sources))
    ]


def contexts_of(customer: Customer, sources: Sequence[Source]) -> list[str]:
    """What the trail calls the matters of this person."""
    own = [
        *(f"customer:{pk}" for pk in Customer.known_as([customer.pk])),
        *(f"data-request:{pk}" for pk in customer.data_requests.values_list("pk", flat=True)),
    ]
    return [*own, *(context for source in sources for context in source.contexts(customer))]


# ---------------------------------------------------------------- who looked


def looked_at(customer: Customer, sources: Sequence[Source], veil: Veil) -> list[dict[str, str]]:
    """Each recorded reading of something about this person: the day and the purpose, never an employee's name.

    An export counts by the rows that it held: what the trail says of it names no person.
    """
    contexts = contexts_of(customer, sources)
    rows = TrailEntry.objects.filter(act__in=list(PURPOSES), context__in=contexts) | TrailEntry.objects.filter(
        act__in=list(PURPOSES), subject__in=contexts
    )
    entries = [(row.at, row.actor, row.act, _reason(row.personal)) for row in rows.exclude(act=Act.EXPORTED).distinct()]
    entries += [
        (row.begun_at, trail.name_of(row.by or "operator"), Act.EXPORTED, "")
        for row in recipients.holding(contexts).select_related("by")
    ]
    auditors = _auditors({actor for _at, actor, _act, _why in entries})
    found = []
    for at, actor, act, reason in sorted(entries):
        is_audit = any(begins <= at and (ends is None or at < ends) for begins, ends in auditors.get(actor, ()))
        purpose = _("Quality audit of the service") if is_audit else str(PURPOSES[act]())
        found.append({
            "day": at.astimezone(dt.UTC).date().isoformat(),
            "purpose": f"{purpose}: {veil.hide(reason)}" if reason else purpose,
        })  # fmt: skip
    return found


def _auditors(actors: set[str]) -> dict[str, list[tuple[dt.datetime, dt.datetime | None]]]:
    """Of these actors those who audited, and when."""
    numbers = [int(actor.partition(":")[2]) for actor in actors if actor.startswith("user:")]
    found: dict[str, list[tuple[dt.datetime, dt.datetime | None]]] = {}
    for row in RoleGrant.objects.filter(user__in=numbers, role=Role.AUDITOR):
        found.setdefault(f"user:{row.user_id}", []).append((row.starts_at, row.ends_at))
    return found


def _reason(personal: str) -> str:
    """What somebody typed as the reason for looking, where a reason was asked for."""
    try:
        said = json.loads(personal) if personal else {}
    except ValueError:
        return ""
    return str(said.get("reason", "")) if isinstance(said, dict) else ""


# By the act: what somebody looked for. Asked for in the language of the package.
PURPOSES: dict[str, Callable[[], str]] = {
    "ticket.read": lambda: _("Reading of a request that was not worked on"),
    "attachment.read": lambda: _("Work on the request: a file was opened"),
    "source.read": lambda: _("Work on the request: a message was opened as it had arrived"),
    "customer.shown": lambda: _("Reaching the person: an address was shown"),
    "record.read": lambda: _("Looking at a record in the reading room"),
    "record.exported": lambda: _("Export of records"),
    "feedback.opened": lambda: _("Opening who gave feedback"),
    "access.broke_glass": lambda: _("Emergency access outside the own scope"),
    "data_package.made": lambda: _("Gathering the data for this person"),
}
