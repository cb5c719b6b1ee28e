// What is still to be written, and who waits for it: group commit (DeWitt et al., "Implementation Techniques
// for Main Memory Database Systems", SIGMOD 1984). One batch is on its way to the disk while the next
// gathers.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <string>

#include "core/error.hpp"
#include "core/function.hpp"
#include "lock/engines/hold_store.hpp"
#include "net/offload.hpp"
#include "net/timers.hpp"

namespace zerosuite::lock::engines {

/// So many tokens are reserved at a time.
inline constexpr Token kTokenBlock = Token{1} << 20;

/// Belongs to the loop's thread; the store is its job's while a batch is on its way. To be destroyed when it
/// is idle, or after the offload.
class Journal {
 public:
  /// Batches count from 1.
  using Number = std::uint64_t;

  struct Wait {
    core::MoveFunction<void()> undo;  ///< May be empty. Before any of the answers, the latest first.
    core::MoveFunction<void(const core::Error*)> answer;  ///< Null: it is written.
  };

  struct Setup {
    Durability durability = Durability::kSync;
    Meta meta;                      ///< As the store has it.
    std::function<void()> settled;  ///< Runs after the answers of a batch, written or not.
  };

  Journal(net::Timers& timers, net::Offload& offload, HoldStore& store, Setup setup);

  /// The row of a token that is new, or of one that is not.
  void add(Token token, Row row);
  void change(Token token, Row row);
  /// There is to be no row of it. False when there never was: nothing has to be written then.
  bool drop(Token token);

  /// The durability that the next start is to go by.
  void set_durability(Durability durability);
  /// Sees to it that tokens up to `next`, and some way on, and that lease are covered, if not at once.
  void reserve(Token next, core::milliseconds lease);
  /// No lease is longer any more.
  void shorten(core::milliseconds longest);
  /// Whether that is on the disk.
  bool covers(Token token, core::milliseconds lease) const;

  /// The batch that what is added now will be in.
  Number gathering() const { return gathering_; }
  /// The last one that was written.
  Number written() const { return written_; }
  /// The last one whose waits all were answered.
  Number answered() const { return answered_; }
  /// The last batch anybody waits for; 0 when nobody does.
  Number awaited() const;
  /// Answers after everything that waits for batch `number` already; it must be later than answered().
  void wait(Number number, Wait wait);

  /// Why nothing can be kept now; null when it can.
  const core::Error* trouble() const { return trouble_ ? &*trouble_ : nullptr; }
  /// Whether no batch is on its way.
  bool idle() const { return !flying_; }
  /// Writes what is outstanding and `rows` besides, all in this call. Answers why it could not.
  std::optional<core::Error> close(std::map<Token, Change> rows, bool clean);

 private:
  struct Failure {
    std::string message;
    bool full = false;
  };

  bool dirty() const { return !changes_.empty() || meta_ != written_meta_; }
  void schedule();
  void flush();
  void load();
  void depart();
  void write() noexcept;
  void land();
  void succeed();
  void fail(const Failure& failure);
  void take_back();
  void answer(const core::Error* error);

  net::Timers& timers_;
  net::Offload& offload_;
  HoldStore& store_;
  const Setup setup_;

  std::map<Token, Change> changes_;
  Meta meta_;
  std::deque<Wait> waits_;

  bool flying_ = false;
  Batch flight_;
  Meta written_meta_;
  std::deque<Wait> flight_waits_;
  std::optional<Failure> failure_;  // the job's word

  Number gathering_ = 1;
  Number written_ = 0;
  Number answered_ = 0;
  std::optional<core::Error> trouble_;
  bool for_good_ = false;
  bool at_once_ = false;  // the timer is set for the next turn
  net::Timer flush_;
};

}  // namespace zerosuite::lock::engines
