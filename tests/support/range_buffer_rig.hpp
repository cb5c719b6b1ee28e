// A buffer of the tag "t", and a store in memory.
#pragma once

#include <doctest/doctest.h>

#include <optional>
#include <string>
#include <vector>

#include "id/sequence/range_buffer.hpp"
#include "support/id_calls.hpp"
#include "support/memory_store.hpp"

namespace zerosuite::test {

/// What a caller was dealt.
using Series = std::vector<id::Series>;

struct RangeBufferRig : MemoryStoreRig {
  explicit RangeBufferRig(std::int64_t step = 100) {
    id::Tag tag;
    tag.name = "t";
    tag.step = step;
    REQUIRE(memory.shelf->create_tag(tag));
  }

  id::RangeBuffer& buffer() {
    if (!made) made = std::make_shared<id::RangeBuffer>(timers, memory, key, options);
    return *made;
  }
  Answered<Series> take(std::int64_t count = 1) {
    return ask<Series>([&](auto done) { buffer().take({.count = count, .done = std::move(done)}); });
  }
  std::int64_t next() { return memory.shelf->next(key); }
  /// So many values a second for so long, in turns of `turn`. Answers how many callers had to wait.
  std::size_t use(std::int64_t per_second, core::milliseconds duration,
                  core::milliseconds turn = core::milliseconds(10)) {
    std::size_t waited = 0;
    for (core::milliseconds past{0}; past < duration; past += turn) {
      for (std::int64_t left = per_second * turn.count() / 1000; left > 0; --left)
        waited += buffer().one() || take().there() ? 0 : 1;
      timers.advance_to(timers.now() + turn);
      memory.settle();
    }
    return waited;
  }
  void fail(Fate fate) {
    memory.fate = [fate](std::string_view) { return fate; };
  }

  id::Key key{id::Key::Kind::kTag, "t"};
  id::RangeBufferOptions options;
  std::shared_ptr<id::RangeBuffer> made;
};

}  // namespace zerosuite::test
