"""What is kept how long, what is due to go, and the holds that keep it; for administrators, auditors, supervisors."""

from __future__ import annotations

import itertools
from typing import Any

from django import forms
from django.apps import apps
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db.models import Count, Q, QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from audits import retention
from audits.forms import Lines
from audits.models import NonCompliance, Review
from csp import access, clock, disposing, exporting, holding
from csp import retention as terms
from csp.access import Refused, person, requires
from csp.models import Contract, Customer, Disposal, Hold, KeptFrom, RoleGrant, Team, User
from csp.privacy import breaches, requests
from csp.records import Kept
from csp.roles import Permission as P
from csp.roles import Role
from feedback.models import Remark
from tickets.models import Ticket
from tickets.views.door import Step, go, take_step

SHOWN = 50


def contract_of(request: HttpRequest) -> Contract | None:
    """The one that is asked for, among those that the person's work is under; else the first of these."""
    mine = access.contracts_of(person(request))
    chosen = request.POST.get("contract", request.GET.get("contract", ""))
    return next((one for one in mine if str(one.pk) == chosen), mine[0] if mine else None)


def _disposals(user: User) -> QuerySet[Disposal]:
    mine = [one.pk for one in access.contracts_of(user)]
    return Disposal.objects.filter(Q(contract__in=mine) | Q(is_routine=True))


def _about(user: User) -> list[int]:
    """The tickets that are kept from this person: they stand in no list that this person reads."""
    refs = KeptFrom.objects.filter(user=user, until__isnull=True).values_list("subject_ref", flat=True)
    return [int(ref[1:]) for ref in refs if ref.startswith("#") and ref[1:].isdecimal()]


@requires(P.SEE_RETENTION)
@require_GET
def index(request: HttpRequest) -> HttpResponse:
    """The terms, what is due, what is under way, what is held, what was certified, what was never closed."""
    user, at, contract = person(request), clock.now(), contract_of(request)
    if contract is None:
        raise PermissionDenied
    about = _about(user)
    preview = disposing.preview(retention.ROOTS, contract, at)
    rows = list(itertools.islice((row for row in preview if row.kind != "ticket" or row.number not in about), SHOWN))
    due = {
        root.kind: terms.due(root, at).filter(contract=contract)
        .exclude(pk__in=about if root.kind == "ticket" else []).count()
        for root in retention.ROOTS
    }  # fmt: skip
    under_way = _disposals(user).filter(contract=contract, finished_at__isnull=True).first()
    unended = [
        (
            root,
            terms.without_end(root, at)
            .filter(contract=contract)
            .exclude(pk__in=about if root.kind == "ticket" else []),
        )
        for root in retention.ROOTS
    ]
    context = {
        "at": at,
        "contract": contract,
        "contracts": access.contracts_of(user),
        "classes": [kept.value for kept in Kept],
        "due": list(zip(rows, _persons(rows, user), strict=True)),
        "due_count": sum(due.values()),
        "free": any(not row.kept_by for row in rows),
        "under_way": under_way,
        "may_propose": access.may(user, P.PROPOSE_DISPOSAL, contract_id=contract.pk),
        "holds": Hold.objects.standing().filter(contract=contract).exclude(kind="ticket", number__in=about)
        .select_related("placed_by", "review").order_by("review__due_at", "pk")[:SHOWN],
        "certified": _disposals(user).filter(finished_at__isnull=False, certificate__gt="")
        .select_related("approved_by").order_by("-pk")[:SHOWN],
        "unended": [(root.prefix, found.count(), list(found[:SHOWN])) for root, found in unended],
    }  # fmt: skip
    return render(request, "audits/retention.html", context)


def _persons(rows: list[disposing.Listed], user: User) -> list[tuple[User, bool] | None]:
    """Of each file of somebody who has left, who that is and whether this person may hold it."""
    mine = access.scope_of(user).teams(Role.SUPERVISOR)
    led = set(RoleGrant.objects.filter(team__in=mine).exclude(user=user).values_list("user", flat=True))
    found: dict[tuple[str, int], tuple[User, bool]] = {}
    for root in (one for one in retention.ROOTS if one.held_by == Hold.Kind.USER):
        numbers = [row.number for row in rows if row.kind == root.kind]
        for file in root.model._base_manager.filter(pk__in=numbers).select_related("user"):
            found[root.kind, file.pk] = (file.user, file.user_id in led)
    return [found.get((row.kind, row.number)) for row in rows]


@requires(P.PROPOSE_DISPOSAL)
@require_POST
def propose(request: HttpRequest) -> HttpResponse:
    """Write down what is due, for somebody else to approve."""
    contract = contract_of(request)
    if contract is None:
        raise Http404
    try:
        row = disposing.propose(retention.ROOTS, contract, by=person(request), at=clock.now())
    except Refused as refusal:
        return _refused(request, refusal, reverse("retention"))
    return go(request, row.path, _("Proposed. A second person approves it."))


