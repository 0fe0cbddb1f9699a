"""Lakeside Home: its contract, teams, people, mailboxes, categories, canned replies. Made once, found again later."""

from __future__ import annotations

import dataclasses
import datetime as dt
from decimal import Decimal

from django.conf import settings
from django.contrib.auth.hashers import make_password
from django.db import transaction

from csp import trail
from csp.events import Act
from csp.models import Appointment, Contract, Mailbox, RoleGrant, Team, User
from csp.roles import Office, Role
from csp.teams import change_contract
from tickets import authority
from tickets.models import CannedReply, Category

PASSWORD = "lakeside-demo"  # noqa: S105  of the demonstration only, and printed by it
ZONE = "Europe/London"
OPENED = dt.timedelta(days=400)  # so long before the present have these people worked here
AGREED = dt.timedelta(days=100)  # so long before the present the contract came into force: before all of the history


@dataclasses.dataclass(frozen=True, slots=True)
class Person:
    name: str
    role: Role
    team: str = ""  # a key of TEAMS
    language: str = "en-gb"

    @property
    def email(self) -> str:
        return f"{self.name.split()[0].lower()}@lakeside.example"


# key: the team's name, its mailbox and the name that customers see
TEAMS = {
    "orders": ("Orders and delivery", "support@example.com", "Lakeside Home"),
    "repairs": ("Repairs and warranty", "repairs@example.com", "Lakeside Home Repairs"),
    "invoices": ("Invoices and accounts", "invoices@example.com", "Lakeside Home Invoices"),
}

PEOPLE = (
    Person("Helena Marsh", Role.SUPERVISOR, "orders"),
    Person("Idris Kamara", Role.REPRESENTATIVE, "orders"),
    Person("Saskia Brandt", Role.REPRESENTATIVE, "orders", "de"),
    Person("Owen Pryce", Role.REPRESENTATIVE, "orders"),
    Person("Viktor Hale", Role.SUPERVISOR, "repairs"),
    Person("Noor Haddad", Role.REPRESENTATIVE, "repairs"),
    Person("Leon Fischer", Role.REPRESENTATIVE, "repairs", "de"),
    Person("Beth Calloway", Role.REPRESENTATIVE, "repairs"),
    Person("Amara Diallo", Role.SUPERVISOR, "invoices"),
    Person("Jun Takeda", Role.REPRESENTATIVE, "invoices"),
    Person("Petra Lindgren", Role.REPRESENTATIVE, "invoices"),
    Person("Fiona Reyes", Role.ANALYST),
    Person("Tomas Verhoef", Role.AUDITOR),
    Person("Ada Quill", Role.ADMINISTRATOR),
)

# What they may grant alone when the contract comes into force; schooling tells of the change.
LIMITS = {Role.REPRESENTATIVE: Decimal(50), Role.SUPERVISOR: Decimal(500)}

CANNED = (
    ("Technician's visit", "en-gb", "The technician comes on [day] between [hour] and [hour] and rings before."),
    ("Money goes back", "en-gb", "The money goes back the way you paid, which takes up to five working days."),
    ("Spare part is in the post", "en-gb", "The part left us today as a letter and should be with you on [day]."),
    ("Please send a photograph", "en-gb", "Could you send a photograph of the type plate? It is inside the door."),
    ("Techniker kommt", "de", "Der Techniker kommt am [Tag] zwischen [Stunde] und [Stunde] Uhr und ruft vorher an."),
    ("Gutschrift", "de", "Der Betrag geht auf dem Weg zurück, auf dem Sie bezahlt haben; das dauert bis zu fünf Tage."),
)


@dataclasses.dataclass(slots=True)
class Company:
    """The rows behind the keys above."""

    contract: Contract
    teams: dict[str, Team]
    mailboxes: dict[str, Mailbox]
    supervisors: dict[str, User]
    representatives: dict[str, list[User]]
    categories: dict[str, Category]


