"""What an installation still lacks before it can keep its promises: said to administrators until it is there."""

from __future__ import annotations

import dataclasses
import datetime as dt

from django.conf import settings
from django.contrib.auth.hashers import UNUSABLE_PASSWORD_PREFIX
from django.utils.translation import gettext as _

from csp import access, agreement, notices
from csp.events import Act
from csp.models import Contract, Mailbox, Notice, RoleGrant, Team, TrailEntry
from csp.roles import Role


@dataclasses.dataclass(frozen=True, slots=True)
class Step:
    """One thing to set up, in a sentence; whether it is done, and the page (a url name) on which it is done."""

    code: str
    sentence: str
    done: bool
    url_name: str


def steps(at: dt.datetime) -> list[Step]:
    """Everything to set up, in a good order, each done or not."""
    contracts = list(Contract.objects.all())
    bare = unsupervised(at)
    boxes = Mailbox.objects.filter(is_active=True)
    return [
        Step(
            "administrator", _("Somebody can sign in and add others."),
            bool(access.people_with(Role.ADMINISTRATOR, at=at)), "people",
        ),
        Step(
            "company", _("The company has a name: it stands under every acknowledgement."),
            all(contract.company for contract in contracts), "contract_settings",
        ),
        Step(
            "party", _("The other party of the contract has a name."),
            all(contract.party for contract in contracts), "contract_settings",
        ),
        Step(
            "zone", _("Somebody has said in which time zone the contract's days begin (%(zones)s).")
            % {"zones": ", ".join(sorted({contract.zone for contract in contracts}))},
            all(_zone_is_chosen(contract, at) for contract in contracts), "contract_settings",
        ),
        Step(
            "privacy", _("Customers can find the privacy notice."),
            all(contract.privacy_url for contract in contracts), "contract_settings",
        ),
        Step("team", _("There is a team."), Team.objects.filter(is_active=True).exists(), "teams"),
        Step(
            "supervisor",
            _("Every team has a supervisor to escalate to.")
            if not bare
            else _("No supervisor yet: %(teams)s.") % {"teams": ", ".join(team.name for team in bare)},
            not bare, "people",
        ),
        Step("mailbox", _("A mailbox says where customers write to."), boxes.exists(), "mailboxes"),
        Step(
            "sender", _("Mail without a mailbox of its own has an address to be sent from."),
            boxes.filter(is_default=True).exists() or not settings.DEFAULT_FROM_EMAIL.endswith("@localhost"),
            "mailboxes",
        ),
    ]  # fmt: skip


def _zone_is_chosen(contract: Contract, at: dt.datetime) -> bool:
    """Whether both parties have signed it, or a person has saved the record on which it stands since that was made."""
    if agreement.in_force(contract, at).is_signed:
        return True
    return TrailEntry.objects.filter(subject=f"contract:{contract.pk}", act=Act.CONTRACT_CHANGED).exists()


def missing(at: dt.datetime) -> list[Step]:
    """The steps that are not done."""
    return [step for step in steps(at) if not step.done]


def somebody_can_sign_in() -> bool:
    """Whether any active account has a role and a password: else the sign-in page says how to make the first."""
    grants = RoleGrant.objects.filter(user__is_active=True, ends_at__isnull=True)
    return grants.exclude(user__password__startswith=UNUSABLE_PASSWORD_PREFIX).exists()


def unsupervised(at: dt.datetime) -> list[Team]:
    """Active teams in which nobody is a supervisor at that moment."""
    watched = RoleGrant.objects.in_force(at).filter(role=Role.SUPERVISOR, user__is_active=True).values("team")
    return list(Team.objects.filter(is_active=True).exclude(pk__in=watched).order_by("name", "pk"))


def tell_unsupervised(at: dt.datetime) -> int:
    """Tell the administrators of each team with nobody to escalate to, once a day. Returns how many notices it took."""
    teams = unsupervised(at)
    administrators = notices.Rungs(at).administrators() if teams else []
    told = 0
    for team in teams:
        key = f"unsupervised:{team.pk}:{at:%Y-%m-%d}"
        known = set(Notice.objects.filter(key=key).values_list("user", flat=True))
        new = [user for user in administrators if user.pk not in known]
        facts = {"code": "unsupervised", "team": team.name}
        notices.tell(
            notices.Telling(kind=Notice.Kind.SYSTEM, key=key, to=new, path=f"/settings/teams/{team.pk}/", facts=facts),
            at=at,
        )
        told += len(new)
    return told
