"""What the customers of the company said: surveys and remarks, themes, findings, what was done and what it changed."""

from __future__ import annotations

import datetime as dt
import random

from django.db import transaction

from csp import deadlines, trail
from csp.demo.company import PEOPLE, Company
from csp.demo.schooling import passed_by
from csp.models import OutboundMessage, User
from feedback import improvements, log, similar, surveys, themes
from feedback.models import ActionItem, Finding, Group, Outcome, Remark, Survey, Theme
from tickets import procedures
from training import requirements, updates
from training.models import CourseVersion

DAY, HOUR = dt.timedelta(days=1), dt.timedelta(hours=1)
SEED = 20_261
ASKED_FOR = 30  # days before the present in which customers were asked; what was said before came from a file
ANSWERED = HALF = 0.5  # of the surveys

# key of a theme: (its name, clause, team, remarks in each of thirteen weeks, scores from which is drawn)
SAID = {
    "window": ("Delivery window missed", "3.1", "orders", (1, 1, 2, 1, 1, 2, 1, 2, 2, 3, 2, 3, 3), (1, 2, 2, 3)),
    "phone": ("Waiting time on the phone", "3.1", "repairs", (3, 3, 2, 3, 2, 2, 1, 1, 0, 1, 0, 0, 0), (2, 2, 3, 3)),
    "invoice": ("Invoice hard to read", "3.1", "invoices", (1, 0, 1, 1, 0, 1, 1, 0, 1, 1, 0, 1, 0), (2, 3, 3, 4)),
    "care": ("Fitter's care at home", "2.1", "repairs", (0, 1, 0, 1, 1, 0, 1, 0, 1, 1, 1, 0, 2), (2, 3, 3, 4)),
    "kind": ("Friendly on the phone", "2.1", "orders", (1, 1, 0, 1, 2, 1, 1, 2, 1, 1, 2, 1, 1), (5, 5, 5, 4)),
}
WORDS = {
    "window": (
        "The promised delivery window passed and nobody rang me.",
        "I took the morning off for a delivery window from eight to twelve. They came at four.",
        "Missed delivery window again, and no word from the driver.",
        "Nobody told me that the delivery window had moved to the next day.",
        "The driver was kind, but the delivery window was missed by three hours.",
        "Delivery window missed twice. I had to ask where my order was.",
    ),
    "phone": (
        "Twenty minutes in the queue on the phone before anybody answered.",
        "The waiting time on the phone is too long. I gave up twice.",
        "I waited on the phone for half an hour, then the line was cut.",
    ),
    "invoice": (
        "The invoice is hard to read, I could not tell what each line was for.",
        "Your invoice lists part numbers instead of words. Hard to read.",
        "I could not read from the invoice what I pay for the visit.",
    ),
    "care": (
        "The fitter left dirt on the kitchen floor and a scratch on the door.",
        "The fitter did good work, but the kitchen floor was left dirty.",
        "Please let your fitter put a cloth on the floor. There is a scratch now.",
    ),
    "kind": (
        "Very friendly on the phone, and it was settled at once.",
        "The lady on the phone was friendly and knew what to do.",
        "Friendly and quick on the phone. Thank you.",
    ),
}
# Nobody has made a theme of these yet; the first of them recurs.
UNSORTED = (
    ("orders", 2, (
        "The old appliance was left behind although I had paid for its removal.",
        "They brought the new one and left the old appliance standing in the hall.",
        "Removal of the old appliance was paid and forgotten.",
        "Our old appliance is still here. The removal was part of the order.",
        "The crew would not take the old appliance along, although removal was booked.",
    )),
    ("invoices", 3, (
        "The refund took five weeks to reach my account.",
        "I waited more than a month for my refund to arrive.",
        "The refund arrived late, and without a word.",
    )),
)  # fmt: skip
ALONE = (
    ("orders", 4, "Please say in the mail which floor the crew carries things to."),
    ("repairs", 5, "Der Techniker war pünktlich und hat alles erklärt."),
    ("repairs", 2, "Der Termin wurde zweimal verschoben, ohne dass jemand anrief."),
    ("orders", 3, "The web shop forgets my address."),
)
# Hours before the present: what still waits for a supervisor.
TODAY = (
    (2, "orders", 2, "The delivery window was missed today and nobody rang me.", "window"),
    (5, "repairs", 1, "The fitter scratched the door and left.", ""),
    (9, "invoices", 3, "I do not understand the second line of the invoice.", ""),
)
OUTCOMES = (Outcome.Kind.CALLED_BACK, Outcome.Kind.COACHED, Outcome.Kind.THANKED, Outcome.Kind.CALLED_BACK)


def hear(firm: Company, anchor: dt.datetime) -> None:
    """Make all of it up to the anchor, in one transaction; found again later."""
    if Remark.objects.exists():
        return
    whole = transaction.atomic()
    whole._from_testcase = True  # type: ignore[attr-defined]  # as csp.demo.past.tell says
    with whole, trail.source("demonstration"):
        _Voices(firm, anchor).all()


