"""The way in: everybody lands on the first place that is theirs."""

from __future__ import annotations

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect

from csp import places
from csp.access import requires
from csp.templatetags.settings_tabs import tabs_of


@requires()
def home(request: HttpRequest) -> HttpResponse:
    """Go on to the first place of the navigation that this person may see; to what is missing, where something is."""
    if places.setup_left(request):
        return HttpResponseRedirect(places.address("first_run"))
    for section in places.sections(request):
        for item in section.items:
            return HttpResponseRedirect(item.url)
    return HttpResponseRedirect(places.address("account"))


@requires()
def settings(request: HttpRequest) -> HttpResponse:
    """Go on to the first page of the settings that is this person's."""
    for tab in tabs_of(request):
        return HttpResponseRedirect(tab["url"])
    raise PermissionDenied
