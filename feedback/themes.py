"""Themes (clauses 2.3, 7.2): what customers keep saying, named by analysts out of texts that the product finds alike.

The product suggests and an analyst decides: accepts a suggestion into a theme, merges, splits, dismisses; each of these
can be undone. What recurs by the rule is told once to the feedback team and the supervisors concerned.
"""

from __future__ import annotations

import datetime as dt
import functools
from collections.abc import Collection, Iterable

from django.db import transaction
from django.db.models import Count, Exists, F, OuterRef, Q, QuerySet
from django.utils.translation import gettext as _

from csp import access, batches, notices, offices, trail
from csp.access import Refused
from csp.contract import CLAUSES
from csp.events import Act
from csp.models import Contract, Notice, RoleGrant, Team, User
from csp.roles import Office, Permission, Role
from feedback.models import Group, Recurrence, Remark, Text, Theme, ThemeRule, ThemeText
from tickets.models import Resolution, Ticket

ACTOR = "feedback"
# A score above this tells of nothing that is wrong.
HIGHEST_WRONG = 3


def lock(theme: Theme) -> Theme:
    rows = Theme.objects.select_for_update(of=("self",), no_key=True).select_related("contract", "team", "merged_into")
    return rows.get(pk=theme.pk)


def check_can_sort(user: User, contract_id: int, at: dt.datetime) -> None:
    access.check(user, Permission.SORT_THEMES, contract_id=contract_id, at=at)


def _check_fields(contract: Contract, name: str, clause: str, team: Team | None) -> str:
    name = " ".join(name.split())[:120]
    if not name:
        raise Refused(_("Give the theme a name."))
    if clause and clause not in CLAUSES:
        raise Refused(_("There is no such clause."))
    if team is not None and team.contract_id != contract.pk:
        raise Refused(_("This team works under another contract."))
    return name


@transaction.atomic
def begin(
    contract: Contract, *, name: str, clause: str = "", team: Team | None = None, by: User, at: dt.datetime,
    split_from: Theme | None = None,
) -> Theme:  # fmt: skip
    """Name a theme. Raises Refused."""
    check_can_sort(by, contract.pk, at=at)
    name = _check_fields(contract, name, clause, team)
    theme = Theme.objects.create(
        contract=contract, name=name, clause=clause, team=team, made_at=at, made_by=by, split_from=split_from
    )
    facts = {"clause": clause, "team": team.pk if team else None, "split_from": split_from.pk if split_from else None}
    trail.record(
        Act.THEME_MADE, theme.trail_subject, by=by, at=at, facts=facts, personal={"name": name}, evidence=[theme]
    )
    return theme


@transaction.atomic
def change(theme: Theme, *, name: str, clause: str, team: Team | None, by: User, at: dt.datetime) -> Theme:
    """Name it otherwise, or say what it concerns. Raises Refused."""
    row = lock(theme)
    check_can_sort(by, row.contract_id, at=at)
    row.name = _check_fields(row.contract, name, clause, team)
    row.clause, row.team = clause, team
    row.save()
    facts = {"clause": clause, "team": team.pk if team else None}
    trail.record(Act.THEME_CHANGED, row.trail_subject, by=by, at=at, facts=facts, personal={"name": row.name})
    return row


# ---------------------------------------------------------------- suggestions


@transaction.atomic
def accept(
    group: Group, remarks: Collection[Remark], *, into: Theme | None = None, name: str = "", clause: str = "",
    team: Team | None = None, by: User, at: dt.datetime,
) -> Theme:  # fmt: skip
    """Make a suggestion part of a theme, or a new theme of it: the group with its tickets, and these of its remarks.

    Raises Refused.
    """
    group = (
        Group.objects.select_for_update(of=("self",), no_key=True).select_related("contract", "theme").get(pk=group.pk)
    )
    check_can_sort(by, group.contract_id, at=at)
    if group.dismissed_at is not None:
        raise Refused(_("This suggestion was dismissed. Take that back first."))
    if group.theme is not None:
        if into is not None and head_of(into) != head_of(group.theme):
            raise Refused(_("This suggestion is part of another theme already."))
        into = head_of(group.theme)
    theme = lock(into) if into is not None else begin(
        group.contract, name=name, clause=clause, team=team, by=by, at=at
    )  # fmt: skip
    if theme.contract_id != group.contract_id or not theme.is_standing:
        raise Refused(_("This theme takes no texts any more. Choose another."))
    own = set(group.texts.filter(remark__isnull=False).values_list("remark", flat=True))
    if any(remark.pk not in own for remark in remarks):
        raise Refused(_("Choose among the texts of this suggestion."))
    group.theme = theme
    group.save(update_fields=["theme"])
    _add(theme, [remark.pk for remark in remarks], by=by, at=at, group=group)
    return theme


