#include "proxy/service_expiry.hpp"

#include <algorithm>

namespace zerosuite::proxy {

using namespace std::chrono_literals;
using core::TimePoint;

void ServiceExpiry::left(Service& service) {
  service.left = timers_.now();
  if (!timer_.armed()) timer_.after(forget_after_);
}

bool ServiceExpiry::forget_oldest() {
  Service* const longest = longest_left();
  if (longest != nullptr) registry_.forget(*longest);
  return longest != nullptr;
}

// A service with queued calls is skipped: they refer to it, and time out soon.
Service* ServiceExpiry::longest_left() const {
  Service* longest = nullptr;
  for (const auto& [name, service] : registry_.services()) {
    const bool may_go = !service->configured && service->workers.empty() && service->queue.empty();
    if (may_go && (longest == nullptr || service->left < longest->left)) longest = service.get();
  }
  return longest;
}

void ServiceExpiry::sweep() {
  for (Service* longest = longest_left(); longest != nullptr; longest = longest_left()) {
    if (timers_.now() < longest->left + forget_after_) break;
    registry_.forget(*longest);
  }
  TimePoint next = TimePoint::max();
  for (const auto& [name, service] : registry_.services()) {
    if (!service->configured && service->workers.empty())
      next = std::min(next, service->left + forget_after_);
  }
  if (next != TimePoint::max())
    timer_.at(std::max(next, timers_.now() + 1s));  // a service with queued calls may already be due
}

}  // namespace zerosuite::proxy
