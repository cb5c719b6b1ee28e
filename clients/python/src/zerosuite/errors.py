"""Every failure that a call can end in. docs/errors.md has the same table, and a test compares the two."""

from __future__ import annotations

import json
from typing import Any, Dict, Optional, Tuple, Type


_MOST_BRACES = 20  # in a message, before its JSON object is given up


class Error(Exception):
    """What this package raises."""


class LostRemote(Error):
    """The server of an open call is gone: its connection has ended, or it sent no heartbeats."""


class TimeoutExpired(Error, TimeoutError):
    """No reply came within the call's timeout."""


class ProtocolError(Error):
    """The peer's reply is not zerorpc."""


class Closed(Error):
    """The client was closed, before the call or during it."""


class TooManyCalls(Error):
    """The client has as many open calls as it may have."""


class LockError(RuntimeError, Error):
    """A lock could not be used as it was meant to be."""


class NotAcquired(LockError):
    """The lock did not become free in time. The body of the `with` block has not run."""


class LockLost(LockError):
    """The lock was lost while it was held, or may have been: somebody else may have it."""


class RemoteError(Error):
    """The method failed, and this is what the server says about it.

    `name` is the error's name there, `msg` its message, `traceback` the server's traceback or None.
    """

    def __init__(self, name: str, msg: str, traceback: Optional[str] = None) -> None:
        super().__init__(name, msg, traceback)
        self.name = name
        self.msg = msg
        self.traceback = traceback

    def __str__(self) -> str:
        return f"{self.name}: {self.msg}" if self.traceback is None else self.traceback.rstrip("\n")

    @property
    def details(self) -> Dict[str, Any]:
        """The JSON object at the end of the message, for programs; {} if there is none."""
        start = self.msg.find("{")
        for _ in range(_MOST_BRACES):
            if start < 0:
                break
            try:
                found = json.loads(self.msg[start:])
            except (ValueError, RecursionError):
                start = self.msg.find("{", start + 1)
            else:
                return found if isinstance(found, dict) else {}
        return {}


class RemoteLost(RemoteError, LostRemote):
    """The server heard nothing from this client for too long, and gave up the call."""


# From Python


class RemoteNameError(RemoteError, NameError):  # type: ignore[misc]  # both have a name, and ours is found first
    """No method of that name; the message is the name, nothing else."""


class RemoteTypeError(RemoteError, TypeError):
    """Wrong number or wrong type of arguments."""


class RemoteValueError(RemoteError, ValueError):
    """Right type, impossible value."""


class RemoteKeyError(RemoteError, KeyError):
    """A built-in method was asked about a method that does not exist."""


class RemoteZeroDivisionError(RemoteError, ZeroDivisionError):
    """Division or modulo by zero."""


class RemoteOverflowError(RemoteError, OverflowError):
    """An argument or the result is outside the range of its integer or float type."""


# Common to every service


class InternalError(RemoteError):
    """The method failed with an exception that is not a named error."""


class InvalidArgument(RemoteError):
    """An argument is outside what the method accepts."""


class Abandoned(RemoteError):
    """The service dropped the call without a reply; a bug in the service."""


class Cancelled(RemoteError):
    """The caller cancelled the call."""


class DeadlineExceeded(RemoteError, TimeoutExpired):
    """The call's timeout_ms expired before it was done."""


class Overloaded(RemoteError):
    """A queue or table is full; try again later."""


class Unavailable(RemoteError):
    """No worker or store is available for the call now."""


class ShuttingDown(RemoteError):
    """The service is stopping and takes no new work."""


class AmbiguousMethod(RemoteError):
    """Several services have a method of that name; the message lists them."""


class WorkerLost(RemoteError):
    """The worker died with the call; it may or may not have been executed."""


class TooLarge(RemoteError):
    """A message or its reply is longer than the frame limit."""


class Unsupported(RemoteError):
    """This build or configuration cannot do this."""


class StateConflict(RemoteError):
    """A worker was refused: the service is bound to another state, or to that state's only owner."""


class StorageError(RemoteError):
    """Data could not be written; nothing was granted."""


class Indeterminate(RemoteError):
    """It may or may not have been done; ask again."""


# Of the lock service


class NotHeld(RemoteError, LockError):
    """The lock is not held."""


class NotOwner(RemoteError, LockError):
    """Another owner holds the lock."""


class StaleToken(RemoteError, LockError):
    """The token does not belong to the current hold."""


class LeaseExpired(RemoteError, LockError):
    """The lease had expired, and the lock with it."""


class SessionLost(RemoteError, LockError):
    """The session has ended, or never existed."""


class Deadlock(RemoteError, LockError):
    """The wait would close a cycle; the message names it."""


