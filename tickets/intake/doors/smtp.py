"""Our own mail door: an SMTP (or LMTP) listener for one trusted sender, the mail server in front of us.

It says 250 only after the message has landed and is committed, and 451 where that failed: then the sender still has it
and comes again. It takes mail for every address and relays nothing. After landing it nudges the taking-in, so that a
mail is on the page within two seconds; the loop is the truth.
"""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.lmtp import LMTP
from aiosmtpd.smtp import SMTP, Envelope, Session
from django.conf import settings
from django.db import close_old_connections, connections

from csp import clock, trail
from tickets.intake import facts, landing, taking_in
from tickets.models import InboundMessage

log = logging.getLogger(__name__)

CONNECTIONS = 50
TIMEOUT = 60.0  # seconds in which the other side must say something
RECIPIENTS = 100


class Door:
    """What the listener does with a message: land it, say so, nudge. One worker lands while another takes in."""

    def __init__(self) -> None:
        self._landing = ThreadPoolExecutor(max_workers=4, thread_name_prefix="landing")
        self._taking_in = ThreadPoolExecutor(max_workers=1, thread_name_prefix="taking-in")
        self._nudged = threading.Event()

    async def handle_RCPT(  # the name is aiosmtpd's
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if len(envelope.rcpt_tos) >= RECIPIENTS:
            return "452 4.5.3 Too many recipients; send the rest in another message"
        envelope.rcpt_tos.append(address)
        envelope.rcpt_options.extend(options)
        return "250 2.1.5 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        loop = asyncio.get_running_loop()
        try:
            await loop.run_in_executor(self._landing, self._land, envelope)
        except Exception:  # whatever it is, it is not ours yet, and the sender must keep it
            log.exception("A message could not be landed; the sender keeps it")
            answer = "451 4.3.0 It could not be stored. Please try again later."
        else:
            self.nudge()
            answer = "250 2.0.0 Stored"
        # LMTP answers once for each recipient.
        return "\r\n".join([answer] * len(envelope.rcpt_tos)) if isinstance(server, LMTP) else answer

    def _land(self, envelope: Envelope) -> None:
        now = clock.now()
        content = envelope.content or b""
        raw = content.encode("utf-8", "surrogateescape") if isinstance(content, str) else bytes(content)
        _in_own_connection(
            lambda: landing.land(
                raw,
                door=InboundMessage.Door.SMTP,
                envelope_from=envelope.mail_from or "",
                envelope_to=", ".join(dict.fromkeys(envelope.rcpt_tos)),
                accepted_at=now,
                at=now,
            )
        )

    def nudge(self) -> None:
        """Take in what has landed, at once and beside the listener. Nudges while one waits are one."""
        if not self._nudged.is_set():
            self._nudged.set()
            self._taking_in.submit(self._take_in)

    def _take_in(self) -> None:
        self._nudged.clear()
        try:
            _in_own_connection(lambda: taking_in.take_in(clock.now()))
        except Exception:
            log.exception("Mail could not be taken in after landing; the loop does it")

    def warm_up(self) -> None:
        """Load what reading needs before the first message comes."""
        self._taking_in.submit(facts.warm_up)

    def close(self) -> None:
        """Finish what is being landed; what is not taken in by then, the loop takes in."""
        for pool in (self._landing, self._taking_in):
            pool.submit(connections.close_all) if pool is self._taking_in else None
            pool.shutdown(wait=True)


def _in_own_connection(work: Callable[[], Any]) -> None:
    """A thread of the door keeps a connection; one that broke or grew old is replaced, before and after."""
    close_old_connections()
    try:
        with trail.source("mail door"):
            work()
    finally:
        close_old_connections()


class _Limited:
    """The protocol of aiosmtpd with a limit on connections at once; beyond it: 421, come again."""

    open_now = 0

    def connection_made(self, transport: Any) -> None:
        if _Limited.open_now >= CONNECTIONS:
            transport.write(b"421 4.7.0 Too many connections; please try again later\r\n")
            transport.close()
            self.was_refused = True
            return
        self.was_refused = False
        _Limited.open_now += 1
        super().connection_made(transport)  # type: ignore[misc]  # of SMTP, which stands behind this class

    def connection_lost(self, error: Exception | None) -> None:
        if self.was_refused:
            return
        _Limited.open_now -= 1
        super().connection_lost(error)  # type: ignore[misc]


class _SMTP(_Limited, SMTP):
    pass


class _LMTP(_Limited, LMTP):
    pass


class MailDoor(Controller):
    """The listener in a thread of its own: `start()` returns when it listens, `stop()` when it has ended."""

    def __init__(self, *, host: str, port: int, lmtp: bool = False) -> None:
        self.door = Door()
        self._protocol = _LMTP if lmtp else _SMTP
        super().__init__(self.door, hostname=host, port=port, ready_timeout=10)

    def factory(self) -> SMTP:
        return self._protocol(
            self.handler,
            data_size_limit=settings.MAIL_LIMIT,  # announced as SIZE; 552 beyond it
            enable_SMTPUTF8=True,
            decode_data=False,
            hostname=settings.MAIL_DOMAIN,
            ident="CSP",
            timeout=TIMEOUT,
            loop=self.loop,
        )

    def stop(self, no_assert: bool = False) -> None:
        super().stop(no_assert)
        self.door.close()
