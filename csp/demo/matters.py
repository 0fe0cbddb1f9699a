"""What customers of Lakeside Home write about: read from matters/*.txt, and given names, numbers and days.

A matter begins with "## subject" and a line "[kind, category]", for German "[kind, category, de, team]". Its text
follows; then, each beginning a line, in the order in which they happen: "!" why it is complex, "~" a note, "?" a
holding message, "->" an answer, "<-" the customer again.
"""

from __future__ import annotations

import dataclasses
import functools
import random
from pathlib import Path

FOLDER = Path(__file__).parent / "matters"

MARKS = {"! ": "complex", "~ ": "note", "? ": "holding", "-> ": "answer", "<- ": "again"}

PRODUCTS = {
    "fridge": ("Brook 185", "Brook 200 Duo", "Brook Freezer N90"),
    "washer": ("Tarn 8", "Tarn 9 Silent"),
    "dryer": ("Tarn Dry 7", "Tarn Dry 8"),
    "dishwasher": ("Mere 14", "Mere 12 Slim"),
    "oven": ("Ember 60", "Ember Steam"),
    "hob": ("Ember Flex", "Ember Gas 5"),
    "hood": ("Drift 90", "Drift 60"),
    "coffee": ("Crema Uno", "Crema Duo"),
    "vacuum": ("Sweep 3", "Sweep Air"),
}
DAYS = {
    "en": ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"),
    "de": ("Montag", "Dienstag", "Mittwoch", "Donnerstag", "Freitag", "Samstag"),
}
CITIES = {
    "en": ("Leeds", "Bristol", "York", "Norwich", "Exeter", "Dundee", "Cardiff", "Lincoln"),
    "de": ("Bremen", "Kassel", "Ulm", "Erfurt", "Lübeck", "Mainz", "Graz"),
}
MONTHS = {
    "en": ("January", "March", "May", "September", "November"),
    "de": ("Januar", "März", "Mai", "September", "November"),
}


@dataclasses.dataclass(frozen=True, slots=True)
class Matter:
    """One matter with its blanks not yet filled in."""

    team: str
    kind: str
    category: str
    language: str
    subject: str
    text: str
    steps: tuple[tuple[str, str], ...]  # (what, text)

    def has(self, what: str) -> bool:
        return any(step == what for step, _text in self.steps)


def _read(path: Path) -> list[Matter]:
    found = []
    for block in path.read_text(encoding="utf-8").split("## ")[1:]:
        subject, heading, *lines = block.strip().splitlines()
        kind, category, *more = (word.strip() for word in heading.strip("[]").split(","))
        language, team = more or ("en", path.stem)
        parts: list[tuple[str, str]] = [("text", "")]
        for line in lines:
            mark = next((mark for mark in MARKS if line.startswith(mark)), None)
            if mark:
                parts.append((MARKS[mark], line.removeprefix(mark)))
            else:
                what, before = parts[-1]
                parts[-1] = (what, f"{before}\n{line}".strip())
        found.append(Matter(team, kind, category, language, subject, parts[0][1], tuple(parts[1:])))
    return found


@functools.cache
def matters() -> tuple[Matter, ...]:
    """Every matter, in a fixed order."""
    return tuple(matter for path in sorted(FOLDER.glob("*.txt")) for matter in _read(path))


def blanks(rng: random.Random, language: str) -> dict[str, str]:
    """What fills the blanks of one story, the same in all its messages."""
    first, second = rng.sample(DAYS[language], 2)
    month = rng.choice(MONTHS[language])
    day = rng.randint(1, 28)
    amount = rng.randint(60, 190) + rng.choice((0.0, 0.5, 0.9))
    small = rng.choice((12.5, 19.9, 24.0, 29.9, 35.0, 49.0))

    def money(value: float) -> str:
        number = f"{value:,.2f}" if language == "en" else f"{value:,.2f}".translate(str.maketrans(",.", ".,"))
        return f"€{number}" if language == "en" else f"{number} €"

    return {
        **{name: rng.choice(models) for name, models in PRODUCTS.items()},
        "weekday": first,
        "weekday2": second,
        "date": f"{day}. {month}" if language == "de" else f"{day} {month}",
        "city": rng.choice(CITIES[language]),
        "street": f"{rng.randint(2, 88)} Mill Lane" if language == "en" else f"Mühlenweg {rng.randint(2, 88)}",
        "order": f"LH-{rng.randint(230_000, 289_999)}",
        "invoice": f"R-{rng.randint(10_000, 49_999)}",
        "amount": money(amount),
        "small": money(small),
        "big": money(rng.choice((1840, 2260, 960, 3120))),
        "months": str(rng.randint(3, 22)),
        "code": str(rng.randint(11, 48)),
    }


_FIRST = (
    "Abigail", "Anton", "Bianca", "Callum", "Carmen", "Daniel", "Edith", "Emre", "Farid", "Gemma", "Hamish", "Hanna",
    "Imogen", "Ivan", "Joana", "Kofi", "Laura", "Lorenzo", "Mabel", "Milan", "Nadia", "Niall", "Olivia", "Pavel",
    "Quentin", "Rosa", "Rupert", "Selma", "Simone", "Tariq", "Teresa", "Ulla", "Vera", "Wanda", "Yusuf", "Zoe",
)  # fmt: skip
_LAST = (
    "Ackroyd", "Bellamy", "Castellano", "Dufour", "Eriksen", "Fairbairn", "Gallagher", "Hollins", "Ibrahim", "Jansen",
    "Kowal", "Lockwood", "Mercer", "Novotna", "Okafor", "Pemberton", "Quigley", "Rinaldi", "Sandoval", "Thackeray",
    "Urban", "Vasquez", "Whitby", "Yilmaz", "Zeller",
)  # fmt: skip
_FIRST_DE = ("Anke", "Bernd", "Dirk", "Elke", "Frieda", "Gerd", "Heike", "Jörg", "Katrin", "Lutz", "Monika", "Uwe")
_LAST_DE = ("Albrecht", "Böhme", "Dietz", "Engel", "Hartung", "Krause", "Löwe", "Pohl", "Reuter", "Schütz", "Vogt")
_DOMAINS = ("example.com", "example.net", "example.org", "post.example", "mail.example", "inbox.example")
_COMPANIES = ("Harbour Dental", "Fernhill School", "Bell & Rowe Architects", "Copper Kettle Café", "Stour Valley Inn")


@dataclasses.dataclass(frozen=True, slots=True)
class Writer:
    """A customer who writes."""

    name: str
    address: str
    language: str
    organisation: str = ""


@functools.cache
def writers(seed: int, count: int = 280) -> tuple[Writer, ...]:
    """So many customers, about one in six of them German-speaking; no two share a name or an address."""
    rng = random.Random(seed)  # noqa: S311  a story, not a secret
    english = [(f, la, "en") for f in _FIRST for la in _LAST]
    german = [(f, la, "de") for f in _FIRST_DE for la in _LAST_DE]
    chosen = rng.sample(english, count - count // 6) + rng.sample(german, min(count // 6, len(german)))
    rng.shuffle(chosen)
    plain = str.maketrans({"ö": "oe", "ü": "ue", "ä": "ae", "é": "e"})
    return tuple(
        Writer(
            name=f"{first} {last}",
            address=f"{first}.{last}@{_DOMAINS[number % len(_DOMAINS)]}".lower().translate(plain),
            language=language,
            organisation=rng.choice(_COMPANIES) if rng.random() < 0.08 else "",
        )
        for number, (first, last, language) in enumerate(chosen)
    )
