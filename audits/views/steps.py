"""The small pages of a case, each a form and one verb: who leads, cause, effect, actions, splitting, measures."""

from __future__ import annotations

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from audits import corrective, independence, measures, noncompliance
from audits.forms import ActionForm, EffectForm, LeadForm, ProposeForm, SplitForm, TextForm, VerdictForm, day_ends
from audits.models import CorrectiveAction, Measure, NonCompliance
from audits.views.cases import load as load_visible
from csp import clock, clockface
from csp.access import person, requires
from tickets.views.door import Step, local_zone, take_step

both = require_http_methods(["GET", "POST"])


def load(request: HttpRequest, pk: int, *, to_judge: bool = False) -> NonCompliance:
    """A case that this person may work on, or judge; the verb has the last word."""
    case = load_visible(request, pk)
    may = independence.may_judge if to_judge else independence.may_lead
    if not may(case, person(request)):
        raise PermissionDenied
    return case


def _step(case: NonCompliance, form: object, title: str, submit: str, text: str = "") -> Step:
    face = clockface.of(case.correct, now=clock.now(), zone=local_zone()) if case.is_unfinished else None
    back = reverse("noncompliance", args=[case.pk])
    return Step(title=title, submit=submit, form=form, back=back, text=text, face=face)  # type: ignore[arg-type]  # forms


@requires()
@both
def lead(request: HttpRequest, pk: int) -> HttpResponse:
    """Say who leads the correction."""
    case, user, at = load(request, pk), person(request), clock.now()
    form = LeadForm(request.POST or None, initial={"to": case.lead_id or user.pk})
    step = _step(case, form, _("Who leads the correction"), _("Save"), _("Whoever leads does not judge it later."))

    def verb(good: dict[str, object]) -> str:
        row = noncompliance.take_lead(case, to=good["to"], by=user, at=at)  # type: ignore[arg-type]  # a cleaned form
        return _("%(name)s leads the correction.") % {"name": row.lead}

    return take_step(request, step, verb)


@requires()
@both
def cause(request: HttpRequest, pk: int) -> HttpResponse:
    """Write down why it happened."""
    case, user, at = load(request, pk), person(request), clock.now()
    hint = _("Ask why until the answer is something that can be changed. A line for each answer.")
    form = TextForm(request.POST or None, label=_("Root cause"), hint=hint, initial={"text": case.cause})

    def verb(good: dict[str, str]) -> str:
        corrective.state_cause(case, by=user, at=at, text=good["text"])
        return _("Cause saved.")

    return take_step(request, _step(case, form, _("Why it happened"), _("Save the cause")), verb)


@requires()
@both
def plan_effect(request: HttpRequest, pk: int) -> HttpResponse:
    """Set beforehand how and when the effect is judged."""
    case, user, at = load(request, pk), person(request), clock.now()
    first = {"criterion": case.criterion, "day": case.check_at.astimezone(case.contract.zoneinfo).date()}
    form = EffectForm(request.POST or None, initial=first)

    def verb(good: dict[str, object]) -> str:
        corrective.plan_effect(
            case, by=user, at=at, criterion=str(good["criterion"]),
            check_at=day_ends(good["day"], case),  # type: ignore[arg-type]  # a cleaned form
        )  # fmt: skip
        return _("Saved. It is judged by this.")

    return take_step(request, _step(case, form, _("How the effect is judged"), _("Save")), verb)


@requires()
@both
def check_effect(request: HttpRequest, pk: int) -> HttpResponse:
    """Judge whether the correction had its effect."""
    case, user, at = load(request, pk, to_judge=True), person(request), clock.now()
    form = VerdictForm(
        request.POST or None, question=_("Did the correction work?"), yes=_("Yes: the case is closed"),
        no=_("No: the case opens again for seven days"),
    )  # fmt: skip

    def verb(good: dict[str, str]) -> str:
        effective = good["verdict"] == "yes"
        corrective.check_effect(case, by=user, at=at, effective=effective, note=good["note"])
        return _("Closed.") if effective else _("Opened again; seven days from now.")

    text = _("It works if: %(criterion)s") % {"criterion": case.criterion}
    return take_step(request, _step(case, form, _("Check the effect"), _("Save the result"), text), verb)


@requires()
@both
def split(request: HttpRequest, pk: int) -> HttpResponse:
    """Give some of the breaches a case of their own."""
    case, user, at = load(request, pk), person(request), clock.now()
    form = SplitForm(request.POST or None, case=case)

    def verb(good: dict[str, list[str]]) -> str:
        fresh = noncompliance.split(case, [int(pk) for pk in good["members"]], by=user, at=at)
        return _("Split: %(ref)s has a clock of its own.") % {"ref": fresh.reference}

    text = _("The new case's seven days run from the earliest report in it.")
    return take_step(request, _step(case, form, _("Split the case"), _("Split"), text), verb)


@requires()
@both
def dismiss(request: HttpRequest, pk: int) -> HttpResponse:
    """Close a report that was none."""
    case, user, at = load(request, pk, to_judge=True), person(request), clock.now()
    form = TextForm(request.POST or None, label=_("Why nothing is owed"))

    def verb(good: dict[str, str]) -> str:
        noncompliance.dismiss(case, by=user, at=at, reason=good["text"])
        return _("Closed: nothing was owed.")

    return take_step(request, _step(case, form, _("Nothing is owed"), _("Close the case")), verb)


@requires()
@both
def add_action(request: HttpRequest, pk: int) -> HttpResponse:
    """Say what is done, and by whom."""
    case, user, at = load(request, pk), person(request), clock.now()
    form = ActionForm(request.POST or None, initial={"owner": user.pk})

    def verb(good: dict[str, object]) -> str:
        row = corrective.add_action(
            case,
            kind=CorrectiveAction.Kind(str(good["kind"])),
            what=str(good["what"]),
            owner=good["owner"],  # type: ignore[arg-type]  # a cleaned form
            by=user,
            at=at,
        )
        return _("%(name)s does it.") % {"name": row.owner}

    return take_step(request, _step(case, form, _("Add an action"), _("Add")), verb)


@requires()
@both
def propose(request: HttpRequest, pk: int) -> HttpResponse:
    """Propose one of the three measures."""
    case, user, at = load(request, pk), person(request), clock.now()
    form = ProposeForm(request.POST or None)

    def verb(good: dict[str, object]) -> str:
        measures.propose(
            case,
            kind=Measure.Kind(str(good["kind"])),
            aim=Measure.Aim(str(good["aim"])),
            person=good["person"],  # type: ignore[arg-type]  # a cleaned form
            reason=str(good["reason"]),
            by=user,
            at=at,
        )
        return _("Proposed. Somebody else decides, after a hearing.")

    text = _("Measures are alternatives in no order. Somebody else decides, after the one concerned was heard.")
    return take_step(request, _step(case, form, _("Propose a measure"), _("Propose"), text), verb)
