// Lock engines on a fake clock. What the suite over the seam (engine_conformance_test.cpp) needs of a rig is
// `engine()`, `settle()` until all that was asked is answered, and `pass(duration)`.
#pragma once

#include <algorithm>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "lock/engines/embedded.hpp"
#include "support/fakes.hpp"
#include "support/temporary_folder.hpp"

namespace zerosuite::test {

/// What became of a call; nullopt until it is answered.
template <class T>
using Answer = std::optional<core::Result<T>>;

inline lock::LockSpec spec(std::vector<std::string> names, const std::string& owner = "ann") {
  lock::LockSpec made;
  made.names = std::move(names);
  made.owner = owner;
  return made;
}

inline lock::LockSpec leased(const std::string& name, core::milliseconds lease) {
  auto made = spec({name});
  made.lease = lease;
  return made;
}

inline lock::LockSpec context(std::vector<std::string> names, const std::string& owner = "ann") {
  lock::LockSpec made = spec(std::move(names), owner);
  made.mode = lock::Mode::kShared;
  return made;
}

inline lock::LockSpec permits(std::vector<std::string> names, std::uint32_t wanted, std::uint32_t limit) {
  lock::LockSpec made = spec(std::move(names));
  made.mode = lock::Mode::kPermits;
  made.permits = wanted;
  made.limit = limit;
  return made;
}

/// The calls of the seam, with their outcome given to `done` either way.
inline void acquire(lock::Engine& engine, const lock::LockSpec& spec,
                    core::Done<std::optional<lock::Grant>> done) {
  if (auto outcome = engine.acquire(spec, done)) done(*std::move(outcome));
}
inline void amend(lock::Engine& engine, lock::Token token, const lock::LockSpec& spec,
                  core::Done<bool> done) {
  if (auto outcome = engine.amend(token, spec, done)) done(*std::move(outcome));
}
inline void release(lock::Engine& engine, lock::Token token, lock::Ending ending, core::Done<bool> done) {
  if (auto outcome = engine.release(token, ending, done)) done(*std::move(outcome));
}

/// The calls of the seam, each waited for. What is derived from it is a rig with `engine()` and `settle()`.
template <class Rig>
class EngineCalls {
 public:
  /// Its token; 0 when somebody else holds it. Throws core::Failure with an error's name.
  lock::Token acquire(const lock::LockSpec& spec) {
    const auto grant = ask<std::optional<lock::Grant>>(
        [&](auto done) { test::acquire(rig().engine(), spec, std::move(done)); });
    return grant ? grant->token : 0;
  }
  bool amend(lock::Token token, const lock::LockSpec& spec) {
    return ask<bool>([&](auto done) { test::amend(rig().engine(), token, spec, std::move(done)); });
  }
  bool release(lock::Token token, lock::Ending ending = lock::Ending::kReleased) {
    return ask<bool>([&](auto done) { test::release(rig().engine(), token, ending, std::move(done)); });
  }
  /// Who holds the name.
  std::vector<lock::RecoveredHold> holds(const std::string& name) {
    rig().settle();
    std::vector<lock::RecoveredHold> found;
    for (lock::RecoveredHold& held : rig().engine().holds()) {
      const auto& names = held.spec.names;
      if (std::find(names.begin(), names.end(), name) != names.end()) found.push_back(std::move(held));
    }
    return found;
  }

 private:
  Rig& rig() { return static_cast<Rig&>(*this); }

  template <class T, class Call>
  T ask(Call call) {
    Answer<T> answer;
    call(core::Done<T>([&](core::Result<T> result) { answer = std::move(result); }));
    rig().settle();
    if (!answer) throw core::Failure("Unanswered", "the engine does not answer");
    if (!*answer) throw core::Failure(answer->error());
    return **answer;
  }
};

/// The embedded engine in a folder of its own, which it may be started in again and again.
class EmbeddedRig : public HandDisk, public EngineCalls<EmbeddedRig> {
 public:
  explicit EmbeddedRig(lock::engines::Durability kept = lock::engines::Durability::kSync) : durability(kept) {
    start();
  }
  ~EmbeddedRig() { crash(); }
  EmbeddedRig(const EmbeddedRig&) = delete;
  EmbeddedRig& operator=(const EmbeddedRig&) = delete;

  lock::engines::Embedded& engine() { return *engine_; }

  /// In the same folder, while it runs.
  void start_another() {
    const lock::engines::Embedded second(timers, offload, {path(), durability, wall_ms, {}});
  }
  void start() {
    engine_.emplace(timers, offload,
                    lock::engines::EmbeddedOptions{
                        path(), durability, wall_ms,
                        [this](const lock::engines::Notice& notice) { notices.push_back(notice); }});
  }
  /// The process is gone, and with it all that was not on the disk.
  void crash() {
    offload.waiting.clear();
    engine_.reset();
  }
  void restart_after_crash() {
    crash();
    start();
  }
  std::optional<core::Error> close() {
    settle();
    auto error = engine_->close();
    engine_.reset();
    return error;
  }
  void restart() {
    close();
    start();
  }

  std::filesystem::path path() const { return folder_.path() / "locks"; }

  lock::engines::Durability durability;
  std::int64_t wall_ms = 1'700'000'000'000;
  std::vector<lock::engines::Notice> notices;

 private:
  TemporaryFolder folder_;
  std::optional<lock::engines::Embedded> engine_;
};

}  // namespace zerosuite::test
