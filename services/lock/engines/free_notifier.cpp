#include "lock/engines/free_notifier.hpp"

#include <utility>

namespace zerosuite::lock::engines {

void FreeNotifier::add(const std::string& name, core::TimePoint lapse, std::function<void()> freed) {
  Watch& watch = watches_[name];
  watch.freed.push_back(std::move(freed));
  if (!watch.lapse) watch.lapse = std::make_unique<net::Timer>(timers_, [this, name] { free(name); });
  watch.lapse->at(lapse);
}

void FreeNotifier::free(const std::string& name) {
  const auto found = watches_.find(name);
  if (found == watches_.end()) return;
  for (auto& freed : found->second.freed) notices_.add(std::move(freed));
  watches_.erase(found);
}

}  // namespace zerosuite::lock::engines
