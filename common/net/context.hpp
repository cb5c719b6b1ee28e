// A ZeroMQ context and the gate before everything that is bound in it.
#pragma once

#include <memory>
#include <zmq.hpp>

namespace zerosuite::net {

class Gate;
class Reactor;

/// Not thread-safe. Its sockets must go before it; it must go before the reactor.
class Context {
 public:
  /// Whoever binds must also turn `reactor`: connections over tcp and ipc wait until it has let them in.
  explicit Context(Reactor& reactor);
  ~Context();
  Context(const Context&) = delete;
  Context& operator=(const Context&) = delete;

  zmq::context_t& zmq() { return context_; }
  /// Made when first asked for: a program that only dials needs none.
  Gate& gate();

 private:
  Reactor& reactor_;
  zmq::context_t context_;
  std::unique_ptr<Gate> gate_;
};

}  // namespace zerosuite::net
