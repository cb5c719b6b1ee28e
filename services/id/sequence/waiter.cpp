#include "id/sequence/waiter.hpp"

#include <string>
#include <utility>

#include "core/json.hpp"

namespace zerosuite::id {
namespace {

core::Json pause_json(core::milliseconds pause) { return core::Json().add("retry_after_ms", pause.count()); }

}  // namespace

std::optional<core::Error> refusal(const Key& key, Client client, const WaitQueue<Waiter>& queue,
                                   const Reserver& reserver) {
  // Waiting would not help. After the pause a caller is let through, to find out whether it is over.
  if (reserver.resting() && reserver.trouble()->name == core::kStoreRegressed.name) return reserver.trouble();
  if (queue.has_room(client)) return std::nullopt;
  return core::Error{core::kOverloaded,
                     std::to_string(queue.size()) + " callers wait for '" + key.name + "' already",
                     pause_json(reserver.pauses().first)};
}

core::Error too_late(const Key& key, const WaitOptions& options, const Reserver& reserver) {
  std::string words =
      "'" + key.name + "': nothing came within " + std::to_string(options.park.count()) + " ms";
  if (const auto& trouble = reserver.trouble()) words += "; " + trouble->name + ": " + trouble->message;
  const auto& name = key.kind == Key::Kind::kTag ? core::kSegmentExhausted : core::kUnavailable;
  return {name, std::move(words), pause_json(reserver.pause())};
}

core::Error range_exhausted(const Key& key, std::int64_t end) {
  return {core::kRangeExhausted, "'" + key.name + "' has come to its last value",
          core::Json().add("max", end - 1)};
}

}  // namespace zerosuite::id
