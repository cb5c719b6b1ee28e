// The lock engine inside the broker's process: its table is in memory and persisted in a folder. Whether a
// grant survives a crash depends on the durability (docs/locks.md).
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "lock/engine.hpp"
#include "lock/engines/answer_order.hpp"
#include "lock/engines/free_notifier.hpp"
#include "lock/engines/hold_store.hpp"
#include "lock/engines/hold_table.hpp"
#include "lock/engines/journal.hpp"
#include "net/offload.hpp"
#include "net/timers.hpp"

namespace zerosuite::lock::engines {

/// An event to report to the operator.
struct Notice {
  enum class What : std::uint8_t {
    kRecovered,  ///< Grants resume after an unclean stop.
    kTrouble,    ///< Nothing can be stored, so nothing is granted.
    kMended,     ///< Storing works again.
  };
  What what = What::kRecovered;
  std::string reason = {};  ///< Of kTrouble.
};

struct EmbeddedOptions {
  std::filesystem::path folder;  ///< Created if there is none.
  Durability durability = Durability::kSync;
  std::int64_t wall_ms = 0;  ///< The wall clock at the start, since 1970; a lower bound for new tokens.
  std::function<void(const Notice&)> notice = {};  ///< May be empty. Must not throw.
};

/// Loop thread only. Must be destroyed while idle, or after the offload; without close() the next start
/// treats that as a crash.
class Embedded final : public Engine {
 public:
  /// Blocks while it reads the folder. Throws core::Failure StorageError, one line, if the folder cannot be
  /// used or its content cannot be trusted.
  Embedded(net::Timers& timers, net::Offload& offload, const EmbeddedOptions& options);

  Outcome<std::optional<Grant>> acquire(const LockSpec& spec,
                                        core::Done<std::optional<Grant>>& done) override;
  Outcome<bool> amend(Token token, const LockSpec& spec, core::Done<bool>& done) override;
  Outcome<bool> release(Token token, Ending ending, core::Done<bool>& done) override;
  void watch_free(const std::string& name, std::function<void()> freed) override;

  std::vector<RecoveredHold> holds() const override;
  core::milliseconds recovering() const override;
  Capabilities capabilities() const override;

  /// Findings at the start that the operator should know; whole sentences.
  const std::vector<std::string>& warnings() const { return warnings_; }
  /// Whether no commit is in flight.
  bool idle() const { return journal_.commits().idle(); }
  /// Writes all that is outstanding, in this call; only while idle(), and as the last call. Returns why the
  /// next start must treat this as a crash; nullopt if it need not.
  std::optional<core::Error> close();

 private:
  Meta start(const EmbeddedOptions& options);
  void restore(const std::map<Token, Row>& rows);
  void warn(db::LogState log, const Meta& meta);
  void recovered();
  void forget_leases();
  std::optional<core::Error> refusal() const;
  Outcome<std::optional<Grant>> conclude(const LockSpec& spec, core::Done<std::optional<Grant>>& done);
  Outcome<std::optional<Grant>> grant(const LockSpec& spec, HoldTable::Way way,
                                      core::Done<std::optional<Grant>>& done);
  std::optional<Grant> granted(Token token);
  bool amended(Token token);
  void restore(Token token, const Row& before);
  bool must_wait(Token token, const LockSpec& spec) const;
  bool must_wait(const StoredHold& kept, const LockSpec& after) const;
  void end(const StoredHold& kept, Ending ending);
  void begin_lease(StoredHold kept);

  RecoveredHold held(const StoredHold& kept) const;

  net::Timers& timers_;
  const Durability durability_;
  const std::function<void(const Notice&)> notice_;
  std::vector<std::string> warnings_;
  HoldTable kept_;
  std::vector<Token> given_back_;  // released by the previous process, though their rows remain
  HoldStore store_;
  core::TimePoint recovered_;  // when grants begin
  Token next_token_ = 1;
  std::int64_t epoch_ = 0;
  Journal journal_;
  AnswerOrder order_;
  FreeNotifier notifier_;
  net::Timer recovery_;
  net::Timer lapse_;
};

}  // namespace zerosuite::lock::engines
