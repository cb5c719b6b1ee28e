#include "rpc/server/drop_log.hpp"

namespace zerosuite::rpc {

bool DropLog::first(const wire::Envelope& peer, std::string_view reason, core::TimePoint now) {
  constexpr std::size_t kMostReports = 1024;
  if (now >= minute_ends_) {
    reported_.clear();
    minute_ends_ = now + std::chrono::minutes(1);
  }
  if (reported_.size() >= kMostReports) return false;
  return reported_.insert(peer.bytes() + std::string(reason)).second;
}

}  // namespace zerosuite::rpc
