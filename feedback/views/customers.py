"""What a customer said to us about surveys, on the customer's page."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from csp import access, clock
from csp.access import Refused
from csp.models import Customer
from csp.roles import Permission
from feedback import surveys
from tickets.models import Ticket
from tickets.views.door import go, person, refuse


@require_POST
@access.requires(Permission.WORK_TICKETS)
def stop_surveys(request: HttpRequest, pk: int) -> HttpResponse:
    user, back = person(request), reverse("customer", args=[pk])
    seen = Ticket.objects.visible_to(user).real().filter(customer=pk)
    customer = get_object_or_404(Customer, pk__in=seen.values("customer"), erased_at=None)
    try:
        surveys.stop(customer, at=clock.now(), by=user)
    except Refused as refusal:
        return refuse(request, refusal, back)
    return go(request, back, _("This customer is asked no more."))
