"""People, their dated roles, and the offices under the contract. For administrators."""

from __future__ import annotations

from functools import partial

from django.contrib import messages
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST

from csp import access, clock, people, shifts, signin
from csp.access import requires
from csp.forms import GrantForm, OfficeForm, PersonForm
from csp.models import Appointment, Contract, RoleGrant, User
from csp.roles import Office, Permission
from csp.views import trying

guarded = requires(Permission.MANAGE_PEOPLE)
PAGE = 50


@guarded
def index(request: HttpRequest) -> HttpResponse:
    """Everybody with an account, by name; those who left only when asked for."""
    words, gone = request.GET.get("q", "").replace("\x00", "").strip(), bool(request.GET.get("gone"))
    rows = User.objects.all() if gone else User.objects.filter(is_active=True)
    if words:
        rows = rows.filter(Q(name__icontains=words) | Q(email__icontains=words))
    after = request.GET.get("after", "")
    last = User.objects.filter(pk=after).first() if after.isdecimal() and len(after) < 19 else None
    if last is not None:
        rows = rows.filter(Q(name__gt=last.name) | Q(name=last.name, pk__gt=last.pk))
    found = list(rows.order_by("name", "pk")[: PAGE + 1])
    shown = found[:PAGE]
    grants: dict[int, list[RoleGrant]] = {}
    for row in RoleGrant.objects.in_force(clock.now()).filter(user__in=shown).select_related("team", "contract"):
        grants.setdefault(row.user_id, []).append(row)
    context = {
        "people": [(user, grants.get(user.pk, [])) for user in shown],
        "after": shown[-1].pk if len(found) > PAGE else "",
        "words": words,
        "gone": gone,
    }
    return render(request, "csp/people.html", context)


@guarded
def add(request: HttpRequest) -> HttpResponse:
    """A new account; the person chooses the password by mail."""
    form = PersonForm(request.POST or None, initial={"zone": access.person(request).zone})
    by, at = access.person(request), clock.now()
    if request.method == "POST":
        user = trying.in_form(form, lambda: people.add(form.cleaned_data, by=by, at=at))
        if user is not None:
            said = _("%(name)s was added. A link to choose a password is on its way to %(email)s. Now give a role.")
            messages.success(request, said % {"name": user.name, "email": user.email})
            return redirect("person", user.pk)
    context = {"form": form, "heading": _("Add a person"), "submit": _("Add and invite"), "back": ".."}
    return render(request, "csp/form.html", context, status=422 if form.errors else 200)


@guarded
def person(request: HttpRequest, pk: int) -> HttpResponse:
    """One account: what it says, its roles, and what can be done about it."""
    user = get_object_or_404(User, pk=pk)
    by, at = access.person(request), clock.now()
    form = PersonForm(instance=user)
    if request.method == "POST":
        changed = get_object_or_404(User, pk=pk)
        form = PersonForm(request.POST, instance=get_object_or_404(User, pk=pk))
        if trying.in_form(form, lambda: people.change(changed, form.cleaned_data, by=by, at=at)):
            messages.success(request, _("Saved."))
            return redirect("person", pk)
    return _person_page(request, user, form, GrantForm(), 422 if form.errors else 200)


def _person_page(request: HttpRequest, user: User, form: PersonForm, grant: GrantForm, status: int) -> HttpResponse:
    context = {
        "someone": user,
        "form": form,
        "grant_form": grant,
        "grants": user.grants.select_related("team", "contract", "granted_by").order_by("ends_at", "-starts_at"),
        "offices": user.appointments.filter(ends_at__isnull=True),
        "has_second_factor": signin.has_second_factor(user),
        "is_me": user == request.user,
        "away": _away(user, access.person(request)),
        "tokens": user.api_tokens.in_force(clock.now()).order_by("pk"),
        "sessions": user.sessions.filter(expire_date__gt=clock.now()).count(),
    }
    return render(request, "csp/person.html", context, status=status)


def _away(user: User, reader: User) -> list[dict[str, str]]:
    """That this person is away; with the way to what they hold for whoever supervises one of their teams."""
    row = shifts.away([user.pk], clock.now()).get(user.pk)
    if row is None:
        return []
    theirs = access.scope_of(user).teams_where(Permission.WORK_TICKETS)
    supervises = theirs & access.scope_of(reader).teams_where(Permission.ASSIGN_OTHERS)
    page = {"href": reverse("away", args=[row.pk]), "action": _("What they hold")} if supervises else {}
    return [{"text": shifts.sentence(row, reader), **page}]


@guarded
@require_POST
def grant(request: HttpRequest, pk: int) -> HttpResponse:
    """Give a role."""
    user = get_object_or_404(User, pk=pk)
    form = GrantForm(request.POST)
    by, at = access.person(request), clock.now()
    given = trying.in_form(form, lambda: people.grant(user, by=by, at=at, **form.cleaned_data))
    if given is None:
        return _person_page(request, user, PersonForm(instance=user), form, 422)
    messages.success(request, _("%(name)s now is: %(role)s.") % {"name": user.name, "role": given})
    return redirect("person", pk)


@guarded
@require_POST
def end_role(request: HttpRequest, pk: int, grant: int) -> HttpResponse:
    """Take a role back."""
    given = get_object_or_404(RoleGrant.objects.select_related("user"), pk=grant, user=pk)
    verb = partial(people.end_role, given, by=access.person(request), at=clock.now())
    trying.and_say(request, verb, _("The role has ended."))
    return redirect("person", pk)


ACTIONS = {
    "invite": (people.invite, gettext_lazy("A new link to choose a password is on its way.")),
    "deactivate": (
        people.deactivate,
        gettext_lazy("The account is closed. Open work goes back to the team within a minute."),
    ),
    "reactivate": (people.reactivate, gettext_lazy("The account is open again. Now give a role.")),
    "reset-second-factor": (
        people.reset_second_factor,
        gettext_lazy("The second factor is gone, and every session has ended."),
    ),
}


@guarded
@require_POST
def act(request: HttpRequest, pk: int, action: str) -> HttpResponse:
    """Invite again, close, open again, or take the second factor away."""
    user = get_object_or_404(User, pk=pk)
    verb, said = ACTIONS[action]
    trying.and_say(request, partial(verb, user, by=access.person(request), at=clock.now()), str(said))
    return redirect("person", pk)


@guarded
def offices(request: HttpRequest) -> HttpResponse:
    """Who holds which office under each contract, and a form to appoint somebody."""
    form = OfficeForm(request.POST or None)
    by, at = access.person(request), clock.now()
    if request.method == "POST":
        row = trying.in_form(form, lambda: people.appoint(by=by, at=at, **form.cleaned_data))
        if row is not None:
            messages.success(request, _("%(name)s holds the office.") % {"name": row.user.name})
            return redirect("offices")
    held = {
        (row.contract_id, row.office): row
        for row in Appointment.objects.in_force(at).select_related("user", "deputy", "contract")
    }
    table = [
        (contract, [(office.label, held.get((contract.pk, office.value))) for office in Office])
        for contract in Contract.objects.order_by("pk")
    ]
    return render(request, "csp/offices.html", {"form": form, "table": table}, status=422 if form.errors else 200)


@guarded
@require_POST
def end_office(request: HttpRequest, pk: int) -> HttpResponse:
    """Release somebody from an office."""
    row = get_object_or_404(Appointment, pk=pk)
    verb = partial(people.end_appointment, row, by=access.person(request), at=clock.now())
    trying.and_say(request, verb, _("The office is empty now."))
    return redirect("offices")
