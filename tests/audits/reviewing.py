"""Reviews in tests: made by the job, and brought as far as a test wants, by the product's own verbs."""

from __future__ import annotations

import datetime as dt

from audits import reviews
from audits.models import Papers, Review, Signed, Talk
from csp import loops
from csp.models import Appointment, Contract, User, Version
from csp.roles import Office
from tests import factories as make


def begin(contract: Contract, *, at: dt.datetime = make.AT) -> None:
    """The contract came into force then; from then everybody owes a review."""
    Version.objects.filter(contract=contract).update(in_force_from=at)
    jobs(at=at)


def jobs(*, at: dt.datetime) -> dict[str, int]:
    names = ("reviews", "reviewers", "reviews_end", "remind", "sweep", "terms")
    return {name: loops.run_dry(loops.RULES[name], at) for name in names}


def of(user: User) -> Review:
    """The newest review of this person."""
    user.held_cache = None
    return Review.objects.filter(user=user).select_related("deadline", "reviewer", "contract").latest("pk")


def appoint(user: User, contract: Contract) -> User:
    """Put somebody above the supervisors."""
    Appointment.objects.create(contract=contract, office=Office.COMPANY_REPRESENTATIVE, user=user, starts_at=make.SINCE)
    return user


def drafted(review: Review, *, at: dt.datetime, text: str = "Keeps what is promised, and writes it down.") -> Papers:
    """Evidence compiled and an assessment written."""
    assert review.reviewer is not None
    reviews.compile_evidence(review, by=review.reviewer, at=at)
    return reviews.assess(review, text=text, by=review.reviewer, at=at)


def held(review: Review, *, at: dt.datetime) -> Talk:
    drafted(review, at=at)
    assert review.reviewer is not None
    return reviews.hold(review, held_at=at, by=review.reviewer, at=at)


def shown(review: Review) -> str:
    """The digest that the page shows to whoever signs now."""
    talk = reviews.talk_of(review)
    assert talk is not None
    return reviews.seen(talk, Papers.objects.get(review=review))


def signed(review: Review, *, by: User, at: dt.datetime, agrees: bool | None = None, proof: str = "password") -> Signed:
    return reviews.sign(review, digest=shown(review), proof=proof, by=by, at=at, agrees=agrees)


def closed(review: Review, *, at: dt.datetime) -> Review:
    """Held, and signed by both."""
    held(review, at=at)
    signed(review, by=review.user, at=at, agrees=True)
    assert review.reviewer is not None
    signed(review, by=review.reviewer, at=at)
    review.refresh_from_db()
    return review
