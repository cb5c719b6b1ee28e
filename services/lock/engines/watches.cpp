#include "lock/engines/watches.hpp"

#include <iterator>
#include <utility>

namespace zerosuite::lock::engines {

void Watches::add(const std::string& name, core::TimePoint lapse, std::function<void()> freed) {
  Watch& watch = watches_[name];
  watch.freed.push_back(std::move(freed));
  if (!watch.lapse) {
    watch.lapse = std::make_unique<net::Timer>(timers_, [this, name] {
      free(name);
      run();
    });
  }
  watch.lapse->at(lapse);
}

void Watches::free(const std::string& name) {
  const auto found = watches_.find(name);
  if (found == watches_.end()) return;
  std::move(found->second.freed.begin(), found->second.freed.end(), std::back_inserter(freed_));
  watches_.erase(found);
}

void Watches::run() {
  const auto freed = std::exchange(freed_, {});
  for (const auto& call : freed) call();
}

}  // namespace zerosuite::lock::engines
