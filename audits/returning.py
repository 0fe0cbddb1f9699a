"""The data of an ended contract as its controller gets it back (clause 6.1): every record as a line, files in base64.

What customers said of the service in confidence is not in it; it goes when the data is deleted.
"""

from __future__ import annotations

import base64
import itertools

from csp.exporting import Rows
from csp.models import Contract, Customer
from csp.privacy import contract_end, held
from tickets import holdings

HEADS = ("about", "part", "record")


class Unveiled(held.Veil):
    """Everything stands as it is: the data is the controller's."""

    def hide(self, text: str) -> str:
        return text


def rows(contract: Contract) -> Rows:
    """Customer by customer. Of one whom another contract knows, too, only that: their data is told apart by hand."""
    for number in contract_end.customers_of(contract):
        whom = f"customer:{number}"
        if contract_end.is_shared(number, contract):
            yield whom, [whom, "shared", {"note": "known under another contract, too; handed over by hand"}]
            continue
        customer = Customer.objects.get(pk=number)
        veil = Unveiled(customer)
        parts = itertools.chain(
            held.registered(customer, veil), held.sent_to(customer, veil), holdings.SOURCE.parts(customer, veil)
        )
        for part in parts:
            for record in part.rows:
                yield whom, [whom, part.code, record]
            for file in part.files:
                content = base64.b64encode(file.content).decode()
                yield whom, [whom, part.code, {"name": file.name, "content_base64": content}]
