// Calls for ids whose answers are waited for, or not.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "core/result.hpp"

namespace zerosuite::test {

/// What a call came to.
template <class T>
class Answered {
 public:
  core::Done<T> done() const {
    return [result = result_](core::Result<T> answer) {
      ++result->times;
      result->answer = std::move(answer);
    };
  }

  bool there() const { return result_->answer.has_value(); }
  bool ok() const { return there() && *result_->answer; }
  /// The value; throws when there is none.
  const T& operator*() const {
    if (!there()) throw core::Failure("Unanswered", "no answer came");
    if (!ok()) throw core::Failure(result_->answer->error());
    return **result_->answer;
  }
  /// The error's name; "" when there is none, yet.
  std::string error() const { return there() && !ok() ? result_->answer->error().name : ""; }
  std::string message() const { return there() && !ok() ? result_->answer->error().text() : ""; }
  int times() const { return result_->times; }

 private:
  struct State {
    std::optional<core::Result<T>> answer;
    int times = 0;
  };
  std::shared_ptr<State> result_ = std::make_shared<State>();
};

/// ask<std::int64_t>([&](auto done) { segments.next("a", std::move(done)); })
template <class T, class Call>
Answered<T> ask(Call call) {
  Answered<T> answered;
  call(answered.done());
  return answered;
}

/// "Name: message" of what the call throws; "" when it throws nothing.
inline std::string refusal(const std::function<void()>& call) {
  try {
    call();
  } catch (const core::Failure& failure) {
    return failure.name() + ": " + failure.what();
  }
  return "";
}

}  // namespace zerosuite::test
