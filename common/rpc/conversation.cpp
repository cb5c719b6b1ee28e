#include "rpc/conversation.hpp"

#include <algorithm>

#include "wire/event.hpp"

namespace zerosuite::rpc {

std::optional<std::uint64_t> grant_in(std::uint64_t version, std::string_view event, std::string_view args) {
  const bool grants = event == wire::kMore || (event == wire::kHeartbeat && version < kCreditsApart);
  return grants ? std::optional(wire::grant_of(args)) : std::nullopt;
}

Conversation::Conversation(std::uint64_t version, std::optional<std::int64_t> timeout_ms, core::TimePoint now)
    : version_(version) {
  constexpr std::int64_t kNever = std::int64_t{1} << 40;
  if (timeout_ms && *timeout_ms < kNever) deadline_ = now + core::milliseconds(*timeout_ms);
}

bool Conversation::grant(std::string_view event, std::string_view args, std::uint32_t most) {
  const auto items = grant_in(version_, event, args);
  if (items)
    credit_ += static_cast<std::uint32_t>(std::min<std::uint64_t>(*items, most - std::min(credit_, most)));
  return items.has_value();
}

void Conversation::replied() {
  credit_ -= std::min(credit_, 1U);
  deadline_ = core::TimePoint::max();
}

}  // namespace zerosuite::rpc
