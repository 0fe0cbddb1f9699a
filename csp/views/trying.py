"""How a view asks a verb: a refusal becomes a sentence beside the form or above the page, never a failure."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from django import forms
from django.contrib import messages
from django.http import HttpRequest

from csp.access import Refused

Thing = TypeVar("Thing")


def in_form(form: forms.BaseForm, verb: Callable[[], Thing]) -> Thing | None:
    """Call the verb for a valid form; what it refuses is said by the form, which then is not valid any more."""
    if not form.is_valid():
        return None
    try:
        return verb()
    except Refused as error:
        form.add_error(None, str(error))
        return None


def and_say(request: HttpRequest, verb: Callable[[], object], said: str) -> bool:
    """Call the verb, and say on the next page that it is done or why it is not."""
    try:
        verb()
    except Refused as error:
        messages.error(request, str(error))
        return False
    messages.success(request, said)
    return True
