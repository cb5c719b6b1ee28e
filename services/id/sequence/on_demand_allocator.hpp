// Values of one key that are reserved only when somebody asks for them, for all who ask at the same time
// together.
//
// If A was answered before B asked, B's value is greater, whoever serves them: B's was reserved after he
// asked, and A's before that.
#pragma once

#include <optional>

#include "id/sequence/range_allocator.hpp"

namespace zerosuite::id {

/// Belongs to the loop's thread; made by std::make_shared. Every caller gets values that follow one another.
class OnDemandAllocator final : public RangeAllocator {
 public:
  OnDemandAllocator(net::Timers& timers, Store& store, Key key, const RangeAllocatorOptions& options);

  /// Callers wait until resume(), or until their time is up.
  void hold() { held_ = true; }
  void resume();

 private:
  std::optional<Need> need() override;
  void supplied(const Reserved& reserved) override;
  void give_back(const core::SharedLatch&) override {}

  bool held_ = false;
};

/// What a caller gets when the values have come to their end.
core::Error range_exhausted(const Key& key, std::int64_t end);

}  // namespace zerosuite::id
