#include "lock/engines/free_notifier.hpp"

#include <iterator>
#include <utility>

namespace zerosuite::lock::engines {

void FreeNotifier::add(const std::string& name, core::TimePoint lapse, std::function<void()> freed) {
  Watch& watch = notifier_[name];
  watch.freed.push_back(std::move(freed));
  if (!watch.lapse) {
    watch.lapse = std::make_unique<net::Timer>(timers_, [this, name] {
      free(name);
      run();
    });
  }
  watch.lapse->at(lapse);
}

void FreeNotifier::free(const std::string& name) {
  const auto found = notifier_.find(name);
  if (found == notifier_.end()) return;
  std::move(found->second.freed.begin(), found->second.freed.end(), std::back_inserter(freed_));
  notifier_.erase(found);
}

void FreeNotifier::run() {
  const auto freed = std::exchange(freed_, {});
  for (const auto& call : freed) call();
}

}  // namespace zerosuite::lock::engines
