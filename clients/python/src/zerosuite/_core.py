"""The client's side of zerorpc without sockets, threads or clocks: it is told what came and what time it is, and says
what to send, what became of each call, and when it wants to be woken. docs/protocol.md has the rules.

One Core serves one client. Its links are the connections to the client's endpoints, in the order of preference; all of
them lead to the same services. A call waits until one of them is up, and a call that nobody waits for any more is
either never sent or cancelled at the server.
"""

from __future__ import annotations

import itertools
import random
from collections import deque
from typing import Any, Callable, Deque, Dict, List, Optional, Tuple

from . import _wire, errors
from ._signatures import Signatures

NEVER = float("inf")

INSPECT = "_zerorpc_inspect"
INSPECT_TIMEOUT = 5.0
MOST_TRIES = 3
MOST_SLOTS = 2**31 - 1
LONGEST_HEARTBEAT = 3600.0
PERSISTENT = 1_000  # tries: until the timeout
USUAL = 5.0  # seconds between heartbeats, unless client and server say otherwise
FIRST_DELAY = 0.05  # seconds before another try, doubled with each, when the server names no time
LONGEST_DELAY = 1.0
LONGEST_ASIDE = 30.0  # seconds for which a link that breaks again and again is used only if no other is up
LATE = 0.5  # seconds after which a wake-up was so late that silence may be ours, not the server's
TICK_COST = 5e-6  # seconds that one look at an open call may take

#: Refusals that a call gets without having been executed.
REFUSALS = ("Unavailable", "Overloaded", "Recovering", "QuorumLost")
#: Errors after which nobody knows whether it was.
UNKNOWN = ("WorkerLost", "ShuttingDown", "Indeterminate", "LostRemote")


