"""One connection: a DEALER socket, and the news of what libzmq does behind it."""

from __future__ import annotations

import struct
import threading
from typing import Callable, List, Optional, cast

import zmq

from . import errors
from ._core import Core, Link

MOST_AT_ONCE = 500  # messages read before others have their turn
FEW = 3  # messages, beyond which another one is likely
LARGEST_MESSAGE = 256 << 20
LINGER_MS = 500  # what close() waits for the last messages, such as cancellations, to leave
MOST_SOCKETS = 65_000

_WATCHED = zmq.EVENT_DISCONNECTED | zmq.EVENT_CLOSED | zmq.EVENT_CONNECT_RETRIED | zmq.EVENT_HANDSHAKE_SUCCEEDED

# As plain integers: the enumerations cost more than the calls.
_EVENTS, _POLLIN, _POLLOUT, _NOBLOCK = int(zmq.EVENTS), int(zmq.POLLIN), int(zmq.POLLOUT), int(zmq.NOBLOCK)
_FIRST = int(zmq.SNDMORE) | _NOBLOCK

_lock = threading.Lock()
_context: Optional["zmq.Context[zmq.Socket[bytes]]"] = None


def context() -> "zmq.Context[zmq.Socket[bytes]]":
    """The one that all clients of the process share."""
    global _context
    with _lock:
        if _context is None:
            _context = zmq.Context()
            _context.set(zmq.MAX_SOCKETS, MOST_SOCKETS)
        return _context


def forget_context() -> None:
    """In a forked child: the threads behind the context were not forked, so it is of no use; ending it would hang."""
    global _context, _lock
    _lock = threading.Lock()
    _context = None


class Connection:
    """The socket of a Link. It belongs to one thread, which must call look() when a descriptor of it can be read, and
    after it has sent: libzmq's descriptors tell only of changes."""

    def __init__(self, link: Link, several: bool) -> None:
        self.link = link
        self._socket = socket = context().socket(zmq.DEALER)
        socket.set(zmq.LINGER, LINGER_MS)
        socket.set(zmq.SNDHWM, 0)  # the core limits the calls, and so what is queued
        socket.set(zmq.RCVHWM, 0)  # credit limits what a server may send
        socket.set(zmq.MAXMSGSIZE, LARGEST_MESSAGE)
        socket.set(zmq.IMMEDIATE, 1)  # nothing is queued for a server that is not there: it would be executed later
        socket.set(zmq.RECONNECT_IVL, 50)
        socket.set(zmq.RECONNECT_IVL_MAX, 500)
        if several:
            # With somewhere else to go it pays to notice a silent host soon. libzmq's own threads do it, also for a
            # server that computes.
            socket.set(zmq.HEARTBEAT_IVL, 500)
            socket.set(zmq.HEARTBEAT_TIMEOUT, 1500)
        self._monitor = socket.get_monitor_socket(_WATCHED)
        self._get = cast(Callable[[int], int], socket.getsockopt)
        self._get_news = cast(Callable[[int], int], self._monitor.getsockopt)
        self.descriptor = self._get(zmq.FD)
        self.news_descriptor = self._get_news(zmq.FD)
        self._connected = False
        self.news = True  # to be set when news_descriptor can be read; it tells nothing before the first look
        try:
            socket.connect(link.endpoint)
        except zmq.ZMQError as error:
            self.close()
            raise errors.Error(f"cannot connect to {link.endpoint}: {error}") from error
        # pyzmq's own methods beneath the ones that also know the draft sockets.
        self._send, self._recv = super(zmq.Socket, socket).send, super(zmq.Socket, socket).recv


    def send(self, payload: bytes) -> bool:
        """False if nobody is connected, and then nothing was sent."""
        try:
            self._send(b"", _FIRST)
        except zmq.Again:
            return False
        self._send(payload, _NOBLOCK)  # follows the first part, wherever that went
        return True

    def look(self, core: Core, clock: Callable[[], float]) -> bool:
        """Tells the core what came, and with `news` what happened to the connection. True if there may be more, and
        look() is to be called soon."""
        more = self._drain(core, clock())
        if self.news and self._ended():
            more = self._drain(core, clock()) or more  # replies that came before the end count
            core.link_down(self.link, clock(), "its connection has ended")
        # For a moment a connection that has ended can still be written to: that alone says nothing.
        if not self.link.up and self._connected and self._get(_EVENTS) & _POLLOUT:
            core.link_up(self.link, clock())
        return more

    def _drain(self, core: Core, now: float) -> bool:
        get, recv = self._get, self._recv
        if not get(_EVENTS) & _POLLIN:
            return False
        # Everything is read before any of it is told: each recv lets other threads run, and a caller that is woken for
        # the first reply would otherwise come in between for each of them.
        payloads: List[bytes] = []
        try:
            while len(payloads) < MOST_AT_ONCE:
                # A message is an empty frame and a payload; whatever else comes is skipped frame by frame.
                if not recv(_NOBLOCK):
                    payloads.append(recv(_NOBLOCK))
                # Asking costs less than an exception; of many messages, only the exception.
                if len(payloads) < FEW and not get(_EVENTS) & _POLLIN:
                    break
        except zmq.Again:
            pass
        link, receive = self.link, core.receive
        for payload in payloads:
            receive(link, payload, now)
        return len(payloads) == MOST_AT_ONCE

    def _ended(self) -> bool:
        """Whether the connection has ended since the last look."""
        self.news = ended = False
        while self._get_news(_EVENTS) & _POLLIN:
            kind, value = struct.unpack("=HI", self._monitor.recv_multipart(zmq.NOBLOCK)[0])
            if kind == zmq.EVENT_HANDSHAKE_SUCCEEDED:
                self._connected = True
            elif kind == zmq.EVENT_DISCONNECTED:
                self._connected = False
                ended = True
            elif kind == zmq.EVENT_CLOSED or kind == zmq.EVENT_CONNECT_RETRIED:
                if not self.link.up:
                    self.link.trouble = "nobody is listening there"
        return ended

    def close(self) -> None:
        self._socket.disable_monitor()
        self._monitor.close(0)
        self._socket.close()