def _add(theme: Theme, remarks: Collection[int], *, by: User, at: dt.datetime, group: Group | None = None) -> None:
    there = set(theme.texts.filter(removed_at__isnull=True, remark__in=remarks).values_list("remark", flat=True))
    fresh = sorted(set(remarks) - there)
    rows = ThemeText.objects.bulk_create(
        ThemeText(theme=theme, remark_id=remark, added_at=at, added_by=by) for remark in fresh
    )
    trail.record(
        Act.THEME_TEXTS_ADDED,
        theme.trail_subject,
        by=by,
        at=at,
        facts={"remarks": fresh, "group": group.pk if group else None},
        evidence=rows,
    )


@transaction.atomic
def add(theme: Theme, remarks: Collection[Remark], *, by: User, at: dt.datetime) -> None:
    """Put remarks into a theme by hand. Raises Refused."""
    row = lock(theme)
    check_can_sort(by, row.contract_id, at=at)
    if not row.is_standing:
        raise Refused(_("This theme takes no texts any more. Choose another."))
    if any(remark.contract_id != row.contract_id for remark in remarks):
        raise Refused(_("A remark of another contract does not belong here."))
    _add(row, [remark.pk for remark in remarks], by=by, at=at)


def _take_out(theme: Theme, remarks: Collection[int], *, by: User, at: dt.datetime) -> list[int]:
    """Of a theme and all that was merged into it."""
    rows = ThemeText.objects.filter(theme__in=family(theme), remark__in=remarks, removed_at__isnull=True)
    found = sorted(set(rows.values_list("remark", flat=True)))
    rows.update(removed_at=at, removed_by=by)
    trail.record(Act.THEME_TEXTS_REMOVED, theme.trail_subject, by=by, at=at, facts={"remarks": found})
    return found


@transaction.atomic
def take_out(theme: Theme, remarks: Collection[Remark], *, by: User, at: dt.datetime) -> None:
    """Take remarks out of a theme; `add` puts them back. Raises Refused."""
    row = lock(theme)
    check_can_sort(by, row.contract_id, at=at)
    if not _take_out(row, [remark.pk for remark in remarks], by=by, at=at):
        raise Refused(_("None of these is in the theme."))


@transaction.atomic
def dismiss_group(group: Group, *, by: User, at: dt.datetime) -> Group:
    """Say that these texts have nothing to do with each other. Raises Refused."""
    group = Group.objects.select_for_update(of=("self",), no_key=True).get(pk=group.pk)
    check_can_sort(by, group.contract_id, at=at)
    if group.theme_id is not None:
        raise Refused(_("It is part of a theme. Take its texts out there."))
    if group.dismissed_at is None:
        group.dismissed_at, group.dismissed_by = at, by
        group.save()
        trail.record(Act.GROUP_DISMISSED, group.trail_subject, by=by, at=at, facts={"texts": group.texts.count()})
    return group


@transaction.atomic
def restore_group(group: Group, *, by: User, at: dt.datetime) -> Group:
    """Take a dismissal back. Raises Refused."""
    group = Group.objects.select_for_update(of=("self",), no_key=True).get(pk=group.pk)
    check_can_sort(by, group.contract_id, at=at)
    if group.dismissed_at is not None:
        group.dismissed_at = group.dismissed_by = None
        group.save()
        trail.record(Act.GROUP_RESTORED, group.trail_subject, by=by, at=at)
    return group


# ---------------------------------------------------------------- merging, splitting, dismissing


def head_of(theme: Theme) -> Theme:
    """What it was merged into, at any depth; itself where it stands."""
    while theme.merged_into is not None:
        theme = theme.merged_into
    return theme


def family(theme: Theme) -> list[int]:
    """The numbers of a theme and of all that was merged into it, at any depth."""
    found, fresh = [theme.pk], [theme.pk]
    while fresh:
        fresh = list(Theme.objects.filter(merged_into__in=fresh).exclude(pk__in=found).values_list("pk", flat=True))
        found += fresh
    return found


@transaction.atomic
def merge(theme: Theme, *, into: Theme, by: User, at: dt.datetime) -> Theme:
    """Let one theme go on as another; its texts stay its own, so that this can be undone. Returns the other.

    Raises Refused.
    """
    first, second = sorted((theme, into), key=lambda one: one.pk)
    locked = {row.pk: row for row in (lock(first), lock(second))}
    theme, into = locked[theme.pk], locked[into.pk]
    check_can_sort(by, theme.contract_id, at=at)
    if theme.pk == into.pk or theme.contract_id != into.contract_id:
        raise Refused(_("Choose another theme of the same contract."))
    if not theme.is_standing or not into.is_standing:
        raise Refused(_("One of the two was merged or dismissed meanwhile."))
    theme.merged_into = into
    theme.save()
    trail.record(Act.THEME_MERGED, theme.trail_subject, by=by, at=at, facts={"into": into.pk})
    return into


