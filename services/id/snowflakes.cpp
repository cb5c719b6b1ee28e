#include "id/snowflakes.hpp"

#include <utility>

namespace zerosuite::id {
namespace {

constexpr std::size_t kMostLayouts = 64;

}  // namespace

Snowflakes::Snowflakes(const SnowflakeParts& parts, Layout usual, const SnowflakeOptions& options)
    : parts_(parts), usual_(std::move(usual)), options_(options) {}

Layout Snowflakes::layout(std::string_view name) const {
  return name.empty() || name == "default" ? usual_ : layout_of(name);
}

Snowflake& Snowflakes::of(std::string_view name) {
  if (const auto known = by_name_.find(name); known != by_name_.end()) return *known->second;
  Layout wanted = layout(name);
  // Where its sequences begin must not depend on who comes first, and how he spells it.
  for (const Layout& named : named_layouts()) {
    if (named.fingerprint() == wanted.fingerprint()) wanted = named;
  }
  if (wanted.fingerprint() == usual_.fingerprint()) wanted = usual_;
  if (by_name_.size() >= kMostLayouts)
    throw core::Failure(core::kOverloaded,
                        "ids of " + std::to_string(kMostLayouts) + " layouts are issued already");
  const auto [place, made] =
      by_fingerprint_.try_emplace(wanted.fingerprint(), parts_, std::move(wanted), options_);
  by_name_.emplace(name, &place->second);
  return place->second;
}

void Snowflakes::stop(const SharedLast& last) {
  for (auto& [fingerprint, snowflake] : by_fingerprint_) snowflake.stop([last] {});
}

}  // namespace zerosuite::id
