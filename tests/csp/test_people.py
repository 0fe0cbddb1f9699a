"""Accounts, dated roles and offices: who may change what, and what is left on record."""

from __future__ import annotations

import datetime as dt
import json
import threading

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client

from csp import people, readiness, teams
from csp.access import Refused
from csp.events import Act
from csp.models import Appointment, Contract, Notice, OutboundMessage, RoleGrant, Session, Team, TrailEntry, User
from csp.roles import Office, Role
from tests import factories
from tests.cast import Cast

AT = dt.datetime(2026, 3, 2, 9, tzinfo=dt.UTC)
NEW = {"name": "Nina New", "email": "Nina@Desk.example", "side": "company", "language": "de", "zone": "Europe/Berlin"}

pytestmark = pytest.mark.django_db


def last(act: Act) -> TrailEntry:
    entry = TrailEntry.objects.filter(act=act).order_by("-id").first()
    assert entry is not None
    return entry


def test_a_new_person_is_invited_in_their_language_and_recorded_without_the_name_in_the_facts(cast: Cast) -> None:
    nina = people.add(NEW, by=cast.adam, at=AT)
    assert nina.email == "nina@desk.example"
    assert not nina.has_usable_password()
    mail = OutboundMessage.objects.get()
    assert mail.to == ["nina@desk.example"]
    assert "/password/" in mail.body
    entry = last(Act.PERSON_ADDED)
    assert "Nina" not in entry.facts
    assert json.loads(entry.personal)["name"] == "Nina New"


def test_two_accounts_never_share_an_address(cast: Cast) -> None:
    people.add(NEW, by=cast.adam, at=AT)
    with pytest.raises(Refused):
        people.add({**NEW, "email": "NINA@desk.example"}, by=cast.adam, at=AT)


@pytest.mark.parametrize("who", ["rita", "sam", "fay", "vera"])
def test_only_administrators_manage_people(cast: Cast, who: str) -> None:
    user: User = getattr(cast, who)
    with pytest.raises(Refused):
        people.add(NEW, by=user, at=AT)
    with pytest.raises(Refused):
        people.grant(cast.rita, Role.SUPERVISOR, team=cast.team, by=user, at=AT)
    with pytest.raises(Refused):
        people.deactivate(cast.otto, by=user, at=AT)


def test_nobody_gives_or_ends_an_own_role(cast: Cast) -> None:
    with pytest.raises(Refused):
        people.grant(cast.adam, Role.SUPERVISOR, team=cast.team, by=cast.adam, at=AT)
    with pytest.raises(Refused):
        people.end_role(cast.adam.grants.get(), by=cast.adam, at=AT)


def test_a_role_begins_and_ends_and_stays_on_record(cast: Cast) -> None:
    given = people.grant(cast.otto, Role.REPRESENTATIVE, team=cast.team, by=cast.adam, at=AT, reason="holidays")
    assert json.loads(last(Act.ROLE_GRANTED).facts)["team"] == cast.team.pk
    with pytest.raises(Refused):
        people.grant(cast.otto, Role.REPRESENTATIVE, team=cast.team, by=cast.adam, at=AT)
    people.end_role(given, by=cast.adam, at=AT + dt.timedelta(days=1))
    given.refresh_from_db()
    assert given.ends_at == AT + dt.timedelta(days=1)
    with pytest.raises(Refused):
        people.end_role(given, by=cast.adam, at=AT + dt.timedelta(days=2))


@pytest.mark.parametrize(
    ("role", "where"), [(Role.REPRESENTATIVE, "contract"), (Role.SUPERVISOR, ""), (Role.AUDITOR, "team")]
)
def test_a_role_names_what_it_reaches(cast: Cast, role: Role, where: str) -> None:
    reach = {where: getattr(cast, where)} if where else {}
    with pytest.raises(Refused):
        people.grant(cast.otto, role, by=cast.adam, at=AT, **reach)


