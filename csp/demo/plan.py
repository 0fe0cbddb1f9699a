"""What happened at Lakeside Home in the last ninety days, and what lies on its desk: decided by a seed, pure.

A story is one matter of one customer with the instants at which its steps happen, counted from the *anchor*, the
present at which the demonstration is made. Steps that would lie after the anchor have not happened yet.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import random
from zoneinfo import ZoneInfo

from csp.demo.matters import Matter, Writer, blanks, matters, writers
from csp.demo.seldom import ONCE, Once

SEED = 4790
DAYS = 90
TICKETS = 400  # received more than a day before the anchor
# Of these, the first answer came in time, came late, or has not come yet. A test counts them.
SHARES = {"met": 0.93, "late": 0.05, "breached": 0.02}

Minutes = float
HOUR, DAY = 60.0, 1440.0

# When the open first answers fall due, in minutes from the anchor: overdue, within the hour, within four, later.
# The first twelve are there before anything else, so that the first page is alive.
DESK = (
    41, 24, 78, -41, 150, 312, 9, 1180, 205, -126, 660, 52,
    -8, 17, 33, 95, 118, 171, 226, 260, 290, 345, 402, 455, 520, 585, 720, 790, 855, 910, 975, 1030, 1090, 1240, 1290,
    1340, 1375, 1402, -215, 131, 238, 1425,
)  # fmt: skip
FIRST = 12
TEAMS = ("orders", "repairs", "invoices")  # the desk's work in turn
TODAY = 16  # came within the last day and are answered already


@dataclasses.dataclass(slots=True)
class Step:
    """One thing that happens: what (a method of csp.demo.past.Past), when, and what is said."""

    what: str
    at: dt.datetime
    text: str = ""


@dataclasses.dataclass(slots=True)
class Story:
    """One matter from its first message on."""

    key: str  # stands in the first Message-ID: a story is made once
    matter: Matter
    writer: Writer
    received_at: dt.datetime
    outcome: str  # a key of SHARES, or "open"
    subject: str
    text: str
    steps: list[Step]
    tickets: int = 1  # how many of them came more than a day before the anchor
    agent: str = ""  # who answers it; otherwise whose turn it is


@dataclasses.dataclass(slots=True)
class Plan:
    desk: list[Story]
    history: list[Story]

    @property
    def tickets(self) -> int:
        return sum(story.tickets for story in (*self.desk, *self.history))


def plan(anchor: dt.datetime, *, tickets: int = TICKETS, desk: tuple[int, ...] = DESK, seed: int = SEED) -> Plan:
    """Everything, the history oldest first."""
    rng = random.Random(seed)  # noqa: S311  a story, not a secret
    cast = Cast(rng)
    on_the_desk = [_desk_story(rng, cast, anchor, number, due) for number, due in enumerate(desk)]
    overdue = sum(1 for due in desk if due < 0)
    late, unanswered = round(SHARES["late"] * tickets), round(SHARES["breached"] * tickets) - overdue
    if unanswered < 0:
        raise ValueError("The desk alone holds more unanswered tickets than the stated share.")
    seldom = [_once(once, anchor) for once in ONCE]
    stories: list[Story] = []
    count = overdue + sum(1 for story in seldom if story.outcome == "met")
    fates = ["late"] * late + ["breached"] * unanswered
    for outcome in fates:
        stories.append(_story(rng, cast, anchor, f"h{len(stories)}", outcome))
        count += 1
    while count < tickets:
        story = _story(rng, cast, anchor, f"h{len(stories)}", "met", room=tickets - count)
        count += story.tickets
        stories.append(story)
    stories += seldom
    stories += [_story(rng, cast, anchor, f"t{number}", "today", room=1) for number in range(min(TODAY, tickets))]
    stories.sort(key=lambda story: story.received_at)
    return Plan(desk=on_the_desk, history=stories)


def _instant(rng: random.Random, anchor: dt.datetime, oldest: float, newest: float) -> dt.datetime:
    """A moment between these many days before the anchor; people write by day, and less at week-ends."""
    while True:
        at = anchor - dt.timedelta(days=rng.uniform(newest, oldest))
        local = at.astimezone(ZoneInfo("Europe/London"))
        weight = 1.0 if 8 <= local.hour < 20 else 0.35 if 6 <= local.hour < 23 else 0.05
        if rng.random() < weight * (0.5 if local.weekday() >= 5 else 1.0):
            return at.replace(microsecond=rng.randrange(1_000_000))


class Cast:
    """Who writes about what. Nobody writes twice on one day: recent and open matters have writers of their own."""

    def __init__(self, rng: random.Random) -> None:
        self.rng = rng
        everybody = writers(SEED)
        self.of_today, self.of_before = list(everybody[:90]), everybody[90:]
        self.told: set[str] = set()

    def draw(self, *, recent: bool, complex_only: bool = False, team: str = "") -> tuple[Matter, Writer]:
        pool = [matter for matter in matters() if matter.has("complex") or not complex_only]
        pool = [matter for matter in pool if team in ("", matter.team)]
        if recent:  # a queue full of one and the same matter would look made up
            pool = [matter for matter in pool if matter.subject not in self.told] or pool
        # complaints are what people remember, not what they mostly write
        matter = self.rng.choices(pool, [0.6 if matter.kind == "complaint" else 1.0 for matter in pool])[0]
        if not recent:
            speakers = [writer for writer in self.of_before if writer.language == matter.language]
            return matter, self.rng.choice(speakers)
        self.told.add(matter.subject)
        speakers = [writer for writer in self.of_today if writer.language == matter.language]
        writer = self.rng.choice(speakers or self.of_today)
        self.of_today.remove(writer)
        return matter, writer


def _filled(rng: random.Random, matter: Matter, writer: Writer) -> tuple[str, str, dict[str, str]]:
    fill = blanks(rng, matter.language)
    close = rng.choice(
        ("Kind regards", "Regards", "Best wishes", "Thank you") if matter.language == "en"
        else ("Freundliche Grüße", "Mit freundlichen Grüßen", "Viele Grüße")
    )  # fmt: skip
    return matter.subject.format(**fill), f"{matter.text.format(**fill)}\n\n{close}\n{writer.name}", fill


def _letter(what: str, text: str, matter: Matter, writer: Writer) -> str:
    """An outgoing text with its salutation; the signature is added by the product."""
    if what not in ("answer", "holding"):
        return text
    first, last = writer.name.split(" ", 1)
    return (f"Guten Tag {first} {last},\n\n" if matter.language == "de" else f"Dear {first},\n\n") + text


def _story(rng: random.Random, cast: Cast, anchor: dt.datetime, key: str, outcome: str, *, room: int = 9) -> Story:
    matter, writer = cast.draw(recent=outcome in ("breached", "today"))
    if outcome == "breached":
        received = _instant(rng, anchor, 4.0, 1.15)
    elif outcome == "late":
        received = _instant(rng, anchor, DAYS, 3.0)
    elif outcome == "today":
        received = _instant(rng, anchor, 0.95, 0.15)
    else:
        received = _instant(rng, anchor, DAYS, 1.02)
    subject, text, fill = _filled(rng, matter, writer)
    story = Story(key, matter, writer, received, outcome, subject, text, [])
    clock = Clock(received, story)
    clock.add("acknowledge", rng.uniform(0.2, 2))
    if outcome == "breached":
        if rng.random() < 0.6:
            clock.add("take", rng.uniform(30, 8 * HOUR))
        clock.to(DAY + 0.05).add("sweep", 0)
        if rng.random() < 0.5:
            clock.add("accept", rng.uniform(20, 5 * HOUR))
        return story
    if outcome == "late":
        answer_after = rng.uniform(1.2 * DAY, 1.9 * DAY)
    elif outcome == "today":
        answer_after = rng.uniform(12, 180)
    else:
        answer_after = min(max(rng.lognormvariate(5.3, 0.9), 12), 1370)
    clock.add("take", min(answer_after * rng.uniform(0.05, 0.5), answer_after - 1))
    _until_answered(rng, clock, story, fill, answer_after)
    if outcome == "met" and answer_after < 0.6 * DAY and rng.random() < 0.02:
        answer = story.steps[-1].text
        clock.add("bounce", rng.uniform(1, 4)).add("answer", rng.uniform(20, 200), answer)
    elif outcome == "met" and room > 1 and rng.random() < 0.03:
        story.steps.insert(1, Step("double", received + dt.timedelta(minutes=3)))
        story.steps.insert(-1, Step("join", clock.at - dt.timedelta(seconds=30)))
        story.tickets = 2
    _afterwards(rng, clock, story, fill)
    if outcome == "met" and story.tickets == 1 and room > 1 and rng.random() < 0.04:
        clock.add("return_", rng.uniform(DAY, 6 * DAY), "It is back, the same as before. What now?")
        if clock.at < anchor - dt.timedelta(days=1, minutes=15):
            story.tickets = 2
            text = "I am sorry to hear that. We look at it again, and this time we do not leave before it works."
            clock.add("answer", rng.uniform(30, 15 * HOUR), _letter("answer", text, matter, writer))
        else:
            story.steps.pop()
    story.steps.sort(key=lambda step: step.at)
    return story


class Clock:
    """Adds steps to a story, each so many minutes after the one before."""

    def __init__(self, start: dt.datetime, story: Story) -> None:
        self.start = self.at = start
        self.story = story

    def add(self, what: str, after: Minutes, text: str = "") -> Clock:
        self.at += dt.timedelta(minutes=after)
        self.story.steps.append(Step(what, self.at, text))
        return self

    def to(self, since_start: Minutes) -> Clock:
        self.at = max(self.at, self.start + dt.timedelta(minutes=since_start))
        return self

    @property
    def passed(self) -> Minutes:
        return (self.at - self.start).total_seconds() / 60


def _until_answered(
    rng: random.Random, clock: Clock, story: Story, fill: dict[str, str], answer_after: Minutes
) -> None:
    """Everything before and including the first answer."""
    matter, left = story.matter, answer_after - clock.passed
    before = [(what, text) for what, text in matter.steps[: _first_answer(matter)] if what != "answer"]
    is_late = story.outcome == "late"
    for what, text in before:
        said = _letter(what, text.format(**fill), matter, story.writer)
        if what == "complex":
            _go_up(rng, clock, said, min(left, DAY - clock.passed) * 0.6)
        else:
            clock.add(what, min(left, DAY - clock.passed) * 0.15, said)
    if is_late:
        clock.to(DAY + 0.05).add("sweep", 0)
        clock.to(answer_after - 30)
        clock.add("decide" if rng.random() < 0.7 else "hand_back", 5, "Please answer at once, and say sorry.")
    clock.to(answer_after)
    _what, text = matter.steps[_first_answer(matter)]
    clock.add("answer", 0.1, _letter("answer", text.format(**fill), matter, story.writer))


def _first_answer(matter: Matter) -> int:
    return next(number for number, (what, _text) in enumerate(matter.steps) if what == "answer")


def _go_up(rng: random.Random, clock: Clock, reason: str, room: Minutes) -> None:
    """Marked complex; then decided within own authority, or handed to the supervisor who decides or gives it back."""
    reason = reason[0].upper() + reason[1:]
    clock.add("complex", room * 0.1, reason)
    lot = rng.random()
    if lot < 0.12:
        clock.add("within_authority", room * 0.2, "Within the goodwill that I may grant for one order.")
        return
    clock.add("escalate", room * 0.15, reason)
    clock.add("accept", room * 0.25)
    if lot < 0.24:
        clock.add("hand_back", room * 0.2, "You may decide this yourself up to 100 euros. Please do.")
    else:
        note = rng.choice(
            ("Yes. Write to the customer today.", "Agreed, the fault is ours.", "Agreed, and call the depot as well.")
        )
        clock.add("decide", room * 0.2, note)


def _afterwards(rng: random.Random, clock: Clock, story: Story, fill: dict[str, str]) -> None:
    """What follows the first answer: the customer again, another answer, thanks, the end."""
    matter, writer = story.matter, story.writer
    rest = matter.steps[_first_answer(matter) + 1 :]
    for number, (what, text) in enumerate(rest):
        said = _letter(what, text.format(**fill), matter, writer)
        if what == "again":
            if rng.random() < 0.25:
                break  # not everybody writes back
            clock.add("again", rng.uniform(20, 30 * HOUR), f"{said}\n\n{writer.name.split()[0]}")
            if number == len(rest) - 1:
                clock.add("no_reply", rng.uniform(15, 12 * HOUR), "Thanks only, nothing is asked.")
        else:
            clock.add(what, rng.uniform(20, 20 * HOUR), said)
    clock.add("resolve", rng.uniform(5, 4 * HOUR), f"{matter.category}: settled with the customer.")
    clock.add("close", 7 * DAY + rng.uniform(0, 5))


def _once(once: Once, anchor: dt.datetime) -> Story:
    received = anchor - dt.timedelta(minutes=once.ago)
    outcome = "met" if once.ago > DAY else "today"
    story = Story(
        once.key, once.matter, once.writer, received, outcome, once.matter.subject, once.matter.text, [],
        agent=once.agent,
    )  # fmt: skip
    clock = Clock(received, story)
    for what, after, text in once.steps:
        clock.add(what, after, text)
    return story


def _desk_story(rng: random.Random, cast: Cast, anchor: dt.datetime, number: int, due: int) -> Story:
    """Open work: its first answer falls due so many minutes from the anchor."""
    received = anchor + dt.timedelta(minutes=due) - dt.timedelta(days=1)
    is_complex = number % 5 == 2
    matter, writer = cast.draw(recent=True, complex_only=is_complex, team=TEAMS[number % len(TEAMS)])
    subject, text, fill = _filled(rng, matter, writer)
    story = Story(f"d{number}", matter, writer, received, "open", subject, text, [])
    clock = Clock(received, story)
    age = DAY - due
    clock.add("acknowledge", rng.uniform(0.2, 2))
    if number % 7 != 4:  # some lie there for anybody
        clock.add("take", min(rng.uniform(5, 4 * HOUR), age * 0.4))
    if is_complex and number % 7 != 4:
        reason = next(text for what, text in matter.steps if what == "complex").format(**fill)
        clock.add("complex", age * 0.1, reason[0].upper() + reason[1:])
        if number % 2:
            clock.add("escalate", age * 0.1, reason[0].upper() + reason[1:])
            if number % 3 == 0:
                clock.add("accept", age * 0.1)
    elif matter.has("note") and number % 7 != 4:
        note = next(text for what, text in matter.steps if what == "note").format(**fill)
        clock.add("note", age * 0.2, note)
    if due < 0:
        clock.to(DAY + 0.05).add("sweep", 0)
    return story
