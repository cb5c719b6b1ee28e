#include "id/snowflake/snowflakes.hpp"

#include <utility>

namespace zerosuite::id {

Snowflakes::Snowflakes(const SnowflakeParts& parts, Layout usual, const SnowflakeOptions& options)
    : parts_(parts), usual_(std::move(usual)), options_(options) {
  by_name_.emplace("default", &make(usual_));
}

Layout Snowflakes::layout(std::string_view name) const {
  return name.empty() || name == "default" ? usual_ : layout_of(name);
}

Snowflake& Snowflakes::of(std::string_view name) {
  if (const auto known = by_name_.find(name); known != by_name_.end()) return *known->second;
  Snowflake& made = make(layout(name));
  // Bounded, since a custom layout can be spelled in infinitely many ways.
  if (by_name_.size() <= named_layouts().size()) by_name_.emplace(name, &made);
  return made;
}

Snowflake& Snowflakes::make(Layout wanted) {
  // Where its sequences begin must not depend on how the first caller spells the layout.
  for (const Layout& named : named_layouts()) {
    if (named.fingerprint() == wanted.fingerprint()) wanted = named;
  }
  if (wanted.fingerprint() == usual_.fingerprint()) wanted = usual_;
  const std::string fingerprint = wanted.fingerprint();
  const auto known = by_fingerprint_.find(fingerprint);
  if (known != by_fingerprint_.end()) return known->second;
  if (wanted.is_custom() && by_fingerprint_.size() >= options_.max_layouts)
    throw core::Failure(core::kOverloaded,
                        "ids of " + std::to_string(options_.max_layouts) + " layouts are issued already");
  return by_fingerprint_.try_emplace(fingerprint, parts_, std::move(wanted), options_).first->second;
}

void Snowflakes::stop(const core::SharedLatch& last) {
  for (auto& [fingerprint, snowflake] : by_fingerprint_) snowflake.stop([last] {});
}

}  // namespace zerosuite::id
