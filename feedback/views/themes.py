"""Themes: what customers keep saying, over time; and the suggestions that analysts sort (clauses 2.3, 7.2)."""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Callable
from typing import Any

from django.db.models import Count, Max, Q, QuerySet
from django.forms.models import model_to_dict
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import dateformat
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from csp import access, charts, clock
from csp.access import Refused, contracts_of, person, requires, scope_of
from csp.models import Contract, Deadline, Team, User
from csp.roles import Permission as P
from csp.roles import Role
from feedback import counting, improvements, similar, themes
from feedback.counting import Counted
from feedback.forms import MergeForm, RecursForm, SplitForm, TextsForm, ThemeForm, clauses
from feedback.models import Finding, Group, Remark, Text, Theme
from feedback.views.tabs import shell
from tickets.models import Ticket
from tickets.views.door import Step, go, number_in, refuse, take_step

PAGE = 50
TREND = {1: "rising", 0: "steady", -1: "falling"}


def contract_for(user: User, permission: P) -> Contract:
    """The contract in which this person may do it, the first where there are several. Raises Http404."""
    found = next((c for c in contracts_of(user) if access.may(user, permission, contract_id=c.pk)), None)
    if found is None:
        raise Http404
    return found


@dataclasses.dataclass(frozen=True, slots=True)
class Line:
    """One theme in the list."""

    counted: Counted
    points: str  # of its sparkline
    trend: str
    is_current: bool
    duty: Deadline | None = None  # what is owed because of it


def load(request: HttpRequest, pk: int) -> Theme:
    rows = Theme.objects.visible_to(person(request)).select_related("contract", "team", "merged_into", "made_by")
    return get_object_or_404(rows, pk=pk)


@requires(P.SEE_FEEDBACK)
@require_GET
def index(request: HttpRequest) -> HttpResponse:
    """All of them, the one most said lately opened."""
    return _page(request, None)


@requires(P.SEE_FEEDBACK)
@require_GET
def show(request: HttpRequest, pk: int) -> HttpResponse:
    """One of them beside the others."""
    return _page(request, load(request, pk))


def _page(request: HttpRequest, chosen: Theme | None) -> HttpResponse:
    user, at = person(request), clock.now()
    standing = list(Theme.objects.visible_to(user).standing().select_related("contract", "team"))
    zone = contracts_of(user)[0].zoneinfo
    weeks = counting.weeks_until(at, zone)
    counted = counting.of_themes(standing, user, at)
    totals = {one.theme.pk: [sum(week) for week in one.by_week(weeks, zone)] for one in counted}
    counted.sort(key=lambda one: (-sum(totals[one.theme.pk][-4:]), -one.count, -one.theme.pk))
    opened = chosen or (counted[0].theme if counted else None)
    duties = improvements.duties_of(one.theme.pk for one in counted)
    lines = [
        Line(
            one,
            charts.spark(totals[one.theme.pk]),
            _trend(totals[one.theme.pk]),
            one.theme == opened,
            duties.get(one.theme.pk),
        )
        for one in counted
    ]
    context: dict[str, Any] = {
        "at": at,
        "lines": lines,
        "is_chosen": chosen is not None,
        "dismissed": list(
            Theme.objects.visible_to(user).filter(dismissed_at__isnull=False).order_by("-dismissed_at")[:20]
        ),
        "may_sort": access.may(user, P.SORT_THEMES),
        **shell(user, "themes"),
    }
    if opened is not None:
        mine = next((one for one in counted if one.theme == opened), None)
        context |= _opened(request, mine or counting.of_themes([opened], user, at)[0], weeks)
        context["duty"] = duties.get(opened.pk)
    return render(request, "feedback/themes.html", context)


def _trend(counts: list[int]) -> str:
    return {"rising": _("rising"), "steady": _("steady"), "falling": _("falling")}[TREND[counting.trend(counts)]]


