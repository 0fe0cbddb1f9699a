"""Who is on shift: a team's hours, absences with who stands in, the calendar that the company's targets count in."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Mapping

from django.db import transaction
from django.utils import dateformat, timezone
from django.utils.translation import gettext as _

from csp import access, servicetime, trail
from csp.access import Refused
from csp.events import Act
from csp.models import Absence, ShiftPlan, Team, User
from csp.roles import Permission
from csp.servicetime import Calendar, Day


def calendar_of(team: Team) -> Calendar:
    """The team's hours; without a plan somebody is always there."""
    return hours_of(team, ShiftPlan.objects.filter(team=team).first())


def hours_of(team: Team, plan: ShiftPlan | None) -> Calendar:
    """The hours that a plan says; without one somebody is always there."""
    if plan is None:
        return Calendar(team.contract.zoneinfo)
    return Calendar(
        zone=team.contract.zoneinfo,
        week={int(weekday): _spans(hours) for weekday, hours in plan.week.items()},
        exceptions={dt.date.fromisoformat(day): _spans(hours) for day, hours in plan.exceptions.items()},
        country=plan.country,
        subdivision=plan.subdivision,
    )


def _spans(hours: Iterable[Iterable[int]]) -> Day:
    return tuple((int(begins), int(ends)) for begins, ends in hours)


@transaction.atomic
def plan(
    team: Team,
    *,
    week: Mapping[int, Day],
    exceptions: Mapping[dt.date, Day],
    country: str,
    subdivision: str,
    by: User,
    at: dt.datetime,
) -> ShiftPlan:
    """Set the hours of a team. Targets that run already keep their due time; no clock of the contract counts in it."""
    access.check(by, Permission.MANAGE_SHIFTS, team_id=team.pk, at=at)
    if country and not servicetime.is_place(country, subdivision):
        raise Refused(
            _("The public holidays of this place are not known. Leave it empty, and write them as exceptions.")
        )
    Team.objects.select_for_update(no_key=True).get(pk=team.pk)
    row = ShiftPlan.objects.filter(team=team).first() or ShiftPlan(team=team)
    row.week = {str(weekday): hours for weekday, hours in sorted(week.items()) if hours}
    row.exceptions = {day.isoformat(): hours for day, hours in sorted(exceptions.items())}
    row.country, row.subdivision = country, subdivision if country else ""
    row.save()
    trail.record(
        Act.SHIFTS_PLANNED, f"team:{team.pk}", by=by, at=at,
        facts={"week": row.week, "exceptions": row.exceptions, "holidays": f"{country} {subdivision}".strip()},
    )  # fmt: skip
    return row


# ---------------------------------------------------------------- who is away


def away(users: Iterable[int], at: dt.datetime) -> dict[int, Absence]:
    """Who of these is away at that moment, each with the absence that lasts longest."""
    rows = Absence.objects.in_force(at).filter(user__in=list(users)).select_related("user", "deputy")
    return {row.user_id: row for row in rows.order_by("ends_at")}


def sentence(row: Absence, reader: User) -> str:
    """That somebody is away, until when in the reader's time, and who stands in."""
    words = {
        "name": row.user.name, "until": dateformat.format(timezone.localtime(row.ends_at), "D j M H:i"),
        "deputy": row.deputy.name if row.deputy else "",
    }  # fmt: skip
    if row.user == reader:
        text = _("You are away until %(until)s, deputy %(deputy)s.") if row.deputy else (
            _("You are away until %(until)s. Nobody stands in for you.")
        )  # fmt: skip
    else:
        text = _("%(name)s is away until %(until)s, deputy %(deputy)s.") if row.deputy else (
            _("%(name)s is away until %(until)s. Nobody stands in.")
        )  # fmt: skip
    return text % words


def check_can_enter(user: User, by: User, at: dt.datetime) -> None:
    """One's own, or of somebody whose supervisor one is."""
    theirs = access.scope_of(user, at=at).teams_where(Permission.WORK_TICKETS)
    if user != by and not theirs & access.scope_of(by, at=at).teams_where(Permission.MANAGE_SHIFTS):
        access.check(by, Permission.MANAGE_PEOPLE, at=at)


@transaction.atomic
def enter(
    user: User, *, starts_at: dt.datetime, ends_at: dt.datetime, deputy: User | None, by: User, at: dt.datetime
) -> Absence:
    """Write down that somebody is away, and who stands in."""
    check_can_enter(user, by, at=at)
    if ends_at <= starts_at or ends_at <= at:
        raise Refused(_("An absence ends after it began, and after now."))
    if deputy is not None and (deputy == user or not deputy.is_active):
        raise Refused(_("Somebody else who works here stands in."))
    row = Absence.objects.create(
        user=user, deputy=deputy, starts_at=starts_at, ends_at=ends_at, entered_by=by, entered_at=at
    )
    trail.record(
        Act.ABSENCE_ENTERED, f"user:{user.pk}", by=by, at=at,
        facts={"absence": row.pk, "from": starts_at, "until": ends_at, "deputy": deputy.pk if deputy else None},
    )  # fmt: skip
    return row


@transaction.atomic
def end(row: Absence, *, by: User, at: dt.datetime) -> Absence:
    """Somebody is back, or does not go after all."""
    row = Absence.objects.select_for_update(of=("self",)).select_related("user").get(pk=row.pk)
    check_can_enter(row.user, by, at=at)
    if row.ends_at <= at:
        raise Refused(_("This absence is over already."))
    row.ends_at = max(at, row.starts_at)
    row.save(update_fields=["ends_at"])
    trail.record(Act.ABSENCE_ENDED, f"user:{row.user_id}", by=by, at=at, facts={"absence": row.pk})
    return row
