"""What both examples ask: a small HTTP server on this machine that writes down when each request came, and for what.

``GET /answers?key=3&key=5`` answers the keys 3 and 5 in one request. Standard library only.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
from typing import NamedTuple
from urllib.parse import parse_qs, urlencode, urlsplit


class Request(NamedTuple):
    """One request as the server saw it: when it came, by the clock of the event loop, and how many keys it named."""

    time: float
    keys: int


class Server:
    """A server at a free port of 127.0.0.1 for the length of an ``async with`` block."""

    def __init__(self) -> None:
        self.port = 0
        self.requests: list[Request] = []

    async def __aenter__(self) -> Server:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0, backlog=1024)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(self, *error: object) -> None:
        self._server.close()
        await self._server.wait_closed()

    def between(self, begin: float, end: float) -> list[Request]:
        """Return the requests that came from one time on and before another."""
        return [request for request in self.requests if begin <= request.time < end]

    async def ask(self, *keys: int) -> dict[int, str]:
        """Ask for some keys in one request, as any client would; return the answer to each."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        try:
            query = urlencode([("key", key) for key in keys])
            writer.write(f"GET /answers?{query} HTTP/1.0\r\n\r\n".encode())
            head, _, body = (await reader.read()).partition(b"\r\n\r\n")
        finally:
            writer.close()
        status = head.split()[1:2]
        if status != [b"200"]:
            raise ConnectionError(f"the server answered {head[:80]!r}")
        return {int(key): answer for key, answer in json.loads(body).items()}

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            with contextlib.suppress(ConnectionError):  # who asked may be gone
                await self._answer(reader, writer)
        finally:
            writer.close()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        words = (await reader.readline()).split()
        now = asyncio.get_running_loop().time()
        while (await reader.readline()).strip():
            pass
        keys = parse_qs(urlsplit(words[1].decode()).query).get("key", []) if len(words) == 3 else []
        if keys:
            self.requests.append(Request(now, len(keys)))
        writer.write(response({key: f"answer to {key}" for key in keys}))
        await writer.drain()


def response(answers: dict[str, str]) -> bytes:
    """Return an HTTP response with answers as JSON, or one that says that nothing was asked."""
    status = "200 OK" if answers else "400 Bad Request"
    body = json.dumps(answers).encode()
    head = f"HTTP/1.0 {status}\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    return head.encode() + body
