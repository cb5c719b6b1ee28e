#include "id/snowflake/cursor.hpp"

#include <algorithm>
#include <utility>

namespace zerosuite::id {

Cursor::Cursor(Layout layout, core::Entropy& entropy)
    : layout_(std::move(layout)), entropy_(entropy), sequence_(layout_.first_sequence()) {}

void Cursor::move_to(std::int64_t tick) {
  if (tick <= tick_) return;
  tick_ = tick;
  sequence_ = first_of_tick();
  touched_ = false;
}

std::int64_t Cursor::first_of_tick() {
  switch (layout_.start) {
    case SequenceStart::kCarry:
      return sequence_ == layout_.sequences() ? 0 : sequence_;
    case SequenceStart::kRandom:
      return static_cast<std::int64_t>(entropy_.bits() % 100) % layout_.sequences();
    case SequenceStart::kZero:
    case SequenceStart::kOne:
      break;
  }
  return layout_.first_sequence();
}

bool Cursor::has_room(std::int64_t end) {
  if (tick_ == 0 && worker_ == 0 && sequence_ == 0) sequence_ = 1;  // 0 is no id
  if (sequence_ == layout_.sequences()) {
    ++tick_;
    sequence_ = layout_.first_sequence();
    touched_ = false;
  }
  return tick_ < end;
}

std::int64_t Cursor::one(std::int64_t end) {
  if (!has_room(end)) return -1;
  const std::int64_t next = id();
  ++sequence_;
  touched_ = true;
  ++taken_;
  return next;
}

std::int64_t Cursor::take(std::int64_t n, std::int64_t end, std::vector<Run>& out) {
  std::int64_t taken = 0;
  while (taken < n && has_room(end)) {
    const std::int64_t count = std::min(n - taken, layout_.sequences() - sequence_);
    out.push_back({id(), count});
    sequence_ += count;
    touched_ = true;
    taken += count;
  }
  taken_ += taken;
  return taken;
}

}  // namespace zerosuite::id
