// Notifies watchers when a name may be free. Loop thread only.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "core/clock.hpp"
#include "core/keyed_hash.hpp"
#include "net/timers.hpp"

namespace zerosuite::lock::engines {

class FreeNotifier {
 public:
  explicit FreeNotifier(net::Timers& timers) : timers_(timers) {}

  /// Calls `freed` once: after the name was freed, or at `lapse`, which also becomes the lapse of earlier
  /// watches of the name.
  void add(const std::string& name, core::TimePoint lapse, std::function<void()> freed);
  /// Notes that the name is free; run() notifies the watchers.
  void free(const std::string& name);
  /// Notifies the watchers of freed names. They may call anything.
  void run();

 private:
  struct Watch {
    std::vector<std::function<void()>> freed;
    std::unique_ptr<net::Timer> lapse;
  };

  net::Timers& timers_;
  std::unordered_map<std::string, Watch, core::KeyedHash> notifier_;
  std::vector<std::function<void()>> freed_;
};

}  // namespace zerosuite::lock::engines
