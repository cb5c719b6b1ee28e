// Who wants to know when a name may be free. Belongs to the loop's thread.
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

  /// Calls `freed` once: after the name was freed, or at `lapse`, which moves the lapse of earlier watches of
  /// the name too.
  void add(const std::string& name, core::TimePoint lapse, std::function<void()> freed);
  /// Notes that the name is free; run() tells.
  void free(const std::string& name);
  /// Calls those who watched what was freed. They may call anything.
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
