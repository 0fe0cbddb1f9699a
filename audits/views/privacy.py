"""Data-subject requests: the list with its clocks, one request, and every step that is taken about it (clause 6.1)."""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections.abc import Callable
from typing import Any

from django import forms
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from audits import holdings
from audits.forms import TextForm
from audits.privacy_forms import (
    EraseForm,
    IdentityForm,
    RecipientForm,
    RectifyForm,
    RequestForm,
    RestrictForm,
    SortForm,
    TermsForm,
    ToldForm,
)
from csp import access, clock, clockface, exporting, vault
from csp.access import Refused, person, requires, scope_of
from csp.models import Contract, DataPackage, DataRequest, DataRequestStep, Team, User
from csp.privacy import carrying_out, contract_end, packages, recipients, rectifying, requests, terms
from csp.roles import Permission, Role
from tickets.models import Ticket
from tickets.views.door import Step, go, local_zone, number_in, refuse, take_step, without_names

PAGE = 50
both = require_http_methods(["GET", "POST"])
Kind, State = DataRequest.Kind, DataRequest.State


@dataclasses.dataclass(frozen=True, slots=True)
class Tab:
    label: str
    url: str
    is_current: bool


def tabs(user: User, current: str) -> list[Tab]:
    """What there is about personal data; the register, the notices and the terms for those who keep or audit them."""
    shown = [("privacy", _("Requests")), ("data_breaches", _("Breaches"))]
    if terms.acts_for(user) or Role.AUDITOR in scope_of(user).roles():
        shown += [("processing", _("Register of processing")), ("privacy_notices", _("Privacy notices"))]
        shown.append(("erasures", _("Erasures")))
    if terms.acts_for(user):
        shown.append(("keepings", _("Erase or keep")))
        if any(contract_end.is_processor(one) for one in terms.acts_for(user)):
            shown.append(("contract_end", _("After the contract")))
        shown.append(("privacy_terms", _("Terms")))
    return [Tab(label, reverse(name), name == current) for name, label in shown]


def teams_of(user: User) -> QuerySet[Team]:
    """The teams for whose customers this person writes down what they ask."""
    mine = scope_of(user).teams_where(Permission.WORK_TICKETS)
    teams = Team.objects.filter(is_active=True).select_related("contract")
    own = Team.objects.filter(pk__in=mine) | Team.objects.filter(contract__in=terms.acts_for(user))
    return teams.filter(pk__in=own.values("pk")).order_by("name", "pk")


# ---------------------------------------------------------------- the list


@requires()
@require_GET
def index(request: HttpRequest) -> HttpResponse:
    """Open requests by what falls due, ended ones newest first."""
    user, at = person(request), clock.now()
    rows = requests.visible_to(user).select_related("answer", "customer", "contract", "team")
    is_ended = request.GET.get("show") == "ended"
    opened, ended = rows.filter(state=State.OPEN), rows.exclude(state=State.OPEN)
    if is_ended:
        found = ended.order_by("-pk")
        if (after := number_in(request.GET.get("after", ""))) is not None:
            found = found.filter(pk__lt=after)
    else:
        found = opened.order_by("answer__due_at", "pk")
    shown = list(found[: PAGE + 1]) if is_ended else list(found[: 4 * PAGE])
    context = {
        "at": at,
        "requests": [(row, _who(row, user)) for row in shown[: PAGE if is_ended else None]],
        "after": shown[PAGE - 1].pk if is_ended and len(shown) > PAGE else "",
        "is_ended": is_ended,
        "counts": {"open": opened.count(), "ended": ended.count()},
        "may_record": teams_of(user).exists(),
        "tabs": tabs(user, "privacy"),
    }
    return render(request, "privacy/requests.html", context)


def _who(row: DataRequest, user: User) -> str:
    """Who asks; a number for whoever may not know."""
    if not requests.sees_names(user, row):
        return _("Customer %(number)d") % {"number": row.customer_id} if row.customer_id else _("Somebody")
    return row.name or (row.customer.name if row.customer else "") or row.address or _("Somebody")


# ---------------------------------------------------------------- writing one down


