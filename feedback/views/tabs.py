"""The views of feedback beside each other, each for whoever may see it, and what may be done there."""

from __future__ import annotations

import dataclasses
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _

from csp import access
from csp.models import User
from csp.roles import Permission as P


@dataclasses.dataclass(frozen=True, slots=True)
class Tab:
    label: str
    url: str
    is_current: bool


def shell(user: User, current: str) -> dict[str, Any]:
    """What the head of each page of feedback shows this person."""
    tabs = [
        ("themes", _("Themes"), P.SEE_FEEDBACK),
        ("feedback", _("Log"), P.SEE_FEEDBACK),
        ("theme_sorting", _("To sort"), P.SEE_FEEDBACK),
        ("findings", _("Actions"), P.SEE_FEEDBACK_GROUPS),
        ("feedback_inbox", _("Inbox"), P.HANDLE_FEEDBACK),
        ("feedback_groups", _("Figures"), P.SEE_FEEDBACK_GROUPS),
    ]
    return {
        "tabs": [Tab(label, reverse(name), name == current) for name, label, need in tabs if access.may(user, need)],
        "may_enter": access.may(user, P.ENTER_FEEDBACK),
        "may_import": access.may(user, P.IMPORT_FEEDBACK),
        "may_manage": access.may(user, P.MANAGE_SURVEYS),
    }
