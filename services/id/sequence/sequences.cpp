#include "id/sequence/sequences.hpp"

#include <utility>

#include "id/sequence/validation.hpp"

namespace zerosuite::id {

using core::Done, core::Result;

namespace {

auto first_of(Done<std::int64_t> done) {
  return [done = std::move(done)](const Result<std::vector<Series>>& result) mutable {
    if (!result) return done(result.error());
    done(result->front().first);
  };
}

}  // namespace

Sequence::Sequence(net::Timers& timers, Store& store, Key key, const SequenceOptions& options)
    : timers_(timers), store_(store), key_(std::move(key)), options_(options) {}

// Whether values may be reserved in advance: not with a shared store, since the buffers of several processes
// would not be in order, and not while callers wait for values on demand.
bool Sequence::may_buffer() const {
  return !store_.traits().shared && !leaving_ && timers_.now() >= durable_until_ &&
         (!on_demand_ || on_demand_->idle());
}

std::optional<std::int64_t> Sequence::one() {
  if (!buffer_ || !may_buffer()) return {};
  return buffer_->one();
}

void Sequence::take(Waiter caller, From from) {
  if (from == From::kStore) durable_until_ = timers_.now() + options_.durable_stay;
  if (from == From::kBuffer && may_buffer()) return buffer().take(std::move(caller));
  if (buffer_ && !leaving_) leave_buffer();
  on_demand().take(std::move(caller));
}

RangeBuffer& Sequence::buffer() {
  if (!buffer_) buffer_ = std::make_shared<RangeBuffer>(timers_, store_, key_, options_.buffer);
  return *buffer_;
}

OnDemandAllocator& Sequence::on_demand() {
  if (!on_demand_)
    on_demand_ = std::make_shared<OnDemandAllocator>(timers_, store_, key_, options_.buffer.wait);
  return *on_demand_;
}

void Sequence::leave_buffer() {
  leaving_ = true;
  on_demand().hold();
  buffer_->stop(std::make_shared<core::CompletionLatch>([weak = weak_from_this()] {
    if (const auto self = weak.lock()) self->buffer_left();
  }));
}

void Sequence::buffer_left() {
  buffer_.reset();
  leaving_ = false;
  on_demand_->resume();
}

bool Sequence::idle() const {
  return !leaving_ && (!buffer_ || buffer_->idle()) && (!on_demand_ || on_demand_->idle());
}

// A reserve in flight for waiters stays valid even if this machine was copied: their connections were not
// copied.
void Sequence::void_all() {
  if (buffer_) buffer_->void_all();
}

void Sequence::stop(const core::SharedLatch& last) {
  if (buffer_ && !leaving_) buffer_->stop(last);
  if (on_demand_) on_demand_->stop(last);
}

Sequences::Sequences(net::Timers& timers, Store& store, SequenceOptions options)
    : timers_(timers), store_(store), options_(options), sequences_(options_.max_names) {}

Sequence& Sequences::sequence(const std::string& name) {
  check_name("name", name);
  return counter("seq/" + name);
}

Sequence& Sequences::counter(const std::string& key) {
  return sequences_.use(key, [&] {
    return std::make_shared<Sequence>(timers_, store_, Key{Key::Kind::kCounter, key}, options_);
  });
}

void Sequences::next(const std::string& name, Done<std::int64_t> done, Client client) {
  Sequence& sequence = this->sequence(name);
  if (const auto value = sequence.one()) return done(*value);
  sequence.take({.client = client, .done = first_of(std::move(done))}, Sequence::From::kBuffer);
}

void Sequences::batch(const std::string& name, std::int64_t n, Done<Range> done, Client client) {
  sequence(name).take({.client = client,
                       .count = n,
                       .done =
                           [done = std::move(done)](const Result<std::vector<Series>>& result) mutable {
                             if (!result) return done(result.error());
                             const Series& series = result->front();
                             done(Range{series.first, series.first + series.count});
                           }},
                      Sequence::From::kBuffer);
}

void Sequences::durable(const std::string& name, Done<std::int64_t> done, Client client) {
  sequence(name).take({.client = client, .done = first_of(std::move(done))}, Sequence::From::kStore);
}

void Sequences::count(const std::string& key, std::int64_t end, Done<std::int64_t> done, Client client) {
  counter(key).take({.client = client, .end = end, .done = first_of(std::move(done))},
                    Sequence::From::kStore);
}

void Sequences::void_all() {
  sequences_.for_each([](Sequence& sequence) { sequence.void_all(); });
}

void Sequences::stop(core::MoveFunction<void()> done) {
  const auto last = std::make_shared<core::CompletionLatch>(std::move(done));
  sequences_.for_each([&](Sequence& sequence) { sequence.stop(last); });
}

}  // namespace zerosuite::id
