// The one vocabulary of errors. Every ERR a client can see carries one of these names; docs/errors.md repeats
// the table and a test compares the two.
#pragma once

#include <stdexcept>
#include <string>
#include <string_view>

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
inline constexpr ErrorName kKeyError{"KeyError",
                                     "a built-in method was asked about a method that does not exist"};
inline constexpr ErrorName kZeroDivisionError{"ZeroDivisionError", "division or modulo by zero"};
inline constexpr ErrorName kOverflowError{
    "OverflowError", "an argument or the result is outside the range of its integer or float type"};

// Common to every service.
inline constexpr ErrorName kInternalError{"InternalError",
                                          "the method failed with an exception that is not a named error"};
inline constexpr ErrorName kInvalidArgument{"InvalidArgument",
                                            "an argument is outside what the method accepts"};
inline constexpr ErrorName kAbandoned{"Abandoned",
                                      "the service dropped the call without a reply; a bug in the service"};
inline constexpr ErrorName kCancelled{"Cancelled", "the caller cancelled the call"};
inline constexpr ErrorName kDeadlineExceeded{"DeadlineExceeded",
                                             "the call's timeout_ms expired before it was done"};
inline constexpr ErrorName kOverloaded{"Overloaded", "a queue or table is full; try again later"};
inline constexpr ErrorName kUnavailable{"Unavailable", "no worker or store is available for the call now"};
inline constexpr ErrorName kShuttingDown{"ShuttingDown", "the service is stopping and takes no new work"};
inline constexpr ErrorName kAmbiguousMethod{
    "AmbiguousMethod", "several services have a method of that name; the message lists them"};
inline constexpr ErrorName kWorkerLost{"WorkerLost",
                                       "the worker died with the call; it may or may not have been executed"};
inline constexpr ErrorName kTooLarge{"TooLarge", "a message or its reply is longer than the frame limit"};
inline constexpr ErrorName kUnsupported{"Unsupported", "this build or configuration cannot do this"};

inline constexpr ErrorName kStateConflict{
    "StateConflict",
    "a worker was refused: the service is bound to another state, or to that state's only owner"};

inline constexpr ErrorName kStorageError{"StorageError", "data could not be written; nothing was granted"};
inline constexpr ErrorName kIndeterminate{"Indeterminate", "it may or may not have been done; ask again"};

// Of the lock service.
inline constexpr ErrorName kNotHeld{"NotHeld", "the lock is not held"};
inline constexpr ErrorName kNotOwner{"NotOwner", "another owner holds the lock"};
inline constexpr ErrorName kStaleToken{"StaleToken", "the token does not belong to the current hold"};
inline constexpr ErrorName kLeaseExpired{"LeaseExpired", "the lease had expired, and the lock with it"};
inline constexpr ErrorName kSessionLost{"SessionLost", "the session has ended, or never existed"};
inline constexpr ErrorName kDeadlock{"Deadlock", "the wait would close a cycle; the message names it"};
inline constexpr ErrorName kQueueFull{"QueueFull", "the maximum number of waiters for the lock is reached"};
inline constexpr ErrorName kTooManyLocks{"TooManyLocks", "the maximum number of locks is reached"};
inline constexpr ErrorName kReentrancyLimit{"ReentrancyLimit",
                                            "the owner has entered the lock too often without leaving it"};
inline constexpr ErrorName kNotReentrant{"NotReentrant", "the owner holds the lock already"};
inline constexpr ErrorName kUpgradeNotAllowed{"UpgradeNotAllowed",
                                              "a shared hold cannot become an exclusive one"};
inline constexpr ErrorName kLimitMismatch{"LimitMismatch", "the semaphore was created with another limit"};
inline constexpr ErrorName kKindMismatch{"KindMismatch", "a lock was used as a semaphore, or the reverse"};
inline constexpr ErrorName kRequestConflict{"RequestConflict",
                                            "the request_id was used before for another request"};
inline constexpr ErrorName kExtendLimit{"ExtendLimit", "the lock has been held for the maximum time"};
inline constexpr ErrorName kRecovering{
    "Recovering", "locks granted before an unclean stop may still be held; the message says for how long"};

// Of the id service.
inline constexpr ErrorName kBatchTooLarge{"BatchTooLarge",
                                          "the call asked for more ids than one call may return"};
inline constexpr ErrorName kNoSuchTag{"NoSuchTag", "no tag of that name exists"};
inline constexpr ErrorName kTagExists{"TagExists", "a tag of that name exists already"};
inline constexpr ErrorName kNoSuchLayout{"NoSuchLayout", "no layout of that name exists"};
inline constexpr ErrorName kClockRollback{
    "ClockRollback", "ids would run too far ahead of the clock; the message says how long to wait"};
inline constexpr ErrorName kClockJump{"ClockJump", "the clock jumped too far forward to be trusted"};
inline constexpr ErrorName kTimeExhausted{"TimeExhausted", "the layout cannot express the present time"};
inline constexpr ErrorName kLeaseLost{"LeaseLost", "the worker id is no longer, or not yet, this issuer's"};
inline constexpr ErrorName kWorkerIdInUse{"WorkerIdInUse", "another issuer has that worker id"};
inline constexpr ErrorName kWorkerIdExhausted{"WorkerIdExhausted", "no worker id of the layout is free"};
inline constexpr ErrorName kSegmentExhausted{
    "SegmentExhausted", "the reserved values of the tag are used up, and the store gives no more now"};
inline constexpr ErrorName kRangeExhausted{"RangeExhausted", "the sequence has reached its last value"};
inline constexpr ErrorName kStoreRegressed{
    "StoreRegressed",
    "the store has lost data, or an old copy was restored; an operator must decide how to continue"};
inline constexpr ErrorName kEngineDisabled{"EngineDisabled",
                                           "this kind of id is not available in this configuration"};
inline constexpr ErrorName kBadToken{"BadToken", "the text was not made with these keys, or was changed"};
inline constexpr ErrorName kAccessDenied{"AccessDenied", "the caller is not allowed to do this"};

// Seen only by callers, made by the client side.
inline constexpr ErrorName kLostRemote{"LostRemote", "the peer of an open call stopped sending heartbeats"};
inline constexpr ErrorName kTimeoutExpired{"TimeoutExpired", "no reply came within the call's timeout"};
inline constexpr ErrorName kProtocolError{"ProtocolError", "the peer's reply is not zerorpc"};

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
  std::string message;
};

/// A named failure as an exception: what a method throws to reply `ERR name message`.
class Failure : public std::runtime_error {
 public:
  Failure(std::string name, const std::string& message)
      : std::runtime_error(message), name_(std::move(name)) {}
  explicit Failure(const Error& error) : Failure(error.name, error.message) {}

  const std::string& name() const noexcept { return name_; }
  Error error() const { return {name_, what()}; }

 private:
  std::string name_;
};

}  // namespace zerosuite::core
