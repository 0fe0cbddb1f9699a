"""A complaint about a colleague (clause 3.2): it is neither theirs to see nor to work on, anywhere.

The ticket says whom it is about; what speaks for it, or through it, says the same. Lists, search, files and live
changes ask Ticket.visible_to; notices and the reading room ask csp.models.KeptFrom, which is written here.
"""

from __future__ import annotations

import datetime as dt

from django.db import transaction
from django.utils.translation import gettext as _

from csp import deadlines, trail
from csp.access import Refused
from csp.events import Act
from csp.models import KeptFrom, Notice, User
from tickets.conversation import clocks_of, family, lock
from tickets.models import Draft, Presence, Ticket
from tickets.reach import check_can_work


@transaction.atomic
def say_whom(ticket: Ticket, *, about: User | None, by: User, at: dt.datetime) -> Ticket:
    """Say whom of us a complaint is about, or that it is about nobody. Raises Refused."""
    root = lock(ticket)
    check_can_work(root, by, at=at)
    if about is not None and root.kind != Ticket.Kind.COMPLAINT:
        raise Refused(_("Only a complaint is about a colleague. Change its kind first."))
    if about is not None and about.pk == by.pk:
        raise Refused(_("If it is about you, ask a colleague to take it and to say so."))
    if root.about_id == (about.pk if about else None):
        return root
    before = root.about_id
    keep_from(root, about, at=at)
    facts = {"from": before, "to": about.pk if about else None}
    trail.record(Act.TICKET_ABOUT, root.trail_subject, by=by, at=at, facts=facts)
    return root


def keep_from(root: Ticket, about: User | None, *, at: dt.datetime) -> None:
    """Keep the ticket, and all that speaks through it, from this person and nobody else. The caller holds the lock."""
    numbers = family(root)
    refs = [f"#{number}" for number in numbers]
    KeptFrom.objects.filter(subject_ref__in=refs, until__isnull=True).update(until=at)
    Ticket.objects.filter(pk__in=numbers).exclude(pk=root.pk).update(about=about)
    root.about = about
    if about is not None:
        KeptFrom.objects.bulk_create(
            KeptFrom(user=about, subject_ref=f"#{number}", context=f"ticket:{number}", since=at) for number in numbers
        )
        if root.assignee_id == about.pk:
            root.assignee = None
            deadlines.hand_over(clocks_of(numbers), responsible=None, team=root.team, at=at)
        Ticket.objects.filter(pk__in=numbers, pending_for=about).update(pending_for=None, pending_until=None)
        Presence.objects.filter(ticket__in=numbers, user=about).delete()
        Draft.objects.filter(ticket__in=numbers, user=about).delete()
        Notice.objects.filter(user=about, subject_ref__in=refs).delete()
        root.escalations.filter(closed_at__isnull=True, accepted_at__isnull=True, to_user=about).update(to_user=None)
    root.save()


def check_can_join(source: Ticket, target: Ticket) -> None:
    """Raise Refused for two complaints about two colleagues: each stays its own."""
    if source.about_id is not None and target.about_id not in (None, source.about_id):
        raise Refused(_("These complaints are about different colleagues. Link them instead."))


def joined(source: Ticket, target: Ticket, *, at: dt.datetime) -> None:
    """What one of two merged tickets is about holds for both. The caller holds the locks."""
    if source.about_id != target.about_id:
        keep_from(target, source.about or target.about, at=at)