def _opened(request: HttpRequest, one: Counted, weeks: list[dt.date]) -> dict[str, Any]:
    """What the pane of one theme shows."""
    user, theme = person(request), one.theme
    zone = theme.contract.zoneinfo
    rows = themes.remarks_of(theme).filter(pk__in=Remark.objects.visible_to(user).order_by())
    is_low = request.GET.get("score") == "low"
    low = rows.filter(score__lte=3).count()
    if is_low:
        rows = rows.filter(score__lte=3)
    page = max(number_in(request.GET.get("page", "")) or 1, 1)
    found = list(rows.select_related("team")[(page - 1) * PAGE : page * PAGE + 1])
    family = themes.family(theme)
    alike = counting.tickets_alike(family, user)
    mean, _n = counting.overall(Remark.objects.visible_to(user).order_by())
    tickets: list[Ticket] = []
    if access.may(user, P.SEE_TICKETS):
        seen = Ticket.objects.visible_to(user).filter(pk__in=alike.values("ticket"))
        tickets = list(seen.select_related("category").order_by("-received_at", "-pk")[:PAGE])
    return {
        "subject": theme,  # "theme" is the colour scheme of every page
        "counted": one,
        "overall": mean,
        "chart": _chart(one, weeks, zone),
        "remarks": found[:PAGE],
        "page": page,
        "next_page": page + 1 if len(found) > PAGE else 0,
        "is_low": is_low,
        "low": low,
        "categories": themes.by_category(alike),
        "tickets": tickets,
        "merged": list(Theme.objects.filter(merged_into=theme).order_by("pk")),
        "waiting": similar.unsorted([theme.contract_id]).filter(
            group__theme__in=family, remark__in=Remark.objects.visible_to(user)
        ).count(),
        "recurrence": getattr(theme, "recurrence", None),
        "may_sort": access.may(user, P.SORT_THEMES, contract_id=theme.contract_id),
        "may_find": access.may(user, P.WRITE_FINDINGS, contract_id=theme.contract_id),
        "findings": list(
            Finding.objects.visible_to(user).filter(theme__in=family).select_related("act")
            .prefetch_related("items__deadline").order_by("-pk")
        ),
    }  # fmt: skip


def _chart(one: Counted, weeks: list[dt.date], zone: dt.tzinfo) -> dict[str, Any]:
    parts = one.by_week(weeks, one.theme.contract.zoneinfo)
    names = [_("w %(number)d") % {"number": week.isocalendar().week} for week in weeks]
    total = sum(sum(part) for part in parts)
    sentence = ngettext(
        "“%(name)s” was said %(n)d time in thirteen weeks, %(last)d of these in the last four.",
        "“%(name)s” was said %(n)d times in thirteen weeks, %(last)d of these in the last four.",
        total,
    ) % {"name": one.theme.name, "n": total, "last": sum(sum(part) for part in parts[-4:])}
    headings = [_("Week of"), _("Low score"), _("Other remarks"), _("Tickets alike")]
    rows = [[dateformat.format(week, "j M Y"), *part] for week, part in zip(weeks, parts, strict=True)]
    return {
        "chart": charts.columns(parts, names), "sentence": sentence, "headings": headings, "rows": rows, "total": total
    }  # fmt: skip


# ---------------------------------------------------------------- what analysts do with a theme


@requires(P.SORT_THEMES)
@require_http_methods(["GET", "POST"])
def begin(request: HttpRequest) -> HttpResponse:
    """A theme by hand."""
    user, at = person(request), clock.now()
    contract = contract_for(user, P.SORT_THEMES)
    form = ThemeForm(request.POST or None, contract=contract)
    step = Step(title=_("Name a theme"), submit=_("Begin it"), form=form, back=reverse("themes"))

    def verb(typed: dict[str, Any]) -> str:
        theme = themes.begin(contract, by=user, at=at, **typed)
        step.back = theme.path
        return _("Named. Put remarks into it from their pages, or sort what is suggested.")

    return take_step(request, step, verb)


