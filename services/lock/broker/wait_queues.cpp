#include "lock/broker/wait_queues.hpp"

#include <algorithm>
#include <utility>

#include "core/json.hpp"

namespace zerosuite::lock {
namespace {

bool overlap(const LockSpec& one, const LockSpec& other) {
  return std::find_first_of(one.names.begin(), one.names.end(), other.names.begin(), other.names.end()) !=
         one.names.end();
}

}  // namespace

WaitQueues::WaitQueues(const BrokerContext& context, const Leases& leases, Events events)
    : context_(context),
      leases_(leases),
      events_(std::move(events)),
      seats_("places for waiters", context.limits.max_waiting),
      handing_over_(context.timers, context.watch),
      searching_(context.timers, context.watch) {}

void WaitQueues::check_room(const Request& request) const {
  seats_.check(request.client, places_of(request));
  for (const std::string& text : request.spec.names) {
    const Name* name = context_.table.find_name(text);
    if (name == nullptr || name->queue.size() < context_.limits.max_waiters) continue;
    throw core::Failure(core::kQueueFull, "too many wait for " + quoted(text),
                        core::Json().add("queue_len", name->queue.size()));
  }
}

bool WaitQueues::join(Waiter& waiter) {
  context_.table.enqueue(waiter, LockTable::End::kBack);
  waiter.line_seat = seats_.take(waiter.request.client, places_of(waiter.request));
  ++size_;
  if (waiter.owner->holds.empty()) return false;  // the usual case: no cycle is possible
  to_search_.emplace(waiter.id, &waiter);
  searching_.add([this] {
    search_next();
    return false;
  });
  return true;
}

void WaitQueues::rejoin(Waiter& waiter) {
  context_.table.enqueue(waiter, LockTable::End::kFront);
  ++size_;
  for (const auto& [name, place] : waiter.places) name->elsewhere = true;
  for (const std::string& name : waiter.request.spec.names)
    context_.engine.watch_free(name, [this, name] { freed(name); });
}

void WaitQueues::leave(Waiter& waiter) {
  if (waiter.places.empty()) return;
  for (const auto& [name, place] : waiter.places) touch(*name);
  context_.table.dequeue(waiter);
  to_search_.erase(waiter.id);
  waiter.line_seat = {};
  --size_;
}

void WaitQueues::touch(Name& name) {
  if (std::exchange(name.touched, true)) return;
  touched_.push_back(&name);
}

void WaitQueues::freed(const std::string& text) {
  Name* name = context_.table.find_name(text);
  if (name == nullptr) return;
  name->elsewhere = false;
  if (name->queue.empty()) return context_.table.tidy(*name);
  touch(*name);
  serve();
}

// In pieces, since very many waiters may be granted at once, such as readers.
void WaitQueues::serve() {
  if (touched_.empty() || std::exchange(serving_, true)) return;
  handing_over_.add([this] { return serving_ = serve_next(); });
}

// Makes one grant, or finds that a name cannot be granted. False if no touched name is left.
bool WaitQueues::serve_next() {
  Name& name = *touched_.front();
  touched_.pop_front();
  Waiter* first = stopped_ || name.queue.empty() ? nullptr : name.queue.front();
  if (first != nullptr && context_.table.first_in_line(first->request.spec, first) &&
      context_.table.admits(first->request.spec)) {
    touched_.push_back(&name);  // the other names get their turn before its next grant
    events_.next(*first);
  } else {
    name.touched = false;
    context_.table.tidy(name);
  }
  return !touched_.empty();
}

// Each search is a separate piece, since it may be long; the wait may have ended before its search.
void WaitQueues::search_next() {
  if (to_search_.empty()) return;
  Waiter& waiter = *to_search_.extract(to_search_.begin()).mapped();
  events_.searched(waiter, find_cycle(waiter, ++searches_));
}

std::vector<std::uint64_t> WaitQueues::own_waiters(const Hold& hold) {
  std::vector<std::uint64_t> found;
  const auto note = [&](const Waiter* waiter) {
    if (waiter->owner == hold.owner && waiter->state == Waiter::State::kQueued &&
        overlap(waiter->request.spec, hold.spec))
      found.push_back(waiter->id);
  };
  // Scans the shorter list.
  const Name& name = *hold.places.front().first;
  const bool one = hold.places.size() == 1;
  const auto& fewer =
      one && name.queue.size() < hold.owner->acquires.size() ? name.queue : hold.owner->acquires;
  std::for_each(fewer.begin(), fewer.end(), note);
  return found;
}

Busy WaitQueues::busy(const LockSpec& spec, Busy::Reason reason) const {
  Busy busy;
  busy.reason = reason;
  for (const std::string& text : spec.names) {
    const Name* name = context_.table.find_name(text);
    if (name == nullptr || (name->holds.empty() && name->queue.empty())) continue;
    busy.queue_length = name->queue.size();
    if (name->holds.empty()) break;
    const Hold& hold = *name->holds.front();
    busy.holder = hold.spec.owner;
    busy.remaining = hold.token == 0 ? hold.spec.lease : leases_.remaining(hold);
    break;
  }
  return busy;
}

}  // namespace zerosuite::lock
