"""Our own mail door: an SMTP (or LMTP) listener for one trusted sender, the mail server in front of us.

It says 250 only after the message has landed and is committed, and 451 where that failed: then the sender still has it
and comes again. It takes mail for every address and relays nothing. After landing it nudges the taking-in, so that a
mail is on the page within two seconds; the loop is the truth.
"""

from __future__ import annotations

import asyncio
import ipaddress
import logging
import threading
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, ClassVar

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


class _Limited(SMTP):
    """The protocol of aiosmtpd with limits on connections at once, of all and of one place, and on how long one lasts.

    Beyond them: 421, come again. Only a step towards a message counts as a sign of life.
    """

    open_now = 0
    open_from: ClassVar[Counter[str]] = Counter()
    _end: asyncio.TimerHandle | None = None

    def connection_made(self, transport: Any) -> None:
        self.place = _place((transport.get_extra_info("peername") or ("",))[0])
        too_many = bool(self.place) and _Limited.open_from[self.place] >= settings.MAIL_DOOR_PER_ADDRESS
        self.was_refused = too_many or _Limited.open_now >= CONNECTIONS
        if self.was_refused:
            whose = "from your address" if too_many else "at once"
            transport.write(f"421 4.7.0 Too many connections {whose}; please try again later\r\n".encode())
            transport.close()
            return
        _Limited.open_now += 1
        _Limited.open_from[self.place] += 1
        self._end = self.loop.call_later(settings.MAIL_DOOR_LONGEST, self._has_lasted_too_long, transport)
        super().connection_made(transport)

    def connection_lost(self, error: Exception | None) -> None:
        if self.was_refused:
            return
        _Limited.open_now -= 1
        _Limited.open_from[self.place] -= 1
        _Limited.open_from += Counter()  # forgets places with none
        if self._end is not None:
            self._end.cancel()
        super().connection_lost(error)

    def _has_lasted_too_long(self, transport: Any) -> None:
        log.info("A connection has lasted %s s and is closed", settings.MAIL_DOOR_LONGEST)
        transport.write(b"421 4.4.2 This connection has lasted too long; please come again\r\n")
        transport.close()

    def _reset_timeout(self, duration: float | None = None) -> None:
        # aiosmtpd resets it at every command: by NOOP, RSET or HELO a connection could be held without end.
        if self._timeout_handle is None or duration is not None:
            super()._reset_timeout(duration)

    async def _call_handler_hook(self, command: str, *args: Any) -> Any:
        if command in {"MAIL", "RCPT", "DATA"}:
            super()._reset_timeout()
        return await super()._call_handler_hook(command, *args)


def _place(address: str) -> str:
    """Where a connection comes from, as it is counted; empty where it is not. Nobody has less than a /64: one place."""
    try:
        found = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return ""
    found = getattr(found, "ipv4_mapped", None) or found
    if any(found in network for network in settings.MAIL_DOOR_UNLIMITED):
        return ""
    return str(ipaddress.ip_network(f"{found}/64", strict=False)) if found.version == 6 else str(found)


class _SMTP(_Limited):
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
