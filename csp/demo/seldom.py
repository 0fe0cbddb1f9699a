"""What happens once in ninety days: matters whose persons, words and times are fixed, told among all the others.

The keys are known to whoever goes on from there: a hold, an erasure, a lock, somebody who is away.
"""

from __future__ import annotations

import dataclasses

from csp.demo.matters import Matter, Writer

HOUR, DAY = 60.0, 1440.0  # in minutes, as csp.demo.plan counts

APPROVED, REFUSED, COLLEAGUE, FORGOTTEN, DISPUTED, UNCOVERED = "r0", "r1", "r2", "r3", "r4", "r5"


@dataclasses.dataclass(frozen=True, slots=True)
class Once:
    """One matter, received so many minutes before the present. Each step: what, minutes after the last, words."""

    key: str
    ago: float
    agent: str
    writer: Writer
    matter: Matter
    steps: tuple[tuple[str, float, str], ...]


def _matter(team: str, kind: str, category: str, subject: str, text: str) -> Matter:
    return Matter(team, kind, category, "en", subject, text, ())


_END = ("close", 7 * DAY, "")

ONCE = (
    Once(
        APPROVED, 58 * DAY, "Idris Kamara", Writer("Marguerite Oduba", "m.oduba@post.example", "en"),
        _matter(
            "orders", "complaint", "Goodwill", "Three days off work for one oven",
            "I took a day off for the delivery of order LH-271804 three times, and three times nobody came. The oven "
            "is here now. What do you offer me for the days?\n\nKind regards\nMarguerite Oduba",
        ),
        (
            ("acknowledge", 1, ""), ("take", 25, ""),
            ("note", 30, "All three slots were confirmed by us and none of the tours was driven. The fault is ours."),
            ("grant", 10, "180.00 Goodwill for three lost days"), ("agree", 50, ""),
            ("answer", 20, "Dear Marguerite,\n\nall three days were lost through our fault. We pay you 180.00 for "
             "them, with our apology; the money is on your account within five working days."),
            ("again", 5 * HOUR, "That is decent of you. Thank you.\n\nMarguerite"),
            ("no_reply", HOUR, "Thanks only, nothing is asked."),
            ("resolve", 30, "180.00 of goodwill, agreed by the supervisor."), _END,
        ),
    ),
    Once(
        REFUSED, 49 * DAY, "Noor Haddad", Writer("Clement Harrow", "clement.harrow@mail.example", "en"),
        _matter(
            "repairs", "complaint", "Repair", "Freezer repaired, food spoilt",
            "The freezer was repaired two days later than promised and everything in it was lost. I want 400 for the "
            "food. There is no list of it, but it was full.\n\nRegards\nClement Harrow",
        ),
        (
            ("acknowledge", 1, ""), ("take", 40, ""), ("grant", 60, "400.00 For the spoilt food, as asked"),
            ("refuse", 90, "Without a list we pay the flat sum of the procedure, 50.00. Offer him to send one."),
            ("grant", 15, "50.00 The flat sum for spoilt food"),
            ("answer", 20, "Dear Clement,\n\nthe repair was late and we are sorry. Without a list we can pay the flat "
             "sum of 50.00 for the food; it is on its way. If you can send us a list, we look at it again."),
            ("resolve", 2 * DAY, "Flat sum of 50.00 paid; no list was sent."), _END,
        ),
    ),
    Once(
        COLLEAGUE, 36 * DAY, "Noor Haddad", Writer("Adaeze Wilmot", "adaeze.wilmot@inbox.example", "en"),
        _matter(
            "repairs", "complaint", "Conduct", "Spoken to like a child",
            "I rang about my dryer this morning. Your Ms Calloway told me that even a child could read the manual, and "
            "hung up. I do not wish to speak to her again.\n\nAdaeze Wilmot",
        ),
        (
            ("acknowledge", 1, ""), ("take", 20, ""), ("about", 5, "Beth Calloway"),
            ("note", 2 * HOUR, "Listened to the recording together with Viktor. It was as the customer says."),
            ("answer", 40, "Dear Adaeze,\n\nwe have listened to the call. Nobody should be spoken to like that, and we "
             "apologise. You will not have to deal with the colleague again; I see to your dryer myself."),
            ("again", 3 * HOUR, "Thank you for taking it seriously.\n\nAdaeze"),
            ("no_reply", HOUR, "Thanks only, nothing is asked."),
            ("resolve", 30, "Apologised; spoken to the colleague; another person looks after the customer."), _END,
        ),
    ),
    Once(
        FORGOTTEN, 66 * DAY, "Petra Lindgren", Writer("Isolde Fenwick", "isolde.fenwick@example.net", "en"),
        _matter(
            "invoices", "inquiry", "Invoice", "Copy of an invoice for my landlord",
            "Could you send me a copy of invoice R-30417? I move out and my landlord asks for it.\n\nIsolde Fenwick",
        ),
        (
            ("acknowledge", 1, ""), ("take", 30, ""),
            ("answer", 45, "Dear Isolde,\n\nthe copy of R-30417 can be fetched from your account under Invoices."),
            ("resolve", 2 * HOUR, "Invoice: settled with the customer."), _END,
        ),
    ),
    Once(
        DISPUTED, 40 * DAY, "Jun Takeda", Writer("Gregory Ashdown", "g.ashdown@example.org", "en"),
        _matter(
            "invoices", "inquiry", "Payment", "You say that I paid late",
            "Your reminder says that I paid invoice R-22980 three weeks late. I paid it on the day. Please look again."
            "\n\nGregory Ashdown",
        ),
        (
            ("acknowledge", 1, ""), ("take", 35, ""),
            ("answer", 90, "Dear Gregory,\n\nour bank shows the payment on the 21st. Could you send us your bank's "
             "statement of that day? We stop the reminders until then."),
            ("resolve", DAY, "Reminders stopped; the date of the payment is disputed."), _END,
        ),
    ),
    Once(
        UNCOVERED, 7 * HOUR, "Leon Fischer", Writer("Philippa Strand", "philippa.strand@post.example", "en"),
        _matter(
            "repairs", "inquiry", "Repair", "Is my technician still coming tomorrow?",
            "Mr Fischer promised to write until noon whether the part for my dishwasher has come. Is the visit "
            "tomorrow still on?\n\nPhilippa Strand",
        ),
        (("acknowledge", 1, ""), ("take", 15, ""), ("note", 20, "The depot looks for the part and rings back.")),
    ),
)  # fmt: skip
