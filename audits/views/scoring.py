"""Scoring a drawn ticket: the ticket beside the card, drafts kept on the server, one signature (clause 6.3)."""

from __future__ import annotations

import dataclasses
import datetime as dt
from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import dateformat, timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from audits import programme, scoring
from audits.forms import TextForm
from audits.models import Audit, Criterion, Draw, Mark, Scoring
from audits.scoring import Said
from audits.views.programme import is_blind, load_scores, sampled
from csp import clock
from csp.access import Refused, person, requires
from csp.models import User
from tickets import disclosure
from tickets.models import Interaction
from tickets.views.door import Step, go, is_fragment, number_in, refuse, take_step
from tickets.views.thread import Thread
from tickets.views.ticket import workspace

# As the style sheet names them.
WORDS = {"Yes": Mark.Answer.YES, "No": Mark.Answer.NO, "NA": Mark.Answer.NOT_APPLICABLE}
SPELLED = {code.value: word for word, code in WORDS.items()}
ICONS = {"mail": "mail", "form": "globe", "call": "phone", "letter": "file-text", "visit": "user-round", "note": "lock"}


@dataclasses.dataclass(slots=True)
class Question:
    """One criterion as the card shows it, with what stands there and what may be pointed at."""

    row: Criterion
    said: Said
    word: str
    pointed: str = ""
    icon: str = ""


def load_draw(request: HttpRequest, pk: int, rank: int) -> Draw:
    audit = load_scores(request, pk)
    draw = get_object_or_404(Draw.objects.select_related("replaces", "excused_by"), audit=audit, rank=rank)
    draw.audit = audit
    return draw


def said_in(request: HttpRequest, audit: Audit) -> dict[int, Said]:
    """What the form says about each criterion."""
    found = {}
    for criterion in programme.criteria_of(audit):
        name = f"c{criterion.pk}"
        word = request.POST.get(name, "")
        comment = request.POST.get(f"{name}_comment", "").replace("\x00", "")
        pointer = number_in(request.POST.get(f"{name}_at", ""))
        found[criterion.pk] = Said(WORDS[word].value if word in WORDS else "", comment, pointer)
    return found


@requires()
@require_http_methods(["GET", "POST"])
def score(request: HttpRequest, pk: int, rank: int) -> HttpResponse:
    """The card of one draw. Whoever scores it reads the ticket beside it, which is recorded; POST signs it."""
    draw, user, at = load_draw(request, pk, rank), person(request), clock.now()
    if request.method == "GET":
        return _page(request, draw, user, at)
    said = said_in(request, draw.audit)
    try:
        row = scoring.sign(draw, said, by=user, at=at)
    except Refused as refusal:
        return _page(request, draw, user, at, said=said, refusal=str(refusal))
    following = _next(draw, user)
    url = following.path if following is not None else reverse("audit", args=[pk])
    text = _("Signed: %(n)d %%.") % {"n": row.percent}
    if row.case_number is not None:
        text += " " + _("A non-compliance is reported: NC-%(n)d.") % {"n": row.case_number}
    return go(request, url, text)


def _next(draw: Draw, user: User) -> Draw | None:
    """The next draw that this person still has to sign, after this one and then from the beginning."""
    mine = Scoring.objects.filter(scorer=user, scored_at__isnull=False).values("draw")
    rows = draw.audit.draws.filter(excused_at__isnull=True).exclude(pk__in=mine)
    if scoring.is_second(draw, user):
        rows = rows.filter(is_twice=True)
    return rows.filter(rank__gt=draw.rank).order_by("rank").first() or rows.order_by("rank").first()


