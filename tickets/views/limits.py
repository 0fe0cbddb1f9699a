"""What a person may grant alone, by role and category (clause 3.2)."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _

from csp import access, clock
from csp.roles import Permission, Role
from csp.views import trying
from tickets import authority
from tickets.text_forms import LimitForm


@access.requires(Permission.SET_LIMITS)
def index(request: HttpRequest) -> HttpResponse:
    """The limits in force, and a form that sets one."""
    by, at = access.person(request), clock.now()
    contracts = access.contracts_of(by)
    form = LimitForm(request.POST or None, contracts=contracts)

    def verb() -> bool:
        good = dict(form.cleaned_data)
        authority.set_limit(good.pop("contract"), role=Role(good.pop("role")), by=by, at=at, **good)
        return True

    if request.method == "POST" and trying.in_form(form, verb):
        messages.success(request, _("Saved."))
        return redirect("limits")
    context = {"form": form, "limits": authority.in_force(contracts)}
    return render(request, "csp/limits.html", context, status=422 if form.errors else 200)
