// The issuer's snowflake generators, one for each layout in use.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

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

}  // namespace zerosuite::id
