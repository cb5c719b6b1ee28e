#include "proxy/admission.hpp"

#include <vector>

namespace zerosuite::proxy {
namespace {

using core::Error;

constexpr std::size_t kShownOfId = 12;

std::string named(const rpc::State& state) {
  if (state.id.empty()) return "no state";
  const std::string id = "state " + state.id.substr(0, kShownOfId);
  return state.where.empty() ? id : id + " at " + state.where;
}

Error conflict(const std::string& message) { return {core::kStateConflict, message}; }

}  // namespace

std::optional<Error> Admission::refusal(const rpc::Registration& newcomer) {
  if (auto why = taken_id(newcomer)) return why;
  if (auto why = wrong_state(newcomer)) return why;
  if (auto why = second_owner(newcomer)) return why;
  return no_room(newcomer);
}

// The same process, known by its key, registers again if it noticed the loss of its connection before the
// proxy did; any other may have read the id in proxy.workers.
std::optional<Error> Admission::taken_id(const rpc::Registration& newcomer) {
  Worker* const known = registry_.worker(newcomer.id);
  if (known == nullptr) return std::nullopt;
  if (known->key == newcomer.key) {
    dispatcher_.lose(*known, "it registered anew");
    return std::nullopt;
  }
  if (is_gone(*known)) return std::nullopt;
  return Error{core::kInvalidArgument, "the id " + newcomer.id + " is another worker's"};
}

std::optional<Error> Admission::wrong_state(const rpc::Registration& newcomer) {
  const rpc::State* const bound = registry_.bound(newcomer.service);
  if (bound == nullptr || bound->id == newcomer.state.id) return std::nullopt;
  return conflict("the calls of " + newcomer.service + " belong to " + named(*bound) + "; worker " +
                  newcomer.id + " has " + named(newcomer.state) + "; proxy.forget(\"" + newcomer.service +
                  "\") ends that when nothing the first has given out counts any more");
}

// Two processes cannot hold the same lock file: the older one is dead, whatever its connection looks like.
std::optional<Error> Admission::second_owner(const rpc::Registration& newcomer) {
  const rpc::State& state = newcomer.state;
  const auto found = registry_.services().find(newcomer.service);
  if (state.id.empty() || found == registry_.services().end()) return std::nullopt;
  const std::vector<Worker*> others = found->second->workers;  // a copy: some may be removed
  for (Worker* const other : others) {
    const bool same_process = !newcomer.key.empty() && other->key == newcomer.key;
    if (same_process || (state.shared && other->state.shared)) continue;
    if (!state.lock.empty() && other->state.lock == state.lock) {
      dispatcher_.lose(*other, "another process has its data now");
      continue;
    }
    if (is_gone(*other)) continue;
    return conflict(newcomer.service + " is served by worker " + other->id + " with " + named(other->state) +
                    ", and by that one alone; worker " + newcomer.id + " has " + named(state));
  }
  return std::nullopt;
}

// A new service may replace one that has no worker.
std::optional<Error> Admission::no_room(const rpc::Registration& newcomer) {
  if (registry_.workers().size() >= options_.max_workers)
    return Error{core::kOverloaded, "there are " + std::to_string(options_.max_workers) + " workers already"};
  const bool binds = !newcomer.state.id.empty() && registry_.bound(newcomer.service) == nullptr;
  if (binds && registry_.bound().size() >= options_.max_services)
    return Error{core::kOverloaded,
                 std::to_string(options_.max_services) + " services belong to a state already"};
  if (registry_.services().size() < options_.max_services || registry_.services().contains(newcomer.service))
    return std::nullopt;
  if (dispatcher_.forget_oldest()) return std::nullopt;
  return Error{core::kOverloaded, "there are " + std::to_string(options_.max_services) + " services already"};
}

bool Admission::is_gone(Worker& worker) {
  if (!worker.load.gone && worker.connection->send_heartbeat() != rpc::Delivery::kGone) return false;
  dispatcher_.lose(worker, kConnectionEnded);
  return true;
}

}  // namespace zerosuite::proxy
