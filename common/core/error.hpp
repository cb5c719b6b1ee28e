// The vocabulary of errors. Every ERR sent to a client has one of these names; docs/errors.md repeats the
// table and a test compares the two.
#pragma once

#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

#include "core/json.hpp"

namespace zerosuite::core {

/// A row of the vocabulary: the name that travels on the wire, and what it means.
struct ErrorName {
  std::string_view name;
  std::string_view meaning;

  // An error name converts to text wherever text is expected.
  operator std::string_view() const { return name; }
  operator std::string() const { return std::string(name); }
};

// Each row, X(name, meaning), defines the constant kName and an entry of kErrorNames.
#define ZEROSUITE_ERROR_NAMES(X)                                                                         \
  /* From Python, with Python's meaning, so that a stock client's user recognises them */                \
  X(NameError, "no method of that name; the message is the name, nothing else")                          \
  X(TypeError, "wrong number or wrong type of arguments")                                                \
  X(ValueError, "right type, impossible value")                                                          \
  X(KeyError, "a built-in method was asked about a method that does not exist")                          \
  X(ZeroDivisionError, "division or modulo by zero")                                                     \
  X(OverflowError, "an argument or the result is outside the range of its integer or float type")        \
  /* Common to every service */                                                                          \
  X(InternalError, "the method failed with an exception that is not a named error")                      \
  X(InvalidArgument, "an argument is outside what the method accepts")                                   \
  X(Abandoned, "the service dropped the call without a reply; a bug in the service")                     \
  X(Cancelled, "the caller cancelled the call")                                                          \
  X(DeadlineExceeded, "the call's timeout_ms expired before it was done")                                \
  X(Overloaded, "a queue or table is full; try again later")                                             \
  X(Unavailable, "no worker or store is available for the call now")                                     \
  X(ShuttingDown, "the service is stopping and takes no new work")                                       \
  X(AmbiguousMethod, "several services have a method of that name; the message lists them")              \
  X(WorkerLost, "the worker died with the call; it may or may not have been executed")                   \
  X(TooLarge, "a message or its reply is longer than the frame limit")                                   \
  X(Unsupported, "this build or configuration cannot do this")                                           \
  X(StateConflict,                                                                                       \
    "a worker was refused: the service is bound to another state, or to that state's only owner")        \
  X(StorageError, "data could not be written; nothing was granted")                                      \
  X(Indeterminate, "it may or may not have been done; ask again")                                        \
  /* Of the lock service */                                                                              \
  X(NotHeld, "the lock is not held")                                                                     \
  X(NotOwner, "another owner holds the lock")                                                            \
  X(StaleToken, "the token does not belong to the current hold")                                         \
  X(LeaseExpired, "the lease had expired, and the lock with it")                                         \
  X(SessionLost, "the session has ended, or never existed")                                              \
  X(Deadlock, "the wait would close a cycle; the message names it")                                      \
  X(QueueFull, "the maximum number of waiters for the lock is reached")                                  \
  X(TooManyLocks, "the maximum number of locks is reached")                                              \
  X(ReentrancyLimit, "the owner has entered the lock too often without leaving it")                      \
  X(NotReentrant, "the owner holds the lock already")                                                    \
  X(UpgradeNotAllowed, "a shared hold cannot become an exclusive one")                                   \
  X(LimitMismatch, "the semaphore was created with another limit")                                       \
  X(KindMismatch, "a lock was used as a semaphore, or the reverse")                                      \
  X(RequestConflict, "the request_id was used before for another request")                               \
  X(ExtendLimit, "the lock has been held for the maximum time")                                          \
  X(Recovering, "locks granted before an unclean stop may still be held; the message says for how long") \
  /* Of the id service */                                                                                \
  X(BatchTooLarge, "the call asked for more ids than one call may return")                               \
  X(NoSuchTag, "no tag of that name exists")                                                             \
  X(TagExists, "a tag of that name exists already")                                                      \
  X(NoSuchLayout, "no layout of that name exists")                                                       \
  X(ClockRollback, "ids would run too far ahead of the clock; the message says how long to wait")        \
  X(ClockJump, "the clock jumped too far forward to be trusted")                                         \
  X(TimeExhausted, "the layout cannot express the present time")                                         \
  X(LeaseLost, "the worker id is no longer, or not yet, this issuer's")                                  \
  X(WorkerIdInUse, "another issuer has that worker id")                                                  \
  X(WorkerIdExhausted, "no worker id of the layout is free")                                             \
  X(SegmentExhausted, "the reserved values of the tag are used up, and the store gives no more now")     \
  X(RangeExhausted, "the sequence has reached its last value")                                           \
  X(StoreRegressed,                                                                                      \
    "the store has lost data, or an old copy was restored; an operator must decide how to continue")     \
  X(EngineDisabled, "this kind of id is not available in this configuration")                            \
  X(BadToken, "the text was not made with these keys, or was changed")                                   \
  X(AccessDenied, "the caller is not allowed to do this")                                                \
  /* Seen only by callers, made by the client side */                                                    \
  X(LostRemote, "the peer of an open call stopped sending heartbeats")                                   \
  X(TimeoutExpired, "no reply came within the call's timeout")                                           \
  X(ProtocolError, "the peer's reply is not zerorpc")

#define ZEROSUITE_DEFINE(name, meaning) inline constexpr ErrorName k##name{#name, meaning};
ZEROSUITE_ERROR_NAMES(ZEROSUITE_DEFINE)
#undef ZEROSUITE_DEFINE

#define ZEROSUITE_LIST(name, meaning) k##name,
inline constexpr ErrorName kErrorNames[] = {ZEROSUITE_ERROR_NAMES(ZEROSUITE_LIST)};
#undef ZEROSUITE_LIST
#undef ZEROSUITE_ERROR_NAMES

/// A named failure as a value.
struct Error {
  std::string name;
  std::string message;  ///< For people to read.
  Json details = {};    ///< For programs; may be empty.

  /// The message as a client gets it, followed by the details if there are any.
  std::string text() const { return details.empty() ? message : message + " " + details.text(); }
};

/// A named failure as an exception: what a method throws to reply `ERR name message`. what() is
/// Error::text().
class Failure : public std::runtime_error {
 public:
  Failure(std::string name, std::string message, Json details = {})
      : Failure(Error{std::move(name), std::move(message), std::move(details)}) {}
  explicit Failure(Error error) : std::runtime_error(error.text()), error_(std::move(error)) {}

  const std::string& name() const noexcept { return error_.name; }
  const Error& error() const noexcept { return error_; }

 private:
  Error error_;
};

}  // namespace zerosuite::core
