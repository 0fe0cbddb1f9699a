"""Clause 6.3, seen by people: an auditor is let in, samples, scores, finds, and takes history away through the admin.

And each page of an audit is accessible, in light, dark and on a phone.
"""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import pytest
from django.core.management import call_command
from playwright.sync_api import Page, expect

from audits import audit_findings, programme, scoring
from audits.models import Audit, AuditFinding, NonCompliance, Scoring
from csp import clock
from csp.events import Act
from csp.models import TrailEntry, User
from tests import factories as make
from tests.accessibility import obstacles
from tests.cast import Cast
from tests.journeys.conftest import Visit
from tickets.models import Ticket

pytestmark = [pytest.mark.browser, pytest.mark.slow, pytest.mark.django_db(transaction=True)]


def closed(cast: Cast, count: int) -> None:
    """So many tickets that Rita answered and that were closed, up to the day before yesterday."""
    now = clock.now()
    for number in range(count):
        received = now - (10 - number) * make.DAY
        ticket = make.ticket(
            team=cast.team, customer=cast.carl, received_at=received, subject=f"The hob number {number} is cold",
            body="It has been cold since Tuesday. Carl Contact",
        )  # fmt: skip
        make.answer(ticket=ticket, by=cast.rita, at=received + make.HOUR, accepted_at=received + make.HOUR)
        Ticket.objects.filter(pk=ticket.pk).update(
            state="closed", resolved_at=received + make.HOUR, closed_at=received + make.DAY, next_obligation="",
            next_clause="", next_starts_at=None, next_due_at=None, assignee=cast.rita,
        )  # fmt: skip


def press(page: Page, name: str) -> None:
    page.get_by_role("button", name=name, exact=True).first.click()


def step(page: Page, name: str) -> None:
    """A small page: opened by its link as a dialog, and sent by the button of the dialog."""
    page.get_by_role("link", name=name, exact=True).first.click()
    expect(page.locator("dialog[open] form")).to_be_visible()


def send(page: Page) -> None:
    page.locator("dialog[open] button[type=submit]").click()
    page.wait_for_load_state("networkidle")


def answer_all(page: Page, word: str = "Yes") -> None:
    for label in page.locator(f".crit .seg label:has(input[value={word}])").all():
        label.click()