@requires(P.SORT_THEMES)
@require_http_methods(["GET", "POST"])
def change(request: HttpRequest, pk: int) -> HttpResponse:
    user, at, theme = person(request), clock.now(), load(request, pk)
    initial = model_to_dict(theme, fields=["name", "clause", "team"])
    form = ThemeForm(request.POST or None, contract=theme.contract, initial=initial)
    step = Step(title=_("Change the theme"), submit=_("Save"), form=form, back=theme.path)

    def verb(typed: dict[str, Any]) -> str:
        themes.change(theme, by=user, at=at, **typed)
        return _("Saved.")

    return take_step(request, step, verb)


@requires(P.SORT_THEMES)
@require_http_methods(["GET", "POST"])
def merge(request: HttpRequest, pk: int) -> HttpResponse:
    user, at, theme = person(request), clock.now(), load(request, pk)
    others = Theme.objects.standing().filter(contract=theme.contract_id).exclude(pk=theme.pk).order_by("name", "pk")
    form = MergeForm(request.POST or None, themes=others)
    step = Step(
        title=_("Merge “%(name)s” into another theme") % {"name": theme.name}, submit=_("Merge"), form=form,
        back=theme.path, text=_("Its texts count with the other's from now on. This can be undone."),
    )  # fmt: skip

    def verb(typed: dict[str, Any]) -> str:
        step.back = themes.merge(theme, into=typed["into"], by=user, at=at).path
        return _("Merged.")

    return take_step(request, step, verb)


def _texts(theme: Theme) -> QuerySet[Remark]:
    return themes.remarks_of(theme)


@requires(P.SORT_THEMES)
@require_http_methods(["GET", "POST"])
def split(request: HttpRequest, pk: int) -> HttpResponse:
    user, at, theme = person(request), clock.now(), load(request, pk)
    initial = {"clause": theme.clause, "team": theme.team_id}
    form = SplitForm(request.POST or None, contract=theme.contract, remarks=_texts(theme), initial=initial)
    step = Step(
        title=_("Split “%(name)s”") % {"name": theme.name}, submit=_("Make it a theme of its own"), form=form,
        back=theme.path, text=_("Merging the new theme back undoes this."),
    )  # fmt: skip

    def verb(typed: dict[str, Any]) -> str:
        step.back = themes.split(theme, list(typed.pop("remarks")), by=user, at=at, **typed).path
        return _("Split.")

    return take_step(request, step, verb)


@requires(P.SORT_THEMES)
@require_http_methods(["GET", "POST"])
def take_out(request: HttpRequest, pk: int) -> HttpResponse:
    user, at, theme = person(request), clock.now(), load(request, pk)
    form = TextsForm(request.POST or None, remarks=_texts(theme))
    step = Step(
        title=_("Take texts out of “%(name)s”") % {"name": theme.name}, submit=_("Take them out"), form=form,
        back=theme.path, text=_("They stay in the log, and can be put back from their pages."),
    )  # fmt: skip

    def verb(typed: dict[str, Any]) -> str:
        themes.take_out(theme, list(typed["remarks"]), by=user, at=at)
        return _("Taken out.")

    return take_step(request, step, verb)


def _act(request: HttpRequest, url: str, verb: Callable[[], object], done: str) -> HttpResponse:
    try:
        verb()
    except Refused as refusal:
        return refuse(request, refusal, url)
    return go(request, url, done)


@requires(P.SORT_THEMES)
@require_POST
def dismiss(request: HttpRequest, pk: int) -> HttpResponse:
    user, at, theme = person(request), clock.now(), load(request, pk)
    done = _("Dismissed. It stands under the themes and can be taken back.")
    return _act(request, reverse("themes"), lambda: themes.dismiss(theme, by=user, at=at), done)


