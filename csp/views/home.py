"""The way in: everybody lands on the first place that is theirs."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect

from csp import places
from csp.access import requires


@requires()
def home(request: HttpRequest) -> HttpResponse:
    """Go on to the first place of the navigation that this person may see."""
    for section in places.sections(request):
        for item in section.items:
            return HttpResponseRedirect(item.url)
    return HttpResponseRedirect(places.address("account"))
