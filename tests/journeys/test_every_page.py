"""Every page that a person can open: accessible, within the policy, not wider than the window; light, dark, phone."""

from __future__ import annotations

import datetime as dt

import pytest
from django.conf import settings

from audits import reviews
from csp import clock, loops, shifts
from csp.models import User
from feedback import improvements, log, themes
from feedback.models import ActionItem, Finding, Remark, Theme
from tests import factories
from tests.accessibility import obstacles
from tests.cast import Cast
from tests.journeys.conftest import Visit
from tickets import call_backs, calls, escalation, handling, procedures, request_links
from tickets.conversation import inbound
from tickets.models import Interaction, Ticket
from training import records
from training.models import Course

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.django_db(transaction=True)]

PAGES = {
    "rita": [
        "/metrics/", "/queue/mine/", "/queue/team/", "/queue/unassigned/", "/queue/finished/", "{ticket}", "{answered}",
        "{ticket}escalate/", "{ticket}merge/", "{ticket}call/", "{ticket}record/", "{ticket}letter/",
        "{ticket}call-back/", "/cosign/", "/unsorted/", "/tickets/new/", "/search/?q=hob", "/notices/",
        "/contract/", "/account/", "/training/", "{course}", "{test}", "/training/rule/",
        "/feedback/groups/", "/feedback/add/", "/reviews/", "{review}", "{customer}", "{customer}edit/",
        "{customer}addresses/", "{customer}join/", "{ticket}customer/", "/search/?q=carl",
        "/account/tokens/", "/account/passkeys/", "/account/second-factor/", "{ticket}assign/", "{ticket}state/",
        "{ticket}edit/", "{ticket}resolution/", "{ticket}move/", "{ticket}link/", "/unsorted/rulings/",
        "/unsorted/senders/",
    ],
    "sam": [
        "/metrics/?by=person", "/metrics/first/",
        "/escalations/", "/settings/replies/", "{broken}", "/queue/team/?mark=all", "/notices/", "/compliance/",
        "/compliance/promises/", "/compliance/breaches/", "/training/matrix/", "/training/courses/", "{taught}",
        "/training/rounds/", "/training/evidence/", "/training/rule/", "/compliance/complaints/", "/feedback/",
        "/feedback/inbox/", "{remark}", "{remark}handle/", "/settings/shifts/", "/settings/shifts/{team}/",
        "{away}",
        "/settings/procedures/", "{procedure}", "{version}", "/reviews/", "{review}",
        "/feedback/themes/", "/feedback/sort/", "{finding}", "{finding}agree/", "{finding}refuse/",
        "{finding}procedure/", "/measures/", "/assessments/", "/statements/", "/settings/limits/", "{ticket}approval/",
        "{ticket}acceptance/", "{waive}", "/settings/replies/add/", "{escalation}decide/", "{escalation}hand-back/",
    ],
    "fay": [
        "/feedback/", "/feedback/themes/", "{theme}", "{theme}split/", "{theme}merge/", "{theme}finding/",
        "/feedback/themes/new/", "/feedback/themes/rule/", "/feedback/sort/", "/feedback/findings/", "{finding}",
        "{item}", "/feedback/groups/", "/feedback/import/", "/feedback/surveys/", "{remark}", "{remark}theme/",
    ],
    "vera": [
        "/feedback/findings/", "{theme}",
        "/queue/team/", "{ticket}", "{customer}", "/reviews/", "{review}", "/admin/", "/admin/tickets/ticket/",
        "/admin/csp/trailentry/",
    ],
    "adam": [
        "/settings/people/", "/settings/teams/", "/settings/offices/", "/settings/contract/", "/settings/mailboxes/",
        "/settings/texts/", "/settings/categories/", "/first-run/", "/admin/",
        "/settings/people/add/", "/settings/people/{person}/", "/settings/teams/{team}/", "/settings/mailboxes/add/",
        "/settings/contract/{contract}/", "/settings/texts/add/", "/training/policy/", "/training/courses/add/",
    ],
    "": [
        "/sign-in/", "/password/", "/verify/", "/contact/", "/contact/?lang=de", "/request/", "{request}", "/tell-us/",
    ],
}  # fmt: skip


