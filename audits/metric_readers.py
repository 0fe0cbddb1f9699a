"""Who sees which figures (clauses 4.2, 6.2): everybody the whole and their own, few those of a person.

Representatives see no other person's figures. Supervisors see the people of their own teams, auditors everybody under
the contracts that they audit. Whoever may open what lies behind opens what they may see, and nothing else.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

from audits import listing, metrics
from csp import access
from csp.models import Contract, RoleGrant, Team, User
from csp.roles import Permission, Role


@dataclasses.dataclass(frozen=True, slots=True)
class Reader:
    """What one person sees of one contract's figures.

    `people_in` are the teams whose people are shown, `behind` those whose tickets are listed; None for all.
    """

    user: User
    contract: Contract
    by_part: bool
    people_in: frozenset[int] | None
    opens: bool  # the tickets of any figure, within `behind`
    behind: frozenset[int] | None

    @classmethod
    def of(cls, user: User, contract: Contract) -> Reader:
        scope = access.scope_of(user)
        audits = contract.pk in scope.contracts(Role.AUDITOR)
        opens = listing.may_see(user, contract)
        return cls(
            user=user,
            contract=contract,
            by_part=opens or access.may(user, Permission.SEE_METRICS_BY_PART, contract_id=contract.pk),
            people_in=None if audits else scope.teams_where(Permission.SEE_METRICS_BY_PERSON),
            opens=opens,
            behind=listing.teams_open_to(user, contract) if opens else frozenset(),
        )

    @property
    def dimensions(self) -> list[str]:
        """By what the figures may be broken down for this reader."""
        if not self.by_part:
            return [metrics.MONTH]
        return ["team", *(["person"] if self.people_in != frozenset() else []), "channel", "category", metrics.MONTH]

    def people(self) -> Sequence[User]:
        """Whose figures this person may ask for: own ones, and those of the people shown."""
        grants = RoleGrant.objects.filter(team__contract=self.contract, role__in=(Role.REPRESENTATIVE, Role.SUPERVISOR))
        if self.people_in is not None:
            grants = grants.filter(team__in=self.people_in)
        shown = User.objects.filter(pk__in=grants.values("user")) | User.objects.filter(pk=self.user.pk)
        return list(shown.distinct().order_by("name", "pk")) if self.works or self.people_in != frozenset() else []

    @property
    def works(self) -> bool:
        """Whether there are figures of this person's own work."""
        return bool(access.scope_of(self.user).teams(Role.REPRESENTATIVE, Role.SUPERVISOR) & self._teams())

    def _teams(self) -> frozenset[int]:
        return frozenset(Team.objects.filter(contract=self.contract).values_list("pk", flat=True))

    def within(self, person: int | None) -> frozenset[int] | None:
        """The teams that figures of this person are counted from: one's own are of everywhere."""
        return None if person in (None, self.user.pk) else self.people_in

    def may_open(self, person: int | None) -> bool:
        """Whether the tickets behind figures may be listed: as evidence, or of one's own work."""
        return self.opens or (person == self.user.pk and self.works)
