"""The thread behind a synchronous client. It alone uses the sockets and the core; callers hand it what they want done
and wait on a lock of their own.

That costs two changes of threads for each call, and is what makes the client safe: Python may raise KeyboardInterrupt
between any two instructions of the main thread, and a caller that drove the socket itself would leave it out of step.
Here an interrupted caller leaves nothing behind but a call that it takes back.
"""

from __future__ import annotations

import itertools
import logging
import math
import os
import select
import sys
import threading
import time
from collections import deque
from typing import Any, Callable, Deque, Dict, Optional, Sequence, Tuple, Union

from . import errors
from ._core import LATE, NEVER, Call, Core, Link
from ._link import Connection

log = logging.getLogger("zerosuite")

#: A call to submit, or a function and its arguments.
Command = Union[Call, Tuple[Callable[..., None], Tuple[Any, ...]]]

LONGEST_SLEEP = 3600.0


class IoThread:
    """Starts its thread with the first command, so that a client made before a fork, or at import, costs nothing.
    Every method may be called from any thread."""

    def __init__(self, endpoints: Sequence[str], heartbeat: Optional[float], max_calls: int) -> None:
        self.core = Core(list(endpoints), heartbeat, max_calls)
        self.closed = False
        self.ident: Optional[int] = None  # of the thread, once it runs
        self._options = heartbeat, max_calls
        self._commands: Deque[Command] = deque()
        self._starting = threading.Lock()
        self._thread: Optional[threading.Thread] = None
        self._running = False
        self._sleep = 0  # the number of the sleep that the thread is in; 0 while it is awake
        self._woken = 0  # the number of the last sleep that somebody has ended
        self._alarm: Optional[_Alarm] = None
        #: Called when the thread has failed, with the reason.
        self.on_failure: Callable[[str], None] = lambda reason: None
        self._timer: Callable[[], float] = lambda: NEVER
        self._timer_at = NEVER

    @property
    def running(self) -> bool:
        return self._running

    def add(self, endpoint: str) -> None:
        """Before the first command."""
        if self._running:
            raise errors.Error("the client has connected already: name its endpoints before the first call")
        self.core.links.append(Link(endpoint))

    def submit(self, call: Call) -> None:
        """The call is over when one of its methods has been called, or after cancel()."""
        self._do(call)

    def cancel(self, call: Call) -> None:
        """Nobody waits for it any more. Safe in a finalizer."""
        call.abandoned = True
        if self._running:
            try:
                self._do((self.core.cancel, (call,)))
            except errors.Closed:
                pass  # which has cancelled it

    def grant(self, call: Call, credit: int) -> None:
        """Lets the server send more items of a stream."""
        self._do((self.core.grant, (call, credit)))

    def set_timer(self, timer: Callable[[], float]) -> None:
        """Calls it in the thread, now and then whenever the time has come that it returned last, by
        time.monotonic(). It must not block."""
        self._do((self._set_timer, (timer,)))

    def close(self, wait: Optional[float] = 1.0) -> None:
        """Ends every call with Closed. With `wait`, until the thread has ended, or for that many seconds."""
        self.closed = True
        thread = self._thread
        if self._running and thread is not None:
            self._wake()
            if wait is not None and thread is not threading.current_thread():
                thread.join(wait)

    def forget(self) -> None:
        """In a forked child: the thread, the sockets and the open calls are the parent's. The next command starts
        anew."""
        self.core.close(errors.LostRemote("the call was made before the fork, and belongs to the parent"))
        endpoints = [link.endpoint for link in self.core.links]
        global _MAIN
        _MAIN = threading.get_ident()  # the thread that forked is the child's main thread
        closed = self.closed
        self.__init__(endpoints, *self._options)  # type: ignore[misc]
        self.closed = closed

    # In the caller's thread.

    def _do(self, command: Command) -> None:
        if self.closed:
            raise errors.Closed("the client is closed")
        self._commands.append(command)
        sleep = self._sleep
        if sleep:
            if sleep != self._woken:
                self._end_sleep(sleep)
        elif not self._running:
            self._start()

    def _end_sleep(self, sleep: int) -> None:
        """One of many callers is enough to wake the thread: writing makes each of them wait for its turn to run."""
        if _patched() or threading.get_ident() == _MAIN:
            # Whoever may be interrupted in between must have written before others rely on it.
            self._wake()
            self._woken = sleep
        else:
            self._woken = sleep
            self._wake()

    def _wake(self) -> None:
        alarm = self._alarm  # which the thread drops when it ends
        if alarm is not None:
            alarm.ring()

    def _start(self) -> None:
        if self.closed:  # since we looked, and the thread may not have seen this command any more
            self._end(errors.Closed("the client was closed"))
            return
        if _patched() != _PATCHED_AT_IMPORT:
            raise RuntimeError("gevent has patched the threading module after zerosuite was imported: patch first")
        with self._starting:
            # Interrupted between these lines, the next command finds no living thread and starts one.
            if self._thread is not None and self._thread.is_alive():
                return
            if self._alarm is None:
                self._alarm = _Alarm()
            self._thread = threading.Thread(target=self._run, args=(self._alarm,), name="zerosuite", daemon=True)
            self._thread.start()

    # In the thread itself.

    def _run(self, alarm: "_Alarm") -> None:
        self.ident = threading.get_ident()
        self._running = True
        connections: Dict[Link, Connection] = {}
        try:
            self._serve(alarm, connections)
        except errors.Error as error:
            self._end(error)
        except BaseException as problem:
            log.exception("the thread of a zerosuite client has failed")
            self._end(errors.Error(f"the client's thread has failed: {problem!r}"))
            self.on_failure("its client has failed")
        finally:
            self.closed = True
            self._running = False
            self._end(errors.Closed("the client was closed"))
            self._alarm = None
            for connection in connections.values():
                connection.close()

    def _serve(self, alarm: "_Alarm", connections: Dict[Link, Connection]) -> None:
        core, clock, commands = self.core, time.monotonic, self._commands
        poller = select.poll()
        poller.register(alarm.descriptor, select.POLLIN)
        several = len(core.links) > 1
        for link in core.links:
            connection = connections[link] = Connection(link, several)
            poller.register(connection.descriptor, select.POLLIN)
            poller.register(connection.news_descriptor, select.POLLIN)
        sleeps = itertools.count(1)
        more = True  # libzmq tells only of changes, so the first look is ours
        while not self.closed:
            self._sleep = next(sleeps)
            # A command that came before that woke nobody.
            wait = 0 if more or commands else self._sleep_ms(clock())
            ready = poller.poll(wait)
            self._sleep = 0
            readable = [descriptor for descriptor, _ in ready]
            if alarm.descriptor in readable:
                alarm.clear()
            if commands:
                self._obey(clock())
            more = False
            self._send(connections)
            for connection in connections.values():
                if connection.news_descriptor in readable:
                    connection.news = True
                more = connection.look(core, clock) or more
            now = clock()
            # What has come counts before anybody is judged, but a flood of it must not stop our heartbeats.
            if now >= core.wake_at and (not more or now >= core.wake_at + LATE):
                core.tick(now)
            if now >= self._timer_at:
                self._timer_at = self._timer()
            if core.out:
                self._send(connections)
                more = True  # whoever has sent must look again
        core.close(errors.Closed("the client was closed"))
        self._send(connections)

    def _obey(self, now: float) -> None:
        commands, submit = self._commands, self.core.submit
        while commands:
            command = commands.popleft()
            if isinstance(command, Call):
                try:
                    submit(command, now)
                except BaseException as problem:  # no longer a command, and perhaps no open call: told here
                    self.core.drop(command)
                    command.failed(errors.Error(f"the client's thread has failed: {problem!r}"))
                    raise
            else:
                function, arguments = command
                function(*arguments)

    def _sleep_ms(self, now: float) -> int:
        seconds = min(self.core.wake_at, self._timer_at) - now
        return max(0, math.ceil(min(seconds, LONGEST_SLEEP) * 1000))

    def _send(self, connections: Dict[Link, Connection]) -> None:
        out = self.core.out
        while out:
            outgoing = out.popleft()
            if not connections[outgoing[0]].send(outgoing[1]):
                self.core.unsent(outgoing, time.monotonic())

    def _end(self, error: errors.Error) -> None:
        """Nothing may be left that somebody waits for."""
        while True:
            try:
                command = self._commands.popleft()
            except IndexError:
                break
            if isinstance(command, Call):
                command.failed(error)
        self.core.close(error)

    def _set_timer(self, timer: Callable[[], float]) -> None:
        self._timer = timer
        self._timer_at = timer()


def _patched() -> bool:
    """Whether what we know as threads are gevent's."""
    monkey = sys.modules.get("gevent.monkey")
    return monkey is not None and bool(monkey.is_module_patched("threading"))


_PATCHED_AT_IMPORT = _patched()
_MAIN = threading.main_thread().ident


class _Alarm:
    """Wakes the thread out of poll(). Its descriptors are closed when nobody has it any more: whoever still rang one
    that was closed might write into somebody else's file."""

    def __init__(self) -> None:
        if hasattr(os, "eventfd"):
            self.descriptor = self._writer = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
        else:
            self.descriptor, self._writer = os.pipe()
            os.set_blocking(self.descriptor, False)
            os.set_blocking(self._writer, False)

    def ring(self) -> None:
        try:
            os.write(self._writer, b"\1\0\0\0\0\0\0\0")
        except BlockingIOError:
            pass  # it rings already

    def clear(self) -> None:
        os.read(self.descriptor, 4096)

    def __del__(self) -> None:
        for descriptor in {self.descriptor, self._writer}:
            os.close(descriptor)
