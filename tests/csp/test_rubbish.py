"""Rubbish in addresses, queries and forms: every answer is a sentence of ours, none is a crash.

Each address of the product is asked by people who may do most, with values that no page of ours would send.
"""

from __future__ import annotations

import re
from urllib.parse import urlencode

import pytest
from django.db import transaction
from django.urls import reverse

from tests.cast import Cast
from tests.csp.test_urls_roles import NOTHING, addresses, samples, signed_in

# What a query may name anywhere in the product, in one request: a view reads what it knows.
NAMES = re.findall(
    r"\S+",
    """
    after before q find scope since name mailbox current besides canned mode seen to into customer direction
    clause about show next kind channel priority category team due attention t m cc reply holding note body
    subject reason state resolution until other decision verdict agreed authority_needed agrees pattern
    also_rule_sender received_at files seen_through then text good day last_day criterion members owner what
    person aim how why limits course cosigner noticed_at in_confidence theme email login password password1
    password2 oldpassword code role office starts_at ends_at language zone title number key value address host
    port user download also user_id contract company party at is_active form-TOTAL_FORMS form-INITIAL_FORMS
    """,
)
VALUES = {
    "nul": "a\x00b",
    "superscript": "²",  # a digit to str.isdigit, and no number to int
    "huge": "9" * 4_500,  # longer than any field, and with more digits than int reads
    "early": "0001-01-01T00:00",
}


@pytest.mark.slow
@pytest.mark.usefixtures("plain_refusals")
@pytest.mark.parametrize("value", VALUES.values(), ids=VALUES.keys())
def test_rubbish_is_answered(cast: Cast, value: str) -> None:
    parts, crashed = samples(cast), []
    sent = urlencode(dict.fromkeys(NAMES, value))
    for user, mine in ((cast.sam, lambda route: True), (cast.adam, lambda route: route.startswith("settings/"))):
        client = signed_in(user, raise_request_exception=False)
        for route, name, needed in filter(lambda address: mine(address[0]), addresses()):
            found = {**parts.get(route.partition("/")[0] + "/", {}), **parts.get(name, {})}
            path = reverse(name, kwargs={part: found.get(part, NOTHING) for part in needed})
            asked = {"path": path, "QUERY_STRING": sent}
            told = {"path": path, "data": sent, "content_type": "application/x-www-form-urlencoded"}
            for method, request in ((client.get, asked), (client.post, told)):
                before, cookies = transaction.savepoint(), client.cookies.copy()
                answer = method(**request)
                transaction.savepoint_rollback(before)
                client.cookies = cookies
                if answer.status_code >= 500 and name != "health_ready":
                    cause = getattr(answer, "exc_info", (None, ""))
                    crashed.append(f"{method.__name__} {path} as {user}: {cause[0]} {str(cause[1])[:80]}")
    assert not crashed, "\n".join(crashed)
