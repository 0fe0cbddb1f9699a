"""Everything that is held on a person, each part from the app that owns it: what an access package is made of."""

from __future__ import annotations

from collections.abc import Sequence

from csp.privacy.held import Source
from feedback import holdings as feedback
from tickets import holdings as tickets

SOURCES: Sequence[Source] = (tickets.SOURCE, feedback.SOURCE)