@transaction.atomic
def split(
    theme: Theme, remarks: Collection[Remark], *, name: str, clause: str = "", team: Team | None = None, by: User,
    at: dt.datetime,
) -> Theme:  # fmt: skip
    """Make a theme of its own of these remarks. Merging it back undoes it. Returns the new one. Raises Refused."""
    row = lock(theme)
    check_can_sort(by, row.contract_id, at=at)
    if not row.is_standing:
        raise Refused(_("This theme was merged or dismissed meanwhile."))
    moved = _take_out(row, [remark.pk for remark in remarks], by=by, at=at)
    if not moved:
        raise Refused(_("Choose the texts of the new theme."))
    fresh = begin(row.contract, name=name, clause=clause, team=team, by=by, at=at, split_from=row)
    _add(fresh, moved, by=by, at=at)
    return fresh


@transaction.atomic
def dismiss(theme: Theme, *, by: User, at: dt.datetime) -> Theme:
    """Keep it on record, and look at it no more. Raises Refused."""
    row = lock(theme)
    check_can_sort(by, row.contract_id, at=at)
    if not row.is_standing:
        raise Refused(_("This theme was merged or dismissed meanwhile."))
    row.dismissed_at = at
    row.save()
    trail.record(Act.THEME_DISMISSED, row.trail_subject, by=by, at=at)
    return row


@transaction.atomic
def restore(theme: Theme, *, by: User, at: dt.datetime) -> Theme:
    """Undo a merge or a dismissal. Raises Refused."""
    row = lock(theme)
    check_can_sort(by, row.contract_id, at=at)
    if row.is_standing:
        raise Refused(_("There is nothing to undo."))
    facts = {"merged_into": row.merged_into_id}
    row.merged_into = row.dismissed_at = None
    row.save()
    trail.record(Act.THEME_RESTORED, row.trail_subject, by=by, at=at, facts=facts)
    return row


# ---------------------------------------------------------------- what is in a theme


def remarks_of(theme: Theme) -> QuerySet[Remark]:
    """The remarks of a theme and of all that was merged into it, newest first."""
    rows = ThemeText.objects.filter(theme__in=family(theme), removed_at__isnull=True)
    found: QuerySet[Remark] = Remark.objects.filter(pk__in=rows.values("remark"))
    return found.order_by("-received_at", "-pk")


def ticket_texts_of(theme: Theme) -> QuerySet[Text]:
    """The places of tickets that are like the texts of a theme."""
    return Text.objects.filter(group__theme__in=family(theme), ticket__isnull=False)


def by_category(texts: QuerySet[Text]) -> list[tuple[str, int]]:
    """Of tickets no more than this is shown to whoever sees no tickets: how many of which category, most first."""
    rows = texts.values(name=F("ticket__category__name")).annotate(n=Count("pk")).order_by("-n", "name")
    return [(row["name"] or _("No category"), row["n"]) for row in rows]


# ---------------------------------------------------------------- what recurs


def rule_of(contract: Contract) -> ThemeRule:
    return ThemeRule.objects.filter(contract=contract).first() or ThemeRule(contract=contract)


@transaction.atomic
def change_rule(contract: Contract, *, recurs_texts: int, recurs_days: int, by: User, at: dt.datetime) -> ThemeRule:
    """Set from when on something recurs. It holds from now on. Raises Refused."""
    check_can_sort(by, contract.pk, at=at)
    Contract.objects.select_for_update(no_key=True).get(pk=contract.pk)
    rule = rule_of(contract)
    rule.recurs_texts, rule.recurs_days, rule.changed_at, rule.changed_by = recurs_texts, recurs_days, at, by
    rule.save()
    facts = {"texts": recurs_texts, "days": recurs_days}
    trail.record(Act.SETTING_CHANGED, f"themes:{contract.pk}", by=by, at=at, facts=facts)
    return rule


def issues(texts: QuerySet[Text]) -> QuerySet[Text]:
    """Of these the ones that tell of something wrong: remarks without a good score, complaints, tickets whose cause was
    found with us. What is merely asked often, or praised, is no issue.
    """
    caused = Resolution.objects.filter(ticket=OuterRef("ticket"), undone_at__isnull=True).exclude(
        cause__in=["", Resolution.Cause.UNFOUNDED, Resolution.Cause.UNKNOWN, Resolution.Cause.THIRD_PARTY]
    )
    wrong = Q(remark__isnull=False) & (Q(remark__score__isnull=True) | Q(remark__score__lte=HIGHEST_WRONG))
    return texts.filter(wrong | Q(ticket__kind=Ticket.Kind.COMPLAINT) | Exists(caused))


