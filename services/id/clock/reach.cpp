#include "id/clock/reach.hpp"

#include <algorithm>
#include <utility>

namespace zerosuite::id {
namespace {

constexpr core::milliseconds kAskAgain{200};

}  // namespace

Reach::Reach(net::Timers& timers, Store& store, core::milliseconds window, Begun begun)
    : store_(store), ahead_(timers, window), begun_(std::move(begun)), again_(timers, [this] { ask(); }) {}

void Reach::begin(std::int64_t worker, std::int64_t now_ms) {
  key_.name = "time/" + std::to_string(worker);
  used_ = std::max(used_, now_ms);
  fresh_ = true;
  asking_ = false;
  failing_ = false;
  ++round_;
  ask();
}

void Reach::used(std::int64_t ms) {
  if (ms < used_) return;  // no rising id was issued since
  used_ = ms;
  if (!begun() || fresh_ || asking_ || again_.armed()) return;
  if (range_.hi - used_ <= ahead_.size().count() / 2) ask();
}

void Reach::ask() {
  if (stopped_ || asking_) return;
  asking_ = true;
  const std::int64_t from = fresh_ ? used_ : std::max(range_.hi, used_);
  const ReserveRequest more{.key = key_,
                            .count = std::max<std::int64_t>(ahead_.size().count(), used_ + 1 - from),
                            .floor = from,
                            .continued = !fresh_};
  store_.reserve(more, [this, life = std::weak_ptr(life_), round = round_,
                        now_ms = used_](const core::Result<Reserved>& reserved) {
    if (life.expired() || round != round_) return;
    asking_ = false;
    failing_ = !reserved;
    if (reserved) answered(reserved->range, reserved->stored, now_ms);
    if (failing_) again_.after(kAskAgain);
    if (!failing_ && used_ >= range_.hi) ask();
    if (kept()) release();
  });
}

void Reach::answered(const Range& range, std::int64_t stored, std::int64_t now_ms) {
  const bool first = std::exchange(fresh_, false);
  range_ = {range.lo == range_.hi ? range_.lo : range.lo, range.hi};
  if (!first) return;
  ahead_.begins(range.lo > now_ms);
  begun_(range.lo > now_ms ? range.lo : stored);
}

void Reach::release() {
  for (core::MoveFunction<void()>& then : std::exchange(waiting_, {})) then();
}

void Reach::stop(const core::SharedLatch& last) {
  stopped_ = true;
  again_.cancel();
  release();
  const Range unused{std::max(used_ + 1, range_.lo), range_.hi};
  if (asking_ || fresh_ || unused.size() <= 0) return;
  store_.give_back(key_, unused, [last](const core::Result<bool>&) {});
}

}  // namespace zerosuite::id
