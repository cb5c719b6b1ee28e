// What the lock broker answers and tells, in words for tests to compare.
#pragma once

#include <doctest/doctest.h>

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/error.hpp"
#include "lock/broker/broker.hpp"

namespace zerosuite::test {

/// What became of an acquire. What is done about being told comes later, never inside the call.
struct AskedState {
  void hear(core::Result<lock::Answer> told) {
    ++times;
    CHECK_MESSAGE(times == 1, "told more than once");
    if (gone) return;  // another asked for the same; the server drops such an answer
    answer = std::move(told);
    if (when_told) when_told();
  }
  /// "" until it is told; then the state, or the error's name.
  std::string state() const {
    if (!answer) return "";
    if (!*answer) return answer->error().name;
    if (std::holds_alternative<lock::Granted>(**answer)) return granted().replay ? "replay" : "granted";
    constexpr const char* kWords[] = {"held", "timeout", "queued"};
    return kWords[static_cast<std::size_t>(busy().reason)];
  }
  const lock::Granted& granted() const { return std::get<lock::Granted>(*answer.value()); }
  const lock::Busy& busy() const { return std::get<lock::Busy>(*answer.value()); }
  const core::Error& error() const { return answer.value().error(); }

  std::optional<core::Result<lock::Answer>> answer;
  lock::Acquires::Id id = 0;
  std::string request_id;
  int times = 0;
  bool gone = false;  ///< Nobody hears it any more.
  std::function<void()> when_told;
};
using Asked = std::shared_ptr<AskedState>;

inline lock::HoldKey key_of(const Asked& asked) {
  const lock::Granted& granted = asked->granted();
  return {granted.names.front(), granted.owner, granted.token};
}

/// What a call answered; nullopt = nothing yet.
template <class T>
using SharedAnswer = std::shared_ptr<std::optional<core::Result<T>>>;

template <class T, class Call>
SharedAnswer<T> answered(Call call) {
  auto answer = std::make_shared<std::optional<core::Result<T>>>();
  call(core::Done<T>([answer](core::Result<T> result) {
    CHECK_MESSAGE(!*answer, "answered more than once");
    *answer = std::move(result);
  }));
  return answer;
}

/// "" = not yet; "ok", or the error's name.
template <class T>
std::string outcome(const SharedAnswer<T>& answer) {
  if (!*answer) return "";
  return **answer ? "ok" : (**answer).error().name;
}
template <class T>
const T& value(const SharedAnswer<T>& answer) {
  return *answer->value();
}

/// "ok", or the name of what it throws.
inline std::string outcome(const std::function<void()>& call) {
  try {
    call();
  } catch (const core::Failure& failure) {
    return failure.name();
  }
  return "ok";
}

/// What a listener was told: "granted x", one after the other.
struct HeardState {
  lock::Subscriber subscriber() {
    return {.tell =
                [this](const lock::SharedEvent& context) {
                  const lock::Event& event = *context;
                  if (on_event) on_event(event);
                  if (!room) return false;
                  words += (words.empty() ? "" : ", ") + std::string(word(event.kind)) +
                           (event.name.empty() ? "" : " " + event.name);
                  events.push_back(event);
                  return true;
                },
            .end = [this] { ++ends; }};
  }
  std::string id;  // of a session
  lock::EventBus::Id listener_id = 0;
  std::string words;
  std::vector<lock::Event> events;
  bool room = true;
  int ends = 0;
  std::function<void(const lock::Event&)> on_event;
};
using Heard = std::shared_ptr<HeardState>;

}  // namespace zerosuite::test