def test_an_auditor_is_let_in_samples_scores_finds_and_exports(cast: Cast, visit: Visit) -> None:
    closed(cast, 4)
    ann = make.person(name="Ann Auditor")
    vera, adam, page = visit(cast.vera), visit(cast.adam), visit(ann)

    vera.goto("/audits/")
    vera.get_by_role("link", name="Plan an audit").click()
    vera.get_by_label("Title").fill("The week")
    vera.get_by_label(cast.team.name).check()
    vera.get_by_label("Tickets closed from").fill(f"{clock.now() - 20 * make.DAY:%Y-%m-%d}")
    vera.get_by_label("Tickets closed until").fill(f"{clock.now() - 2 * make.DAY:%Y-%m-%d}")
    vera.get_by_label("Sample size").fill("2")
    vera.get_by_label("Auditor", exact=True).select_option(label=ann.name)
    press(vera, "Plan it")
    audit = Audit.objects.get()

    page.goto(audit.path)
    step(page, "Ask for access")
    send(page)
    adam.goto(audit.path)
    step(adam, "Give access")
    send(adam)
    expect(adam.get_by_text("in force")).to_be_visible()

    page.goto(audit.path)
    step(page, "Draw the sample")
    page.locator("dialog[open]").get_by_label("Seed").fill("agreed beforehand")
    send(page)
    assert audit.draws.count() == 2
    call_command("audit_sample", audit.reference, stdout=io.StringIO())

    page.get_by_role("link", name="Score the next").click()
    expect(page.locator("aside")).to_contain_text("It has been cold since Tuesday.")
    expect(page.locator("body")).not_to_contain_text("Carl Contact")
    answer_all(page)
    page.locator(".crit textarea").first.fill("Says when the fitter comes.")
    expect(page.locator("[data-draft-status]")).to_contain_text("kept", ignore_case=True, timeout=15_000)
    assert scoring.draft_of(Scoring.objects.get())
    page.reload()
    expect(page.locator(".crit textarea").first).to_have_value("Says when the fitter comes.")
    page.locator(".crit textarea").first.press("Control+Enter")
    page.wait_for_url("**/draws/2/")
    assert Scoring.objects.get(draw__rank=1).percent == 100

    answer_all(page)
    first = page.locator(".crit").first
    first.locator("label:has(input[value=No])").click()
    first.locator("textarea").fill("Another model's hob is meant.")
    press(page, "Sign and next")
    page.wait_for_url(f"**{audit.path}")
    case = NonCompliance.objects.get()
    assert case.reported_by == ann
    expect(page.locator("body")).to_contain_text(f"A non-compliance is reported: NC-{case.pk}")

    step(page, "Record a finding")
    page.locator("dialog[open]").get_by_label("What was found").fill("Answers are about other models.")
    send(page)
    finding = AuditFinding.objects.get()
    sam = visit(cast.sam)
    sam.goto(finding.path)
    step(sam, "Answer")
    sam.locator("dialog[open]").get_by_label("Yes", exact=True).check()
    sam.locator("dialog[open]").get_by_label("What you do about it").fill("The type plate is asked for first.")
    send(sam)
    page.goto(finding.path)
    step(page, "Close the finding")
    page.locator("dialog[open]").get_by_label("What you looked at").fill("Ten answers, all of the right model.")
    send(page)
    page.goto(audit.path)
    step(page, "Close the audit")
    page.locator("dialog[open]").get_by_label("What the audit came to").fill("One answer of two was right.")
    send(page)
    page.goto(f"{audit.path}report/")
    expect(page.locator("main")).to_contain_text("One answer of two was right.")

    exports(page, ann)


def exports(page: Page, ann: User) -> None:
    """The history of tickets through the admin: masked, then opened with a reason."""
    page.goto("/admin/tickets/historicalticket/?history_type__exact=%2B")
    page.get_by_role("link", name="Export").click()
    page.get_by_label("Format").select_option("csv")
    with page.expect_download() as download:
        press(page, "Take the file")
    rows = list(csv.DictReader(io.StringIO(Path(download.value.path()).read_text(), newline="")))
    assert len(rows) == 4
    assert {row["history_type"] for row in rows} == {"'+"}  # no cell begins like a formula
    assert not any("hob" in value for row in rows for value in row.values() if value)
    page.get_by_label("Open masked columns").fill("To compare with the paper files")
    with page.expect_download() as download:
        press(page, "Take the file")
    assert "The hob number 0 is cold" in Path(download.value.path()).read_text()
    ended = [json.loads(row.facts) for row in TrailEntry.objects.filter(act=Act.EXPORT_ENDED, actor=f"user:{ann.pk}")]
    assert [(facts["rows"], facts["whole"]) for facts in ended] == [(4, True), (4, True)]


