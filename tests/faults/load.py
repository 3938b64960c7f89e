"""The load of `change`, in processes of its own: two backends that say who they are, a generator that keeps records.

python -m tests.faults.load backends PORT PORT
python -m tests.faults.load drive PORT HOST CONNECTIONS FILE     until standard input closes
"""

from __future__ import annotations

import asyncio
import struct
import sys
import time
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple, cast

import uvloop

CHANGE_HEADER = "x-change"
RECORD = struct.Struct("=ddBI")
FRESH_PAUSE_S = 0.005
TIMEOUT_S = 10


class Answer(NamedTuple):
    """One answer: when its request was sent and it was received (seconds of the monotonic clock), by which backend, and
    by the rule of which change."""

    sent_s: float
    received_s: float
    backend: int
    change: int


def read_answers(file: Path) -> list[Answer]:
    """What `drive` wrote."""
    return [Answer(*fields) for fields in RECORD.iter_unpack(file.read_bytes())]


class Backend(asyncio.Protocol):
    """Answers every request head with its own number; keeps the connection."""

    def __init__(self, number: int) -> None:
        self._answer = b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n%d" % number
        self._rest = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Remember where to write."""
        self._transport = cast(asyncio.Transport, transport)  # uvloop's is none by inheritance

    def data_received(self, data: bytes) -> None:
        """One answer per head."""
        *heads, self._rest = (self._rest + data).split(b"\r\n\r\n")
        if heads:
            self._transport.write(self._answer * len(heads))


async def serve(ports: Iterable[int]) -> None:
    """Both backends, for ever."""
    loop = asyncio.get_running_loop()
    for number, port in enumerate(ports):
        await loop.create_server(lambda n=number: Backend(n), "127.0.0.1", port, backlog=1024)  # type: ignore[misc]
    await asyncio.Event().wait()


class Generator:
    """Clients of the gateway. Every exchange is a record or a failure."""

    def __init__(self, port: int, host: str) -> None:
        self._port = port
        self._request = f"GET /who HTTP/1.1\r\nHost: {host}\r\nUser-Agent: change\r\nAccept: */*\r\n\r\n".encode()
        self.records = bytearray()
        self.failures: list[str] = []
        self.stopping = False

    async def _connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        return await asyncio.open_connection("127.0.0.1", self._port)

    async def _exchange(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        sent = time.monotonic()
        writer.write(self._request)
        head = await reader.readuntil(b"\r\n\r\n")
        body = await reader.readexactly(1)
        if not head.startswith(b"HTTP/1.1 200 ") or body not in b"01":
            raise ValueError(f"answered {head!r} {body!r}")
        self.records += RECORD.pack(sent, time.monotonic(), int(body), change_number(head))

    async def keep(self) -> None:
        """One connection, kept busy; a failure ends it and counts."""
        try:
            reader, writer = await self._connect()
            while not self.stopping:
                async with asyncio.timeout(TIMEOUT_S):
                    await self._exchange(reader, writer)
            writer.close()
        except (OSError, ValueError, EOFError, TimeoutError) as error:
            self.failures.append(f"on a kept connection: {error!r}")

    async def stream(self) -> None:
        """A fresh connection for every request, again and again."""
        while not self.stopping:
            try:
                async with asyncio.timeout(TIMEOUT_S):
                    reader, writer = await self._connect()
                    await self._exchange(reader, writer)
                    writer.close()
            except (OSError, ValueError, EOFError, TimeoutError) as error:
                self.failures.append(f"on a fresh connection: {error!r}")
            await asyncio.sleep(FRESH_PAUSE_S)


def change_number(head: bytes) -> int:
    """What the gateway wrote into the answer. ValueError when it did not."""
    for line in head.split(b"\r\n"):
        name, _, value = line.partition(b":")
        if name.lower() == CHANGE_HEADER.encode():
            return int(value)
    raise ValueError(f"no {CHANGE_HEADER} in {head!r}")


async def drive(port: int, host: str, connections: int, file: Path) -> None:
    """Load until standard input closes; then the records go to `file` and the failures to standard output."""
    generator = Generator(port, host)
    tasks = [asyncio.create_task(generator.keep()) for _ in range(connections)]
    tasks.append(asyncio.create_task(generator.stream()))
    print("running", flush=True)
    await asyncio.to_thread(sys.stdin.read)
    generator.stopping = True
    await asyncio.gather(*tasks)
    file.write_bytes(generator.records)
    for failure in generator.failures:
        print(failure)


def main(words: list[str]) -> None:
    """See the head of this file."""
    match words:
        case ["backends", *ports]:
            uvloop.run(serve(map(int, ports)))
        case ["drive", port, host, connections, file]:
            uvloop.run(drive(int(port), host, int(connections), Path(file)))
        case _:
            sys.exit(__doc__)


if __name__ == "__main__":
    main(sys.argv[1:])
