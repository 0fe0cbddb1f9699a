"""How often somebody who is not signed in may do a thing: counted in Valkey, for all processes together.

    if throttle.is_over("contact", address, most=10, within=HOUR): ...

Nothing is promised on this: where Valkey cannot be asked nobody is over. Who it is is kept as a digest, and no longer
than the count.
"""

from __future__ import annotations

import datetime as dt
import functools
import hashlib
import hmac
import ipaddress
import logging

import redis
from django.conf import settings

log = logging.getLogger(__name__)


@functools.cache
def _client() -> redis.Redis:
    return redis.Redis.from_url(settings.REDIS_URL, socket_timeout=0.5, socket_connect_timeout=0.5)


def network_of(who: str) -> str:
    """Of an IPv6 address the network that one household is given, /64; anything else as it is."""
    try:
        address = ipaddress.ip_address(who)
    except ValueError:
        return who
    return str(ipaddress.ip_network((address, 64), strict=False)) if address.version == 6 else who


def is_over(what: str, who: str, *, most: int, within: dt.timedelta) -> bool:
    """Count one more, and say whether it is more than `most` since the first of this stretch of time."""
    digest = hmac.new(settings.LINK_KEY, f"{what}:{network_of(who)}".encode(), hashlib.sha256).hexdigest()
    key = f"csp:throttle:{what}:{digest[:32]}"
    try:
        with _client().pipeline() as pipe:
            pipe.set(key, 0, ex=int(within.total_seconds()), nx=True)
            pipe.incr(key)
            count = pipe.execute()[1]
    except redis.RedisError as error:
        log.warning("Counting is not possible at the moment: %s", type(error).__name__)
        return False
    return int(count) > most