def recur(at: dt.datetime, *, limit: int = 50) -> int:
    """Write down, and tell once, every theme and group that recurs by the rule and lacks it. Returns how many."""
    done = 0
    for contract in Contract.objects.order_by("pk"):
        rule = rule_of(contract)
        since = at - dt.timedelta(days=rule.recurs_days)
        lately = Text.objects.filter(contract=contract, at__gt=since, at__lte=at)
        found = (
            issues(lately).filter(
                group__dismissed_at__isnull=True, group__recurrence__isnull=True, group__theme__isnull=True,
            ).values_list("group", flat=True).annotate(n=Count("pk")).filter(n__gte=rule.recurs_texts).order_by("group")
        )  # fmt: skip
        groups = list(Group.objects.filter(pk__in=list(found[:limit])).order_by("pk"))
        done += batches.each(groups, functools.partial(_group_recurs, rule=rule, at=at), limit=limit - done)
        themes = list(Theme.objects.standing().filter(contract=contract, recurrence__isnull=True).order_by("pk"))
        done += batches.each(themes, functools.partial(_theme_recurs, rule=rule, at=at), limit=limit - done)
    return done


@transaction.atomic(durable=True)
def _group_recurs(group: Group, *, rule: ThemeRule, at: dt.datetime) -> int:
    rows = Group.objects.select_for_update(of=("self",), no_key=True, skip_locked=True).select_related("contract")
    row = rows.filter(pk=group.pk, recurrence__isnull=True, theme__isnull=True, dismissed_at__isnull=True).first()
    if row is None:
        return 0
    since = at - dt.timedelta(days=rule.recurs_days)
    return _write_down(row, row.texts.filter(at__gt=since, at__lte=at), rule, since, at)


@transaction.atomic(durable=True)
def _theme_recurs(theme: Theme, *, rule: ThemeRule, at: dt.datetime) -> int:
    """What is in it, and what came beside it and nobody has sorted yet."""
    rows = Theme.objects.select_for_update(of=("self",), no_key=True, skip_locked=True).select_related("contract")
    row = rows.filter(pk=theme.pk, recurrence__isnull=True).first()
    if row is None or Recurrence.objects.filter(group__theme__in=family(row)).exists():
        return 0  # a group that was told of before it became a theme is not told of again
    since = at - dt.timedelta(days=rule.recurs_days)
    mine = Q(remark__in=remarks_of(row).order_by())
    beside = Q(group__theme__in=family(row)) & (Q(ticket__isnull=False) | Q(remark__in_themes__isnull=True))
    texts = Text.objects.filter(pk__in=Text.objects.filter(mine | beside).values("pk"), at__gt=since, at__lte=at)
    return _write_down(row, texts, rule, since, at)


def _write_down(
    row: Group | Theme, texts: QuerySet[Text], rule: ThemeRule, since: dt.datetime, at: dt.datetime
) -> int:  # fmt: skip
    texts = issues(texts)
    found = texts.aggregate(
        remarks=Count("pk", filter=Q(remark__isnull=False)), tickets=Count("pk", filter=Q(ticket__isnull=False))
    )
    count = found["remarks"] + found["tickets"]
    if count < rule.recurs_texts:
        return 0
    recurrence = Recurrence.objects.create(
        contract=row.contract,
        theme=row if isinstance(row, Theme) else None,
        group=row if isinstance(row, Group) else None,
        since=since,
        at=at,
        recurs_texts=rule.recurs_texts,
        recurs_days=rule.recurs_days,
        **found,
    )
    notices.tell(
        notices.Telling(
            kind=Notice.Kind.FEEDBACK,
            key=f"recurs:{recurrence.pk}",
            to=[*team_of(row.contract, at), *_supervisors(set(texts.values_list("team", flat=True)), at)],
            subject_ref=row.reference,
            path=row.path if isinstance(row, Theme) else f"/feedback/sort/?group={row.pk}",
            facts={"says": "feedback.recurs", "count": count, "days": rule.recurs_days},
        ),
        at=at,
    )
    facts = {**found, "texts": rule.recurs_texts, "days": rule.recurs_days}
    trail.record(Act.ISSUE_RECURS, row.trail_subject, by=ACTOR, at=at, facts=facts, evidence=[recurrence])
    return 1


def team_of(contract: Contract, at: dt.datetime) -> list[User]:
    """The feedback team: its analysts, and whoever leads it."""
    grants = RoleGrant.objects.in_force(at).filter(role=Role.ANALYST, contract=contract, user__is_active=True)
    analysts = list(User.objects.filter(pk__in=grants.values("user")).order_by("name", "pk"))
    return [*analysts, *offices.to_tell(contract.pk, [Office.FEEDBACK_LEAD], at=at)]


def _supervisors(teams: Iterable[int], at: dt.datetime) -> list[User]:
    rungs = notices.Rungs(at)
    return [user for team in sorted(teams) for user in rungs.supervisors(team)]
