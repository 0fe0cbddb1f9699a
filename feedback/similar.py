"""Texts that are alike (clause 2.3): every remark with words, and every ticket, gets its place beside the others.

Two texts are as close as the closer of two readings of PostgreSQL: their trigrams, and the words they share, by stem
and without stop words (migration 0003). A text joins the closest group that is close enough, or begins one. It is
compared with the text that began a group; once an analyst has made a theme of the group, with every text of it, since a
person has vouched for those.

A place depends on earlier texts alone: what comes later moves nothing, and the order of work does not matter. One text
moves once: a ticket that stood alone when it was opened, and whose cause and resolution are known by now.

Nothing is copied: places hold no words, and what is compared of a ticket (subject, cause, resolution) stays there.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import functools
import re
from collections.abc import Iterable

from django.db import connection, transaction
from django.db.models import Exists, OuterRef, QuerySet

from csp import batches
from csp.models import Contract
from feedback.models import Group, Outcome, Remark, Text
from tickets.models import Resolution, Ticket

# How close is alike, 0 to 1: below it, two complaints about deliveries share no more than the word.
ENOUGH = 0.3
# Texts further apart in time are not compared.
REACH = dt.timedelta(days=180)
ONE_AT_A_TIME = 0x414C494B  # with the contract's number an advisory lock of our own: "ALIK"
_WORD = re.compile(r"\w{4,}")
_MOST_WORDS = 40

_WORDS_OF = """coalesce(r.words, concat_ws(' ', k.subject, s.cause_note, s.text))"""

_NEAR = f"""
with candidate as (
  select t.group_id, {_WORDS_OF} as words
  from feedback_text t
  join feedback_group g on g.id = t.group_id
  left join feedback_remark r on r.id = t.remark_id
  left join tickets_ticket k on k.id = t.ticket_id
  left join tickets_resolution s on s.ticket_id = t.ticket_id and s.undone_at is null and s.resolved_at is not null
  where t.contract_id = %(contract)s and (t.is_first or g.theme_id is not null)
    and t.at between %(since)s and %(until)s and g.id is distinct from %(own)s
    and (r.search @@ %(any)s::tsquery or k.search @@ %(any)s::tsquery)
)
select group_id, max(feedback_closeness(words, %(words)s)) from candidate group by group_id
"""  # noqa: S608  our own words; what is asked is a parameter


@dataclasses.dataclass(frozen=True, slots=True)
class _Said:
    """One text that lacks its place."""

    at: dt.datetime
    recorded_at: dt.datetime
    words: str
    remark: Remark | None = None
    ticket: Ticket | None = None
    is_whole: bool = True

    @property
    def order(self) -> tuple[dt.datetime, bool, int]:
        row = self.remark or self.ticket
        assert row is not None
        return self.recorded_at, self.ticket is not None, row.pk


def closest(found: Iterable[tuple[int, float]], *, enough: float = ENOUGH) -> tuple[int, float] | None:
    """The closest group that is close enough, of (group, closeness); of two as close, the older. Pure."""
    best = min(found, key=lambda pair: (-pair[1], pair[0]), default=None)
    return best if best is not None and best[1] >= enough else None


def any_word(words: str) -> str:
    """A query for texts with a word like one of these, for tsquery; empty where there is none. Pure."""
    stems = dict.fromkeys(word.lower()[: max(4, len(word) - 2)] for word in _WORD.findall(words))
    return " | ".join(f"'{stem}':*" for stem in list(stems)[:_MOST_WORDS])


def relate(at: dt.datetime, *, limit: int = 200) -> int:
    """Give every text that lacks its place one. Returns how many got one."""
    contracts = list(Contract.objects.order_by("pk"))
    done = 0
    for contract in contracts:
        done += batches.each([contract], functools.partial(_relate, limit=limit - done, at=at), limit=limit)
    return done


def _lacking_remarks(contract: Contract, at: dt.datetime) -> QuerySet[Remark]:
    rows: QuerySet[Remark] = Remark.objects.filter(
        contract=contract, place__isnull=True, recorded_at__lte=at, received_at__gt=at - REACH
    )
    return rows.exclude(words="").order_by("recorded_at", "pk")


def _matters(contract: Contract, at: dt.datetime) -> QuerySet[Ticket]:
    """Tickets that are of the customer's own making; what a remark became says nothing new."""
    rows = Ticket.objects.filter(
        ~Exists(Outcome.objects.filter(ticket=OuterRef("pk"))), contract=contract, origin=Ticket.Origin.CUSTOMER,
        merged_into__isnull=True, opened_at__lte=at, received_at__gt=at - REACH,
    )  # fmt: skip
    return rows.exclude(subject="")


