#include "lock/broker/sessions.hpp"

#include <iterator>

namespace zerosuite::lock {

std::string Sessions::open(const std::string& owner, milliseconds ttl, Subscriber subscriber) {
  std::string id = "session-" + random_name();
  auto session = std::make_unique<Session>(context_.timers, [this, id] { lapse(id); });
  session->owner = owner;
  session->ttl = ttl;
  session->end = subscriber.end;
  session->subscriber = context_.events.join_owner(owner, std::move(subscriber));
  ++context_.table.owner(owner).sessions;
  const EventBus::Id heard_by = session->subscriber;
  sessions_.emplace(id, std::move(session));
  context_.events.tell(heard_by, {.kind = Event::Kind::kOpen, .owner = owner, .remaining = ttl, .text = id});
  return id;
}

void Sessions::lost(const std::string& id) {
  const auto found = sessions_.find(id);
  if (found == sessions_.end()) return;
  Session& session = *found->second;
  session.streaming = false;
  context_.events.leave(session.subscriber);
  if (!session.renewal.armed()) lapse(id);
}

milliseconds Sessions::renew(const std::string& id) {
  Session& session = find(id);
  session.renewal.after(session.ttl);
  return session.ttl;
}

void Sessions::close(const std::string& id, core::MoveFunction<void(std::size_t)> done) {
  const auto end_stream = find(id).end;
  end(id, Ended::How::kReleased, std::move(done));
  end_stream();
}

void Sessions::check(const std::string& id, const std::string& owner) const {
  if (find(id).owner != owner)
    throw core::Failure(core::kInvalidArgument, id + " is the session of another owner than " + owner);
}

Sessions::Session& Sessions::find(const std::string& id) const {
  const auto found = sessions_.find(id);
  if (found == sessions_.end()) throw core::Failure(core::kSessionLost, "no session " + quoted(id));
  return *found->second;
}

void Sessions::lapse(const std::string& id) {
  if (find(id).streaming) return;  // the stream keeps it alive
  ++context_.counters.sessions_lost;
  end(id, Ended::How::kSessionLost, [](std::size_t) {});
}

void Sessions::end(const std::string& id, Ended::How how, core::MoveFunction<void(std::size_t)> done) {
  const std::unique_ptr<Session> session = std::move(sessions_.extract(id).mapped());
  context_.events.leave(session->subscriber);
  Owner& owner = *context_.table.find_owner(session->owner);
  Ending ending{.id = id, .owner = session->owner, .how = how, .done = std::move(done)};
  const auto unnamed = owner.holds.lower_bound(kUnnamed);
  if (how == Ended::How::kSessionLost && unnamed != owner.holds.begin())
    ending.last = std::prev(unnamed)->first;
  --owner.sessions;
  context_.table.tidy(owner);
  context_.chores.add([this, left = std::move(ending)]() mutable { return step(left); });
}

// Waiters first, as they may be granted meanwhile; then holds, then the suspect events.
bool Sessions::step(Ending& ending) {
  const Bound* bound = context_.table.bound(ending.id);
  if (bound != nullptr && !bound->acquires.empty()) {
    acquires_.lose_session(*bound->acquires.front());
    return true;
  }
  if (bound != nullptr) {
    Hold& hold = *bound->holds.front();
    context_.table.unbind(hold);
    if (hold.token == 0) return true;  // its waiter is marked, and gives it back
    ++ending.ended;
    leases_.end(hold, ending.how);
    return true;
  }
  if (suspect_next(ending)) return true;
  ending.done(ending.ended);
  return false;
}

bool Sessions::suspect_next(Ending& ending) {
  const Owner* owner = context_.events.watched() ? context_.table.find_owner(ending.owner) : nullptr;
  if (owner == nullptr) return false;
  const auto next = owner->holds.upper_bound(ending.seen);
  if (next == owner->holds.end() || next->first > ending.last) return false;
  ending.seen = next->first;
  leases_.publish_suspect(*next->second, ending.id);
  return true;
}

}  // namespace zerosuite::lock
