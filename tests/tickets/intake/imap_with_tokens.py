"""Run a pymap as a program of its own that takes XOAUTH2, too, and speaks TLS from the start on a second port.

The token that opens a mailbox is its password. The first argument is the second port; the rest are pymap's own.
"""

import asyncio
import contextlib
import ssl
import sys
import threading
from collections.abc import Sequence

from pymap.config import IMAPConfig
from pymap.main import main
from pysasl import SASLAuth
from pysasl.creds.plain import PlainCredentials
from pysasl.exception import InvalidResponse
from pysasl.mechanism import ChallengeResponse
from pysasl.mechanism.login import LoginMechanism
from pysasl.mechanism.oauth import OAuth2Mechanism
from pysasl.mechanism.plain import PlainMechanism


class Tokens(OAuth2Mechanism):
    def server_attempt(self, responses: Sequence[ChallengeResponse]):
        if responses and (found := self._pattern.match(responses[0].response)):
            return PlainCredentials(*(part.decode() for part in found.groups())), None
        if responses:
            raise InvalidResponse
        return super().server_attempt(responses)


async def carry(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    writer.close()


async def wrap(tls_port: int, port: int, context: ssl.SSLContext) -> None:
    async def connect(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        inner_reader, inner_writer = await asyncio.open_connection("127.0.0.1", port)
        await asyncio.gather(carry(reader, inner_writer), carry(inner_reader, writer))

    await (await asyncio.start_server(connect, "127.0.0.1", tls_port, ssl=context)).serve_forever()


if __name__ == "__main__":
    tls_port = int(sys.argv.pop(1))
    value = {name: sys.argv[sys.argv.index(name) + 1] for name in ("--port", "--cert", "--key")}
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(value["--cert"], value["--key"])
    wrapped = wrap(tls_port, int(value["--port"]), context)
    threading.Thread(target=asyncio.run, args=[wrapped], daemon=True).start()
    IMAPConfig.tls_auth = property(lambda _config: SASLAuth([PlainMechanism(), LoginMechanism(), Tokens()]))
    main()