def _lacking_tickets(contract: Contract, at: dt.datetime) -> QuerySet[Ticket]:
    return _matters(contract, at).filter(place__isnull=True).order_by("opened_at", "pk")


@transaction.atomic(durable=True)
def _relate(contract: Contract, *, limit: int, at: dt.datetime) -> int:
    """One after the other, in the order in which they were recorded; whoever comes second finds nothing to do."""
    with connection.cursor() as cursor:
        cursor.execute("select pg_try_advisory_xact_lock(%s, %s)", [ONE_AT_A_TIME, contract.pk])
        if not cursor.fetchone()[0]:
            return 0
    fresh = [
        *(_Said(row.received_at, row.recorded_at, row.words, remark=row)
          for row in _lacking_remarks(contract, at).select_related("team")[:limit]),
        *(_of_ticket(row) for row in _lacking_tickets(contract, at).select_related("team")[:limit]),
    ]  # fmt: skip
    for said in sorted(fresh, key=lambda one: one.order)[:limit]:
        _place(contract, said)
    done = min(len(fresh), limit)
    return done + _read_again(contract, at, limit - done)


def _of_ticket(ticket: Ticket) -> _Said:
    rows = Resolution.objects.filter(ticket=ticket, undone_at__isnull=True, resolved_at__isnull=False)
    resolution = rows.first()
    parts = [ticket.subject, resolution.cause_note, resolution.text] if resolution is not None else [ticket.subject]
    words = " ".join(part for part in parts if part)
    return _Said(ticket.received_at, ticket.opened_at, words, ticket=ticket, is_whole=resolution is not None)


def _place(contract: Contract, said: _Said) -> Text:
    row = said.remark or said.ticket
    assert row is not None
    best = closest(_near(contract, said))
    if best is None:
        group = Group.objects.create(contract=contract, opened_at=said.recorded_at)
    return Text.objects.create(
        contract=contract, team=row.team, remark=said.remark, ticket=said.ticket, at=said.at,
        group_id=best[0] if best is not None else group.pk, is_first=best is None,
        closeness=best[1] if best is not None else None, is_whole=said.is_whole,
    )  # fmt: skip


def _near(contract: Contract, said: _Said, *, own: int | None = None) -> list[tuple[int, float]]:
    words = any_word(said.words)
    if not words:
        return []
    with connection.cursor() as cursor:
        cursor.execute(
            _NEAR,
            {"contract": contract.pk, "since": said.at - REACH, "until": said.at + REACH, "own": own, "any": words,
             "words": said.words},
        )  # fmt: skip
        return [(group, float(closeness)) for group, closeness in cursor.fetchall()]


def _read_again(contract: Contract, at: dt.datetime, limit: int) -> int:
    """Tickets that were resolved since they got their place: one that stood alone may belong to others after all."""
    resolved = Resolution.objects.filter(ticket=OuterRef("ticket"), undone_at__isnull=True, resolved_at__lte=at)
    rows = Text.objects.filter(Exists(resolved), contract=contract, is_whole=False).select_related("ticket", "group")
    found = list(rows.order_by("ticket")[: max(limit, 0)])
    for row in found:
        row.is_whole = True
        alone = row.is_first and row.group.theme_id is None and row.group.texts.count() == 1
        best = closest(_near(contract, _of_ticket(row.ticket), own=row.group_id)) if alone and row.ticket else None
        if best is not None:
            row.group_id, row.is_first, row.closeness = best[0], False, best[1]
        row.save()
    return len(found)


def standing_groups(contract_ids: Iterable[int]) -> QuerySet[Group]:
    """Suggestions: groups that nobody has made part of a theme or dismissed."""
    return Group.objects.filter(contract__in=list(contract_ids), theme__isnull=True, dismissed_at__isnull=True)


def unsorted(contract_ids: Iterable[int]) -> QuerySet[Text]:
    """Remarks that came beside the texts of a theme, and that nobody has put into one yet or taken out."""
    return Text.objects.filter(
        contract__in=list(contract_ids), group__theme__isnull=False, group__theme__dismissed_at__isnull=True,
        remark__isnull=False, remark__in_themes__isnull=True,
    )  # fmt: skip
