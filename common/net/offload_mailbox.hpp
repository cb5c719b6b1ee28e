// Carries closures from any thread to the loop's thread, with an eventfd as doorbell.
#pragma once

#include <mutex>
#include <vector>

#include "core/function.hpp"
#include "net/reactor.hpp"

namespace zerosuite::net {

/// Created and destroyed on the loop's thread, and not by one of its own jobs.
class Mailbox {
 public:
  /// Throws std::system_error when the process is out of descriptors.
  explicit Mailbox(Reactor& reactor);
  ~Mailbox();
  Mailbox(const Mailbox&) = delete;
  Mailbox& operator=(const Mailbox&) = delete;

  /// Any thread. `job` runs in a later turn of the reactor, in order of posting; dropped without being run if
  /// the mailbox is destroyed first. It must not throw.
  void post(core::MoveFunction<void()> job);
  /// Any thread. Whether every job posted so far has been taken for delivery.
  bool empty() const;

 private:
  void deliver() noexcept;

  const int bell_;
  mutable std::mutex mutex_;
  std::vector<core::MoveFunction<void()>> posted_;
  std::vector<core::MoveFunction<void()>> delivering_;  // kept for its capacity
  Reactor::Watch watch_;
};

}  // namespace zerosuite::net
