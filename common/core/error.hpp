// The one vocabulary of errors. Every ERR a client can see carries one of these names; docs/errors.md repeats
// the table and a test compares the two.
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

  // An error name stands wherever text is wanted.
  operator std::string_view() const { return name; }
  operator std::string() const { return std::string(name); }
};

// From Python, with Python's meaning, so that a stock client's user recognises them.
inline constexpr ErrorName kNameError{"NameError",
                                      "no method of that name; the message is the name, nothing else"};
inline constexpr ErrorName kTypeError{"TypeError", "wrong number or wrong type of arguments"};
inline constexpr ErrorName kValueError{"ValueError", "right type, impossible value"};
inline constexpr ErrorName kKeyError{"KeyError", "a built-in was asked about a method that does not exist"};
inline constexpr ErrorName kZeroDivisionError{"ZeroDivisionError", "division or modulo by zero"};
inline constexpr ErrorName kOverflowError{"OverflowError",
                                          "the result does not fit the wire's integers or a float"};

// Common to every service.
inline constexpr ErrorName kInternalError{"InternalError", "the method failed in a way it did not name"};
inline constexpr ErrorName kInvalidArgument{"InvalidArgument",
                                            "an argument is outside what the method accepts"};
inline constexpr ErrorName kAbandoned{"Abandoned",
                                      "the service dropped the call without answering; a bug there"};
inline constexpr ErrorName kCancelled{"Cancelled", "the caller gave the call up"};
inline constexpr ErrorName kDeadlineExceeded{"DeadlineExceeded",
                                             "the call's timeout_ms passed before it was done"};
inline constexpr ErrorName kOverloaded{"Overloaded", "a queue or table is full; try again later"};
inline constexpr ErrorName kUnavailable{"Unavailable", "nobody is there to do the work now"};
inline constexpr ErrorName kShuttingDown{"ShuttingDown", "the service is stopping and takes no new work"};
inline constexpr ErrorName kAmbiguousMethod{
    "AmbiguousMethod", "several services have a method of that name; the message lists them"};
inline constexpr ErrorName kWorkerLost{"WorkerLost",
                                       "the worker died with the call; it may or may not have been done"};
inline constexpr ErrorName kTooLarge{"TooLarge", "a message or its answer is longer than the frame limit"};
inline constexpr ErrorName kUnsupported{"Unsupported", "this build or configuration cannot do that"};

inline constexpr ErrorName kStateConflict{
    "StateConflict",
    "a worker was refused: its service's calls belong to another state, or to its only owner"};

inline constexpr ErrorName kStorageError{"StorageError",
                                         "what must be kept could not be written; nothing was granted"};
inline constexpr ErrorName kIndeterminate{"Indeterminate", "it may or may not have been done; ask again"};

// Of the lock service.
inline constexpr ErrorName kNotHeld{"NotHeld", "nobody holds that lock"};
inline constexpr ErrorName kNotOwner{"NotOwner", "somebody else holds that lock"};
inline constexpr ErrorName kStaleToken{"StaleToken", "the token is of another hold than the present one"};
inline constexpr ErrorName kLeaseExpired{"LeaseExpired", "the lease had passed, and the lock with it"};
inline constexpr ErrorName kSessionLost{"SessionLost", "the session has ended, or never was"};
inline constexpr ErrorName kDeadlock{"Deadlock", "the wait would close a cycle; the message names it"};
inline constexpr ErrorName kQueueFull{"QueueFull", "too many wait for that lock already"};
inline constexpr ErrorName kTooManyLocks{"TooManyLocks", "the service holds as many locks as it may"};
inline constexpr ErrorName kReentrancyLimit{"ReentrancyLimit",
                                            "its owner has entered the lock too often without leaving it"};
inline constexpr ErrorName kNotReentrant{"NotReentrant", "its owner holds the lock already"};
inline constexpr ErrorName kUpgradeNotAllowed{"UpgradeNotAllowed",
                                              "a shared hold cannot become an exclusive one"};
inline constexpr ErrorName kLimitMismatch{"LimitMismatch", "the semaphore was made with another limit"};
inline constexpr ErrorName kKindMismatch{"KindMismatch", "a lock was used as a semaphore, or the reverse"};
inline constexpr ErrorName kRequestConflict{"RequestConflict",
                                            "the request_id was used before for another request"};
