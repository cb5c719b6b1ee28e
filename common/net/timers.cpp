#include "net/timers.hpp"

#include <algorithm>
#include <bit>
#include <chrono>
#include <utility>

namespace zerosuite::net {

using core::milliseconds;
using core::TimePoint;

Timer::Timer(Timers& timers, std::function<void()> fire) : timers_(timers), fire_(std::move(fire)) {}

Timer::~Timer() {
  cancel();
  if (timers_.running_ == this) timers_.running_ = nullptr;
}

void Timer::at(TimePoint when) { timers_.arm(*this, when); }

void Timer::after(core::Clock::duration delay) {
  const bool beyond = delay > TimePoint::max() - timers_.now_;
  timers_.arm(*this, beyond ? TimePoint::max() : timers_.now_ + delay);
}

void Timer::later() {
  cancel();
  timers_.append(*this, Timers::kLater);
}

void Timer::cancel() {
  if (armed()) timers_.remove(*this);
}

// Keeps a timer's closure alive while it runs, even if the timer destroys itself in it.
class Timers::Running {
 public:
  Running(Timers& timers, Timer& timer) : timers_(timers), fire_(std::move(timer.fire_)) {
    timers_.running_ = &timer;
  }
  ~Running() {
    if (timers_.running_ != nullptr) timers_.running_->fire_ = std::move(fire_);
    timers_.running_ = nullptr;
  }
  Running(const Running&) = delete;
  Running& operator=(const Running&) = delete;

  void operator()() { fire_(); }

 private:
  Timers& timers_;
  std::function<void()> fire_;
};

Timers::Timers(TimePoint start) : start_(start), now_(start) {}

std::optional<TimePoint> Timers::next() const {
  if (occupied_[kLevels] != 0) return now_;
  if (const auto stop = first_stop()) return start_ + milliseconds(stop->tick);
  return std::nullopt;
}

void Timers::advance_to(TimePoint now) {
  set_now(now);
  const auto target = static_cast<std::uint64_t>(std::chrono::floor<milliseconds>(now_ - start_).count());

  move_all(kPassed, kFiring);
  for (auto stop = first_stop(); stop && stop->tick <= target; stop = first_stop()) {
    tick_ = stop->tick;
    if (stop->slot < kSlots) {
      move_all(stop->slot, kFiring);
    } else {
      while (Timer* timer = heads_[stop->slot]) {
        remove(*timer);
        file(*timer);
      }
    }
  }
  tick_ = target;

  fire_all();
  for (int round = 0; round < kRounds && heads_[kLater] != nullptr; ++round) {
    move_all(kLater, kFiring);
    fire_all();
  }
}

void Timers::arm(Timer& timer, TimePoint when) {
  timer.cancel();
  if (when <= now_) return append(timer, kPassed);
  // Rounded up to a whole tick, so that it never fires early; except at the very end of the clock, where
  // there is no later tick.
  const auto last = std::chrono::floor<milliseconds>(TimePoint::max() - start_);
  const auto due = std::min(std::chrono::ceil<milliseconds>(when - start_), last);
  timer.due_ = static_cast<std::uint64_t>(due.count());
  file(timer);
}

// The level is that of the highest group of bits in which the due tick differs from the current one. So
// within a level every slot in use is later than the current one, and everything in a level is later than the
// level below it: the first bit of the first level in use is the earliest, and no slot ever mixes two rounds
// of the wheel.
void Timers::file(Timer& timer) {
  const std::uint64_t difference = timer.due_ ^ tick_;
  if (difference == 0)
    return append(timer, kFiring);  // only while advancing: a slot opened at its first tick
  const auto level = (static_cast<std::size_t>(std::bit_width(difference)) - 1) / kSlotBits;
  append(timer, level * kSlots + ((timer.due_ >> (level * kSlotBits)) & (kSlots - 1)));
}

void Timers::append(Timer& timer, std::size_t slot) {
  timer.slot_ = slot;
  Timer*& head = heads_[slot];
  if (head == nullptr) {
    head = timer.next_ = timer.previous_ = &timer;
    occupied_[slot / kSlots] |= std::uint64_t{1} << (slot % kSlots);
    return;
  }
  timer.next_ = head;
  timer.previous_ = head->previous_;
  head->previous_->next_ = &timer;
  head->previous_ = &timer;
}

void Timers::remove(Timer& timer) {
  Timer*& head = heads_[timer.slot_];
  if (timer.next_ == &timer) {
    head = nullptr;
    occupied_[timer.slot_ / kSlots] &= ~(std::uint64_t{1} << (timer.slot_ % kSlots));
  } else {
    timer.previous_->next_ = timer.next_;
    timer.next_->previous_ = timer.previous_;
    if (head == &timer) head = timer.next_;
  }
  timer.next_ = timer.previous_ = nullptr;
}

void Timers::move_all(std::size_t from, std::size_t to) {
  while (Timer* timer = heads_[from]) {
    remove(*timer);
    append(*timer, to);
  }
}

std::optional<Timers::Stop> Timers::first_stop() const {
  for (std::size_t level = 0; level < kLevels; ++level) {
    if (occupied_[level] == 0) continue;
    const auto index = static_cast<std::size_t>(std::countr_zero(occupied_[level]));
    const std::size_t shift = level * kSlotBits;
    const std::uint64_t round = tick_ >> (shift + kSlotBits) << kSlotBits;
    return Stop{level * kSlots + index, (round | index) << shift};
  }
  return std::nullopt;
}

void Timers::fire_all() {
  while (Timer* timer = heads_[kFiring]) {
    remove(*timer);
    Running running(*this, *timer);
    running();
  }
}

}  // namespace zerosuite::net
