// A lock engine in memory that does what the test says: it answers late, fails, or forgets.
#pragma once

#include <algorithm>
#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "core/function.hpp"
#include "lock/engine.hpp"

namespace zerosuite::test {

class FakeLockEngine final : public lock::Engine {
 public:
  lock::Outcome<std::optional<lock::Grant>> acquire(const lock::LockSpec& spec,
                                                    core::Done<std::optional<lock::Grant>>& done) override {
    core::Result<std::optional<lock::Grant>> answer = std::optional<lock::Grant>();
    if (trouble) {
      answer = *trouble;
    } else if (taken(spec)) {
      ++refused;
    } else {
      kept.emplace(next_token, spec);
      answer = std::optional(lock::Grant{next_token++, spec.lease});
    }
    return conclude(std::move(answer), done);
  }
  lock::Outcome<bool> amend(lock::Token token, const lock::LockSpec& spec, core::Done<bool>& done) override {
    core::Result<bool> answer = kept.contains(token);
    if (trouble) {
      answer = *trouble;
    } else if (*answer) {
      kept[token] = spec;
    }
    return conclude(std::move(answer), done);
  }
  lock::Outcome<bool> release(lock::Token token, lock::Ending ending, core::Done<bool>& done) override {
    endings.push_back(ending);
    return conclude<bool>(kept.erase(token) > 0, done);
  }
  void watch_free(const std::string& name, std::function<void()> freed) override {
    watches.emplace(name, std::move(freed));
  }
  std::vector<lock::RecoveredHold> holds() const override { return left; }
  core::milliseconds recovering() const override { return recovers_in; }
  lock::Capabilities capabilities() const override {
    lock::Capabilities what;
    what.epoch = 7;
    what.indefinite = true;
    return what;
  }

  /// What an earlier process left; to be said before the broker is made.
  void leave(lock::RecoveredHold held) {
    kept.emplace(held.token, held.spec);
    next_token = std::max(next_token, held.token + 1);
    left.push_back(std::move(held));
  }
  /// The oldest commit in flight is done.
  void commit() {
    auto next = std::move(in_flight.front());
    in_flight.pop_front();
    next();
  }
  void commit_all() {
    while (!in_flight.empty()) commit();
  }
  /// Somebody beside the broker gives the name back.
  void free(const std::string& name) {
    elsewhere.erase(name);
    std::vector<std::function<void()>> calls;
    const auto [first, last] = watches.equal_range(name);
    for (auto at = first; at != last; ++at) calls.push_back(at->second);
    watches.erase(first, last);
    for (const auto& call : calls) call();
  }

  bool slow = false;  ///< Completions wait for commit().
  std::optional<core::Error> trouble;
  std::set<std::string> elsewhere;  ///< Held by somebody whom the broker does not know.
  core::milliseconds recovers_in{0};
  lock::Token next_token = 100;
  std::map<lock::Token, lock::LockSpec> kept;
  std::vector<lock::Ending> endings;
  std::vector<lock::RecoveredHold> left;
  std::multimap<std::string, std::function<void()>> watches;
  std::deque<core::MoveFunction<void()>> in_flight;
  std::size_t refused = 0;

 private:
  template <class T>
  lock::Outcome<T> conclude(core::Result<T> answer, core::Done<T>& done) {
    if (!slow && in_flight.empty()) return answer;
    in_flight.emplace_back(
        [answer = std::move(answer), then = std::move(done)]() mutable { then(std::move(answer)); });
    return std::nullopt;
  }
  bool taken(const lock::LockSpec& spec) const {
    return std::any_of(spec.names.begin(), spec.names.end(), [&](const std::string& name) {
      if (elsewhere.contains(name)) return true;
      std::uint32_t permits = spec.permits;
      for (const auto& [token, held] : kept) {
        if (std::find(held.names.begin(), held.names.end(), name) == held.names.end()) continue;
        if (held.mode != spec.mode || held.mode == lock::Mode::kExclusive) return true;
        permits += held.permits;
      }
      return spec.mode == lock::Mode::kPermits && permits > spec.limit;
    });
  }
};

}  // namespace zerosuite::test