@requires()
@both
def add(request: HttpRequest) -> HttpResponse:
    """Write down what somebody asks; out of a ticket, with what the ticket knows."""
    user, at = person(request), clock.now()
    teams = teams_of(user)
    if not teams.exists():
        raise PermissionDenied
    ticket = _ticket(request, user)
    initial: dict[str, Any] = {"received_at": at}
    if ticket is not None:
        customer = ticket.customer
        initial |= {
            "received_at": ticket.received_at, "team": ticket.team_id, "customer": customer.pk if customer else "",
            "channel": ticket.channel if ticket.channel in DataRequest.Channel.values else DataRequest.Channel.MAIL,
        }  # fmt: skip
    form = RequestForm(request.POST or None, teams=teams, initial=initial)
    step = Step(
        title=_("A person asks for their data"), submit=_("Start the clock"), form=form,
        back=ticket.path if ticket else reverse("privacy"),
        text=_("By any channel, to anybody of us: the month runs from receipt."),
    )  # fmt: skip

    def verb(good: dict[str, Any]) -> str:
        row = requests.open_request(
            by=user, at=at, subject_ref=ticket.reference if ticket else "", path=ticket.path if ticket else "", **good
        )
        return _("%(reference)s is due on %(when)s.") % {
            "reference": row.reference, "when": clockface.moment(row.answer.due_at, now=at, zone=local_zone()),
        }  # fmt: skip

    return take_step(request, step, verb, onwards="" if ticket else reverse("privacy"))


def _ticket(request: HttpRequest, user: User) -> Ticket | None:
    number = number_in(request.GET.get("ticket", ""))
    if number is None:
        return None
    rows = Ticket.objects.workable_by(user).select_related("team", "customer")
    return get_object_or_404(rows, pk=number)


# ---------------------------------------------------------------- one request


def load(request: HttpRequest, pk: int) -> DataRequest:
    rows = requests.visible_to(person(request))
    return get_object_or_404(rows.select_related("contract", "team", "answer", "first_answer", "customer"), pk=pk)


@requires()
@require_GET
def show(request: HttpRequest, pk: int) -> HttpResponse:
    """One request: who asks for what, its clock, what was done, and what is to be done next."""
    user, at, row = person(request), clock.now(), load(request, pk)
    names = requests.sees_names(user, row)
    acts = terms.may_act(user, row.contract_id, at=at)
    ending = requests.ending(row) if row.is_open else None
    ticket = Ticket.objects.visible_to(user).filter(pk=number_in(row.subject_ref.removeprefix("#"))).first() \
        if row.subject_ref else None  # fmt: skip
    context = {
        "at": at,
        "row": row,
        "names": names,
        "who": _who(row, user),
        "words": row.words if names else without_names(row.words, row.customer, row.name),
        "ticket": ticket,
        "steps": [_line(step, row, names=names) for step in row.steps.select_related("by", "message").order_by("pk")],
        "acts": acts,
        "is_extended": requests.is_extended(row),
        "ending": ending,
        "todo": _todo(row) if acts and row.is_open else [],
        "tone": {State.OPEN: "pen", State.ANSWERED: "met", State.REFUSED: "note"}.get(State(row.state), ""),
        "id_tone": {"proven": "met", "doubted": "over"}.get(row.identity, "soon"),
        "may_hold": access.may(user, Permission.PLACE_HOLDS, team_id=row.team_id),
        "packages": row.packages.select_related("made_by").order_by("-pk") if acts else [],
        "recipients": recipients.of(row.contract, row.customer) if acts and row.customer_id else [],
    }
    return render(request, "privacy/request.html", context)


def _line(step: DataRequestStep, row: DataRequest, *, names: bool) -> dict[str, Any]:
    """A step as the page shows it: what, by whom, and what became of its mail."""
    message = step.message
    return {
        "step": step,
        "icon": ICONS.get(step.kind, "circle-check"),
        "words": step.words if names else without_names(step.words, row.customer, row.name),
        "mail": message.get_state_display() if message else "",
        "mail_tone": {"accepted": "met", "failed": "over", "bounced": "over"}.get(message.state, "") if message else "",
        "accepted_at": message.accepted_at if message else None,
    }


ICONS = {
    "received": "inbox", "forwarded": "send", "identity_asked": "id-card", "identity_proven": "user-round-check",
    "identity_doubted": "circle-help", "extended": "clock", "extension_fell": "octagon-alert", "packed": "package",
    "delivered": "send", "fetched": "circle-check", "corrected": "pencil", "erased": "x", "restricted": "lock",
    "passed_on": "send", "answered": "mail", "refused": "x", "noted": "sticky-note", "stopped": "ban",
}  # fmt: skip


@dataclasses.dataclass(frozen=True, slots=True)
class Act:
    """One step that can be taken about a request: its words, its form, its verb, and when it is offered."""

    title: Any
    submit: Any
    form: Callable[[HttpRequest, DataRequest], forms.Form]
    verb: Callable[[DataRequest, dict[str, Any], User, dt.datetime], str]
    text: Any = ""
    offered: Callable[[DataRequest], bool] = lambda row: True


