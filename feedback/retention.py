"""What feedback keeps and for how long: each remark with who said it, what became of it and its place in themes."""

from __future__ import annotations

from django.db.models import Q

from csp.records import Kept
from csp.retention import Root
from feedback.models import Remark
from tickets.retention import OWNS

REMARKS = Root(
    kind="remark",
    model=Remark,
    kept=Kept.FEEDBACK,
    ended=Q(),  # counted from receipt: nothing ends it
    ended_at="received_at",
    prefix="F-",
    owns=OWNS,
    along=frozenset({Kept.TICKET}),  # keys of its stored bytes, what its clock broke
)