inline constexpr ErrorName kExtendLimit{"ExtendLimit", "the lock has been held as long as it may be"};
inline constexpr ErrorName kRecovering{
    "Recovering", "locks granted before an unclean stop may still be held; the message says for how long"};

// Of the id service.
inline constexpr ErrorName kBatchTooLarge{"BatchTooLarge", "more ids were asked for than one call may take"};
inline constexpr ErrorName kNoSuchTag{"NoSuchTag", "no tag of that name was created"};
inline constexpr ErrorName kTagExists{"TagExists", "a tag of that name is there already"};
inline constexpr ErrorName kNoSuchLayout{"NoSuchLayout", "no layout of that name is known"};
inline constexpr ErrorName kClockRollback{
    "ClockRollback", "ids would run too far ahead of the clock; the message says how long to wait"};
inline constexpr ErrorName kClockJump{"ClockJump", "the clock leapt too far forward to be believed"};
inline constexpr ErrorName kTimeExhausted{"TimeExhausted", "the layout cannot express the present time"};
inline constexpr ErrorName kLeaseLost{"LeaseLost", "the worker id is not this issuer's any more, or not yet"};
inline constexpr ErrorName kWorkerIdInUse{"WorkerIdInUse", "another issuer has that worker id"};
inline constexpr ErrorName kWorkerIdExhausted{"WorkerIdExhausted", "no worker id of the layout is free"};
inline constexpr ErrorName kSegmentExhausted{
    "SegmentExhausted", "what was reserved of the tag is used up, and the store gives no more now"};
inline constexpr ErrorName kRangeExhausted{"RangeExhausted", "the sequence has come to its last value"};
inline constexpr ErrorName kStoreRegressed{"StoreRegressed",
                                           "the store has forgotten what it gave out, or an old copy was "
                                           "restored; an operator must say how it goes on"};
inline constexpr ErrorName kEngineDisabled{"EngineDisabled",
                                           "this kind of id is not available in this configuration"};
inline constexpr ErrorName kBadToken{"BadToken", "the text was not made with these keys, or was changed"};
inline constexpr ErrorName kAccessDenied{"AccessDenied", "the caller may not do that"};

// Seen only by callers, made by the client side.
inline constexpr ErrorName kLostRemote{"LostRemote", "the peer of an open call stopped sending heartbeats"};
inline constexpr ErrorName kTimeoutExpired{"TimeoutExpired", "no reply came within the call's timeout"};
inline constexpr ErrorName kProtocolError{"ProtocolError", "the peer answered something that is not zerorpc"};

inline constexpr ErrorName kErrorNames[] = {
    kNameError,        kTypeError,         kValueError,       kKeyError,       kZeroDivisionError,
    kOverflowError,    kInternalError,     kInvalidArgument,  kAbandoned,      kCancelled,
    kDeadlineExceeded, kOverloaded,        kUnavailable,      kShuttingDown,   kAmbiguousMethod,
    kWorkerLost,       kTooLarge,          kUnsupported,      kStateConflict,  kStorageError,
    kIndeterminate,    kNotHeld,           kNotOwner,         kStaleToken,     kLeaseExpired,
    kSessionLost,      kDeadlock,          kQueueFull,        kTooManyLocks,   kReentrancyLimit,
    kNotReentrant,     kUpgradeNotAllowed, kLimitMismatch,    kKindMismatch,   kRequestConflict,
    kExtendLimit,      kRecovering,        kBatchTooLarge,    kNoSuchTag,      kTagExists,
    kNoSuchLayout,     kClockRollback,     kClockJump,        kTimeExhausted,  kLeaseLost,
    kWorkerIdInUse,    kWorkerIdExhausted, kSegmentExhausted, kRangeExhausted, kStoreRegressed,
    kEngineDisabled,   kBadToken,          kAccessDenied,     kLostRemote,     kTimeoutExpired,
    kProtocolError};

/// A named failure as a value.
struct Error {
  std::string name;
  std::string message;  ///< Words for people.
  Json details = {};    ///< The same for a program; may be empty.

  /// The message as a client gets it: the words, and behind them the details, if there are any.
  std::string text() const { return details.empty() ? message : message + " " + details.text(); }
};

/// A named failure as an exception: what a method throws to answer `ERR name message`.
/// what() is Error::text().
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