def _told(label: Any, hint: Any = "") -> Callable[[HttpRequest, DataRequest], forms.Form]:
    def make(request: HttpRequest, row: DataRequest) -> forms.Form:
        initial = {"manner": "mail" if row.address else "otherwise", "told_at": clock.now()}
        return ToldForm(request.POST or None, label=str(label), hint=str(hint), initial=initial)

    return make


def _text(label: Any, hint: Any = "") -> Callable[[HttpRequest, DataRequest], forms.Form]:
    return lambda request, row: TextForm(request.POST or None, label=str(label), hint=str(hint))


def _sort(row: DataRequest, good: dict[str, Any], user: User, at: dt.datetime) -> str:
    requests.sort(row, by=user, at=at, **good)
    return _("Sorted.")


def _ask(row: DataRequest, good: dict[str, Any], user: User, at: dt.datetime) -> str:
    requests.ask_identity(row, what=good["text"], by=user, at=at)
    return _("Asked. The clock runs on.")


def _prove(row: DataRequest, good: dict[str, Any], user: User, at: dt.datetime) -> str:
    requests.prove(row, by=user, at=at, **good)
    return _("Recorded.")


def _extend(row: DataRequest, good: dict[str, Any], user: User, at: dt.datetime) -> str:
    requests.extend(row, reason=good["words"], told_at=good["told_at"], by=user, at=at)
    return _("The longer time runs, if the person is told of it in time.")


def _answer(row: DataRequest, good: dict[str, Any], user: User, at: dt.datetime) -> str:
    requests.answer(row, words=good["words"], told_at=good["told_at"], by=user, at=at)
    return _("Answered. A mail counts once the server outside has taken it.")


def _refuse(row: DataRequest, good: dict[str, Any], user: User, at: dt.datetime) -> str:
    requests.refuse(row, reason=good["words"], told_at=good["told_at"], by=user, at=at)
    return _("Refused, with the way to complain.")


def _withdraw(row: DataRequest, good: dict[str, Any], user: User, at: dt.datetime) -> str:
    requests.withdraw(row, words=good["text"], by=user, at=at)
    return _("It has ended.")


def _note(row: DataRequest, good: dict[str, Any], user: User, at: dt.datetime) -> str:
    requests.note(row, words=good["text"], by=user, at=at)
    return _("Noted.")


def _honour(row: DataRequest, good: dict[str, Any], user: User, at: dt.datetime) -> str:
    requests.record_done(row, words=good["text"], by=user, at=at)
    return _("Recorded.")


def _rectify_form(request: HttpRequest, row: DataRequest) -> forms.Form:
    customer = row.customer
    addresses = [(str(one.pk), one.value) for one in customer.addresses.order_by("pk")] if customer else []
    initial = {"name": customer.name, "organisation": customer.organisation} if customer else {}
    return RectifyForm(request.POST or None, addresses=addresses, initial=initial)


def _rectify(row: DataRequest, good: dict[str, Any], user: User, at: dt.datetime) -> str:
    wrong = number_in(good.pop("wrong_address") or "")
    rectifying.correct(row, wrong_address=wrong, by=user, at=at, **good)
    return _("Corrected, and passed on to those who were given it. Now answer the person.")


def _pack(row: DataRequest, good: dict[str, Any], user: User, at: dt.datetime) -> str:
    packages.make(row, holdings.SOURCES, by=user, at=at)
    return _("The package is made. Look at it before you send it.")


def _erase_form(request: HttpRequest, row: DataRequest) -> forms.Form:
    return EraseForm(request.POST or None, initial={"manner": "mail" if row.address else "otherwise",
                                                              "told_at": clock.now()})  # fmt: skip


def _erase(row: DataRequest, good: dict[str, Any], user: User, at: dt.datetime) -> str:
    erasure = carrying_out.erase(row, basis=good["basis"], words=good["words"], told_at=good["told_at"], by=user, at=at)
    return _("%(reference)s is under way: identity and content go now, what is open when it is closed.") % {
        "reference": erasure.reference
    }  # fmt: skip


def _restrict(row: DataRequest, good: dict[str, Any], user: User, at: dt.datetime) -> str:
    carrying_out.restrict(row, by=user, at=at, **good)
    return _("It is kept and not used any more; the person is told. Now answer them.")