@requires(P.SORT_THEMES)
@require_POST
def restore(request: HttpRequest, pk: int) -> HttpResponse:
    """Undo a merge or a dismissal."""
    user, at, theme = person(request), clock.now(), load(request, pk)
    return _act(request, theme.path, lambda: themes.restore(theme, by=user, at=at), _("Undone."))


@requires(P.SORT_THEMES)
@require_http_methods(["GET", "POST"])
def put(request: HttpRequest, pk: int) -> HttpResponse:
    """Put one remark into a theme, from its own page."""
    user, at = person(request), clock.now()
    remark = get_object_or_404(Remark.objects.visible_to(user), pk=pk)
    choices = Theme.objects.standing().filter(contract=remark.contract_id).order_by("name", "pk")
    form = MergeForm(request.POST or None, themes=choices)
    step = Step(
        title=_("Put %(reference)s into a theme") % {"reference": remark.reference}, submit=_("Put it there"),
        form=form, back=remark.path, text=remark.words[:300],
    )  # fmt: skip

    def verb(typed: dict[str, Any]) -> str:
        themes.add(typed["into"], [remark], by=user, at=at)
        return _("It counts with “%(name)s” now.") % {"name": typed["into"].name}

    return take_step(request, step, verb)


@requires(P.SORT_THEMES)
@require_http_methods(["GET", "POST"])
def rule(request: HttpRequest) -> HttpResponse:
    """From when on something recurs."""
    user, at = person(request), clock.now()
    contract = contract_for(user, P.SORT_THEMES)
    initial = model_to_dict(themes.rule_of(contract), fields=["recurs_texts", "recurs_days"])
    form = RecursForm(request.POST or None, initial=initial)
    step = Step(
        title=_("Recurring issues"), submit=_("Save the rule"), form=form, back=reverse("theme_sorting"),
        text=_("So many texts that are alike, in so many days, are told to the feedback team and to the supervisors."),
    )  # fmt: skip

    def verb(typed: dict[str, Any]) -> str:
        themes.change_rule(contract, by=user, at=at, **typed)
        return _("Saved.")

    return take_step(request, step, verb)


# ---------------------------------------------------------------- suggestions


@dataclasses.dataclass(frozen=True, slots=True)
class Suggestion:
    """Texts that are alike, as one reader may see them. `theme` where they would go on with one."""

    group: Group
    theme: Theme | None
    remarks: list[Remark]
    categories: list[tuple[str, int]]
    tickets: int
    recurs: bool


@requires(P.SEE_FEEDBACK)
@require_GET
def sorting(request: HttpRequest) -> HttpResponse:
    """What is alike and in no theme: the largest groups first."""
    user, at = person(request), clock.now()
    contracts = [contract.pk for contract in contracts_of(user)]
    visible = Remark.objects.visible_to(user).order_by()
    mine = Q(texts__remark__in=visible) | Q(texts__ticket__in=Ticket.objects.visible_to(user))
    if whole := scope_of(user).contracts(Role.ANALYST, Role.AUDITOR):
        mine |= Q(contract__in=whole)
    fresh = similar.standing_groups(contracts).annotate(
        n=Count("texts", filter=mine, distinct=True), latest=Max("texts__at", filter=mine)
    )
    # What is alike among tickets alone is shown where it recurs: an analyst cannot read it.
    worth = Q(recurrence__isnull=False) | Q(pk__in=Text.objects.filter(remark__in=visible).values("group"))
    groups = list(fresh.filter(worth, n__gte=2).order_by("-n", "-latest", "pk")[:PAGE])
    asked = number_in(request.GET.get("group", ""))
    groups.sort(key=lambda group: group.pk != asked)
    more = similar.unsorted(contracts).filter(remark__in=visible).select_related("remark__team", "group__theme")
    going: dict[int, list[Text]] = {}
    for text in more.order_by("group", "-at", "-pk")[: PAGE * 4]:
        going.setdefault(text.group_id, []).append(text)
    suggestions = [_going_on(texts) for texts in going.values()] + [_suggestion(group, user) for group in groups]
    dismissed = Group.objects.filter(contract__in=contracts, dismissed_at__isnull=False)
    context = {
        "at": at,
        "suggestions": suggestions,
        "asked": asked,
        "dismissed": [_suggestion(group, user) for group in dismissed.order_by("-dismissed_at", "-pk")[:10]],
        "may_sort": access.may(user, P.SORT_THEMES),
        "clauses": clauses(),
        "teams": list(Team.objects.filter(contract__in=contracts, is_active=True).order_by("name", "pk")),
        "themes": list(Theme.objects.visible_to(user).standing().order_by("name", "pk")),
        **shell(user, "theme_sorting"),
    }
    return render(request, "feedback/sorting.html", context)


