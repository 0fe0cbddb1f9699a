"""What a message is: a pipeline of small named steps, the first that knows decides. Pure.

    verdict = verdicts.judge(message, facts=Facts(own_addresses=..., answers_ours=...))
    verdict.kind, verdict.reason, verdict.sentence, verdict.acknowledge, verdict.bounce

The caller fills `Facts` from the database. The order of `STEPS` is part of the contract of this module:

    our_own         our signed mark: a message of ours that came back, never read again         OWN
    bounced         reports that one of ours did not arrive                                     BOUNCE
    replied_itself  out of office, receipts: kept, no clock, never answered                     AUTOMATIC
    cannot_be_read  a person must look at the source; its clock runs                            PARKED
    expected        an answer of a participant, or a sender on the list as allowed              INQUIRY
    blocked         the sender list says so                                                     UNSORTED
    forged          pretends to be us and fails the check of a server that we trust             UNSORTED
    from_ourselves  one of our addresses without our mark: a form, or a loop                    UNSORTED
    from_a_machine  noreply, lists, bulk, forms                                                 UNSORTED
    perhaps_spam    a sum of small signs, each of which can be read in the reason               UNSORTED

and else INQUIRY. List and signs stand behind `expected`, so a participant's answer is never unsorted because of them.
Nothing here drops a message: UNSORTED is a queue with a time of its own (clause 3.1), where a person rules.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from django.utils.translation import gettext_lazy as _

from . import bounces, references
from .bounces import Bounce
from .message import Message
from .phrases import AWAY, FORM_MAILERS, LURES, NOREPLY


class Kind(StrEnum):
    INQUIRY = "inquiry"
    BOUNCE = "bounce"
    AUTOMATIC = "automatic"
    OWN = "own"
    UNSORTED = "unsorted"
    PARKED = "parked"


class SenderRule(StrEnum):
    """What the list of senders says of this one."""

    NONE = "none"
    ALLOWED = "allowed"
    BLOCKED = "blocked"


REASONS = {
    "inquiry": _("Nothing speaks against a person who wants an answer."),
    "answers_ours": _("It answers a message of ours and comes from a participant."),
    "allowed": _("The sender is on the list as allowed."),
    "own_mark": _("It is a message of our own that came back."),
    "not_delivered": _("It reports that a message of ours was not delivered."),
    "not_yet_delivered": _("It reports that a message of ours is not delivered yet."),
    "delivered": _("It confirms that a message of ours was delivered."),
    "read_receipt": _("It is a receipt that says what became of a message of ours."),
    "auto_replied": _("It calls itself an automatic reply."),
    "out_of_office": _("It is an out-of-office notice."),
    "unreadable": _("It cannot be read."),
    "blocked": _("The sender is on the list as blocked."),
    "forged_own_domain": _("It claims to come from our own domain, and the check of the sender failed."),
    "own_address": _("It comes from one of our own addresses, but we did not send it: perhaps a form."),
    "auto_generated": _("It says that a program made it."),
    "noreply": _("Its sender takes no answers."),
    "mailing_list": _("It comes from a mailing list or a newsletter."),
    "bulk": _("It says that it was sent in bulk."),
    "form": _("It comes from a form: the sender is the website, the customer stands elsewhere."),
    "spam": _("Several small signs speak for spam."),
}


@dataclass(frozen=True)
class Facts:
    """What is known of a message beyond its bytes."""

    own_addresses: frozenset[str] = frozenset()  # lower case, without +tags
    own_domains: frozenset[str] = frozenset()
    sender_rule: SenderRule = SenderRule.NONE
    answers_ours: bool = False  # carries a reference of ours that is good for this sender
    known_customer: bool = False
    keys: Sequence[bytes] = field(default=(), repr=False)  # of references, to know our own mark
    trusted_checkers: frozenset[str] = frozenset()  # whose Authentication-Results and spam headers we believe


@dataclass(frozen=True)
class Verdict:
    """The kind, the name of the reason and what it was seen by. `acknowledge`: whether an automatic answer is safe."""

    kind: Kind
    reason: str
    detail: str = ""
    acknowledge: bool = False
    bounce: Bounce | None = None

    @property
    def sentence(self) -> str:
        return f"{REASONS[self.reason]} ({self.detail})" if self.detail else str(REASONS[self.reason])


Step = Callable[[Message, Facts], Verdict | None]


def judge(message: Message, *, facts: Facts) -> Verdict:
    """The verdict of the first step that knows."""
    for step in STEPS:
        verdict = step(message, facts)
        if verdict is not None:
            return verdict
    return Verdict(Kind.INQUIRY, "inquiry", acknowledge=may_be_answered(message, facts))


def may_be_answered(message: Message, facts: Facts) -> bool:
    """Whether an automatic answer can do no harm; where it is not sent the duty stays with a person (clause 3.1)."""
    to = message.answer_address.lower()
    suppressed = {word.strip() for word in message.header("x-auto-response-suppress").lower().split(",")}
    return bool(
        to
        and message.return_path != ""
        and _bare(to) not in facts.own_addresses
        and not _is_noreply(to)
        and not suppressed & {"all", "autoreply", "oof"}
        and message.header("auto-submitted").lower().split(";")[0].strip() in {"", "no"}
        and message.header("precedence").lower() not in {"bulk", "junk", "list"}
    )


# ---------------------------------------------------------------- the steps


def our_own(message: Message, facts: Facts) -> Verdict | None:
    value = message.header(references.MARK_HEADER)
    if value and facts.keys and any(references.is_marked(one, value, keys=facts.keys) for one in message.message_ids):
        return Verdict(Kind.OWN, "own_mark")
    return None


def bounced(message: Message, facts: Facts) -> Verdict | None:
    report = bounces.find(message)
    if report is None:
        return Verdict(Kind.AUTOMATIC, "delivered") if bounces.is_delivery_report(message) else None
    who = ", ".join(f"{each.recipient} {each.status}".strip() for each in report.failures)[:300]
    return Verdict(Kind.BOUNCE, "not_delivered" if report.permanent else "not_yet_delivered", who, bounce=report)


def replied_itself(message: Message, facts: Facts) -> Verdict | None:
    """Automatic replies. "Made by a program" alone is none: forms and monitors say that, too (from_a_machine)."""
    if message.report_type == "disposition-notification":
        return Verdict(Kind.AUTOMATIC, "read_receipt")
    away = bool(AWAY.match(message.subject))
    submitted = message.header("auto-submitted").lower().split(";")[0].strip()
    answers = bool(facts.answers_ours or message.in_reply_to or message.references)
    replied = submitted in {"auto-replied", "auto-notified"} or any(
        message.header(name) and message.header(name).lower() not in {"no", "false"}
        for name in (
            "x-autoreply",
            "x-autorespond",
            "x-autoresponder",
            "x-auto-reply",
            "x-vacation",
            "x-mail-autoreply",
            "autoreply",
        )
    )
    replied = (
        replied
        or message.header("precedence").lower() in {"auto_reply", "auto-reply"}
        or bool(message.header("x-autoreply-from"))
    )
    if replied and (answers or away):
        return Verdict(Kind.AUTOMATIC, "out_of_office" if away else "auto_replied")
    made = (
        submitted not in {"", "no"}
        or replied
        or message.return_path == ""
        or message.header("precedence").lower() in {"bulk", "junk"}
        or bool(message.header("x-auto-response-suppress"))
        or bool(message.header("x-ms-exchange-inbox-rules-loop"))
    )
    if away and made:
        return Verdict(Kind.AUTOMATIC, "out_of_office")
    return None


def cannot_be_read(message: Message, facts: Facts) -> Verdict | None:
    problem = message.unreadable
    return (
        Verdict(Kind.PARKED, "unreadable", problem.name, acknowledge=may_be_answered(message, facts))
        if problem
        else None
    )


def blocked(message: Message, facts: Facts) -> Verdict | None:
    return Verdict(Kind.UNSORTED, "blocked") if facts.sender_rule is SenderRule.BLOCKED else None


def expected(message: Message, facts: Facts) -> Verdict | None:
    if facts.answers_ours and not _program_made(message):
        return Verdict(Kind.INQUIRY, "answers_ours", acknowledge=may_be_answered(message, facts))
    if facts.sender_rule is SenderRule.ALLOWED:
        return Verdict(Kind.INQUIRY, "allowed", acknowledge=may_be_answered(message, facts))
    return None


def forged(message: Message, facts: Facts) -> Verdict | None:
    results = _trusted_results(message, facts)
    if _domain(message.sender.address) not in facts.own_domains or results.get("dmarc") == "pass":
        return None
    failed = [method for method in ("dmarc", "spf", "dkim") if results.get(method) in {"fail", "softfail", "permerror"}]
    return Verdict(Kind.UNSORTED, "forged_own_domain", ", ".join(failed)) if failed else None


def from_ourselves(message: Message, facts: Facts) -> Verdict | None:
    return (
        Verdict(Kind.UNSORTED, "own_address", message.sender.address)
        if _bare(message.sender.address) in facts.own_addresses
        else None
    )


def from_a_machine(message: Message, facts: Facts) -> Verdict | None:
    if _is_noreply(message.sender.address):
        return Verdict(Kind.UNSORTED, "noreply", message.sender.address)
    if _program_made(message):
        return Verdict(Kind.UNSORTED, "auto_generated", message.header("auto-submitted"))
    form = next((name for name in _FORM_FIELDS if message.header(name)), None) or next(
        (
            mailer
            for mailer in (message.header("x-mailer"), message.header("x-php-originating-script"))
            if FORM_MAILERS.search(mailer)
        ),
        None,
    )
    if form:
        return Verdict(Kind.UNSORTED, "form", form)
    if facts.known_customer:
        return None  # people write through group addresses, which look like lists
    if message.header("list-id") or message.header("list-unsubscribe") or message.header("feedback-id"):
        return Verdict(Kind.UNSORTED, "mailing_list", message.header("list-id"))
    if message.header("precedence").lower() in {"bulk", "junk", "list"}:
        return Verdict(Kind.UNSORTED, "bulk", message.header("precedence"))
    return None


_SPAM_AT = 5


def perhaps_spam(message: Message, facts: Facts) -> Verdict | None:
    signs = spam_signs(message, facts)
    score = sum(signs.values())
    if score >= _SPAM_AT + (3 if facts.known_customer else 0):
        return Verdict(Kind.UNSORTED, "spam", ", ".join(f"{name} {points}" for name, points in signs.items()))
    return None


STEPS: tuple[Step, ...] = (
    our_own,
    bounced,
    replied_itself,
    cannot_be_read,
    expected,
    blocked,
    forged,
    from_ourselves,
    from_a_machine,
    perhaps_spam,
)

# ---------------------------------------------------------------- the signs

_FORM_FIELDS = (
    "x-form-name",
    "x-wpcf7-content-type",
    "x-contact-form",
    "x-jotform-id",
    "x-typeform-id",
    "x-formspree",
    "x-gravityforms",
)
_LINK = re.compile(r"https?://[^\s<>\"]{3,}")
_DANGEROUS = (".exe", ".scr", ".js", ".vbs", ".bat", ".cmd", ".com", ".pif", ".hta", ".jar", ".iso", ".lnk", ".wsf")


def spam_signs(message: Message, facts: Facts) -> dict[str, int]:
    """Every sign that speaks for spam, with its points; explainable, and few enough to be read."""
    results = _trusted_results(message, facts)
    said = f"{message.subject}\n{message.text[:20_000]}"
    without_links = _LINK.sub("", message.text[:20_000]).strip(" \n<>[]()-")
    lures = {match.lower() for match in LURES.findall(said)}
    links = len(_LINK.findall(message.text[:20_000]))
    # Anybody can write "X-Spam: no"; a stranger has no reason to write "yes", so the header only ever adds.
    flagged = message.header("x-spam-flag").lower().startswith("yes") or message.header(
        "x-spam-status"
    ).lower().startswith("yes")
    signs = {
        "filter": 5 if flagged else 0,
        "dmarc": 4 if results.get("dmarc") == "fail" else 0,
        "spf": 2 if results.get("spf") in {"fail", "softfail"} and results.get("dmarc") != "pass" else 0,
        "dkim": 1 if results.get("dkim") == "fail" else 0,
        "link_only": 5 if links and len(without_links) < 20 and not message.attachments else 0,
        "lures": min(6, 3 * len(lures)),
        "many_links": 2 if links > 10 else 0,
        "program_attached": 5 if any(each.name.lower().endswith(_DANGEROUS) for each in message.attachments) else 0,
        "other_reply_domain": 1
        if message.reply_to and _domain(message.answer_address) != _domain(message.sender.address)
        else 0,
        "name_is_other_address": 2 if _names_another_address(message) else 0,
        "shouting": 1 if len(message.subject) > 12 and message.subject.isupper() and message.subject.isascii() else 0,
        "hidden_recipients": 1 if message.header("to").lower().startswith("undisclosed") else 0,
    }
    return {name: points for name, points in signs.items() if points}


def _names_another_address(message: Message) -> bool:
    found = re.search(r"[\w.+-]{1,64}@([\w.-]{1,253})", message.sender.name)
    return bool(found) and _domain(message.sender.address) != found.group(1).lower() if found else False


def _program_made(message: Message) -> bool:
    return message.header("auto-submitted").lower().split(";")[0].strip() not in {"", "no"}


def _is_noreply(address: str) -> bool:
    return bool(NOREPLY.match(address[:320]))


def _trusted_results(message: Message, facts: Facts) -> dict[str, str]:
    """The topmost results of a checker that we trust; a stranger can write such a field himself."""
    return next((each.results for each in message.authentication if each.checked_by in facts.trusted_checkers), {})


def _domain(address: str) -> str:
    return address.rpartition("@")[2].lower()


def _bare(address: str) -> str:
    """The address without its +tag, to compare with our own."""
    local, at, domain = address.lower().rpartition("@")
    return f"{local.split('+')[0]}{at}{domain}"
