"""Mail of which the intake cannot tell whether a person wrote it: it lies among the unsorted and waits for a ruling."""

from __future__ import annotations

import dataclasses
import datetime as dt
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime

from csp.demo.past import land


@dataclasses.dataclass(frozen=True, slots=True)
class Stray:
    hours_ago: float
    sender: str
    to: str
    subject: str
    text: str
    headers: tuple[tuple[str, str], ...] = ()


STRAYS = (
    Stray(
        1.2, "Kitchen Trade Weekly <news@trade-weekly.example>", "support@example.com", "Ten worktops for the season",
        "Ten worktops that everybody talks about, and one that nobody should buy. Read on in the issue of this week.",
        (("List-Id", "Kitchen Trade Weekly <news.trade-weekly.example>"), ("Precedence", "bulk")),
    ),
    Stray(
        3.4, "noreply@forms.example", "repairs@example.com", "New message from your web form",
        "Name: Ottilie Brandwood\nTelephone: 020 7946 0011\nMessage: My Tarn 8 does not open any more, and the washing "
        "is inside. Please ring me in the afternoon.",
    ),
    Stray(
        5.1, "Parcel service <no-reply@parcels.example>", "support@example.com", "Your pick-up is planned",
        "Dear sender, four parcels are picked up from your depot tomorrow between 14 and 16. Please do not answer.",
        (("Auto-Submitted", "auto-generated"),),
    ),
    Stray(
        8.8, "Claims Desk <refund@winner.example>", "invoices@example.com", "URGENT!!! You have WON 4,500,000 - claim",
        "Dear beneficiary, your e-mail address has won the lottery. Send us your bank account and passport to release "
        "the funds at once: http://claim.winner.example/now http://claim.winner.example/pay",
    ),
    Stray(
        14.5, "mailer@market.example", "invoices@example.com", "Statement for your shop account is ready",
        "Your monthly statement can be fetched from your account. This message was made by a machine.",
        (("Precedence", "bulk"),),
    ),
)  # fmt: skip


def land_all(anchor: dt.datetime) -> None:
    """Let them come in; the same bytes landing again are no second message."""
    for number, stray in enumerate(STRAYS):
        at = anchor - dt.timedelta(hours=stray.hours_ago)
        mail = EmailMessage(policy=SMTP)
        mail["From"], mail["To"], mail["Subject"] = stray.sender, stray.to, stray.subject
        mail["Date"] = format_datetime(at)
        mail["Message-ID"] = f"<stray.{number}.story@{stray.sender.rstrip('>').partition('@')[2]}>"
        for name, value in stray.headers:
            mail[name] = value
        mail.set_content(stray.text)
        land(mail.as_bytes(), sender=stray.sender.rstrip(">").rpartition("<")[2], to=stray.to, at=at)
