// Acquires as tests of the lock broker write them.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "lock/broker/request.hpp"

namespace zerosuite::test {

using core::milliseconds;

/// want("ann", {"x"}).reading().waiting(5s)
struct Want : lock::Request {
  Want waiting(milliseconds duration) const {
    return with([&](Want& want) { want.wait = duration; });
  }
  Want leased(milliseconds duration) const {
    return with([&](Want& want) { want.spec.lease = duration; });
  }
  Want reading() const {
    return with([](Want& want) { want.spec.mode = lock::Mode::kShared; });
  }
  Want permits(std::uint32_t wanted, std::uint32_t limit) const {
    return with([&](Want& want) {
      want.spec.mode = lock::Mode::kPermits;
      want.spec.permits = wanted;
      want.spec.limit = limit;
    });
  }
  Want called(const std::string& request_id) const {
    return with([&](Want& want) { want.spec.request_id = request_id; });
  }
  Want numbered(std::int64_t id) const {
    return with([&](Want& want) {
      want.number = id;
      want.spec.request_id = std::to_string(id);
    });
  }
  Want bound_to(const std::string& id) const {
    return with([&](Want& want) { want.session = id; });
  }
  Want delayed(milliseconds duration) const {
    return with([&](Want& want) { want.spec.lock_delay = duration; });
  }
  Want confirming(milliseconds duration) const {
    return with([&](Want& want) { want.confirm = duration; });
  }

  template <class Change>
  Want with(Change change) const {
    Want changed = *this;
    change(changed);
    return changed;
  }
};

inline Want want(const std::string& owner, std::vector<std::string> names = {"x"}) {
  Want made;
  made.spec.owner = owner;
  made.spec.names = std::move(names);
  return made;
}

}  // namespace zerosuite::test