def _recipient(row: DataRequest, good: dict[str, Any], user: User, at: dt.datetime) -> str:
    recipients.record(row.contract, customer=row.customer, by=user, at=at, **good)
    return _("Recorded.")


def _wants_copy(row: DataRequest) -> bool:
    return row.kind in (Kind.ACCESS, Kind.PORTABILITY) and row.customer_id is not None


ACTS: dict[str, Act] = {
    "pack": Act(
        gettext_lazy("Make the package"), gettext_lazy("Gather the data"),
        lambda request, row: forms.Form(request.POST or None), _pack,
        gettext_lazy("All that is held on this person in one file, to read and for programs. Others are hidden."),
        _wants_copy,
    ),
    "rectify": Act(
        gettext_lazy("Correct the record"), gettext_lazy("Correct it"), _rectify_form, _rectify,
        gettext_lazy("What was said stays as it was said. Everybody who was given the data is told."),
        lambda row: row.kind == Kind.RECTIFICATION and row.done_at is None and row.customer_id is not None,
    ),
    "erase": Act(
        gettext_lazy("Erase the person"), gettext_lazy("Erase it for good"), _erase_form, _erase,
        gettext_lazy("Identity and content go, in every record; skeleton, clocks and proof stay. For good."),
        lambda row: row.kind == Kind.ERASURE and row.done_at is None and row.customer_id is not None,
    ),
    "restrict": Act(
        gettext_lazy("Keep it, and do not use it"), gettext_lazy("Lock it"),
        lambda request, row: RestrictForm(request.POST or None), _restrict,
        gettext_lazy("It goes from every list, search and page until then; the person is told before it ends."),
        lambda row: row.kind == Kind.RESTRICTION and row.done_at is None and row.customer_id is not None,
    ),
    "recipient": Act(
        gettext_lazy("Record a recipient"), gettext_lazy("Record it"),
        lambda request, row: RecipientForm(request.POST or None, initial={"given_at": clock.now()}), _recipient,
        gettext_lazy("Somebody outside who was given this person's data, and will be told what changes."),
        lambda row: row.customer_id is not None,
    ),
    "sort": Act(
        gettext_lazy("What is asked for, and by whom"), gettext_lazy("Save"),
        lambda request, row: SortForm(request.POST or None, initial={
            "kind": row.kind, "about_surveys": row.about_surveys, "customer": row.customer_id or ""}),
        _sort, offered=lambda row: row.done_at is None,
    ),
    "ask": Act(
        gettext_lazy("Ask for a proof of identity"), gettext_lazy("Ask"),
        _text(gettext_lazy("What they are asked"), gettext_lazy("No more than is needed. The clock does not pause.")),
        _ask, offered=lambda row: row.identity != DataRequest.Identity.PROVEN,
    ),
    "identity": Act(
        gettext_lazy("Who it is"), gettext_lazy("Record it"),
        lambda request, row: IdentityForm(request.POST or None), _prove,
    ),
    "extend": Act(
        gettext_lazy("Two months more"), gettext_lazy("Extend"), _told(gettext_lazy("Why it takes longer")), _extend,
        gettext_lazy("Only inside the first month, and only if the person is told why by then."),
        lambda row: not requests.is_extended(row),
    ),
    "honour": Act(
        gettext_lazy("Honour the objection"), gettext_lazy("Record it"),
        _text(gettext_lazy("What is not done any more")), _honour,
        offered=lambda row: row.kind == Kind.OBJECTION and row.done_at is None,
    ),
    "answer": Act(
        gettext_lazy("Answer the person"), gettext_lazy("Send the answer"), _told(gettext_lazy("What was done")),
        _answer,
        gettext_lazy("In plain words. The reference and the date of the request stand above it."),
    ),
    "refuse": Act(
        gettext_lazy("Refuse the request"), gettext_lazy("Refuse"), _told(gettext_lazy("Why it is refused")), _refuse,
        gettext_lazy("The supervisory authority and the way to a court are added."),
    ),
    "withdraw": Act(
        gettext_lazy("The person does not want it any more"), gettext_lazy("End it"),
        _text(gettext_lazy("When and how they said so")), _withdraw,
    ),
    "note": Act(gettext_lazy("Write a note"), gettext_lazy("Save"), _text(gettext_lazy("For colleagues alone")), _note),
}  # fmt: skip

# In the order of work; the first that is to be done is the button that stands out.
ORDER = (
    "sort", "ask", "identity", "pack", "rectify", "erase", "restrict", "honour", "answer", "recipient", "extend",
    "refuse", "withdraw", "note",
)  # fmt: skip


