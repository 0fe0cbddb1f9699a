"""Who may open what: every address of the product, asked by every role, against a reviewed table.

The table is tests/csp/permissions.txt. After adding or guarding an address, write it afresh and review the difference:

    CSP_WRITE_PERMISSIONS=1 ./run test tests/csp/test_urls_roles.py -q && git diff tests/csp/permissions.txt

An address that is not in the table fails. `sign-in` means that the answer leads to the sign-in page. Addresses with
something in them are asked about a ticket of Rita's team, about Rita herself, and so on (`samples`); Otto is the
representative of the other team. What Django's own admin shows to whom is tested in test_admin.py.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.db import transaction
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse

from audits import audit_findings, corrective, measures, noncompliance, programme, reviews
from audits.models import CorrectiveAction, Measure
from csp import deadlines, loops
from csp.models import DataBreach, DataRequest, User
from csp.privacy import breaches, requests
from tests import factories
from tests.cast import Cast
from tickets.models import MailText, Ticket
from training import courses, records, requirements
from training.models import Course

TABLE = Path(__file__).with_name("permissions.txt")
ROLES = ("nobody", "rita", "sam", "otto", "fay", "vera", "adam")
NOTHING = 2_000_000_000  # the number of no row
HEAD = "address".ljust(58) + "method " + "".join(role.ljust(9) for role in ROLES).rstrip()


def addresses(
    resolver: URLResolver | None = None, route: str = "", space: str = ""
) -> Iterator[tuple[str, str, set[str]]]:
    """(route, name to reverse by, what it has in it) of every pattern; of the admin only its first page."""
    for entry in (resolver or get_resolver()).url_patterns:
        here = route + str(entry.pattern).lstrip("^")
        if isinstance(entry, URLResolver):
            if entry.namespace != "admin":
                yield from addresses(entry, here, f"{space}{entry.namespace}:" if entry.namespace else space)
        elif isinstance(entry, URLPattern):
            assert entry.name, f"{here} has no name"
            names = {*entry.pattern.converters, *getattr(entry.pattern, "regex", _NoRegex).groupindex}
            yield here, space + entry.name, names


class _NoRegex:
    groupindex: dict[str, int] = {}


def samples(cast: Cast) -> dict[str, dict[str, Any]]:
    """What to put into an address, by its name or how it begins; else there is nothing of that number."""
    ticket = factories.ticket(team=cast.team, customer=cast.carl, assignee=None)
    case = noncompliance.report(
        team=cast.team, clause="3.1", what="Nobody called.", noticed_at=factories.AT, by=cast.sam, at=factories.AT
    )
    action = corrective.add_action(
        case, kind=CorrectiveAction.Kind.CORRECTIVE, what="Call", owner=cast.rita, by=cast.sam, at=factories.AT
    )
    measure = measures.propose(
        case, kind=Measure.Kind.OVERSIGHT, aim=Measure.Aim.PERSON, person=cast.rita, reason="Twice.", by=cast.sam,
        at=factories.AT,
    )  # fmt: skip
    review = reviews.start(cast.rita, cast.team, starts_at=factories.AT, at=factories.AT)
    course = courses.current(Course.objects.get(code="communication"))
    assert course is not None
    courses.publish_update(
        cast.contract, code="p", title="P", roles=["representative"], because="p:1", changes="x", material="x",
        asked=[("q", ["a", "b"], [0])], renew_by=factories.AT + factories.DAY, by="updates", at=factories.AT,
    )  # fmt: skip
    done = records.record_evidence(
        course, cast.rita, passed_at=factories.AT, note="Seen.", by=cast.sam, at=factories.AT,
        files=[courses.File("list.pdf", "application/pdf", b"%PDF")],
    )  # fmt: skip
    draft = courses.revise(course.course, by=cast.adam, at=factories.AT)
    loops.run_dry(requirements.require, factories.AT)
    round_ = cast.contract.rounds.create(number=1, deadline=deadlines.start([deadlines.draft(
        "round", deadlines.Subject("R-1", "/rounds/1/", cast.contract, cast.team), cast.version, starts_at=factories.AT
    )], at=factories.AT)[0])  # fmt: skip
    asked = requests.open_request(
        team=cast.team, kind=DataRequest.Kind.ACCESS, channel=DataRequest.Channel.PHONE, received_at=factories.AT,
        by=cast.rita, at=factories.AT, customer=cast.carl,
    )  # fmt: skip
    leaked = breaches.open_breach(
        team=cast.team, nature=DataBreach.Nature.CONFIDENTIALITY, what="A letter.", aware_at=factories.AT,
        by=cast.rita, at=factories.AT,
    )  # fmt: skip
    audit = programme.plan(
        cast.contract, title="February", clauses=["3.1"], teams=[cast.team], since=factories.SINCE, until=factories.AT,
        sample_size=1, auditor=cast.vera, begins_at=factories.AT, ends_at=factories.AT + factories.DAY, by=cast.vera,
        at=factories.AT,
    )  # fmt: skip
    shut = factories.ticket(team=cast.team, customer=cast.carl, received_at=factories.AT - 2 * factories.DAY)
    Ticket.objects.filter(pk=shut.pk).update(state="closed", closed_at=factories.AT - factories.DAY)
    [drawn] = programme.draw(audit, by=cast.vera, at=factories.AT)
    audit_findings.record(
        audit, team=cast.team, clause="3.1", severity="minor", text="Second calls leave no trace.", by=cast.vera,
        at=factories.AT, draw=drawn,
    )  # fmt: skip
    return {
        "data-request/": {"pk": asked.pk, "name": "note"},
        "data-breach/": {"pk": leaked.pk, "name": "assess"},
        "audits/": {"pk": audit.pk, "rank": 1, "number": 1},
        "course_take": {"pk": course.pk},
        "test_start": {"pk": course.pk},
        "practice_start": {"pk": course.pk},
        "test": {"pk": records.start(course, by=cast.rita, at=factories.AT).pk},
        "certificate": {"pk": done.pk},
        "certificate_pdf": {"pk": done.pk},
        "training_proof": {"pk": done.files.get().pk},
        "training_owed": {"pk": cast.rita.training_owed.filter(why="refresher").get().pk},
        "training_text": {"kind": "contract", "pk": cast.version.pk},
        "training_one": {"pk": cast.rita.pk, "course": course.course_id},
        "training_again": {"pk": cast.rita.pk, "version": course.pk},
        "course": {"pk": course.course_id},
        "course_revise": {"pk": course.course_id},
        "course_retire": {"pk": course.course_id},
        "course_draft": {"pk": draft.pk},
        "course_answers": {"pk": course.pk},
        "round": {"pk": round_.pk},
        "verify_code": {"code": done.code},
        "noncompliance/": {"pk": case.pk, "deadline": ticket.respond_id},
        "compliance/": {"code": "breaches"},
        "metrics/": {"code": "first", "kind": "csv"},
        "corrective-actions/": {"pk": action.pk},
        "measures/": {"pk": measure.pk},
        "reviews/": {"pk": review.pk, "what": "compile"},
        "tickets/": {"number": ticket.pk, "address": cast.carl.addresses.get().pk, "deadline": ticket.respond_id},
        "customers/": {"pk": cast.carl.pk, "address": cast.carl.addresses.get().pk},
        "person": {"pk": cast.rita.pk},
        "role_grant": {"pk": cast.rita.pk},
        "role_end": {"pk": cast.rita.pk, "grant": cast.rita.grants.get().pk},
        "person_act": {"pk": cast.rita.pk, "action": "invite"},
        "team": {"pk": cast.team.pk},
        "text": {"pk": MailText.objects.order_by("pk").values_list("pk", flat=True)[0]},
        "contract_settings": {"pk": cast.contract.pk},
        "account_reset_password_from_key": {"uidb36": "1", "key": "set-password"},
    }


def signed_in(user: User, **more: Any) -> Client:
    """A client whose session has begun: it would be written again by each request that is taken back."""
    client = Client(**more)
    client.force_login(user)
    client.get(reverse("health_live"))
    return client


def ask(client: Client, method: str, path: str) -> str:
    """What the answer is: its status, or where it leads if that is the sign-in. Nothing that it does is kept."""
    before, cookies = transaction.savepoint(), client.cookies.copy()
    try:
        answer = client.get(path) if method == "GET" else client.post(path)
    finally:
        transaction.savepoint_rollback(before)
        client.cookies = cookies
    leads_to = answer.headers.get("Location", "")
    return "sign-in" if leads_to.startswith("/sign-in/?next=") else str(answer.status_code)


def reviewed() -> dict[tuple[str, str], dict[str, str]]:
    """The table: what is answered to each role, by address and method."""
    table = {}
    for line in TABLE.read_text().splitlines()[1:]:
        *route, method = line.split()[: -len(ROLES)]
        table["".join(route), method] = dict(zip(ROLES, line.split()[-len(ROLES) :], strict=True))
    return table


def write(table: dict[tuple[str, str], dict[str, str]]) -> None:
    lines = [
        f"{route:<57} {method:<6} " + "".join(answers.get(role, "?").ljust(9) for role in ROLES).rstrip()
        for (route, method), answers in sorted(table.items(), key=lambda entry: f"{entry[0][0]:<57} {entry[0][1]}")
    ]
    TABLE.write_text("\n".join([HEAD, *lines]) + "\n")


@pytest.mark.slow
@pytest.mark.parametrize("role", ROLES)
@pytest.mark.usefixtures("plain_refusals")
def test_every_address_answers_this_role_as_the_reviewed_table_says(cast: Cast, role: str) -> None:
    parts = samples(cast)
    client = Client() if role == "nobody" else signed_in(getattr(cast, role))
    found: dict[tuple[str, str], str] = {}
    for route, name, needed in addresses():
        sample = {**parts.get(route.partition("/")[0] + "/", {}), **parts.get(name, {})}
        path = reverse(name, kwargs={part: sample.get(part, NOTHING) for part in needed})
        for method in ("GET", "POST"):
            found[route, method] = ask(client, method, path)
    if os.environ.get("CSP_WRITE_PERMISSIONS"):
        table = reviewed()
        write({asked: {**table.get(asked, {}), role: answer} for asked, answer in found.items()})
    assert found == {asked: answers[role] for asked, answers in reviewed().items()}, __doc__