def test_the_last_administrator_stays(cast: Cast) -> None:
    ada = factories.person(name="Ada Second", role=Role.ADMINISTRATOR)
    people.end_role(cast.adam.grants.get(), by=ada, at=AT)
    cast.adam.held_cache = None
    with pytest.raises(Refused):
        people.deactivate(ada, by=cast.adam, at=AT)  # no longer an administrator
    other = factories.person(name="Abe Third", role=Role.ADMINISTRATOR)
    people.deactivate(other, by=ada, at=AT)
    assert [
        user.name
        for user in factories.User.objects.filter(grants__role=Role.ADMINISTRATOR, is_active=True, grants__ends_at=None)
    ] == ["Ada Second"]


@pytest.mark.django_db(transaction=True)
def test_two_administrators_cannot_remove_each_other_at_once() -> None:
    ada = factories.person(name="Ada First", role=Role.ADMINISTRATOR)
    abe = factories.person(name="Abe Second", role=Role.ADMINISTRATOR)
    start, refused = threading.Barrier(2), []

    def leave(user: User, by: User) -> None:
        try:
            start.wait()
            people.deactivate(user, by=by, at=AT)
        except Refused:
            refused.append(user.pk)
        finally:
            connection.close()

    both = [threading.Thread(target=leave, args=pair) for pair in ((ada, abe), (abe, ada))]
    for thread in both:
        thread.start()
    for thread in both:
        thread.join()
    assert len(refused) == 1
    assert User.objects.filter(is_active=True).count() == 1


def test_what_changed_meanwhile_is_not_written_back(cast: Cast) -> None:
    seen_before = User.objects.get(pk=cast.otto.pk)
    cast.otto.set_password("chosen meanwhile")
    cast.otto.save()
    people.change(seen_before, {"name": "Otto Renamed"}, by=cast.adam, at=AT)
    people.deactivate(seen_before, by=cast.adam, at=AT)
    now = User.objects.get(pk=cast.otto.pk)
    assert (now.name, now.is_active, now.left_at) == ("Otto Renamed", False, AT)
    assert now.check_password("chosen meanwhile")


def test_who_has_just_left_holds_no_office(cast: Cast) -> None:
    seen_before = User.objects.get(pk=cast.otto.pk)
    people.deactivate(cast.otto, by=cast.adam, at=AT)
    for holder, deputy in ((seen_before, None), (cast.sam, seen_before)):
        with pytest.raises(Refused):
            people.appoint(Office.FEEDBACK_LEAD, cast.contract, holder, deputy=deputy, by=cast.adam, at=AT)


def test_who_leaves_is_signed_out_at_once_and_loses_roles_and_offices(cast: Cast) -> None:
    client = Client()
    client.force_login(cast.sam)
    assert client.get("/account/").status_code == 200
    people.appoint(Office.COMPLIANCE_OWNER, cast.contract, cast.sam, by=cast.adam, at=AT)
    people.deactivate(cast.sam, by=cast.adam, at=AT)
    assert client.get("/account/").status_code == 302
    assert not Session.objects.filter(user=cast.sam).exists()
    assert not RoleGrant.objects.in_force(AT).filter(user=cast.sam).exists()
    assert not Appointment.objects.in_force(AT).filter(user=cast.sam).exists()
    facts = json.loads(last(Act.PERSON_DEACTIVATED).facts)
    assert facts["sessions_ended"] == 1
    assert len(facts["roles"]) == len(facts["offices"]) == 1


def test_who_comes_back_starts_without_roles_and_chooses_a_password(cast: Cast) -> None:
    people.deactivate(cast.sam, by=cast.adam, at=AT)
    people.reactivate(cast.sam, by=cast.adam, at=AT + dt.timedelta(days=1))
    cast.sam.refresh_from_db()
    assert cast.sam.is_active
    assert not cast.sam.has_usable_password()
    assert not RoleGrant.objects.in_force(AT + dt.timedelta(days=1)).filter(user=cast.sam).exists()
    assert OutboundMessage.objects.filter(to=[cast.sam.email]).exists()