class _Voices:
    def __init__(self, firm: Company, anchor: dt.datetime) -> None:
        self.firm, self.anchor = firm, anchor
        self.rng = random.Random(SEED)  # noqa: S311  a story, not a secret
        people = User.objects.in_bulk([person.email for person in PEOPLE], field_name="email")
        self.people = {person.name: people[person.email] for person in PEOPLE}
        self.fiona = self.people["Fiona Reyes"]
        self.told: list[tuple[Remark, str]] = []  # each with the key of its theme, if any

    def all(self) -> None:
        self._remarks()
        self._asked()
        self._inbox()
        while similar.relate(self.anchor):
            pass
        named = self._themes()
        self._acted(named)
        while themes.recur(self.anchor):
            pass
        deadlines.sweep(self.anchor)

    # -------------------------------------------------------- what was said

    def _say(self, team: str, score: int | None, words: str, at: dt.datetime, key: str = "") -> None:
        """On the telephone or on paper, or, longer ago, out of a file."""
        is_old = at < self.anchor - ASKED_FOR * DAY
        source = Remark.Source.IMPORT if is_old else self.rng.choice([Remark.Source.PHONE, Remark.Source.PAPER])
        by = self.fiona if is_old else self.rng.choice(self.firm.representatives[team])
        remark, _new = log.record(
            team=self.firm.teams[team], source=source, received_at=at, at=at, score=score, words=words, by=by,
            who=log.Who(name="A customer"),
        )  # fmt: skip
        self.told.append((remark, key))

    def _remarks(self) -> None:
        """In the order in which they came."""
        found: list[tuple[dt.datetime, str, int | None, str, str]] = []
        for key, (_name, _clause, team, weeks, scores) in SAID.items():
            turn = 0
            for back, count in zip(range(len(weeks) - 1, -1, -1), weeks, strict=True):
                for _each in range(count):
                    at = self.anchor - back * 7 * DAY - self.rng.uniform(0.2, 6.6) * DAY
                    found.append((at, team, self.rng.choice(scores), WORDS[key][turn % len(WORDS[key])], key))
                    turn += 1
        for team, score, texts in UNSORTED:
            found += [(self._lately(20), team, score, words, "") for words in texts]
        found += [(self._lately(60), team, score, words, "") for team, score, words in ALONE]
        found += [(self.anchor - hours * HOUR, team, score, words, key) for hours, team, score, words, key in TODAY]
        for at, team, score_, words, key in sorted(found):
            self._say(team, score_, words, at, key)

    def _lately(self, days: int) -> dt.datetime:
        return self.anchor - self.rng.uniform(0.3, days) * DAY

    def _asked(self) -> None:
        """A survey after each resolved matter, by rule; about half are answered within two days."""
        for back in range(ASKED_FOR, 0, -1):
            at = self.anchor - back * DAY
            while surveys.send(at):
                pass
            for mail in OutboundMessage.objects.filter(kind=OutboundMessage.Kind.SURVEY, created_at=at):
                mail.state, mail.attempts, mail.answer = OutboundMessage.State.ACCEPTED, 1, "250 accepted"
                mail.accepted_at = mail.ended_at = at
                mail.save()
        sent = Survey.objects.filter(decision=Survey.Decision.SENT).select_related("ticket__team").order_by("pk")
        for survey in sent:
            at = survey.decided_at + self.rng.uniform(0.1, 2) * DAY
            if self.rng.random() > ANSWERED or at > self.anchor - HOUR:
                continue
            score = self.rng.choices([1, 2, 3, 4, 5], [2, 4, 14, 35, 45])[0]
            words = "It took long until somebody answered." if score <= 2 and self.rng.random() < HALF else ""
            soon = "yes" if score >= 4 else self.rng.choice(["slow", "no"])
            remark, _new = surveys.answer(survey, score=score, soon=soon, words=words, wants_answer=False, at=at)
            if remark is not None:
                self.told.append((remark, ""))

    def _inbox(self) -> None:
        """Supervisors saw to everything within the day, but for what came in last."""
        teams = {team.pk: key for key, team in self.firm.teams.items()}
        for remark, _key in self.told:
            at = remark.received_at + self.rng.uniform(1, 19) * HOUR
            if remark.inbox is None or remark.received_at > self.anchor - 10 * HOUR or at > self.anchor:
                continue
            good = remark.score is not None and remark.score > 3
            kind = Outcome.Kind.THANKED if good else self.rng.choice(OUTCOMES)
            log.handle(remark, kind=kind, reason="", by=self.firm.supervisors[teams[remark.team_id]], at=at)

    # -------------------------------------------------------- what was made of it

    def _themes(self) -> dict[str, Theme]:
        """Each named two months ago, or when it had been said first; what came in the last days is to be sorted."""
        named = {}
        for key, (name, clause, team, _weeks, _scores) in SAID.items():
            remarks = [remark for remark, of in self.told if of == key and remark.received_at < self.anchor - 2 * DAY]
            begun = max(min(remark.received_at for remark in remarks) + DAY, self.anchor - 60 * DAY)
            theme = themes.begin(
                self.firm.contract, name=name, clause=clause, team=self.firm.teams[team], by=self.fiona, at=begun
            )
            groups = Group.objects.filter(texts__remark__in=remarks, theme__isnull=True).distinct().order_by("pk")
            for group in groups:
                own = [remark for remark in remarks if group.texts.filter(remark=remark).exists()]
                at = max(begun, *(remark.recorded_at for remark in own))
                themes.accept(group, own, into=theme, by=self.fiona, at=at)
            rest = themes.remarks_of(theme).values_list("pk", flat=True)
            if left := [remark for remark in remarks if remark.pk not in set(rest)]:
                themes.add(theme, left, by=self.fiona, at=self.anchor - DAY)
            named[key] = theme
        return named

    def _find(self, theme: Theme, at: dt.datetime, title: str, text: str, recommendation: str) -> Finding:
        team = theme.team
        if team is None:
            raise LookupError(f"{theme} is of no team")
        return improvements.write(
            team, theme=theme, title=title, text=text, recommendation=recommendation, clause=theme.clause,
            by=self.fiona, at=at,
        )  # fmt: skip

    def _acted(self, named: dict[str, Theme]) -> None:
        """One closed with its figures, one under way and a changed procedure, one not acted on, one to be decided."""
        anchor = self.anchor
        viktor, helena, amara = (self.people[name] for name in ("Viktor Hale", "Helena Marsh", "Amara Diallo"))
        phone = self._find(
            named["phone"], anchor - 55 * DAY, "Callers to repairs wait longest after ten",
            "Most of those who complain about waiting called between ten and twelve, when half of the desk is out.",
            "Plan the desk so that nobody is out between ten and twelve.\nSay in the queue how long it takes.",
        )  # fmt: skip
        done = improvements.agree(
            phone, what="Two more people on the telephone from ten to twelve", owner=self.people["Noor Haddad"],
            due_at=anchor - 42 * DAY, measure=ActionItem.Measure.RATE, window_days=28, by=viktor, at=anchor - 50 * DAY,
        )  # fmt: skip
        work = improvements.do(
            done, text="The plan of shifts has two more from ten to twelve since Monday.",
            by=self.people["Noor Haddad"], at=anchor - 45 * DAY,
        )  # fmt: skip
        improvements.verify(
            work, accepted=True, note="Looked at three days of shifts.", by=self.fiona, at=anchor - 44 * DAY
        )
        window = self._find(
            named["window"], anchor - 9 * DAY, "Nobody tells customers that a delivery moves",
            "Two of three who missed their delivery learned of it by asking. The driver knows an hour before.",
            "Let the driver's message reach the desk, and ring the customer.\nMake the call a step of the procedure.",
        )  # fmt: skip
        improvements.agree(
            window, what="Ring every customer whose window moves", owner=self.people["Owen Pryce"],
            due_at=anchor + 6 * DAY, measure=ActionItem.Measure.RATE, window_days=28, by=helena, at=anchor - 8 * DAY,
        )  # fmt: skip
        self._changed(window, helena)
        refused = self._find(
            named["invoice"], anchor - 30 * DAY, "Invoices list parts by number alone",
            "Customers cannot tell from an invoice what they pay for.", "Print the name of a part beside its number.",
        )  # fmt: skip
        improvements.refuse(
            refused, by=amara, at=anchor - 26 * DAY,
            reason="The invoices come from the group's system, which is replaced in spring. It is on the list for it.",
        )  # fmt: skip
        self._find(
            named["care"], anchor - 7 * DAY, "Fitters leave dirt and scratches behind",
            "Those who were content with the repair still spoke of the floor.", "Give every fitter a cloth to work on.",
        )  # fmt: skip
        while improvements.measure(anchor):
            pass

    def _changed(self, finding: Finding, by: User) -> None:
        """A step more in the procedure; its update course, which some have passed."""
        at = self.anchor - 6 * DAY
        category = next(iter(sorted(self.firm.categories.items())), (None, None))[1]
        category = self.firm.categories.get("Delivery", category)
        change = improvements.change_procedure(finding, category, by=by, at=at)
        version = change.version
        draft = procedures.draft(
            self.firm.contract, category, title=version.title, reason=version.reason, by=by, at=at,
            text=f"{version.text}\nRing the customer before the window ends", resolve_days=version.resolve_days,
            progress_days=version.progress_days,
        )  # fmt: skip
        procedures.publish(draft, by=by, at=at + HOUR, seen=procedures.seal_of(draft))
        while updates.publish_lacking(at + 2 * HOUR):
            pass
        while requirements.require(at + 2 * HOUR):
            pass
        course = CourseVersion.objects.select_related("course").get(because=updates.because_of(draft)).course
        for user in self.firm.representatives["orders"]:
            passed_by(course, user, at + 2 * DAY)
