#include "lock/broker/broker.hpp"

#include <algorithm>
#include <memory>

namespace zerosuite::lock {
namespace {

using core::Failure;

constexpr int kSweepsAMemory = 4;  // what is due is forgotten at most a quarter late

using Set = std::pair<Token, std::vector<std::string>>;

// Answers once for several holds.
class Batch {
 public:
  Batch(std::size_t open, core::Done<BatchResult> done) : open_(open), done_(std::move(done)) {
    if (open_ == 0) done_(BatchResult());
  }

  template <class T>
  void settle(const Set& set, const core::Result<T>& result) {
    for (const std::string& name : set.second) {
      if (result) {
        result_.done.push_back(name);
      } else {
        result_.missed.push_back({name, set.first, result.error()});
      }
    }
    if (--open_ == 0) done_(std::move(result_));
  }

 private:
  std::size_t open_;
  core::Done<BatchResult> done_;
  BatchResult result_;
};

// By token: the names of a set have the same one.
std::map<Token, std::vector<std::string>> sets_of(const std::vector<Ticketed>& held) {
  std::map<Token, std::vector<std::string>> sets;
  for (const auto& [name, token] : held) sets[token].push_back(name);
  for (auto& [token, names] : sets) std::sort(names.begin(), names.end());
  return sets;
}

}  // namespace

Broker::Broker(net::Timers& timers, Engine& engine, const Limits& limits, net::Chores::Watch watch)
    : timers_(timers),
      engine_(engine),
      limits_(limits),
      epoch_(engine.capabilities().epoch),
      watch_(std::move(watch)),
      holds_(
          shared_, [this](const Hold& hold) { attempts_.gone(hold); },
          [this](const std::string& name) { attempts_.freed(name); }),
      attempts_(shared_, holds_),
      sessions_(shared_, holds_, attempts_),
      sweep_(timers, [this] { sweep(); }) {
  for (const Held& held : engine.holds()) attempts_.remember(holds_.restore(held));
  sweep();
}

void Broker::sweep() {
  chores_.add([this] {
    const bool holds = holds_.forget();
    return !attempts_.forget() || !holds;
  });
  sweep_.after(limits_.memory / kSweepsAMemory);
}

Attempts::Id Broker::acquire(Request request, Attempts::Told told) {
  if (!request.session.empty()) sessions_.check(request.session, request.claim.owner);
  return attempts_.acquire(std::move(request), std::move(told));
}

Attempts::Id Broker::enqueue(Request request, Attempts::Told told) {
  if (!request.session.empty()) sessions_.check(request.session, request.claim.owner);
  return attempts_.enqueue(std::move(request), std::move(told));
}

void Broker::release(const Key& key, core::Done<Released> done) {
  const core::Result<Hold*> found = holds_.find(key);
  if (found && (*found)->claim.names.size() > 1)
    return done(
        core::Error{core::kInvalidArgument, "\"" + key.name +
                                                "\" was acquired together with other names and must be "
                                                "released with them, by release_many()"});
  holds_.release(key, std::move(done));
}

void Broker::downgrade(const Key& key, core::Done<Answer> done) {
  holds_.downgrade(key, [this, told = std::move(done)](const core::Result<Hold*>& shared) mutable {
    if (!shared) return told(shared.error());
    told(Answer(attempts_.view(**shared)));
  });
}

// Half a set cannot be given back: its names have one token, and share its fate.
void Broker::refuse_parts(const std::string& owner, const Sets& sets) {
  for (const auto& [token, names] : sets) {
    const Hold* hold = holds_.find(token);
    if (hold == nullptr || hold->claim.owner != owner || hold->claim.names == names) continue;
    for (const std::string& name : hold->claim.names) {
      if (!std::binary_search(names.begin(), names.end(), name))
        throw Failure(core::kInvalidArgument, "\"" + name + "\" was acquired together with \"" +
                                                  names.front() + "\" and must be released with it");
    }
    throw Failure(core::kInvalidArgument,
                  "token " + std::to_string(token) + " is not of all names it is given for");
  }
}

void Broker::release_many(const std::string& owner, const std::vector<Ticketed>& held,
                          const std::string& request_id, core::Done<BatchResult> done) {
  const Sets sets = sets_of(held);
  refuse_parts(owner, sets);
  const auto batch = std::make_shared<Batch>(sets.size(), std::move(done));
  for (const auto& [token, names] : sets) {
    holds_.release({names.front(), owner, token, Key::Kind::kAny, request_id},
                   [batch, set = Set{token, names}](const core::Result<Released>& released) {
                     batch->settle(set, released);
                   });
  }
}

void Broker::renew(const std::string& owner, const std::vector<Ticketed>& held, milliseconds lease,
                   core::Done<BatchResult> done) {
  check_lease(lease, limits_);
  const Sets sets = sets_of(held);
  const auto batch = std::make_shared<Batch>(sets.size(), std::move(done));
  for (const auto& [token, names] : sets) {
    holds_.extend({names.front(), owner, token}, lease,
                  [batch, set = Set{token, names}](const core::Result<Extended>& extended) {
                    batch->settle(set, extended);
                  });
  }
}

// Who comes to share it meanwhile keeps it: a reader with a later token than the last one now.
void Broker::force_release(const std::string& name, const std::string& reason, core::Done<Revoked> done) {
  check_name(name);
  Token last = 0;
  if (const Name* known = table_.find_name(name)) {
    const auto found = std::find_if(known->holds.rbegin(), known->holds.rend(),
                                    [](const Hold* hold) { return hold->token != 0; });
    if (found != known->holds.rend()) last = (*found)->token;
  }
  chores_.add([this, name, reason, last, revoked = Revoked(), told = std::move(done)]() mutable {
    const Name* known = table_.find_name(name);
    Hold* hold = known == nullptr || known->holds.empty() ? nullptr : known->holds.front();
    if (hold == nullptr || hold->token == 0 || hold->token > last) {
      told(revoked);
      return false;
    }
    revoked.token = std::max(revoked.token, hold->token + 1);
    ++revoked.released;
    ++counters_.revoked;
    holds_.end(*hold, Ended::How::kRevoked, reason);
    return true;
  });
}

void Broker::drain(Audience::Stay stay) {
  attempts_.drain();
  audience_.drain(stay);
}

}  // namespace zerosuite::lock
