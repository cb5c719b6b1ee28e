// Closures from any thread to the loop's thread, with an eventfd as doorbell.
#pragma once
#include "core/function.hpp"
#include "net/reactor.hpp"

namespace zerosuite::net {

class Mailbox {
 public:
  explicit Mailbox(Reactor& reactor);
  ~Mailbox();

  /// Any thread. `job` runs in a later turn of the reactor, in order of posting; dropped unrun if the mailbox is
  /// destroyed first.
  void post(core::MoveFunction<void()> job);
};

}  // namespace zerosuite::net
