"""Doing what a person asked for where other verbs do it: erasing, and keeping without using (clause 6.1).

The mail that says so is written first, because afterwards nobody knows the address any more. An erasure leaves it, the
request and the mails to recipients alone until they have gone out, and blanks them then (csp.privacy.erasing).
"""

from __future__ import annotations

import datetime as dt

from django.db import transaction
from django.utils import translation
from django.utils.translation import gettext as _

from csp.access import Refused
from csp.models import DataRequest, DataRequestStep, Erasure, User
from csp.privacy import erasing, locking, recipients, requests

Kind, State, Step = DataRequest.Kind, DataRequest.State, DataRequestStep.Kind


@transaction.atomic
def erase(
    request: DataRequest, *, basis: str, words: str, by: User, at: dt.datetime, told_at: dt.datetime | None = None
) -> Erasure:
    """Erase the person, tell them and every recipient. For the privacy owner alone. Raises Refused."""
    row = requests.for_change(request, by, at=at)
    _check(row, Kind.ERASURE)
    assert row.customer is not None
    if not words.strip():
        raise Refused(_("Say what was done."))
    name = row.customer.name or row.name
    recipients.pass_on(row, _("The person asked us to erase it. Please erase it too: %(name)s") % {"name": name},
                       by=by, at=at)  # fmt: skip
    requests.mark_done(row, Step.ERASED, by=by, at=at, facts={"basis": basis})
    requests.answer(row, words=words, by=by, at=at, told_at=told_at)
    step = row.steps.filter(kind=Step.ANSWERED).select_related("message").latest("pk")
    return erasing.erase(row.customer, by=by, at=at, basis=basis, request_ref=row.reference, farewell=step.message)


@transaction.atomic
def restrict(request: DataRequest, *, until: dt.datetime, reason: str, by: User, at: dt.datetime) -> DataRequest:
    """Keep what is held and use it for nothing until then; the person and every recipient are told. Raises Refused."""
    row = requests.for_change(request, by, at=at)
    _check(row, Kind.RESTRICTION)
    assert row.customer is not None
    locking.lock(
        row.customer, contract=row.contract, by=by, at=at, until=until, reason=reason, request_ref=row.reference
    )
    requests.mark_done(row, Step.RESTRICTED, by=by, at=at, words=reason, facts={"until": until})
    with translation.override("en-gb"):
        says = _("The person asked us not to use it any more. Please do not use it either: %(name)s") % {
            "name": row.customer.name
        }  # fmt: skip
    recipients.pass_on(row, says, by=by, at=at)
    return row


def _check(row: DataRequest, kind: DataRequest.Kind) -> None:
    if row.kind != kind:
        raise Refused(_("This request asks for something else. Sort it first."))
    if row.done_at is not None:
        raise Refused(_("What was asked has been done already."))
    requests.check_proven(row)
