"""API tokens: one's own, made and revoked freshly signed in; anybody's, revoked by administrators."""

from __future__ import annotations

from allauth.account.decorators import reauthentication_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from csp import access, clock, tokens
from csp.access import requires
from csp.forms import TokenForm
from csp.models import ApiToken
from csp.roles import Permission
from csp.views import trying


@requires()
@require_http_methods(["GET", "POST"])
@reauthentication_required
def index(request: HttpRequest) -> HttpResponse:
    """The person's tokens, and a form for one more. Its secret is on the answer to that form and nowhere else."""
    user, at = access.person(request), clock.now()
    form, secret, status = TokenForm(request.POST or None), "", 200
    if request.method == "POST":
        made = trying.in_form(
            form,
            lambda: tokens.make(
                user, name=form.cleaned_data["name"], scope=ApiToken.Scope(form.cleaned_data["scope"]),
                days=form.cleaned_data["days"], at=at,
            ),
        )  # fmt: skip
        status = 201 if made else 422
        if made:
            secret, form = made[1], TokenForm()
    rows = ApiToken.objects.in_force(at).filter(user=user).order_by("pk")
    return render(request, "csp/tokens.html", {"form": form, "secret": secret, "tokens": rows}, status=status)


@requires()
@require_POST
@reauthentication_required
def revoke(request: HttpRequest, token: int) -> HttpResponse:
    """End one of the person's own tokens."""
    row = get_object_or_404(ApiToken, pk=token, user=access.person(request))
    trying.and_say(
        request, lambda: tokens.revoke(row, by=access.person(request), at=clock.now()), _("The token is revoked.")
    )
    return redirect("tokens")


@requires(Permission.MANAGE_PEOPLE)
@require_POST
def revoke_of(request: HttpRequest, pk: int, token: int) -> HttpResponse:
    """End a token of somebody else."""
    row = get_object_or_404(ApiToken, pk=token, user=pk)
    trying.and_say(
        request, lambda: tokens.revoke(row, by=access.person(request), at=clock.now()), _("The token is revoked.")
    )
    return redirect("person", pk)
