#include "lock/sessions.hpp"

#include <vector>

#include "core/random.hpp"

namespace zerosuite::lock {

std::string Sessions::open(const std::string& owner, milliseconds ttl, Listener listener) {
  const std::string id = "session-" + std::to_string(core::random_bits());
  auto session = std::make_unique<Session>(shared_.timers, [this, id] { lapse(id); });
  session->owner = owner;
  session->ttl = ttl;
  session->end = listener.end;
  session->listener = shared_.audience.join_owner(owner, std::move(listener));
  ++shared_.table.owner(owner).sessions;
  holds_.listened(shared_.table.owner(owner));
  const Audience::Id heard_by = session->listener;
  sessions_.emplace(id, std::move(session));
  shared_.audience.tell(heard_by, {.kind = Event::Kind::kOpen, .owner = owner, .remaining = ttl, .text = id});
  return id;
}

void Sessions::lost(const std::string& id) {
  const auto found = sessions_.find(id);
  if (found == sessions_.end()) return;
  Session& session = *found->second;
  session.streaming = false;
  shared_.audience.leave(session.listener);
  if (!session.renewal.armed()) lapse(id);
}

milliseconds Sessions::renew(const std::string& id) {
  Session& session = find(id);
  session.renewal.after(session.ttl);
  return session.ttl;
}

std::size_t Sessions::close(const std::string& id) {
  const auto end_stream = find(id).end;
  const std::size_t released = end(id, Ended::How::kReleased);
  end_stream();
  return released;
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
  if (find(id).streaming) return;  // the stream keeps it
  ++shared_.counters.sessions_lost;
  end(id, Ended::How::kSessionLost);
}

std::size_t Sessions::end(const std::string& id, Ended::How how) {
  const std::unique_ptr<Session> session = std::move(sessions_.extract(id).mapped());
  shared_.audience.leave(session->listener);
  Owner& owner = *shared_.table.find_owner(session->owner);
  attempts_.lose_session(owner, id);
  std::vector<Token> tokens;
  for (const Hold* hold : owner.holds) {
    if (hold->token != 0) tokens.push_back(hold->token);  // lose_session() has seen to the others
  }
  std::size_t ended = 0;
  for (const Token token : tokens) {
    Hold* hold = holds_.find(token);
    if (hold == nullptr) continue;  // the end of another brought it about
    if (hold->session == id) {
      holds_.end(*hold, how);
      ++ended;
    } else if (how == Ended::How::kSessionLost) {
      holds_.suspect(*hold, id);
    }
  }
  --owner.sessions;
  shared_.table.tidy(owner);
  return ended;
}

}  // namespace zerosuite::lock