@pytest.fixture
def tickets(cast: Cast) -> dict[str, str]:
    """An open ticket, an answered one and a broken one; by name, their addresses."""
    now = clock.now()
    hour = dt.timedelta(hours=1)
    opened = factories.ticket(team=cast.team, customer=cast.carl, subject="The hob stays cold", received_at=now - hour)
    answered = factories.ticket(
        team=cast.team, customer=cast.rhea, subject="Where is my fridge", received_at=now - 2 * hour
    )
    handling.respond(
        answered, by=cast.rita, at=now - hour, body="On its way.", seen_through={answered.pk: inbound(answered)[-1].pk}
    )  # fmt: skip
    handling.note(opened, by=cast.rita, at=now, body="Ask the fitter.")
    broken = factories.ticket(team=cast.team, customer=cast.carl, subject="Nobody answers", received_at=now - 30 * hour)
    for name in ("sweep", "escalate"):
        loops.run_dry(loops.RULES[name], now)
    escalation.escalate(opened, by=cast.rita, at=now, reason="Above the limit")
    talk = calls.Talk(Interaction.Direction.OUT, now - hour / 2, "Told them when the fitter comes.")
    calls.log_call(opened, talk, by=cast.rita, at=now - hour / 2, seen_until=now)
    call_backs.promise(opened, due_at=now + hour, responsible=cast.rita, by=cast.rita, at=now)
    carl = request_links.address_of("carl@northwind.example")
    assert carl is not None
    course = Course.objects.get(code="communication")
    version = course.versions.get()
    attempt = records.start(version, by=cast.rita, at=now)
    for score, words in ((2, "Nobody called me back."), (5, ""), (4, ""), (3, ""), (5, ""), (1, "The hob is cold.")):
        remark, _new = log.record(
            score=score, words=words, team=cast.team, source=Remark.Source.PHONE, received_at=now - hour, at=now,
            who=log.Who(name="Carl Contact", address="carl@northwind.example"),
        )  # fmt: skip
    review = reviews.start(cast.rita, cast.team, starts_at=now - 90 * factories.DAY, at=now)
    reviews.compile_evidence(review, by=cast.sam, at=now)
    reviews.assess(review, text="Keeps what is promised.", by=cast.sam, at=now)
    draft = procedures.draft(
        cast.contract, None, by=cast.adam, at=now, title="Complaints", resolve_days=5, progress_days=2,
        text=f"{procedures.STANDARD_TEXT}\n- Ask whether it helped",
    )  # fmt: skip
    theme, finding, item = improved(cast, remark, now)
    absence = shifts.enter(cast.rita, starts_at=now - hour, ends_at=now + hour, deputy=cast.sam, by=cast.sam, at=now)
    handed_up = broken.escalations.latest("pk")
    return {
        "away": f"/escalations/away/{absence.pk}/", "escalation": f"/escalations/{handed_up.pk}/",
        "waive": f"{opened.path}deadlines/{opened.respond_id}/waive/", "person": str(cast.rita.pk),
        "contract": str(cast.contract.pk),
        "theme": theme.path, "finding": finding.path, "item": item.path,
        "review": review.path,
        "remark": remark.path, "team": str(cast.team.pk), "procedure": f"/settings/procedures/{draft.procedure_id}/",
        "version": f"/settings/procedures/versions/{draft.pk}/",
        "customer": f"/customers/{cast.carl.pk}/",
        "ticket": opened.path, "answered": answered.path, "broken": broken.path, "course": version.path,
        "taught": course.path, "test": f"/training/tests/{attempt.pk}/",
        "request": request_links.url(opened, carl, at=now).removeprefix(settings.SITE_URL),
    }  # fmt: skip


def improved(cast: Cast, remark: Remark, now: dt.datetime) -> tuple[Theme, Finding, ActionItem]:
    """A theme with a remark, what is suggested beside it, a finding and what is done about it."""
    for words in ("The hob stays cold on the left.", "The left side of the hob stays cold."):
        log.record(team=cast.team, source=Remark.Source.PHONE, received_at=now, at=now, score=2, words=words)
    loops.run_dry(loops.RULES["relate"], now)
    theme = themes.begin(cast.contract, name="The hob stays cold", clause="3.1", by=cast.fay, at=now)
    themes.add(theme, [remark], by=cast.fay, at=now)
    themes.begin(cast.contract, name="Nobody calls back", by=cast.fay, at=now)
    finding = improvements.write(
        cast.team, title="Hobs of the last batch stay cold", text="All of one batch.", recommendation="Call it back.",
        theme=theme, by=cast.fay, at=now,
    )  # fmt: skip
    item = improvements.agree(
        finding, what="Call the batch back", owner=cast.rita, due_at=now + dt.timedelta(days=5),
        measure=ActionItem.Measure.RATE, by=cast.sam, at=now,
    )  # fmt: skip
    return theme, finding, item


@pytest.mark.parametrize("who", PAGES)
def test_nothing_stands_in_anybodys_way(cast: Cast, tickets: dict[str, str], visit: Visit, who: str) -> None:
    user: User | None = getattr(cast, who) if who else None
    page = visit(user)
    assert [one for path in PAGES[who] for one in obstacles(page, path.format(**tickets))] == []


def test_the_queue_works_without_scripts(cast: Cast, tickets: dict[str, str], visit: Visit) -> None:
    page = visit(cast.rita)
    context = page.context.browser.new_context(java_script_enabled=False, storage_state=page.context.storage_state())
    plain = context.new_page()
    base = page.evaluate("location.origin") if page.url != "about:blank" else ""
    page.goto("/queue/team/")
    base = base or page.url.split("/queue/")[0]
    plain.goto(f"{base}/queue/team/")
    plain.get_by_role("link", name="The hob stays cold").click()
    plain.locator(".composer textarea:visible").first.fill("Please call us.")
    plain.get_by_role("button", name="Send reply").click()
    assert (
        Ticket.objects.get(subject="The hob stays cold").interactions.filter(body__contains="Please call us").exists()
    )
    context.close()
