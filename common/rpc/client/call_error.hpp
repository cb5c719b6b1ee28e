// How a call can fail, as its caller sees it.
#pragma once

#include <exception>
#include <string>
#include <utility>
#include <variant>

#include "core/error.hpp"

namespace zerosuite::rpc {

/// Base of all errors of a call. name() is from the vocabulary of core/error.hpp, or the remote's own.
class CallError : public core::Failure {
 public:
  using Failure::Failure;
};

/// The remote method raised an error: its name, its message, and the remote's traceback if it sent one.
class RemoteError : public CallError {
 public:
  RemoteError(std::string name, const std::string& message, std::string traceback)
      : CallError(std::move(name), message), traceback_(std::move(traceback)) {}

  /// Empty when the remote sent nil.
  const std::string& traceback() const noexcept { return traceback_; }

 private:
  std::string traceback_;
};

/// The remote stopped sending heartbeats while the call was open.
class LostRemote : public CallError {
 public:
  explicit LostRemote(const std::string& message) : CallError(core::kLostRemote, message) {}
};

/// No reply came within the call's timeout.
class TimeoutExpired : public CallError {
 public:
  explicit TimeoutExpired(const std::string& message) : CallError(core::kTimeoutExpired, message) {}
};

/// The caller cancelled the call by its stop token or by closing the client.
class Cancelled : public CallError {
 public:
  explicit Cancelled(const std::string& message) : CallError(core::kCancelled, message) {}
};

/// The remote's reply is not zerorpc, or not of the kind the caller expects.
class ProtocolError : public CallError {
 public:
  explicit ProtocolError(const std::string& message) : CallError(core::kProtocolError, message) {}
};

inline std::exception_ptr protocol_error(const std::string& text) {
  return std::make_exception_ptr(ProtocolError(text));
}

/// The result of a finished call: its value or its error.
template <class T>
class Outcome {
 public:
  Outcome(T value) : result_(std::in_place_index<0>, std::move(value)) {}
  explicit Outcome(std::exception_ptr error) : result_(std::in_place_index<1>, std::move(error)) {}

  bool ok() const { return result_.index() == 0; }
  /// The value; rethrows the call's error when there is none.
  T& value() {
    if (!ok()) std::rethrow_exception(std::get<1>(result_));
    return std::get<0>(result_);
  }
  /// Null when the call succeeded.
  std::exception_ptr error() const { return ok() ? nullptr : std::get<1>(result_); }

 private:
  std::variant<T, std::exception_ptr> result_;
};

}  // namespace zerosuite::rpc