class QueueFull(RemoteError, LockError):
    """The maximum number of waiters for the lock is reached."""


class TooManyLocks(RemoteError, LockError):
    """The maximum number of locks is reached."""


class ReentrancyLimit(RemoteError, LockError):
    """The owner has entered the lock too often without leaving it."""


class NotReentrant(RemoteError, LockError):
    """The owner holds the lock already."""


class UpgradeNotAllowed(RemoteError, LockError):
    """A shared hold cannot become an exclusive one."""


class LimitMismatch(RemoteError, LockError):
    """The semaphore was created with another limit."""


class KindMismatch(RemoteError, LockError):
    """A lock was used as a semaphore, or the reverse."""


class RequestConflict(RemoteError, LockError):
    """The request_id was used before for another request."""


class ExtendLimit(RemoteError, LockError):
    """The lock has been held for the maximum time."""


class Recovering(RemoteError, LockError):
    """Locks granted before an unclean stop may still be held; the message says for how long."""


# Of the id service


class BatchTooLarge(RemoteError):
    """The call asked for more ids than one call may return."""


class NoSuchTag(RemoteError):
    """No tag of that name exists."""


class TagExists(RemoteError):
    """A tag of that name exists already."""


class NoSuchLayout(RemoteError):
    """No layout of that name exists."""


class ClockRollback(RemoteError):
    """Ids would run too far ahead of the clock; the message says how long to wait."""


class ClockJump(RemoteError):
    """The clock jumped too far forward to be trusted."""


class TimeExhausted(RemoteError):
    """The layout cannot express the present time."""


class LeaseLost(RemoteError):
    """The worker id is no longer, or not yet, this issuer's."""


class WorkerIdInUse(RemoteError):
    """Another issuer has that worker id."""


class WorkerIdExhausted(RemoteError):
    """No worker id of the layout is free."""


class SegmentExhausted(RemoteError):
    """The reserved values of the tag are used up, and the store gives no more now."""


class RangeExhausted(RemoteError):
    """The sequence has reached its last value."""


class StoreRegressed(RemoteError):
    """The store has lost data, or an old copy was restored; an operator must decide how to continue."""


class EngineDisabled(RemoteError):
    """This kind of id is not available in this configuration."""


class BadToken(RemoteError):
    """The text was not made with these keys, or was changed."""


class AccessDenied(RemoteError):
    """The caller is not allowed to do this."""


_CLASSES: Dict[str, Type[RemoteError]] = {
    "LostRemote": RemoteLost,
    "NameError": RemoteNameError,
    "TypeError": RemoteTypeError,
    "ValueError": RemoteValueError,
    "KeyError": RemoteKeyError,
    "ZeroDivisionError": RemoteZeroDivisionError,
    "OverflowError": RemoteOverflowError,
    **{
        kind.__name__: kind
        for kind in (
            InternalError, InvalidArgument, Abandoned, Cancelled, DeadlineExceeded, Overloaded, Unavailable,
            ShuttingDown, AmbiguousMethod, WorkerLost, TooLarge, Unsupported, StateConflict, StorageError,
            Indeterminate, NotHeld, NotOwner, StaleToken, LeaseExpired, SessionLost, Deadlock, QueueFull,
            TooManyLocks, ReentrancyLimit, NotReentrant, UpgradeNotAllowed, LimitMismatch, KindMismatch,
            RequestConflict, ExtendLimit, Recovering, BatchTooLarge, NoSuchTag, TagExists, NoSuchLayout,
            ClockRollback, ClockJump, TimeExhausted, LeaseLost, WorkerIdInUse, WorkerIdExhausted,
            SegmentExhausted, RangeExhausted, StoreRegressed, EngineDisabled, BadToken, AccessDenied,
        )
    },
}


def remote_error(args: Any) -> Error:
    """The error that the arguments of an ERR event stand for."""
    name, msg, traceback = _parts(args)
    return _CLASSES.get(name, RemoteError)(name, msg, traceback)


def _parts(args: Any) -> Tuple[str, str, Optional[str]]:
    if isinstance(args, (list, tuple)) and len(args) == 3:
        name, msg, traceback = args
        return str(name), str(msg), None if traceback is None else str(traceback)
    if isinstance(args, (list, tuple)) and len(args) == 1:
        # Protocol version 1 has the repr of the exception: NameError('nosuch').
        text = str(args[0])
        name, bracket, rest = text.partition("(")
        if bracket and rest.endswith(")") and name.isidentifier():
            return name, rest[:-1].strip("'\""), None
        return "RemoteError", text, None
    return "ProtocolError", f"the server reported an error in an unknown form: {args!r}", None