def test_a_new_address_is_told_to_the_old_one(cast: Cast) -> None:
    people.change(cast.rita, {"email": "rita@new.example"}, by=cast.adam, at=AT)
    assert OutboundMessage.objects.get().to == ["rita@desk.example"]
    assert json.loads(last(Act.PERSON_CHANGED).personal) == {"email": "rita@desk.example"}


def test_an_office_has_one_holder_and_a_deputy_who_is_somebody_else(cast: Cast) -> None:
    first = people.appoint(Office.PRIVACY_OWNER, cast.contract, cast.sam, deputy=cast.rita, by=cast.adam, at=AT)
    people.appoint(Office.PRIVACY_OWNER, cast.contract, cast.rita, by=cast.adam, at=AT + dt.timedelta(days=1))
    first.refresh_from_db()
    assert first.ends_at == AT + dt.timedelta(days=1)
    with pytest.raises(Refused):
        people.appoint(Office.PRIVACY_OWNER, cast.contract, cast.sam, deputy=cast.sam, by=cast.adam, at=AT)


# ---------------------------------------------------------------- teams and the contract's record


def test_a_team_that_owes_something_cannot_rest(cast: Cast) -> None:
    factories.ticket(team=cast.team, customer=cast.carl)
    with pytest.raises(Refused):
        teams.change(cast.team, name="Service desk", is_active=False, by=cast.adam, at=AT)
    teams.change(cast.other_team, name="Second desk", is_active=False, by=cast.adam, at=AT)
    assert not Team.objects.get(pk=cast.other_team.pk).is_active


def test_the_contracts_names_change_and_are_recorded(cast: Cast) -> None:
    teams.change_contract(cast.contract, {"company": "Lakeside"}, by=cast.adam, at=AT)
    assert Contract.objects.get().company == "Lakeside"
    assert json.loads(last(Act.CONTRACT_CHANGED).facts) == {"company": "Lakeside"}
    with pytest.raises(Refused):
        teams.change_contract(cast.contract, {"company": "Mine"}, by=cast.sam, at=AT)


# ---------------------------------------------------------------- the first run


def test_a_fresh_installation_says_what_is_missing(db: None) -> None:
    codes = {step.code for step in readiness.missing(AT)}
    assert {"administrator", "company", "party", "zone", "supervisor", "mailbox", "sender"} <= codes
    assert "team" not in codes


def test_the_time_zone_is_missing_until_somebody_has_saved_the_contracts_record(cast: Cast) -> None:
    assert "zone" in {step.code for step in readiness.missing(AT)}
    teams.change_contract(cast.contract, {"zone": "Europe/Berlin"}, by=cast.adam, at=AT)
    assert "zone" not in {step.code for step in readiness.missing(AT)}


def test_the_first_administrator_is_made_by_a_command_and_only_once(
    client: Client, capsys: pytest.CaptureFixture[str]
) -> None:
    assert b"first_admin" in client.get("/sign-in/").content
    call_command("first_admin", email="ada@desk.example", name="Ada First")
    link = capsys.readouterr().out.strip()
    assert link.startswith("http://localhost:8000/password/")
    # The link may have been lost: it is told how to get another until somebody has chosen a password.
    assert b"first_admin" in client.get("/sign-in/").content
    call_command("first_admin", email="ada@desk.example", name="Ada First")
    link = capsys.readouterr().out.strip()
    page = client.get(link.removeprefix("http://localhost:8000"), follow=True)
    assert b"Choose a password" in page.content
    ada = User.objects.get(email="ada@desk.example")
    assert RoleGrant.objects.filter(user=ada).count() == 1
    ada.set_password("a long enough Sentence")
    ada.save()
    assert b"first_admin" not in client.get("/sign-in/").content
    client.force_login(ada, backend="csp.access.TableBackend")
    assert client.get("/")["Location"] == "/first-run/"
    with pytest.raises(CommandError, match="administrator already"):
        call_command("first_admin", email="eve@desk.example", name="Eve")
    with pytest.raises(CommandError, match="not a mail address"):
        call_command("first_admin", email="eve", name="Eve")


