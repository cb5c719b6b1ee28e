// The issuer's snowflakes, of whatever layout is asked for.
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
  /// `usual` is the layout that is meant when none is named.
  Snowflakes(const SnowflakeParts& parts, Layout usual, const SnowflakeOptions& options);

  /// Those of a layout: of a name that layout_of() knows; empty or "default" = the usual one. Layouts with
  /// the same bits share their ids. NoSuchLayout, InvalidArgument, or Overloaded when too many different ones
  /// were asked for.
  Snowflake& of(std::string_view layout);
  /// A layout by the same names.
  Layout layout(std::string_view name) const;
  const Layout& usual() const { return usual_; }

  const std::map<std::string, Snowflake>& all() const { return by_fingerprint_; }
  /// Gives all unused ticks back; lets go of `last` once they are, or could not be.
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
