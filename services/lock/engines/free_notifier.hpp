// Notifies watchers when a name may be free. Loop thread only.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "core/clock.hpp"
#include "core/keyed_hash.hpp"
#include "net/deferred.hpp"
#include "net/timers.hpp"

namespace zerosuite::lock::engines {

class FreeNotifier {
 public:
  explicit FreeNotifier(net::Timers& timers) : timers_(timers), notices_(timers) {}

  /// Calls `freed` once: after the name was freed, or at `lapse`, which also becomes the lapse of earlier
  /// watches of the name.
  void add(const std::string& name, core::TimePoint lapse, std::function<void()> freed);
  /// The name may be free: its watchers are notified at the end of this turn.
  void free(const std::string& name);

 private:
  struct Watch {
    std::vector<std::function<void()>> freed;
    std::unique_ptr<net::Timer> lapse;
  };

  net::Timers& timers_;
  net::Deferred notices_;
  std::unordered_map<std::string, Watch, core::KeyedHash> watches_;  // by name
};

}  // namespace zerosuite::lock::engines