def _page(
    request: HttpRequest, draw: Draw, user: User, at: dt.datetime, *, said: dict[int, Said] | None = None,
    refusal: str = "",
) -> HttpResponse:  # fmt: skip
    audit = draw.audit
    mine = scoring.scoring_of(draw, user)
    signed = mine is not None and mine.scored_at is not None
    why = ""
    try:
        scoring.check_can_score(draw, user, at)
    except Refused as closed:
        why = str(closed)
    may_score = not why
    rows = sampled(audit, user)
    context: dict[str, Any] = {
        "at": at,
        "audit": audit,
        "draw": draw,
        "rows": rows,
        "group": next((row.group for row in rows if row.draw.pk == draw.pk), ""),
        "result": scoring.result(audit),
        "population": getattr(audit, "population", None),
        "may_score": may_score,
        "why": "" if signed or draw.is_excused or not _scores(audit, user) else why,
        "refusal": refusal,
        "may_put_aside": _may_put_aside(draw, user, at),
        "previous": audit.draws.filter(rank__lt=draw.rank).order_by("-rank").first(),
        "following": audit.draws.filter(rank__gt=draw.rank).order_by("rank").first(),
        "mine": mine,
    }
    contacts: list[tuple[int, str, str]] = []
    ticket = scoring.ticket_of(draw, user) if _scores(audit, user) else None
    if ticket is not None and (may_score or signed):
        disclosure.read_ticket(ticket, by=user, at=at)
        scoring.read(draw, by=user, at=at)
        context |= workspace(ticket, user, at=at) | {"at": at, "has_ticket": True}
        contacts = list(_contacts(context["thread"]))
    context["contacts"] = contacts
    if may_score:
        stands = said if said is not None else scoring.draft_of(mine)
        context["questions"] = [
            Question(one, card := stands.get(one.pk, Said()), SPELLED.get(card.answer, ""))
            for one in programme.criteria_of(audit)
        ]
    context["cards"] = [] if is_blind(draw, audit, user, signed) else _cards(draw, contacts)
    return render(request, "audits/score.html", context, status=422 if refusal else 200)


def _scores(audit: Audit, user: User) -> bool:
    return user.pk in (audit.auditor_id, audit.second_id)


def _may_put_aside(draw: Draw, user: User, at: dt.datetime) -> bool:
    try:
        programme.check_can_put_aside(draw, draw.audit, user, at=at)
    except Refused:
        return False
    return True


def _contacts(thread: Thread) -> Any:
    """What was said on the ticket, to point at: number, icon, words."""
    for day in (*thread.earlier, *thread.days):
        for item in day.items:
            if item.row is not None:
                yield item.row.pk, ICONS.get(item.row.kind, "mail"), _called(item.row)


def _called(row: Interaction) -> str:
    moment = dateformat.format(timezone.localtime(row.occurred_at), "j M H:i")
    return f"{row.get_kind_display()} {moment}"


def _cards(draw: Draw, contacts: list[tuple[int, str, str]]) -> list[tuple[Scoring, list[Question]]]:
    """The signed cards, the first one first; what they point at is named for whoever reads the ticket."""
    known = {number: (icon, words) for number, icon, words in contacts}
    found = []
    for row in draw.scorings.filter(scored_at__isnull=False).select_related("scorer").order_by("is_second"):
        questions = []
        for mark in row.marks.select_related("criterion").order_by("criterion__position"):
            icon, words = known.get(mark.interaction or 0, ("", ""))
            said = Said(mark.answer, mark.comment, mark.interaction)
            questions.append(Question(mark.criterion, said, str(Mark.Answer(mark.answer).label), words, icon))
        found.append((row, questions))
    return found


@requires()
@require_POST
def draft(request: HttpRequest, pk: int, rank: int) -> HttpResponse:
    """Keep what stands on the card."""
    row, user, at = load_draw(request, pk, rank), person(request), clock.now()
    try:
        scoring.keep_draft(row, said_in(request, row.audit), by=user, at=at)
    except Refused as refusal:
        return refuse(request, refusal, row.path)
    if not is_fragment(request) and request.POST.get("save"):
        return go(request, row.path, _("Kept. Sign it when it is finished."))
    return HttpResponse(status=204)


@requires()
@require_http_methods(["GET", "POST"])
def put_aside(request: HttpRequest, pk: int, rank: int, action: str) -> HttpResponse:
    """Draw another ticket for this one, or leave it out: both with a reason that the report prints."""
    row, user, at = load_draw(request, pk, rank), person(request), clock.now()
    if user.pk != row.audit.auditor_id:
        raise PermissionDenied
    again = action == "redraw"
    form = TextForm(request.POST or None, label=_("Why"), hint=_("It stays on record and is printed in the report."))
    step = Step(
        title=_("Draw another ticket") if again else _("Leave this ticket out"),
        submit=_("Draw again") if again else _("Leave it out"),
        form=form,
        back=row.path,
        text=_("The next ticket of the same group is drawn; this one stays on record.") if again
        else _("The audit can be closed without a score of this ticket."),
    )  # fmt: skip
    onwards = reverse("audit", args=[pk])

    def verb(good: dict[str, Any]) -> str:
        if again:
            fresh = programme.redraw(row, reason=good["text"], by=user, at=at)
            return _("#%(number)d was drawn instead.") % {"number": fresh.number}
        programme.excuse(row, reason=good["text"], by=user, at=at)
        return _("Left out, with the reason.")

    return take_step(request, step, verb, onwards=onwards)
