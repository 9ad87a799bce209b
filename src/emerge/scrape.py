"""A web server for scrapers on this machine: one thread that accepts, one for each request, all joined at its end.

It listens on the loopback address alone, so nobody on another machine can reach it.
"""

from __future__ import annotations

import atexit
import os
import socket
import socketserver
import threading
import weakref
from typing import TYPE_CHECKING, Any
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer

from .errors import Unavailable
from .fork import renew_after_fork
from .trace import log

if TYPE_CHECKING:
    from wsgiref.types import WSGIApplication

__all__ = ["HOST", "Listener"]

HOST = "127.0.0.1"

PATIENCE = 10.0
"""Seconds that a connection may be silent before it is given up."""


class _Handler(WSGIRequestHandler):
    timeout = PATIENCE

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        """Say nothing: whoever scrapes does so every few seconds."""


class Listener(socketserver.ThreadingMixIn, WSGIServer):
    """Answers requests from when it is made until `close`; closed by itself when the interpreter exits."""

    allow_reuse_address = os.name == "posix"  # elsewhere it would let two servers share a port
    timeout = 0.5  # after which the accepting thread looks whether it is to end, should nobody have woken it

    def __init__(self, port: int, application: WSGIApplication) -> None:
        self._requests: list[tuple[threading.Thread, socket.socket]] = []
        self._ending = False
        try:
            super().__init__((HOST, port), _Handler)
        except OSError as error:
            raise Unavailable(
                f"port {port} of {HOST} cannot be had ({error.strerror}):"
                " choose another port, or 0 for one that is free"
            ) from error
        self.set_app(application)
        self._thread = threading.Thread(target=self._loop, name="emerge metrics", daemon=True)
        _listeners.add(self)
        renew_after_fork(self)
        try:
            self._thread.start()
        except BaseException:
            self.server_close()
            raise

    def server_bind(self) -> None:
        """Bind without asking a name server what the loopback address is called."""
        socketserver.TCPServer.server_bind(self)
        self.server_name, self.server_port = HOST, self.server_address[1]
        self.setup_environ()

    @property
    def ending(self) -> bool:
        """Whether it was told to close, or is another process's."""
        return self._ending

    def close(self) -> None:
        """Accept no more, cut connections that are open, and wait until all threads are gone; again does nothing."""
        self._ending = True
        self._wake()
        self._thread.join()
        self.server_close()
        for thread, connection in self._requests:
            _cut(connection)
            thread.join()

    def process_request(self, request: Any, client_address: Any) -> None:
        """Answer a request in a thread of its own, which can be joined."""
        self._requests = [entry for entry in self._requests if entry[0].is_alive()]
        thread = threading.Thread(
            target=self.process_request_thread,
            args=(request, client_address),
            name="emerge metrics request",
            daemon=True,
        )
        thread.start()
        self._requests.append((thread, request))

    def handle_error(self, request: Any, client_address: Any) -> None:  # noqa: ARG002
        """Log what went wrong with a connection; the next one is answered."""
        log.debug("a request for metrics by %s came to nothing", client_address, exc_info=True)

    def _loop(self) -> None:
        while not self._ending:
            self.handle_request()

    def _wake(self) -> None:
        """Let the accepting thread look: it waits for connections, so make one."""
        try:
            if self._thread.is_alive():
                socket.create_connection((HOST, self.server_port), timeout=self.timeout).close()
        except OSError:
            log.debug("the server of metrics ends when it looks next", exc_info=True)

    def _renew(self) -> None:
        """In a forked child: the threads are not here, and the port is the parent's."""
        self._ending = True
        self.server_close()
        for _, connection in self._requests:
            connection.close()
        self._requests = []


def _cut(connection: socket.socket) -> None:
    try:
        connection.shutdown(socket.SHUT_RDWR)
    except OSError:
        return  # it was closed already


_listeners: weakref.WeakSet[Listener] = weakref.WeakSet()


def _close_all() -> None:
    for listener in list(_listeners):
        listener.close()


atexit.register(_close_all)
