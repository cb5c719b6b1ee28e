// Many ids in one reply, packed without a Value for each.
#pragma once

#include <vector>

#include "id/snowflake/cursor.hpp"
#include "wire/codec.hpp"

namespace zerosuite::id {

/// As [[first, count], …].
struct RunsView {
  std::vector<Run> runs;
};

/// As [id, id, …].
struct IdsView {
  std::vector<Run> runs;
  std::int64_t stride = 1;

  std::size_t size() const;
  /// Calls `each` with every id in turn.
  template <class F>
  void for_each(F each) const {
    for (const Run& run : runs) {
      for (std::int64_t i = 0; i < run.count; ++i) each(run.first + i * stride);
    }
  }
};

}  // namespace zerosuite::id

namespace zerosuite::wire {

template <>
struct Foreign<id::RunsView> {
  static void pack(Packer& out, const id::RunsView& view);
};

template <>
struct Foreign<id::IdsView> {
  static void pack(Packer& out, const id::IdsView& view);
};

}  // namespace zerosuite::wire
