"""What a piece of work costs, told in letters: no test may depend on how fast or how busy the machine is.

One unit is the processor time of a plain parse of an honest letter of 3.5 MB, measured right before the work. What
grows with the square of its input takes thousands of them.
"""

import email
import time
from collections.abc import Callable
from typing import Any

LETTER = b"From: a@b.example\nSubject: x\n\n" + b"A line of a letter, as long as such lines are.\n" * 75_000


def seconds(work: Callable[[], Any]) -> tuple[Any, float]:
    began = time.process_time()
    return work(), time.process_time() - began


def in_letters(work: Callable[[], Any]) -> tuple[Any, float]:
    """What WORK() returns, and how many letters it cost."""
    unit = min(seconds(lambda: email.message_from_bytes(LETTER))[1] for _ in range(2))
    result, taken = seconds(work)
    return result, taken / unit
