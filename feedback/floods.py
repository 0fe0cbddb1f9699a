"""What holds a flood of the open form back (clause 7.1): nothing that a person says is dropped, and no desk drowns.

Who it is is counted as a keyed digest, for an hour, and stands nowhere else: the form may be anonymous. What waits
instead of being answered by a ticket at once lies in the supervisors' inbox, with its clock.
"""

from __future__ import annotations

import datetime as dt

from csp import notices, throttle
from csp.models import Contract, Notice
from feedback import themes
from tickets.intake import facts
from tickets.intake.verdicts import SenderRule

HOUR = dt.timedelta(hours=1)
# From one network address; a house or an office shares one.
FROM_ONE = 20
# With one mail address, be it typed in by whomever.
WITH_ONE = 3
# Of all, beyond which a supervisor looks at what expects an answer before anybody is answered by a ticket.
OF_ALL = 60
# Of all, beyond which the form asks for a mail instead: mail has signs of its own by which a flood is told from people.
FULL = 600


def is_shut(network: str) -> bool:
    """Count one more form. Whether it is one too many to be taken: from this network, or of all."""
    return throttle.is_over("tell-us", network, most=FROM_ONE, within=HOUR) or throttle.is_over(
        "tell-us-full", "", most=FULL, within=HOUR
    )


def waits(contract: Contract, address: str, *, at: dt.datetime) -> bool:
    """Count one more that expects an answer at this address. Whether a supervisor looks at it first."""
    rule = facts.rule_for(address, contract.pk)
    if rule is SenderRule.ALLOWED:
        return False
    many = throttle.is_over("tell-us-with", address.lower(), most=WITH_ONE, within=HOUR)
    flood = throttle.is_over("tell-us-all", "", most=OF_ALL, within=HOUR)
    if flood:
        _tell(contract, at)
    return rule is SenderRule.BLOCKED or many or flood


def _tell(contract: Contract, at: dt.datetime) -> None:
    """The feedback team, once in an hour."""
    notices.tell(
        notices.Telling(
            kind=Notice.Kind.FEEDBACK,
            key=f"flood:{contract.pk}:{at.astimezone(dt.UTC):%Y-%m-%d %H}",
            to=themes.team_of(contract, at),
            path="/feedback/",
            facts={"says": "feedback.flood", "count": OF_ALL},
        ),
        at=at,
    )