def _going_on(texts: list[Text]) -> Suggestion:
    group, theme = texts[0].group, texts[0].group.theme
    remarks = [text.remark for text in texts if text.remark is not None]
    return Suggestion(group, themes.head_of(theme) if theme is not None else None, remarks, [], 0, recurs=False)


def _suggestion(group: Group, user: User) -> Suggestion:
    remarks = Remark.objects.visible_to(user).filter(place__group=group).select_related("team").order_by("-received_at")
    rows = Text.objects.filter(group=group, ticket__isnull=False)
    if group.contract_id not in scope_of(user).contracts(Role.ANALYST, Role.AUDITOR):
        rows = rows.filter(ticket__in=Ticket.objects.visible_to(user))
    categories = themes.by_category(rows)
    return Suggestion(
        group, None, list(remarks[:PAGE]), categories, sum(count for _name, count in categories),
        recurs=hasattr(group, "recurrence"),
    )  # fmt: skip


def _group(request: HttpRequest, pk: int) -> Group:
    user = person(request)
    mine = [one.pk for one in contracts_of(user) if access.may(user, P.SORT_THEMES, contract_id=one.pk)]
    return get_object_or_404(Group.objects.filter(contract__in=mine).select_related("contract", "theme"), pk=pk)


@requires(P.SORT_THEMES)
@require_POST
def accept(request: HttpRequest, pk: int) -> HttpResponse:
    """Make a suggestion part of a theme: of a new one by its name, or of one that there is."""
    user, at, group = person(request), clock.now(), _group(request, pk)
    back = reverse("theme_sorting")
    numbers = [number for text in request.POST.getlist("remark") if (number := number_in(text)) is not None]
    remarks = list(Remark.objects.visible_to(user).filter(pk__in=numbers))
    into = None
    fields: dict[str, Any] = {}
    if group.theme is None and (number := number_in(request.POST.get("into", ""))) is not None:
        into = get_object_or_404(Theme.objects.visible_to(user).standing(), pk=number)
    elif group.theme is None:
        form = ThemeForm(request.POST, contract=group.contract)
        if not form.is_valid():
            problem = next(iter(form.errors.values()))[0]
            return refuse(request, Refused(_("Give the theme a name.") if "name" in form.errors else problem), back)
        fields = form.cleaned_data
    try:
        theme = themes.accept(group, remarks, into=into, by=user, at=at, **fields)
    except Refused as refusal:
        return refuse(request, refusal, back)
    return go(request, theme.path, _("It is part of “%(name)s” now.") % {"name": theme.name})


@requires(P.SORT_THEMES)
@require_POST
def dismiss_group(request: HttpRequest, pk: int) -> HttpResponse:
    user, at, group = person(request), clock.now(), _group(request, pk)
    done = _("Dismissed. It stands at the end of this page and can be taken back.")
    return _act(request, reverse("theme_sorting"), lambda: themes.dismiss_group(group, by=user, at=at), done)


@requires(P.SORT_THEMES)
@require_POST
def restore_group(request: HttpRequest, pk: int) -> HttpResponse:
    user, at, group = person(request), clock.now(), _group(request, pk)
    return _act(request, reverse("theme_sorting"), lambda: themes.restore_group(group, by=user, at=at), _("Undone."))
