"""Erasures with their certificates, locks on customers' data, and what the controller keeps instead (clause 6.1)."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import PermissionDenied
from django.db.models import Count, Q, QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from audits.forms import TextForm
from audits.privacy_forms import KeepingForm
from audits.views.privacy import contract_of, tabs
from audits.views.processing import read_by
from csp import clock, exporting
from csp.access import Refused, person, requires
from csp.models import Erasure, Keeping, Lock, User
from csp.privacy import keepings, locking, terms
from feedback.models import Remark
from tickets.models import Ticket
from tickets.views.door import Step, go, refuse, take_step

PAGE = 50
both = require_http_methods(["GET", "POST"])


def visible_to(user: User) -> QuerySet[Erasure]:
    """Erasures under the contracts whose data protection this person keeps or audits. They name nobody."""
    return Erasure.objects.filter(contract__in=read_by(user))


# ---------------------------------------------------------------- erasures and locks


@requires()
@require_GET
def index(request: HttpRequest) -> HttpResponse:
    """What is under way with its progress, what was erased, and what is locked until when."""
    user, at = person(request), clock.now()
    contracts = read_by(user)
    if not contracts:
        raise PermissionDenied
    done = Count("items", filter=~Q(items__outcome=""))
    rows = visible_to(user).annotate(done=done, all=Count("items")).select_related("approved_by").order_by("-pk")
    locks = Lock.objects.standing().filter(contract__in=contracts).annotate(records=Count("items"))
    context = {
        "rows": rows[:PAGE],
        "locks": [(lock, locking.may_see(user, lock, at)) for lock in locks.order_by("expires_at", "pk")[:PAGE]],
        "under_way": sum(row.finished_at is None for row in rows[:PAGE]),
        "tabs": tabs(user, "erasures"),
        "at": at,
    }
    return render(request, "privacy/erasures.html", context)


@requires()
@require_GET
def show(request: HttpRequest, pk: int) -> HttpResponse:
    """One erasure: what became of each record, by numbers, and its certificate."""
    user = person(request)
    row = get_object_or_404(visible_to(user).select_related("approved_by", "continues"), pk=pk)
    items = list(row.items.order_by("pk")[:500])
    context = {
        "row": row,
        "items": items,
        "done": row.items.exclude(outcome="").count(),
        "all": row.items.count(),
        "kept": [item for item in items if item.outcome in ("held", "locked")],
        "at": clock.now(),
    }
    return render(request, "privacy/erasure.html", context)


@requires()
@require_GET
def certificate(request: HttpRequest, pk: int) -> HttpResponse:
    """The exact bytes that the digest in the trail is over."""
    user = person(request)
    row = get_object_or_404(visible_to(user).filter(finished_at__isnull=False), pk=pk)
    taking = exporting.Taking(user, "csp.erasure", "json", {"erasure": str(row.pk)}, contract=row.contract)
    return exporting.at_once(
        taking, row.certificate.encode(), name=f"csp-erasure-{row.pk}.json", content_type="application/json",
        at=clock.now(), about=[f"customer:{row.customer_id}"],
    )  # fmt: skip


def _lock(request: HttpRequest, pk: int) -> Lock:
    """A standing lock of a contract whose privacy owner asks; nobody else learns that there is one."""
    row = get_object_or_404(Lock.objects.standing().select_related("customer", "contract"), pk=pk)
    if not locking.may_see(person(request), row, clock.now()):
        raise Http404
    return row


@requires()
@both
def look(request: HttpRequest, pk: int) -> HttpResponse:
    """What is locked, for the privacy owner, with a reason that the trail keeps."""
    user, row = person(request), _lock(request, pk)
    form = TextForm(request.POST or None, label=_("Why you have to look"))
    if request.method == "POST" and form.is_valid():
        try:
            locking.read(row, by=user, at=clock.now(), reason=form.cleaned_data["text"])
        except Refused as refusal:
            form.add_error(None, str(refusal))
        else:
            return render(request, "privacy/lock.html", _contents(row))
    step = Step(
        title=_("Look at locked data"), submit=_("Look"), form=form, back=reverse("erasures"),
        text=_("It is shown once. Who looked, when and why stands in the trail."),
    )  # fmt: skip
    return take_step(request, step, lambda _good: "")


def _contents(row: Lock) -> dict[str, Any]:
    numbers: dict[str, list[int]] = {}
    for kind, number in row.items.values_list("kind", "number"):
        numbers.setdefault(kind, []).append(number)
    tickets = Ticket.objects.filter(pk__in=numbers.get("ticket", [])).order_by("pk")
    return {
        "lock": row,
        "customer": row.customer,
        "addresses": row.customer.addresses.order_by("pk"),
        "tickets": tickets.prefetch_related("interactions"),
        "remarks": Remark.objects.filter(pk__in=numbers.get("remark", [])).order_by("pk"),
    }


@requires()
@require_POST
def unlock(request: HttpRequest, pk: int) -> HttpResponse:
    """End a lock that was asked for, before its time."""
    row = _lock(request, pk)
    try:
        locking.unlock(row, by=person(request), at=clock.now())
    except Refused as refusal:
        return refuse(request, refusal, reverse("erasures"))
    return go(request, reverse("erasures"), _("It is open again."))


# ---------------------------------------------------------------- erase or keep


@requires()
@require_GET
def keeping(request: HttpRequest) -> HttpResponse:
    """For each class of records: erased at once, or locked and kept, on which basis, by whom, until when."""
    user, at = person(request), clock.now()
    mine = terms.acts_for(user)
    contract = contract_of(request, mine)
    rows = Keeping.objects.filter(contract=contract).select_related("decided_by", "ended_by").order_by("-pk")
    standing = {row.what: row for row in rows if row.ended_at is None and row.expires_at > at}
    context = {
        "contract": contract,
        "contracts": mine,
        "classes": [(label, standing.get(what)) for what, label in Keeping.What.choices],
        "earlier": [row for row in rows if row not in standing.values()],
        "may_decide": keepings.may_decide(contract, user, at),
        "tabs": tabs(user, "keepings"),
        "at": at,
    }
    return render(request, "privacy/keepings.html", context)


@requires()
@both
def decide(request: HttpRequest) -> HttpResponse:
    """Write down that a class of records is locked instead of erased."""
    user, at = person(request), clock.now()
    contract = contract_of(request, [one for one in terms.acts_for(user) if keepings.may_decide(one, user, at)])
    back = f"{reverse('keepings')}?contract={contract.pk}"
    step = Step(
        title=_("Lock instead of erasing"), submit=_("Decide"), form=KeepingForm(request.POST or None), back=back,
        text=_("Only where the law lets you keep it. Whoever asks to be erased is told the basis and the end."),
    )  # fmt: skip

    def verb(good: dict[str, Any]) -> str:
        keepings.decide(contract, by=user, at=at, **good)
        return _("Decided. It holds for erasures from now on.")

    return take_step(request, step, verb)


@requires()
@require_POST
def end(request: HttpRequest, pk: int) -> HttpResponse:
    """Erase this class again from now on."""
    user, at = person(request), clock.now()
    row = get_object_or_404(Keeping.objects.filter(contract__in=terms.acts_for(user)), pk=pk)
    back = f"{reverse('keepings')}?contract={row.contract_id}"
    try:
        keepings.end(row, by=user, at=at)
    except Refused as refusal:
        return refuse(request, refusal, back)
    return go(request, back, _("Ended. An erasure erases these records, too, from now on."))