class Stream:
    """The items of a call that have come and have not been taken, and the credit that the server has for more."""

    def __init__(self, window: int) -> None:
        self.items: Deque[Any] = deque()
        self.ended = False
        self.error: Optional[BaseException] = None
        self._window = window
        self._half = max(1, window // 2)
        self._taken = itertools.count()

    def taken(self) -> int:
        """To be called after an item was taken, by any thread; the credit to grant for it. The first item brings a
        window, and then each half of one its half: that suits servers that add up grants, as stock Python ones do, and
        servers that let the last one count, as stock Node ones do."""
        before = next(self._taken)
        if before == 0:
            return self._window
        return self._half if before % self._half == 0 else 0

    @property
    def overrun(self) -> bool:
        """Whether the server sends without credit."""
        return len(self.items) > self._window + 1

    def woken(self) -> None:
        """Called when an item or the end has come."""


class Call:
    """One call, from when it is made until it is over. Each driver has a kind of its own, which says how it waits."""

    __slots__ = (
        "method", "packed", "timeout", "slots", "repeatable", "most_tries", "deadline", "message_id", "link",
        "heard", "beat", "tries", "not_before", "queued", "stream", "abandoned",
    )

    counted = True  # against max_calls

    def __init__(self, method: str, packed: bytes, timeout: Optional[float], slots: int, repeatable: bool) -> None:
        self.method = method
        self.packed = packed
        # Whatever is no number would end the client's thread, and every call with it.
        if type(slots) is not int or not 0 < slots <= MOST_SLOTS:
            raise ValueError(f"slots are an integer from 1 to {MOST_SLOTS}, not {slots!r}")
        self.timeout = timeout
        self.slots = slots
        self.repeatable = repeatable  # whether executing it twice does no harm
        self.most_tries = MOST_TRIES
        self.abandoned = False  # set by its caller, from any thread
        self.message_id = b""
        self.link: Optional[Link] = None
        self.deadline = self.beat = NEVER
        self.heard = self.not_before = self.queued = 0.0
        self.tries = 0
        self.stream: Optional[Stream] = None

    def new_stream(self) -> Stream:
        """The buffer of the items, when the reply turns out to be a stream."""
        return Stream(self.slots)

    def answered(self, value: Any) -> None:
        """Called once, unless failed() is; `value` is the stream if the reply is one."""
        raise NotImplementedError

    def failed(self, error: BaseException) -> None:
        raise NotImplementedError


class ToldCall(Call):
    """A call of this package's own, whose outcome a function is told: the value or the error."""

    __slots__ = ("tell",)
    counted = False  # a program that has too many calls open keeps its locks

    def __init__(self, method: str, args: Tuple[Any, ...], timeout: float,
                 tell: Callable[[Any, Optional[BaseException]], None]) -> None:
        super().__init__(method, _wire.pack_call(method, args), timeout, 1, repeatable=True)
        self.tell = tell

    def answered(self, value: Any) -> None:
        self.tell(value, None)

    def failed(self, error: BaseException) -> None:
        self.tell(None, error)


class Link:
    """What the core knows of the connection to one endpoint."""

    def __init__(self, endpoint: str) -> None:
        self.endpoint = endpoint
        self.up = False
        self.failures = 0
        self.aside_until = 0.0
        self.trouble = ""  # why it is not up, if anybody said so

    def __repr__(self) -> str:
        return f"<{self.endpoint} {'up' if self.up else 'down'}>"


#: What is to be sent where, and the call whose first event it is.
Outgoing = Tuple[Link, bytes, Optional[Call]]


class Core:
    """See above. Only one thread may use it, and no method of a Call may call back into it."""

    def __init__(self, endpoints: List[str], heartbeat: Optional[float] = USUAL, max_calls: int = 10_000) -> None:
        if heartbeat is not None and not 0 < heartbeat <= LONGEST_HEARTBEAT:
            raise ValueError(f"heartbeat is None or up to {LONGEST_HEARTBEAT:.0f} seconds, not {heartbeat!r}")
        if type(max_calls) is not int or max_calls < 1:
            raise ValueError(f"max_calls is a positive integer, not {max_calls!r}")
        self.links = [Link(endpoint) for endpoint in endpoints]
        self.out: Deque[Outgoing] = deque()  # what is to be sent; the driver empties it
        self.wake_at = NEVER  # when tick() is to be called; may become earlier with every call
        self._known: Optional[Signatures] = None  # with several links: which methods may be repeated
        self._asking = False
        self._heartbeat = heartbeat
        # Others do not need to be told: three of the usual intervals are what servers wait for anyway.
        self._announced = _wire.announcement(heartbeat) if heartbeat is not None and heartbeat > USUAL else b""
        self._max_calls = max_calls
        self._ids = _wire.Ids()
        self._open: Dict[bytes, Call] = {}
        self._waiting: Dict[Call, None] = {}  # not sent, in the order of their coming
        self._current: Optional[Link] = None
        self._dice = random.Random()

    # What the program does.

    def submit(self, call: Call, now: float) -> None:
        """Takes over a call; it is over when one of its methods has been called, or cancel()."""
        if call.abandoned:
            return
        if call.counted and len(self._open) + len(self._waiting) >= self._max_calls:
            call.failed(errors.TooManyCalls(f"{self._max_calls} calls are open already"))
            return
        timeout = call.timeout
        if timeout is not None:
            call.deadline = now + timeout
        call.queued = now
        if self._current is None:
            self._wait(call, now)
        else:
            self._send(self._current, call, timeout, now)

    def cancel(self, call: Call) -> None:
        """Nobody waits for it any more, or its answer reached nobody: it is not sent, or the server is told. A server
        of ours then takes back what it granted."""
        call.abandoned = True
        self.drop(call)
        if call.link is not None and call.link.up:
            self._emit(call, _wire.CANCEL, ())

    def drop(self, call: Call) -> None:
        """Forgets it, if it is known; says nothing to anybody."""
        self._waiting.pop(call, None)
        self._finish(call)

    def grant(self, call: Call, credit: int) -> None:
        """Lets the server send more items of a stream."""
        if call.message_id in self._open:
            self._emit(call, _wire.MORE, (credit,))

    def close(self, error: errors.Error) -> None:
        """Ends every call with this error, and cancels it at the server."""
        for call in [*self._open.values(), *self._waiting]:
            self._cancel_with(call, error)

    @property
    def busy(self) -> bool:
        return bool(self._open or self._waiting)

    # What the network does.

    def link_up(self, link: Link, now: float) -> None:
        """It can be sent on."""
        if not link.up:
            link.up = True
            link.trouble = ""
            self._choose(now)
            self._send_waiting(now)
            if len(self.links) > 1 and self._known is None and not self._asking:
                self._asking = True
                self.submit(ToldCall(INSPECT, (), INSPECT_TIMEOUT, self._learn), now)

    def link_down(self, link: Link, now: float, reason: str = "its connection has ended") -> None:
        """Whatever was sent on it is lost, and so is every reply that has not come."""
        link.up = False
        link.trouble = reason
        link.failures += 1
        link.aside_until = now + min(LONGEST_ASIDE, 2.0 ** min(link.failures - 1, 5))
        self._choose(now)
        lost = [call for call in self._open.values() if call.link is link]
        for call in lost:
            del self._open[call.message_id]
            self._lost(call, f"{link.endpoint} is lost: {reason}", now)
        self._send_waiting(now)

    def unsent(self, outgoing: Outgoing, now: float) -> None:
        """The driver could not send this; it has not left us."""
        link, _, call = outgoing
        link.up = False
        self._choose(now)
        if call is not None and self._open.pop(call.message_id, None) is not None:
            call.tries -= 1
            self._wait(call, now)
        self._wake_by(now)

    def receive(self, link: Link, payload: bytes, now: float) -> None:
        """A message has come."""
        event = _wire.parse(payload)
        if event is None:
            return
        channel, name, args = event
        call = self._open.get(channel)
        if call is None:
            return  # its caller has gone
        if name == "OK":
            del self._open[channel]
            link.failures = 0
            if type(args) is list and args and call.stream is None:
                call.answered(args[0])
            else:
                self._end(call, errors.ProtocolError(f"OK with {args!r:.200}"))
            return
        call.heard = now
        if name == "STREAM":
            self._item(call, args)
        elif name == _wire.HEARTBEAT or name == _wire.MORE:
            pass
        elif name == "STREAM_DONE":
            self._finish(call)
            if call.stream is None:
                self._begin_stream(call)
            self._end(call, None)
        elif name == "ERR":
            self._error(call, errors.remote_error(args), now)
        else:
            self._cancel_with(call, errors.ProtocolError(args if name == "" else f"unexpected event {name!r:.200}"))

    def tick(self, now: float) -> None:
        """Sends the heartbeats that are due and ends what took too long. Read the sockets before: what has come in the
        meantime counts."""
        late = now - self.wake_at
        self.wake_at = NEVER
        if late > LATE and self._heartbeat is not None:
            # We could not run for a while and heard nothing, whoever sent. A silence counts from now on, at the most
            # as one heartbeat that is missing already.
            for call in self._open.values():
                call.heard = max(call.heard + late, now - self._heartbeat)
        for call in list(self._open.values()):
            self._judge(call, now)
        for call in list(self._waiting):
            self._judge_waiting(call, now)
        if self._waiting:
            self._choose(now)
            self._send_waiting(now)
        # Every look costs a little for each call: with very many calls, look less often.
        self.wake_at = max(self.wake_at, now + len(self._open) * TICK_COST)

    # Inside.

    def _learn(self, described: Any, error: Optional[BaseException]) -> None:
        """Which methods may be repeated. Most stock servers cannot say: there, nothing is but what its caller says."""
        self._asking = False
        if error is None:
            self._known = Signatures(described)

    def _send(self, link: Link, call: Call, timeout: Optional[float], now: float) -> None:
        call.message_id = message_id = self._ids.new()
        call.link = link
        call.tries += 1
        self._open[message_id] = call
        due, heartbeat = call.deadline, self._heartbeat
        if heartbeat is not None:
            # The first heartbeat may take one interval longer than the others: stock servers may be busy.
            call.beat = call.heard = beat = now + heartbeat
            if beat < due:
                due = beat
        if due < self.wake_at:
            self.wake_at = due
        self.out.append((link, _wire.call(message_id, call.packed, timeout, self._announced), call))

    def _wait(self, call: Call, now: float) -> None:
        self._waiting[call] = None
        self._wake_by(min(call.deadline, self._patience_of(call)))
        if call.not_before > now:
            self._wake_by(call.not_before)

    def _patience_of(self, call: Call) -> float:
        """Until when it waits for a connection."""
        return NEVER if self._heartbeat is None else max(call.queued, call.not_before) + 2 * self._heartbeat

    def _send_waiting(self, now: float) -> None:
        link = self._current
        if link is None or not self._waiting:
            return
        for call in list(self._waiting):
            if call.not_before <= now:
                del self._waiting[call]
                if not call.abandoned:
                    self._send(link, call, None if call.timeout is None else call.deadline - now, now)

    def _emit(self, call: Call, name: str, args: Tuple[Any, ...]) -> None:
        assert call.link is not None
        self.out.append((call.link, _wire.event(self._ids.new(), call.message_id, name, args), None))

    def _choose(self, now: float) -> None:
        """Keeps the link that is used while it is up: changing it back and forth would help nobody."""
        if self._current is not None and self._current.up:
            return
        up = [link for link in self.links if link.up]
        self._current = min(up, key=lambda link: link.aside_until > now, default=None)

    def _wake_by(self, when: float) -> None:
        if when < self.wake_at:
            self.wake_at = when

    def _judge(self, call: Call, now: float) -> None:
        if now >= call.deadline and call.stream is None:
            self._cancel_with(call, self._timeout(call))
            return
        if self._heartbeat is not None and now >= call.beat:
            if now - call.heard >= 2 * self._heartbeat:
                self._finish(call)
                self._emit(call, _wire.CANCEL, ())
                self._lost(call, f"no heartbeat from {_endpoint(call)} for {now - call.heard:.0f} s", now)
                return
            self._emit(call, _wire.HEARTBEAT, (0,))
            call.beat = now + self._heartbeat
        self._wake_by(call.beat if call.stream is not None else min(call.beat, call.deadline))

    def _judge_waiting(self, call: Call, now: float) -> None:
        patience = self._patience_of(call)
        if call.abandoned:
            del self._waiting[call]
        elif now >= call.deadline:
            del self._waiting[call]
            call.failed(self._timeout(call))
        elif now >= patience:
            del self._waiting[call]
            call.failed(errors.LostRemote(self._nobody()))
        else:
            self._wake_by(min(call.deadline, patience))
            if call.not_before > now:
                self._wake_by(call.not_before)

    def _timeout(self, call: Call) -> errors.TimeoutExpired:
        where = "" if call.link is not None else f"; {self._nobody()}"
        return errors.TimeoutExpired(f"timeout after {call.timeout:g} s, when calling {call.method}{where}")

    def _nobody(self) -> str:
        """That no link is up, and why."""
        if not self.links:
            return "no connection to anywhere: no endpoint was named"
        links = (f"{link.endpoint} ({link.trouble})" if link.trouble else link.endpoint for link in self.links)
        return f"no connection to {', '.join(links)}"

    def _finish(self, call: Call) -> None:
        self._open.pop(call.message_id, None)

    def _end(self, call: Call, error: Optional[BaseException]) -> None:
        """The end of a call that is no longer in the tables."""
        if call.stream is not None:
            call.stream.error = error
            call.stream.ended = True
            call.stream.woken()
        elif error is not None:
            call.failed(error)

    def _cancel_with(self, call: Call, error: BaseException) -> None:
        self.cancel(call)
        self._end(call, error)

    def _begin_stream(self, call: Call) -> Stream:
        call.stream = stream = call.new_stream()
        call.answered(stream)
        return stream

    def _item(self, call: Call, item: Any) -> None:
        stream = call.stream
        if stream is None:
            stream = self._begin_stream(call)
        stream.items.append(item)
        if stream.overrun:
            self._cancel_with(call, errors.ProtocolError("the server sends more items than it may"))
        else:
            stream.woken()

    def _error(self, call: Call, error: errors.Error, now: float) -> None:
        self._finish(call)
        delay = self._delay(call, error)
        if delay is None or now + delay >= call.deadline:
            self._end(call, error)
        else:
            self._again(call, delay, now)

    def _delay(self, call: Call, error: errors.Error) -> Optional[float]:
        """Seconds until a call that was answered so is tried again; None if it is not."""
        if call.stream is not None or not isinstance(error, errors.RemoteError):
            return None
        repeatable = self._repeatable(call)
        hint = _hint(error) if error.name in REFUSALS else None
        if error.name == "Recovering" and repeatable and hint is not None:
            return hint  # the lock service knows how long, and then it is over
        if call.tries >= call.most_tries:
            return None
        if error.name in REFUSALS and (repeatable or error.msg.startswith("no worker for ")):
            return self._backoff(call) if hint is None else hint
        if error.name in UNKNOWN and repeatable:
            return self._backoff(call)
        return None

    def _repeatable(self, call: Call) -> bool:
        return call.repeatable or (self._known is not None and self._known.idempotent(call.method))

    def _backoff(self, call: Call) -> float:
        return self._dice.uniform(0.5, 1.0) * min(LONGEST_DELAY, FIRST_DELAY * 2.0 ** min(call.tries - 1, 10))

    def _lost(self, call: Call, reason: str, now: float) -> None:
        """Nobody knows whether it was executed. It is already out of the tables."""
        if call.stream is None and self._repeatable(call) and call.tries < call.most_tries and not call.abandoned:
            self._again(call, 0.0 if call.tries == 1 else self._backoff(call), now)
        else:
            self._end(call, errors.LostRemote(reason))

    def _again(self, call: Call, delay: float, now: float) -> None:
        call.not_before = now + delay
        self._wait(call, now)
        if delay <= 0:
            self._send_waiting(now)


def _hint(error: errors.RemoteError) -> Optional[float]:
    """Seconds after which the server wants to be asked again, if it says so."""
    hint = error.details.get("retry_after_ms")
    return max(0.0, hint / 1000) if isinstance(hint, (int, float)) else None


def _endpoint(call: Call) -> str:
    return call.link.endpoint if call.link is not None else "nowhere"
