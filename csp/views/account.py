"""One's own account: how the desk looks and speaks to this person, and where they are signed in."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST

from csp import access, clock, people, places, signin
from csp.access import requires
from csp.forms import ProfileForm
from csp.models import RoleGrant, Session


@requires()
def profile(request: HttpRequest) -> HttpResponse:
    """The person's own settings."""
    user, at = access.person(request), clock.now()
    form = ProfileForm(request.POST or None, instance=user)
    if request.method == "POST" and form.is_valid():
        people.change_own(user, form.cleaned_data, at=at)
        messages.success(request, _("Saved."))
        return redirect("account")
    context = {
        "form": form,
        "grants": RoleGrant.objects.in_force(at).filter(user=user).select_related("team", "contract").order_by("pk"),
        "sessions": Session.objects.filter(user=user, expire_date__gt=at).order_by("-seen_at"),
        "this_session": request.session.session_key,
        "has_second_factor": signin.has_second_factor(user),
    }
    return render(request, "csp/account.html", context, status=422 if form.errors else 200)


@requires()
@require_POST
def end_sessions(request: HttpRequest) -> HttpResponse:
    """Sign out everywhere else."""
    ended = signin.sign_out_everywhere(access.person(request), at=clock.now(), keep_session=request.session.session_key)
    said = ngettext("%(n)s other session ended.", "%(n)s other sessions ended.", ended) % {"n": ended}
    messages.success(request, said)
    return redirect("account")


@requires()
@require_POST
def theme(request: HttpRequest) -> HttpResponse:
    """Switch between light and dark, and go back to the page."""
    chosen = request.POST.get("theme", "")
    if chosen in places.THEMES:
        people.change_own(access.person(request), {"theme": chosen}, at=clock.now())
    back = request.POST.get("next", "")
    if not url_has_allowed_host_and_scheme(back, allowed_hosts={request.get_host()}):
        back = reverse("home")
    return HttpResponseRedirect(back)
