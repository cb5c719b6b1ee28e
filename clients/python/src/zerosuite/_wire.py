"""What goes over the wire: events, as docs/protocol.md describes them, to bytes and back."""

from __future__ import annotations

import functools
import itertools
import os
import threading
from typing import Any, Optional, Sequence, Tuple

import msgpack  # type: ignore[import-untyped]

HEARTBEAT = "_zpc_hb"
MORE = "_zpc_more"
CANCEL = "_zpx_cancel"

# A call's header differs from the last one's in its id alone, so it is put together from bytes.
_MESSAGE_ID = b"\xaamessage_id\xc4\x20"
_VERSION = b"\xa1v\x03"
_RESPONSE_TO = b"\xabresponse_to\xc4\x20"
_TIMEOUT = msgpack.packb("timeout_ms")
_INTERVAL = msgpack.packb("heartbeat_ms")
_CALL = b"\x93\x82" + _MESSAGE_ID
_CALL_WITH_TIMEOUT = b"\x93\x83" + _MESSAGE_ID
_EVENT = b"\x93\x83" + _MESSAGE_ID

_LONGEST_TIMEOUT_MS = 2**53 - 1


class Ids:
    """Message ids as zerorpc-python makes them: 32 hexadecimal characters, of a counter and of random bits."""

    def __init__(self) -> None:
        self._base = os.urandom(12).hex().encode()
        self._count = itertools.count(int.from_bytes(os.urandom(3), "big"))

    def new(self) -> bytes:
        return b"%08x%s" % (next(self._count) & 0xFFFFFFFF, self._base)


class _Packers(threading.local):
    """A packer for each thread: one that is used again is four times as fast, and none may be shared."""

    def __init__(self) -> None:
        self.pack = msgpack.Packer(use_bin_type=True).pack


_packers = _Packers()


def pack_call(method: str, args: Sequence[Any]) -> bytes:
    """The part of a call that its id and its timeout do not change. Raises what the encoding of `args` raises."""
    pack = _packers.pack
    return pack(method) + pack(args)  # type: ignore[no-any-return]


def announcement(heartbeat: float) -> bytes:
    """What tells a server in a call's header that heartbeats will be so many seconds apart."""
    return _INTERVAL + msgpack.packb(round(heartbeat * 1000))  # type: ignore[no-any-return]


def call(message_id: bytes, packed: bytes, timeout: Optional[float], announced: bytes = b"") -> bytes:
    """A whole call; `timeout` in seconds is what the server may take for it, `announced` an announcement()."""
    if announced:
        keys = announced if timeout is None else announced + _timeout(timeout)
        start = b"\x93\x83" if timeout is None else b"\x93\x84"
        return b"".join((start, _MESSAGE_ID, message_id, _VERSION, keys, packed))
    if timeout is None:
        return b"".join((_CALL, message_id, _VERSION, packed))
    return b"".join((_CALL_WITH_TIMEOUT, message_id, _VERSION, _timeout(timeout), packed))


@functools.lru_cache(maxsize=256)
def _timeout(timeout: float) -> bytes:
    timeout_ms = min(max(1, round(timeout * 1000)), _LONGEST_TIMEOUT_MS)
    return _TIMEOUT + msgpack.packb(timeout_ms)  # type: ignore[no-any-return]


def event(message_id: bytes, channel: bytes, name: str, args: Sequence[Any]) -> bytes:
    """An event of the channel that a call has opened."""
    return b"".join((_EVENT, message_id, _VERSION, _RESPONSE_TO, channel, pack_call(name, args)))


#: What a server sent: the id of the call that it belongs to, the name of the event, and its args.
Event = Tuple[bytes, str, Any]


def parse(payload: bytes) -> Optional[Event]:
    """The event; None for what belongs to no channel, or is none. What a channel was sent but cannot be read is an
    event of the name "" with the reason as its args."""
    try:
        message = msgpack.unpackb(payload, raw=False, strict_map_key=False)
    except msgpack.ExtraData as extra:  # bytes after the event are ignored
        message = extra.unpacked
    except Exception as problem:  # whatever the decoder thinks of a peer's bytes, it must not end the client
        return _unreadable(payload, problem)
    try:
        header, name, args = message
        channel = header["response_to"]
    except (TypeError, ValueError, KeyError):
        return None
    if type(channel) is not bytes:
        if type(channel) is not str:
            return None
        channel = channel.encode()  # a server may have turned the id into text
    return channel, name, args


def _unreadable(payload: bytes, problem: Exception) -> Optional[Event]:
    try:
        # The usual reason is text that is not UTF-8, and then the header can be read all the same.
        header, _, _ = msgpack.unpackb(payload, raw=True, strict_map_key=False)
        channel = header[b"response_to"]
    except Exception:
        return None
    return (channel, "", f"the reply cannot be read: {problem}") if type(channel) is bytes else None

