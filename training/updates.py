"""Update courses (clause 5.3): every published procedure that lacks one gets it, with a test from its own steps."""

from __future__ import annotations

import datetime as dt
import functools

from django.db import transaction
from django.db.models import CharField, QuerySet, Value
from django.db.models.functions import Cast, Concat
from django.utils import translation
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from csp import batches
from csp.roles import Role
from tickets.models import ProcedureVersion
from training import courses
from training.models import CourseVersion

# What was published is passed within this time, where six months from the last time are not over earlier (policy).
WITHIN = dt.timedelta(days=14)


def because_of(version: ProcedureVersion) -> str:
    return f"procedure-version:{version.pk}"


def publish_lacking(at: dt.datetime, *, limit: int = 20) -> int:
    """Publish the update course of each procedure that a supervisor published and that lacks one. Returns how many."""
    key = Concat(Value("procedure-version:"), Cast("pk", CharField()))
    lacking = (
        ProcedureVersion.objects.filter(published_at__lte=at, published_by__isnull=False)
        .annotate(key=key)
        .exclude(key__in=CourseVersion.objects.exclude(because="").values("because"))
    )
    return batches.work_off(lacking.order_by("published_at", "pk"), functools.partial(_publish, at=at), limit=limit)


@transaction.atomic(durable=True)
def _publish(lacking: QuerySet[ProcedureVersion], limit: int, *, at: dt.datetime) -> int:
    rows = list(lacking.select_related("procedure__contract", "procedure__category")[:limit])
    for row in rows:
        with translation.override("en-gb"):
            _publish_one(row, at)
    return len(rows)


def _publish_one(row: ProcedureVersion, at: dt.datetime) -> None:
    steps = [step.title for step in row.steps()]
    days = ngettext("%(n)d day", "%(n)d days", row.resolve_days) % {"n": row.resolve_days}
    about = str(row.procedure)
    lines = [
        f"# {row.title}",
        _("Complaints: %(about)s. Resolved within %(days)s of receipt.") % {"about": about, "days": days},
        *(f"{number}. {text}" for number, text in enumerate(steps, start=1)),
    ]
    others = [number for number in (1, 3, 5, 10, 21) if number != row.resolve_days][:3]
    choices = sorted([row.resolve_days, *others])
    asked = [
        (
            _("Within how many days of receipt is such a complaint resolved?"),
            [str(number) for number in choices],
            [choices.index(row.resolve_days)],
        )
    ]
    if len(set(steps)) > 1:
        shown = list(dict.fromkeys(text[:300] for text in steps))[:6]
        asked.append((_("Which of these steps comes first?"), shown, [0]))
        asked.append((_("Which of these steps comes last?"), shown, [len(shown) - 1]))
    courses.publish_update(
        row.procedure.contract,
        code=f"procedure-{row.procedure_id}",
        title=_("Complaints: %(about)s") % {"about": about},
        roles=[Role.REPRESENTATIVE, Role.SUPERVISOR],
        because=because_of(row),
        changes=row.reason or row.title,
        material="\n\n".join(lines[:2]) + "\n\n" + "\n".join(lines[2:]) + "\n",
        asked=asked,
        renew_by=max(row.published_at or at, at) + WITHIN,
        by="updates",
        at=at,
    )