@transaction.atomic
def make(anchor: dt.datetime, categories: set[str]) -> None:
    """The company as it stands at `anchor`, on a database that is fresh from its migrations."""
    since = anchor - OPENED
    contract = Contract.objects.order_by("pk").get()
    contract.zone = ZONE
    contract.save()
    contract.versions.filter(in_force_from__isnull=False).update(in_force_from=anchor - AGREED)
    names = [name for name, _address, _seen in TEAMS.values()]
    first = Team.objects.order_by("pk").get()  # the one that every installation begins with
    first.name = names[0]
    first.save()
    teams = {key: Team.objects.get_or_create(contract=contract, name=TEAMS[key][0],
                                             defaults={"created_at": since})[0] for key in TEAMS}  # fmt: skip
    for key, (_name, address, seen) in TEAMS.items():
        Mailbox.objects.create(
            team=teams[key], address=address, name=seen, is_default=key == "orders", cut_over_at=since, created_at=since
        )
    people = _people(contract, teams, since)
    told = {
        "company": settings.ORGANISATION, "party": "Northbridge Service Ltd",
        "privacy_url": "https://lakeside.example/privacy", "zone": ZONE,
    }  # fmt: skip
    change_contract(contract, told, by=people["Ada Quill"], at=since)
    Category.objects.bulk_create(Category(contract=contract, name=name) for name in sorted(categories))
    for role, amount in LIMITS.items():
        authority.set_limit(contract, role=role, amount=amount, by=people["Ada Quill"], at=anchor - AGREED)
    author, approver = people["Idris Kamara"], people["Helena Marsh"]
    CannedReply.objects.bulk_create(
        CannedReply(
            contract=contract, title=title, language=language, body=body, written_by=author, written_at=since,
            approved_by=approver, approved_at=since + dt.timedelta(days=1),
        )
        for title, language, body in CANNED
    )  # fmt: skip


def _people(contract: Contract, teams: dict[str, Team], since: dt.datetime) -> dict[str, User]:
    hashed = make_password(PASSWORD)  # once: hashing is slow on purpose
    people = {}
    for person in PEOPLE:
        user = User.objects.create_user(
            person.email, name=person.name, language=person.language, zone=ZONE, joined_at=since,
            signature=f"{person.name}\n{settings.ORGANISATION}" if person.team else "",
        )  # fmt: skip
        User.objects.filter(pk=user.pk).update(password=hashed)
        people[person.name] = user
    administrator = people["Ada Quill"]
    entries = []
    for person in PEOPLE:
        user = people[person.name]
        team = teams[person.team] if person.team else None
        grant = RoleGrant.objects.create(
            user=user, role=person.role, team=team, starts_at=since, granted_by=administrator,
            contract=contract if person.role in (Role.ANALYST, Role.AUDITOR) else None,
        )  # fmt: skip
        facts = {"grant": grant.pk, "role": person.role, "team": team.pk if team else None}
        entries.append(
            trail.Entry(Act.ROLE_GRANTED, f"user:{user.pk}", by=administrator, at=since, facts=facts)
        )  # fmt: skip
    for office, name, deputy in (
        (Office.COMPANY_REPRESENTATIVE, "Ada Quill", "Helena Marsh"),
        (Office.PARTY_REPRESENTATIVE, "Tomas Verhoef", None),
        (Office.COMPLIANCE_OWNER, "Helena Marsh", "Viktor Hale"),
        (Office.PRIVACY_OWNER, "Amara Diallo", "Ada Quill"),
        (Office.FEEDBACK_LEAD, "Fiona Reyes", "Amara Diallo"),
    ):
        row = Appointment.objects.create(
            contract=contract, office=office, user=people[name], deputy=people[deputy] if deputy else None,
            starts_at=since, appointed_by=administrator,
        )  # fmt: skip
        entries.append(
            trail.Entry(
                Act.APPOINTED, f"appointment:{row.pk}", by=administrator, at=since,
                facts={"office": office, "user": people[name].pk},
            )
        )  # fmt: skip
    trail.record_all(entries)
    return people


def load() -> Company:
    """The company that `make` made."""
    contract = Contract.objects.order_by("pk").get()
    keys = {name: key for key, (name, _address, _seen) in TEAMS.items()}
    teams = {keys[team.name]: team for team in contract.teams.select_related("contract") if team.name in keys}
    users = User.objects.in_bulk([person.email for person in PEOPLE], field_name="email")
    supervisors: dict[str, User] = {}
    representatives: dict[str, list[User]] = {key: [] for key in TEAMS}
    for person in PEOPLE:
        if person.role == Role.SUPERVISOR:
            supervisors[person.team] = users[person.email]
        elif person.role == Role.REPRESENTATIVE:
            representatives[person.team].append(users[person.email])
    return Company(
        contract=contract,
        teams=teams,
        mailboxes={key: Mailbox.objects.get(address=TEAMS[key][1]) for key in TEAMS},
        supervisors=supervisors,
        representatives=representatives,
        categories={row.name: row for row in Category.objects.filter(contract=contract)},
    )


def sign_ins() -> str:
    """Who may sign in with what, as lines for a terminal."""
    lines = [f"Sign in with the password {PASSWORD} as"]
    for person in PEOPLE:
        what = f"{person.role.label.lower()}{', ' + TEAMS[person.team][0] if person.team else ''}"
        lines.append(f"  {person.email:<26}{what}")
    return "\n".join(lines)