@pytest.fixture
def audit(cast: Cast) -> Audit:
    """One that is being scored, by Vera and a second person: one card signed, one begun, one left out, a finding."""
    closed(cast, 7)
    now = clock.now()
    second = make.person(name="Ben Second")
    row = programme.plan(
        cast.contract, title="Quality audit, the last weeks", clauses=["3.1", "3.2", "3.3", "4.1", "6.1", "5.1"],
        teams=[cast.team], since=now - 30 * make.DAY, until=now - make.HOUR, sample_size=5, auditor=cast.vera,
        second=second, twice_percent=40, begins_at=now, ends_at=now + 13 * make.DAY, by=cast.vera, at=now,
    )  # fmt: skip
    programme.request_access(row, by=cast.vera, at=now)
    programme.give_access(row, until=now + 20 * make.DAY, by=cast.adam, at=now)
    draws = programme.draw(row, by=cast.vera, at=now, seed="20261101")

    def card(word: str) -> dict[int, scoring.Said]:
        return {one.pk: scoring.Said(word, "Seen in the answer.") for one in programme.criteria_of(row)}

    load = type(draws[0]).objects.select_related("audit")
    scoring.sign(load.get(pk=draws[0].pk), card("yes"), by=cast.vera, at=now)
    begun = dict(list(card("no").items())[:3])
    scoring.keep_draft(load.get(pk=draws[1].pk), begun, by=cast.vera, at=now)
    programme.redraw(draws[2], reason="The recording is damaged.", by=cast.vera, at=now)
    audit_findings.record(
        row, team=cast.team, clause="4.1", severity=AuditFinding.Severity.MAJOR, draw=draws[0], by=cast.vera, at=now,
        text="Second calls leave no trace in the record.",
    )  # fmt: skip
    return Audit.objects.get(pk=row.pk)


def test_the_pages_stand_in_nobodys_way(cast: Cast, audit: Audit, visit: Visit) -> None:
    path = audit.path
    ticket = Ticket.objects.get(pk=audit.draws.get(rank=1).number)
    pages = {
        cast.vera: [
            "/audits/", "/audits/plan/", "/audits/scorecard/", "/audits/scorecard/publish/", path, f"{path}draws/1/",
            f"{path}draws/2/", f"{path}draws/3/", f"{path}findings/1/", f"{path}findings/add/", f"{path}report/",
            f"{ticket.path}identity/", "/admin/csp/deadline/export/?state__exact=met", "/admin/csp/deadline/",
        ],
        cast.sam: [path, f"{path}findings/1/answer/"],
        cast.adam: [path, f"{path}access/"],
    }  # fmt: skip
    found = []
    for user, paths in pages.items():
        page = visit(user)
        for one in paths:
            found += obstacles(page, one)
    assert found == []


def test_a_card_is_kept_and_signed_without_scripts(cast: Cast, audit: Audit, visit: Visit) -> None:
    page = visit(cast.vera)
    page.goto("/audits/")
    context = page.context.browser.new_context(java_script_enabled=False, storage_state=page.context.storage_state())
    plain = context.new_page()
    plain.goto(page.url.replace("/audits/", f"{audit.path}draws/2/"))
    for radio in plain.locator(".crit input[value=Yes]").all():
        radio.check(force=True)
    plain.get_by_role("button", name="Keep as a draft").click()
    assert plain.url.endswith("/draws/2/")
    assert all(one.answer == "yes" for one in scoring.draft_of(Scoring.objects.get(draw__rank=2)).values())
    plain.get_by_role("button", name="Sign and next").first.click()
    assert Scoring.objects.get(draw__rank=2).percent == 100
    context.close()


def test_who_scores_second_is_blind_until_signed(cast: Cast, audit: Audit, visit: Visit) -> None:
    second = audit.second
    assert second is not None
    draw = next(iter(audit.draws.filter(is_twice=True, excused_at=None)))
    now = clock.now()
    draw = type(draw).objects.select_related("audit").get(pk=draw.pk)
    if not draw.scorings.filter(scored_at__isnull=False).exists():
        said = {one.pk: scoring.Said("yes", "Seen.") for one in programme.criteria_of(audit)}
        scoring.sign(draw, said, by=cast.vera, at=now)
    page = visit(second)
    page.goto(draw.path)
    expect(page.get_by_role("heading", name="Scoring", exact=True)).to_have_count(0)
    answer_all(page)
    press(page, "Sign and next")
    page.goto(draw.path)
    expect(page.get_by_role("heading", name="Scoring", exact=True)).to_have_count(1)
    expect(page.get_by_role("heading", name="Second scoring")).to_have_count(1)
