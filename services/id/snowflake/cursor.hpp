// The next (tick, sequence) position in a layout. Pure arithmetic.
#pragma once

#include <cstdint>
#include <vector>

#include "core/random.hpp"
#include "id/snowflake/layout.hpp"

namespace zerosuite::id {

/// Ids first, first + stride, …: `count` of them, all of one tick.
struct Run {
  std::int64_t first = 0;
  std::int64_t count = 0;

  friend bool operator==(const Run&, const Run&) = default;
};

/// Never goes back. Belongs to one thread.
class Cursor {
 public:
  Cursor(Layout layout, core::Entropy& entropy);

  const Layout& layout() const { return layout_; }
  std::int64_t tick() const { return tick_; }
  /// The first tick with no ids taken.
  std::int64_t untouched() const { return touched_ ? tick_ + 1 : tick_; }
  /// The total number of ids taken.
  std::int64_t taken() const { return taken_; }
  void set_worker(std::int64_t worker) { worker_ = worker; }
  /// Continues at `tick`, if that is later.
  void move_to(std::int64_t tick);
  /// The next id, with a tick below `end`; −1 if there is none.
  std::int64_t one(std::int64_t end);
  /// Appends up to `n` ids with ticks below `end`. Returns the number of ids.
  std::int64_t take(std::int64_t n, std::int64_t end, std::vector<Run>& out);

 private:
  std::int64_t id() const { return layout_.compose({tick_, worker_, sequence_}); }
  bool has_room(std::int64_t end);
  std::int64_t first_of_tick();

  const Layout layout_;
  core::Entropy& entropy_;
  std::int64_t worker_ = 0;
  std::int64_t tick_ = 0;
  std::int64_t sequence_;
  std::int64_t taken_ = 0;
  bool touched_ = false;  // ids of tick_ were taken
};

}  // namespace zerosuite::id