def _refused(request: HttpRequest, refusal: Refused, url: str) -> HttpResponse:
    messages.error(request, str(refusal))
    return HttpResponseRedirect(url)


def _load(request: HttpRequest, pk: int) -> Disposal:
    rows = _disposals(person(request)).select_related("proposed_by", "approved_by", "declined_by", "contract")
    return get_object_or_404(rows, pk=pk)


@requires(P.SEE_RETENTION)
@require_GET
def disposal(request: HttpRequest, pk: int) -> HttpResponse:
    """One disposal: its list, who decided, how far it is, its certificate."""
    user, row = person(request), _load(request, pk)
    counts = row.items.aggregate(
        all=Count("pk"), done=Count("pk", filter=~Q(outcome="")), spared=Count("pk", filter=Q(outcome="spared"))
    )
    after = request.GET.get("after", "")
    items = row.items.exclude(kind="ticket", number__in=_about(user)).order_by("pk")
    if after.isdecimal() and len(after) < 19:
        items = items.filter(pk__gt=int(after))
    found = list(items[: SHOWN + 1])
    is_open = row.finished_at is None and row.approved_at is None
    may = access.may(user, P.APPROVE_DISPOSAL, contract_id=row.contract_id) and is_open
    context = {
        "disposal": row,
        "at": clock.now(),
        "counts": counts,
        "items": [(retention.BY_KIND[item.kind].prefix, item) for item in found[:SHOWN]],
        "after": found[SHOWN - 1].pk if len(found) > SHOWN else "",
        "may_approve": may and row.proposed_by_id != user.pk,
        "may_decline": may,
        "is_mine": row.proposed_by_id == user.pk and is_open,
        "removed": [(_table(label), n) for label, n in row.removed.items()],
    }
    return render(request, "audits/disposal.html", context)


def _table(label: str) -> str:
    """What people call the rows of a table; what has no table is named by its routine."""
    return str(apps.get_model(label)._meta.verbose_name_plural) if "." in label else label


@requires(P.APPROVE_DISPOSAL)
@require_POST
def approve(request: HttpRequest, pk: int) -> HttpResponse:
    row = _load(request, pk)
    try:
        disposing.approve(row, by=person(request), at=clock.now())
    except Refused as refusal:
        return _refused(request, refusal, row.path)
    return go(request, row.path, _("Approved. The records are removed within a minute or two; held ones stay."))


@requires(P.APPROVE_DISPOSAL)
@require_POST
def decline(request: HttpRequest, pk: int) -> HttpResponse:
    row = _load(request, pk)
    try:
        disposing.decline(row, by=person(request), at=clock.now())
    except Refused as refusal:
        return _refused(request, refusal, row.path)
    return go(request, reverse("retention"), _("Declined. Everything stays where it is."))


@requires(P.SEE_RETENTION)
@require_GET
def certificate(request: HttpRequest, pk: int) -> HttpResponse:
    """The certificate, byte for byte: its SHA-256 stands in the trail."""
    row = _load(request, pk)
    if not row.certificate:
        raise Http404
    taking = exporting.Taking(person(request), "csp.disposal", "json", {"disposal": str(row.pk)}, row.contract)
    return exporting.at_once(
        taking, row.certificate.encode(), name=f"disposal-{row.pk}.json", content_type="application/json",
        at=clock.now(),
    )  # fmt: skip


# ---------------------------------------------------------------- holds