def _todo(row: DataRequest) -> list[dict[str, Any]]:
    """What can be done now, the next step first."""
    first = _next(row)
    names = [name for name in ORDER if name in ACTS and ACTS[name].offered(row)]
    names.sort(key=lambda name: name != first)
    return [
        {"url": reverse("data_request_step", args=[row.pk, name]), "label": ACTS[name].title, "first": name == first}
        for name in names
    ]


def _next(row: DataRequest) -> str:
    if row.kind == Kind.UNSORTED or (row.customer_id is None and row.kind not in (Kind.ACCESS, Kind.OBJECTION)):
        return "sort"
    if row.identity != DataRequest.Identity.PROVEN and not row.about_surveys:
        return "identity"
    if row.kind in WORK and row.done_at is None:
        return WORK[Kind(row.kind)]
    if _wants_copy(row):
        return "" if row.packages.filter(destroyed_at__isnull=True).exists() else "pack"
    return "answer"


WORK = {
    Kind.OBJECTION: "honour", Kind.RECTIFICATION: "rectify", Kind.ERASURE: "erase", Kind.RESTRICTION: "restrict",
}  # fmt: skip


@requires()
@both
def step(request: HttpRequest, pk: int, name: str) -> HttpResponse:
    """One step about a request: a form and a verb."""
    user, at, row = person(request), clock.now(), load(request, pk)
    act = ACTS.get(name)
    if act is None or not act.offered(row):
        raise Http404
    if not terms.may_act(user, row.contract_id, at=at):
        raise PermissionDenied
    face = clockface.of(row.answer, now=at, zone=local_zone()) if row.is_open else None
    form = act.form(request, row)
    asked = Step(
        title=str(act.title), submit=str(act.submit), form=form, back=row.own_path, text=str(act.text), face=face
    )
    return take_step(request, asked, lambda good: act.verb(row, good, user, at))


# ---------------------------------------------------------------- the package


def _package(request: HttpRequest, pk: int) -> DataPackage:
    row = get_object_or_404(DataPackage.objects.select_related("request__contract", "blob__key"), pk=pk)
    if not terms.may_act(person(request), row.request.contract_id):
        raise PermissionDenied
    return row


@requires()
@require_POST
def look(request: HttpRequest, pk: int) -> HttpResponse:
    """The file, for whoever checks it before it goes; that is recorded."""
    row, user, at = _package(request, pk), person(request), clock.now()
    try:
        content = packages.look_at(row, by=user, at=at)
    except vault.Unreadable:
        raise Http404 from None
    taking = exporting.Taking(user, "csp.datapackage", "zip", {"request": row.request.reference}, row.request.contract)
    return exporting.at_once(
        taking, content, name=f"{row.request.reference}.zip", content_type="application/zip", at=at,
        about=[f"customer:{row.request.customer_id}"],
    )  # fmt: skip


@requires()
@require_POST
def send(request: HttpRequest, pk: int) -> HttpResponse:
    """Send the person the link to it."""
    row = _package(request, pk)
    back = row.request.own_path
    try:
        packages.send(row, by=person(request), at=clock.now())
    except Refused as refusal:
        return refuse(request, refusal, back)
    return go(request, back, _("The link is on its way. It counts once the server outside has taken the mail."))


# ---------------------------------------------------------------- the terms


def contract_of(request: HttpRequest, mine: list[Contract]) -> Contract:
    """The one that is asked for among these, else the first. Raises PermissionDenied where there is none."""
    chosen = request.POST.get("contract", request.GET.get("contract", ""))
    found = next((one for one in mine if str(one.pk) == chosen), mine[0] if mine else None)
    if found is None:
        raise PermissionDenied
    return found


@requires()
@both
def privacy_terms(request: HttpRequest) -> HttpResponse:
    """Who is controller, who is complained to, whose holidays count."""
    user, at = person(request), clock.now()
    mine = terms.acts_for(user)
    contract = contract_of(request, mine)
    form = TermsForm(request.POST or None, instance=terms.of(contract))
    status = 200
    if request.method == "POST":
        if form.is_valid():
            try:
                terms.change(contract, form.cleaned_data, by=user, at=at)
            except Refused as refusal:
                form.add_error(None, str(refusal))
            else:
                return go(request, f"{reverse('privacy_terms')}?contract={contract.pk}", _("Saved."))
        status = 422
    context = {"form": form, "contract": contract, "contracts": mine, "tabs": tabs(user, "privacy_terms")}
    return render(request, "privacy/terms.html", context, status=status)