def test_administrators_hear_of_a_team_without_supervisor_once_a_day(cast: Cast) -> None:
    people.deactivate(cast.olga, by=cast.adam, at=AT)
    assert readiness.tell_unsupervised(AT) == 1
    assert readiness.tell_unsupervised(AT) == 0
    assert readiness.tell_unsupervised(AT + dt.timedelta(days=1)) == 1
    notice = Notice.objects.filter(kind=Notice.Kind.SYSTEM).first()
    assert notice is not None
    assert notice.user == cast.adam


def test_administrators_see_on_every_page_what_is_missing_and_others_do_not(client: Client, cast: Cast) -> None:
    client.force_login(cast.adam)
    assert "missing before this desk" in client.get("/contract/").content.decode()
    client.force_login(cast.rita)
    assert "missing before this desk" not in client.get("/contract/").content.decode()


# ---------------------------------------------------------------- in the browser


def test_an_administrator_adds_somebody_and_gives_a_role(client: Client, cast: Cast) -> None:
    client.force_login(cast.adam)
    assert client.post("/settings/people/add/", NEW).status_code == 302
    nina = User.objects.get(email="nina@desk.example")
    page = f"/settings/people/{nina.pk}/"
    answer = client.post(f"{page}roles/", {"role": "supervisor", "team": cast.team.pk})
    assert answer.status_code == 302
    assert nina.grants.get().granted_by == cast.adam
    answer = client.post(f"{page}roles/", {"role": "supervisor"})
    assert answer.status_code == 422
    assert b"given in a team" in answer.content
    assert client.post(f"{page}deactivate/").status_code == 302
    nina.refresh_from_db()
    assert not nina.is_active


def test_an_address_that_is_taken_comes_back_as_a_sentence(client: Client, cast: Cast) -> None:
    client.force_login(cast.adam)
    answer = client.post("/settings/people/add/", {**NEW, "email": "RITA@desk.example"})
    assert answer.status_code == 422
    assert b"has an account with this address" in answer.content
    assert b"Nina New" in answer.content  # nothing typed is lost


def test_a_switch_of_theme_returns_only_to_our_own_pages(client: Client, cast: Cast) -> None:
    client.force_login(cast.rita)
    answer = client.post("/account/theme/", {"theme": "dark", "next": "https://evil.example/"})
    assert answer.headers["Location"] == "/"
    cast.rita.refresh_from_db()
    assert cast.rita.theme == "dark"


def test_notices_are_read_one_by_one_or_all_and_only_by_their_owner(client: Client, cast: Cast) -> None:
    rows = [
        Notice.objects.create(
            user=cast.rita, kind=Notice.Kind.REPLY, key=f"k{n}", subject_ref="#1", path="/contract/", created_at=AT
        )
        for n in range(2)
    ]
    client.force_login(cast.otto)
    assert client.post(f"/notices/{rows[0].pk}/open/").status_code == 404
    client.force_login(cast.rita)
    page = client.get("/notices/").content.decode()
    assert "the customer wrote" in page
    assert "Notices, 2 unread" in page  # the bell
    assert client.post(f"/notices/{rows[0].pk}/open/").headers["Location"] == "/contract/"
    assert Notice.objects.filter(read_at=None).count() == 1
    client.post("/notices/read/")
    assert not Notice.objects.filter(read_at=None).exists()


def test_the_contract_page_has_every_clause(client: Client, cast: Cast) -> None:
    from csp.contract import CLAUSES

    client.force_login(cast.fay)
    page = client.get("/contract/").content.decode()
    assert all(f'id="c{number}"' in page for number in CLAUSES)
    assert "unsigned" in page