class HoldForm(forms.Form):
    """Why something must be kept; of a ticket, whether everything of its customer must be."""

    what = forms.ChoiceField(label=gettext_lazy("What is held"), widget=forms.RadioSelect)
    reason = Lines(
        label=gettext_lazy("Why it must be kept"), rows=3,
        help_text=gettext_lazy("A claim, a request of an authority. Leave names out where you can."),
    )  # fmt: skip

    def __init__(self, *args: Any, choices: list[tuple[str, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        what = self.fields["what"]
        what.initial = choices[0][0]
        assert isinstance(what, forms.ChoiceField)
        what.choices = choices
        if len(choices) == 1:
            what.widget = forms.HiddenInput()


class WhyForm(forms.Form):
    reason = Lines(label=gettext_lazy("Why"), rows=3)


def _subject(user: User, kind: str, number: int) -> tuple[Any, Team]:
    """What is to be held, if this person may see it, and the team whose supervisors answer for it."""
    if kind == Hold.Kind.USER:
        # Of the own teams, also of former ones; nobody holds what is kept of themselves.
        mine = access.scope_of(user).teams(Role.SUPERVISOR)
        of_team = RoleGrant.objects.filter(user=number, team__in=mine).exclude(user=user)
        grant = of_team.select_related("user", "team__contract").order_by("-starts_at", "-pk").first()
        if grant is None or grant.team is None:
            raise Http404
        return grant.user, grant.team
    if kind == Hold.Kind.PAPERS:
        # Whoever may hold them need not read them; nobody holds those of the own work.
        listed = Review.objects.listed_for(user).exclude(user=user).select_related("team__contract", "papers")
        review = get_object_or_404(listed.filter(papers__isnull=False).distinct(), pk=number)
        return review.papers, review.team
    found: dict[str, QuerySet[Any]] = {
        Hold.Kind.TICKET: Ticket.objects.visible_to(user),
        Hold.Kind.CASE: NonCompliance.objects.visible_to(user),
        Hold.Kind.REMARK: Remark.objects.visible_to(user),
        Hold.Kind.DATA_REQUEST: requests.visible_to(user),
        Hold.Kind.DATA_BREACH: breaches.visible_to(user),
    }
    row = get_object_or_404(found[kind].select_related("team__contract"), pk=number)
    return row, row.team


@requires(P.PLACE_HOLDS)
@require_http_methods(["GET", "POST"])
def place(request: HttpRequest, kind: str, number: int) -> HttpResponse:
    """Hold a ticket, all tickets of its customer, or one record of another class."""
    user, at = person(request), clock.now()
    subject, team = _subject(user, kind, number)
    if not access.may(user, P.PLACE_HOLDS, team_id=team.pk):
        raise PermissionDenied
    choices = [(kind, _("This record alone"))]
    if kind == "ticket" and subject.customer_id:
        choices.append(("customer", _("Every ticket of its customer")))
    form = HoldForm(request.POST or None, choices=choices)
    standing = Hold.objects.standing().filter(
        Q(kind=kind, number=number) | Q(kind="customer", number=getattr(subject, "customer_id", None) or 0)
    )
    step = Step(
        title=_("Hold %(ref)s") % {"ref": subject.name if kind == Hold.Kind.USER else subject.reference},
        submit=_("Place the hold"), form=form,
        back=reverse("retention") if kind == "user" else getattr(subject, "own_path", "") or subject.path,
        text=_("Already held by %(holds)s.") % {"holds": ", ".join(one.reference for one in standing)} if standing
        else _("It is not disposed of while the hold stands. The hold is reviewed every six months."),
    )  # fmt: skip

    def verb(good: dict[str, str]) -> str:
        held = Customer.objects.get(pk=subject.customer_id) if good["what"] == "customer" else subject
        row = holding.place(held, team=team, by=user, at=at, reason=good["reason"])
        return _("%(hold)s stands. Its review is due in six months.") % {"hold": row.reference}

    return take_step(request, step, verb)


def _hold(request: HttpRequest, pk: int) -> Hold:
    mine = [one.pk for one in access.contracts_of(person(request))]
    rows = Hold.objects.filter(contract__in=mine).exclude(kind="ticket", number__in=_about(person(request)))
    return get_object_or_404(rows.select_related("placed_by", "lifted_by", "review", "team"), pk=pk)


@requires(P.SEE_RETENTION)
@require_GET
def hold(request: HttpRequest, pk: int) -> HttpResponse:
    row = _hold(request, pk)
    may = row.lifted_at is None and access.may(person(request), P.PLACE_HOLDS, team_id=row.team_id)
    return render(request, "audits/hold.html", {"hold": row, "at": clock.now(), "may": may})


@requires(P.PLACE_HOLDS)
@require_http_methods(["GET", "POST"])
def end_hold(request: HttpRequest, pk: int, action: str) -> HttpResponse:
    """Review a hold: keep it on for six months, or lift it."""
    user, at, row = person(request), clock.now(), _hold(request, pk)
    if not access.may(user, P.PLACE_HOLDS, team_id=row.team_id):
        raise PermissionDenied
    lifts = action == "lift"
    step = Step(
        title=_("Lift %(hold)s") % {"hold": row.reference} if lifts else _("Keep %(hold)s") % {"hold": row.reference},
        submit=_("Lift the hold") if lifts else _("Keep it on"), form=WhyForm(request.POST or None), back=row.path,
        text=_("From then on the record's own term counts.") if lifts else _("The next review is due in six months."),
    )  # fmt: skip

    def verb(good: dict[str, str]) -> str:
        if lifts:
            holding.lift(row, by=user, at=at, reason=good["reason"])
            return _("Lifted.")
        holding.keep_on(row, by=user, at=at, reason=good["reason"])
        return _("Kept on.")

    return take_step(request, step, verb)
