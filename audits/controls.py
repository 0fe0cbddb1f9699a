"""What the board looks at for each clause besides its clocks: a control, asked of the rows at this moment.

A clause has clocks, a control, or both. One with neither a clock that the product starts nor a control says so: it is
*not measured*, which is no claim that it is kept.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import enum
from collections import defaultdict
from collections.abc import Callable, Mapping

from django.db.models import Count, Max, Min, Q
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from audits import figures, scoring
from audits import reviews as reviewing
from audits.models import Appeal, Audit, AuditFinding, Mark, Measure, NonCompliance, Population, Review
from audits.noncompliance import REPORT_AT_ONCE
from audits.periods import Period
from csp import clockface, offices
from csp.models import (
    Contract,
    DataBreach,
    DataRequest,
    PrivacyNotice,
    RoleGrant,
    Team,
    TrailCheckpoint,
    TrailEntry,
    TrailPending,
    User,
    Version,
)
from csp.roles import Office, Role
from feedback.models import ActionItem, Recurrence, Remark, Theme
from feedback.models import Finding as Found
from tickets.models import InboundMessage
from tickets.sorting import SORT_WITHIN

SEALED_WITHIN = dt.timedelta(seconds=60)
READ_WITHIN = dt.timedelta(minutes=5)
HALF_A_YEAR = dt.timedelta(days=184)
WRITTEN_UP_WITHIN = dt.timedelta(days=10)


class Standing(enum.StrEnum):
    """How a clause stands. The order is from good to bad."""

    NONE = "none"
    KEPT = "kept"
    AT_RISK = "at_risk"
    BROKEN = "broken"

    @property
    def label(self) -> str:
        return str(LABELS[self])

    @property
    def data_state(self) -> str:
        """How style sheets name it."""
        return {"none": "none", "kept": "", "at_risk": "soon", "broken": "over"}[self.value]

    @property
    def tone(self) -> str:
        return {"none": "", "kept": "met", "at_risk": "soon", "broken": "over"}[self.value]

    @property
    def icon(self) -> str:
        return {"none": "minus", "kept": "check", "at_risk": "clock", "broken": "x"}[self.value]


LABELS = {
    Standing.NONE: gettext_lazy("not measured"),
    Standing.KEPT: gettext_lazy("kept"),
    Standing.AT_RISK: gettext_lazy("at risk"),
    Standing.BROKEN: gettext_lazy("broken"),
}
_ORDER = list(Standing)


def worst(*standings: Standing) -> Standing:
    return max(standings, key=_ORDER.index, default=Standing.NONE)


@dataclasses.dataclass(frozen=True, slots=True)
class Finding:
    """What a control found: how that leaves the clause, in a sentence, and the address at which it can be looked at."""

    standing: Standing
    says: str
    url: str = ""


@dataclasses.dataclass(slots=True)
class Look:
    """What several controls need, read once: who holds the offices and the roles of the contract, and its version."""

    contract: Contract
    version: Version
    period: Period
    at: dt.datetime
    holders: Mapping[str, User | None] = dataclasses.field(default_factory=dict)
    people: dict[str, set[int]] = dataclasses.field(default_factory=dict)  # role -> people
    manned: dict[str, set[int]] = dataclasses.field(default_factory=dict)  # role -> teams that have one
    teams: dict[int, str] = dataclasses.field(default_factory=dict)

    @classmethod
    def of(cls, contract: Contract, version: Version, period: Period, at: dt.datetime) -> Look:
        look = cls(contract, version, period, at, offices.holders(contract.pk, list(Office), at=at))
        look.teams = dict(Team.objects.filter(contract=contract, is_active=True).values_list("pk", "name"))
        look.people, look.manned = defaultdict(set), defaultdict(set)
        grants = RoleGrant.objects.in_force(at).filter(
            Q(contract=contract) | Q(team__contract=contract), user__is_active=True
        )
        for role, team, user in grants.values_list("role", "team", "user"):
            look.people[role].add(user)
            if team is not None:
                look.manned[role].add(team)
        return look

    @property
    def vacant(self) -> list[Office]:
        """The offices that nobody holds: one is enough to turn the board red."""
        return [Office(name) for name, user in self.holders.items() if user is None]


Control = Callable[[Look], Finding]

# Where an empty office shows: the clause whose reports would reach nobody.
OFFICE_OF = {
    Office.COMPANY_REPRESENTATIVE: "8.1",
    Office.PARTY_REPRESENTATIVE: "8.1",
    Office.COMPLIANCE_OWNER: "8.1",
    Office.PRIVACY_OWNER: "6.1",
    Office.FEEDBACK_LEAD: "2.3",
}


def _every_contact(look: Look) -> Finding:
    """1.2: mail that has come in and is no ticket yet."""
    waiting = InboundMessage.objects.filter(
        Q(mailbox__team__contract=look.contract) | Q(mailbox__isnull=True),
        state=InboundMessage.State.LANDED,
        landed_at__lt=look.at - READ_WITHIN,
    ).count()
    if waiting:
        text = ngettext("%(n)d message has not been read yet.", "%(n)d messages have not been read yet.", waiting)
        return Finding(Standing.AT_RISK, text % {"n": waiting})
    return Finding(Standing.KEPT, _("Everything that came in is a ticket."), "/queue/team/")


def _people(look: Look, role: Role, lacking: Standing) -> Finding:
    bare = [name for pk, name in look.teams.items() if pk not in look.manned[role]]
    if bare or not look.teams:
        return Finding(lacking, _("Nobody in %(teams)s.") % {"teams": ", ".join(sorted(bare)) or _("any team")})
    count = len(look.people[role])
    return Finding(Standing.KEPT, ngettext("%(n)d person", "%(n)d people", count) % {"n": count})


def _representatives(look: Look) -> Finding:
    return _people(look, Role.REPRESENTATIVE, Standing.AT_RISK)


def _supervisors(look: Look) -> Finding:
    return _people(look, Role.SUPERVISOR, Standing.BROKEN)


def _feedback_team(look: Look) -> Finding:
    """2.3: somebody studies what customers say, and what recurs is written up within the days of a finding."""
    count = len(look.people[Role.ANALYST])
    if not count:
        return Finding(Standing.AT_RISK, _("Nobody is a feedback analyst."))
    people = ngettext("%(n)d person", "%(n)d people", count) % {"n": count}
    left = _recurring_without_a_finding(look)
    if left:
        text = ngettext(
            "%(n)d issue recurs and nobody has written it up in ten days.",
            "%(n)d issues recur and nobody has written them up in ten days.",
            left,
        )
        return Finding(Standing.AT_RISK, f"{people}. {text % {'n': left}}", "/feedback/sort/")
    themes = Theme.objects.standing().filter(contract=look.contract).count()
    if not themes:
        return Finding(Standing.KEPT, people, "/feedback/sort/")
    text = ngettext("%(people)s, %(n)d theme.", "%(people)s, %(n)d themes.", themes)
    return Finding(Standing.KEPT, text % {"people": people, "n": themes}, "/feedback/themes/")


def _recurring_without_a_finding(look: Look) -> int:
    """What recurs, was told ten days ago, and is neither dismissed nor the subject of a finding."""
    told = Recurrence.objects.filter(contract=look.contract, at__lt=look.at - WRITTEN_UP_WITHIN)
    found = Q(theme__findings__isnull=False) | Q(group__theme__findings__isnull=False)
    gone = Q(theme__dismissed_at__isnull=False) | Q(group__dismissed_at__isnull=False)
    joined = Q(theme__merged_into__isnull=False) | Q(group__theme__merged_into__isnull=False)
    return told.exclude(pk__in=told.filter(found | gone | joined).values("pk")).count()


def _findings(look: Look) -> Finding:
    """7.2: what was found, what is done about it, and what was decided not to act on."""
    rows = Found.objects.filter(contract=look.contract)
    counts = rows.aggregate(
        all=Count("pk"), open=Count("pk", filter=Q(state=Found.State.OPEN)),
        refused=Count("pk", filter=Q(state=Found.State.REFUSED)),
    )  # fmt: skip
    if not counts["all"]:
        return Finding(Standing.NONE, _("Nothing has been found yet."), "/feedback/findings/")
    items = ActionItem.objects.filter(finding__contract=look.contract).aggregate(
        running=Count("pk", filter=Q(state__in=[ActionItem.State.PLANNED, ActionItem.State.DONE])),
        verified=Count("pk", filter=Q(state=ActionItem.State.VERIFIED)),
    )
    said = _("To decide: %(open)d. Actions under way: %(running)d. Verified: %(verified)d. Not acted on: %(refused)d.")
    return Finding(Standing.KEPT, said % (counts | items), "/feedback/findings/")


def _unsorted(look: Look) -> Finding:
    """3.1: mail that nobody has ruled on has no clock; it has twenty hours, so that four are left for an answer."""
    found = InboundMessage.objects.filter(
        Q(mailbox__team__contract=look.contract) | Q(mailbox__isnull=True), state=InboundMessage.State.UNSORTED
    ).aggregate(count=Count("pk"), oldest=Min("received_at"))
    count, oldest = found["count"], found["oldest"]
    if not count:
        return Finding(Standing.KEPT, _("Nothing waits to be sorted."), "/unsorted/")
    text = ngettext("%(n)d message waits to be sorted.", "%(n)d messages wait to be sorted.", count)
    late = look.at - oldest > SORT_WITHIN
    return Finding(Standing.AT_RISK if late else Standing.KEPT, text % {"n": count}, "/unsorted/")


def _trail(look: Look) -> Finding:
    """4.3: an entry has its place in the chain within a minute, and the newest checkpoint says how far it reaches."""
    pending = TrailPending.objects.order_by("pk").values("entry")[:1]
    oldest = TrailEntry.objects.filter(pk__in=pending).aggregate(at=Min("recorded_at"))["at"]
    if oldest is not None and look.at - oldest > SEALED_WITHIN:
        waits = clockface.short(look.at - oldest)
        return Finding(Standing.AT_RISK, _("An entry has waited for its seal for %(time)s.") % {"time": waits})
    size = TrailCheckpoint.objects.aggregate(size=Max("size"))["size"]
    if size is None:
        return Finding(Standing.KEPT, _("Every entry is sealed; no checkpoint yet."))
    text = ngettext("%(n)s entry under a signed checkpoint.", "%(n)s entries under a signed checkpoint.", size)
    return Finding(Standing.KEPT, text % {"n": f"{size:,}"})


def _feedback_log(look: Look) -> Finding:
    """4.2: that there is a log, with identities apart from it; 7.1: that something was collected in the period."""
    if Remark.objects.filter(contract=look.contract).exists():
        return Finding(Standing.KEPT, _("Identities are kept apart; every opening is on record."))
    return Finding(Standing.NONE, _("No feedback is on record."))


def _feedback(look: Look) -> Finding:
    count = Remark.objects.filter(
        contract=look.contract, recorded_at__gte=look.period.since, recorded_at__lt=look.period.until
    ).count()
    if not count:
        return Finding(Standing.NONE, _("No feedback came in the period."))
    text = ngettext("%(n)d remark in the period.", "%(n)d remarks in the period.", count)
    return Finding(Standing.KEPT, text % {"n": count})


def _audits(look: Look) -> Finding:
    """6.3: what is audited at the moment, and what came of it in the period."""
    rows = list(Audit.objects.filter(contract=look.contract).exclude(state=Audit.State.WITHDRAWN))
    auditors = len(look.people[Role.AUDITOR])
    if not rows:
        text = ngettext("No audit is planned; %(n)d auditor.", "No audit is planned; %(n)d auditors.", auditors)
        return Finding(Standing.NONE, text % {"n": auditors}, "/audits/")
    counts = scoring.progress(audit.pk for audit in rows if audit.state == Audit.State.RUNNING)
    said = [
        _("%(ref)s: %(scored)d of %(drawn)d scored.")
        % {"ref": audit.reference, "scored": counts[audit.pk][0], "drawn": counts[audit.pk][1]}
        for audit in rows
        if audit.pk in counts
    ]
    late = any(audit.is_unfinished and audit.ends_at < look.at for audit in rows)
    finished = [
        audit for audit in rows
        if audit.state == Audit.State.CLOSED and look.period.since <= audit.ended_at < look.period.until
    ]  # fmt: skip
    if finished:
        text = ngettext("%(n)d audit closed in the period.", "%(n)d audits closed in the period.", len(finished))
        said.append(text % {"n": len(finished)})
    open_ones = AuditFinding.objects.filter(audit__contract=look.contract).exclude(state=AuditFinding.State.CLOSED)
    count = open_ones.count()
    if count:
        said.append(ngettext("%(n)d finding is open.", "%(n)d findings are open.", count) % {"n": count})
    planned = sum(audit.state == Audit.State.PLANNED for audit in rows)
    if planned:
        said.append(ngettext("%(n)d is planned.", "%(n)d are planned.", planned) % {"n": planned})
    if not said:
        said.append(_("Nothing was audited in the period."))
    return Finding(Standing.AT_RISK if late else Standing.KEPT, " ".join(said), "/audits/")


ACCURATE = "3.1-accurate"


def _accuracy(look: Look) -> Finding:
    """3.1, accurate and helpful: shown by a sample that somebody audits, and by nothing else.

    Of the cards signed in the period the first one of each ticket. The contract's aim is all of them: a *no* breaks it
    until its report is corrected, and from then on leaves it at risk for the period.
    """
    marks = Mark.objects.filter(
        criterion__asks_accuracy=True, scoring__is_second=False, scoring__draw__audit__contract=look.contract,
        scoring__scored_at__gte=look.period.since, scoring__scored_at__lt=look.period.until,
        answer__in=[Mark.Answer.YES, Mark.Answer.NO],
    )  # fmt: skip
    answers = {
        number: (answer, case)
        for number, answer, case in marks.order_by("scoring__scored_at").values_list(
            "scoring__draw__number", "answer", "scoring__case_number"
        )
    }
    if not answers:
        return Finding(Standing.NONE, _("Not evidenced: no quality audit has looked at a sample in the period."))
    wrong = [case for answer, case in answers.values() if answer == Mark.Answer.NO]
    sizes = Population.objects.filter(
        audit__contract=look.contract, audit__draws__scorings__scored_at__gte=look.period.since,
        audit__draws__scorings__scored_at__lt=look.period.until,
    ).distinct().values_list("size", flat=True)  # fmt: skip
    said = _("%(right)d of %(n)d sampled answers were accurate; the sample is of %(size)d tickets.") % {
        "right": len(answers) - len(wrong), "n": len(answers), "size": sum(sizes),
    }  # fmt: skip
    if not wrong:
        return Finding(Standing.KEPT, said, "/audits/")
    running = NonCompliance.objects.filter(pk__in=[case for case in wrong if case]).unfinished().exists()
    return Finding(Standing.BROKEN if running else Standing.AT_RISK, said, "/audits/")


def _privacy(look: Look) -> Finding:
    """6.1: what persons have asked and nobody has answered, what breaches stand open, and whether a notice is out."""
    opened = DataRequest.objects.filter(contract=look.contract, state=DataRequest.State.OPEN).aggregate(
        all=Count("pk"), late=Count("pk", filter=Q(answer__due_at__lt=look.at))
    )
    breaches = DataBreach.objects.filter(contract=look.contract, closed_at__isnull=True).count()
    asked = ngettext("%(n)d request open", "%(n)d requests open", opened["all"]) % {"n": opened["all"]}
    broken = ngettext("%(n)d breach open", "%(n)d breaches open", breaches) % {"n": breaches}
    says = _("%(requests)s, %(late)d of them late; %(breaches)s.") % {
        "requests": asked, "late": opened["late"], "breaches": broken
    }  # fmt: skip
    if not PrivacyNotice.objects.filter(contract=look.contract).exists() and not look.contract.privacy_url:
        return Finding(Standing.AT_RISK, f"{says} {_('No privacy notice is published.')}", "/privacy/notices/")
    return Finding(Standing.KEPT, says, "/privacy/")


def _measured(look: Look) -> Finding:
    return Finding(Standing.KEPT, _("Measured on this page and under Metrics, raw and assessed."), "/metrics/")


def _reports(look: Look) -> Finding:
    """8.1: at once, which for the product is sixty seconds from noticing."""
    count, longest = figures.slowest_report(look.contract, look.period)
    if longest is None:
        return Finding(Standing.KEPT, _("Nothing had to be reported."), "/noncompliance/")
    text = ngettext("%(n)d breach reported", "%(n)d breaches reported", count) % {"n": count}
    said = _("%(count)s, the slowest after %(time)s.") % {"count": text, "time": _seconds(longest)}
    return Finding(Standing.KEPT if longest <= REPORT_AT_ONCE else Standing.AT_RISK, said, "/noncompliance/")


def _seconds(length: dt.timedelta) -> str:
    return clockface.short(length) if length > REPORT_AT_ONCE else f"{length.total_seconds():.0f}{clockface.NBSP}s"


def _measures(look: Look) -> Finding:
    """8.2: each measure ends, and an appeal gets an answer."""
    found = Measure.objects.filter(case__contract=look.contract).aggregate(
        proposed=Count("pk", filter=Q(state=Measure.State.PROPOSED)),
        force=Count("pk", filter=Q(state=Measure.State.IN_FORCE)),
        over=Count("pk", filter=Q(state=Measure.State.IN_FORCE, ends_at__lt=look.at - SEALED_WITHIN)),
    )
    appeals = Appeal.objects.filter(measure__case__contract=look.contract, decided_at__isnull=True).count()
    said = _("%(force)d in force, %(proposed)d proposed, %(appeals)d appeals to decide.")
    said %= found | {"appeals": appeals}
    return Finding(Standing.AT_RISK if found["over"] else Standing.KEPT, said, "/measures/")


def _reviews(look: Look) -> Finding:
    """7.3: everybody who works under the contract has a review to come, and somebody who holds it."""
    people = set(reviewing.in_scope(look.contract, look.at))
    if not people:
        return Finding(Standing.NONE, _("Nobody is to be reviewed."))
    rows = Review.objects.filter(contract=look.contract, user__in=people)
    running = dict(rows.running().values_list("user", "reviewer"))
    held = set(
        rows.filter(held_at__gte=look.at - HALF_A_YEAR, held_at__lte=look.at).values_list("user", flat=True)
    )  # fmt: skip
    said = _("%(held)d of %(people)d reviewed in the last six months.") % {"held": len(held), "people": len(people)}
    unheld = sum(reviewer is None for reviewer in running.values()) + len(people - set(running))
    if unheld:
        said += " " + ngettext("%(n)d has no reviewer.", "%(n)d have no reviewer.", unheld) % {"n": unheld}
    return Finding(Standing.AT_RISK if unheld else Standing.KEPT, said, "/reviews/")


def _signatures(look: Look) -> Finding:
    if look.version.is_signed:
        return Finding(Standing.KEPT, _("Signed by both parties."), "/contract/#c10")
    return Finding(Standing.AT_RISK, _("The version in force is unsigned."), "/contract/#c10")


CONTROLS: dict[str, Control] = {
    "1.2": _every_contact,
    "2.1": _representatives,
    "2.2": _supervisors,
    "2.3": _feedback_team,
    "3.1": _unsorted,
    "4.2": _feedback_log,
    "4.3": _trail,
    "6.1": _privacy,
    "6.2": _measured,
    "6.3": _audits,
    "7.1": _feedback,
    "7.2": _findings,
    "7.3": _reviews,
    "8.1": _reports,
    "8.2": _measures,
    "10": _signatures,
}

# Clauses that nothing is asked of: what the contract sets there is no duty, or nothing of it is on record yet.
UNMEASURED = {
    "1.1": gettext_lazy("It sets no duty of its own: it is kept where the others are."),
    "8.3": gettext_lazy("No notice has been served."),
    "9.1": gettext_lazy("It sets no duty with a time."),
    "9.2": gettext_lazy("It sets no duty with a time."),
}


def look(contract: Contract, version: Version, period: Period, at: dt.datetime) -> tuple[dict[str, Finding], Look]:
    """What every control finds, by clause; an empty office breaks the clause that it serves."""
    seen = Look.of(contract, version, period, at)
    found = {number: control(seen) for number, control in CONTROLS.items()} | {ACCURATE: _accuracy(seen)}
    found |= {number: Finding(Standing.NONE, str(says)) for number, says in UNMEASURED.items()}
    for office in seen.vacant:
        text = _("Nobody is %(office)s.") % {"office": str(office.label).lower()}
        before = found.get(OFFICE_OF[office])
        says = text if before is None or before.standing is not Standing.BROKEN else f"{before.says} {text}"
        found[OFFICE_OF[office]] = Finding(Standing.BROKEN, says)
    return found, seen
