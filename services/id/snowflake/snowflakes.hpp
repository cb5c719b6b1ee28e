// The issuer's snowflake generators, one for each layout in use.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>

#include "core/completion_latch.hpp"
#include "id/snowflake/snowflake.hpp"

namespace zerosuite::id {

/// Belongs to the loop's thread.
class Snowflakes {
 public:
  /// `usual` is the default layout.
  Snowflakes(const SnowflakeParts& parts, Layout usual, const SnowflakeOptions& options);

  /// The generator of a layout, by a name for layout_of(); empty or "default" = the usual one. Layouts with
  /// the same fingerprint share a generator. Throws core::Failure NoSuchLayout, InvalidArgument, or
  /// Overloaded if too many different layouts are in use.
  Snowflake& of(std::string_view layout);
  /// A layout, by the same names.
  Layout layout(std::string_view name) const;
  const Layout& usual() const { return usual_; }

  const std::map<std::string, Snowflake>& all() const { return by_fingerprint_; }
  /// Gives back all unused ticks; releases `last` once that is done, or has failed.
  void stop(const core::SharedLatch& last);

 private:
  Snowflake& make(Layout wanted);

  const SnowflakeParts parts_;
  const Layout usual_;
  const SnowflakeOptions options_;
  std::map<std::string, Snowflake> by_fingerprint_;
  std::map<std::string, Snowflake*, std::less<>> by_name_;
};

inline Snowflakes::Snowflakes(const SnowflakeParts& parts, Layout usual, const SnowflakeOptions& options)
    : parts_(parts), usual_(std::move(usual)), options_(options) {
  by_name_.emplace("default", &make(usual_));
}

inline Layout Snowflakes::layout(std::string_view name) const {
  return name.empty() || name == "default" ? usual_ : layout_of(name);
}

inline Snowflake& Snowflakes::of(std::string_view name) {
  if (const auto known = by_name_.find(name); known != by_name_.end()) return *known->second;
  Snowflake& made = make(layout(name));
  // Bounded, since a custom layout can be spelled in infinitely many ways.
  if (by_name_.size() <= named_layouts().size()) by_name_.emplace(name, &made);
  return made;
}

inline Snowflake& Snowflakes::make(Layout wanted) {
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

inline void Snowflakes::stop(const core::SharedLatch& last) {
  for (auto& [fingerprint, snowflake] : by_fingerprint_) snowflake.stop([last] {});
}

}  // namespace zerosuite::id
