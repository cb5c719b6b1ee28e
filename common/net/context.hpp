// A ZeroMQ context and the gate in front of every socket bound in it.
#pragma once

#include <memory>
#include <zmq.hpp>

namespace zerosuite::net {

class Gate;
class Reactor;

/// Not thread-safe. Must outlive its sockets and be destroyed before the reactor.
class Context {
 public:
  /// A program that binds a socket must also run `reactor`: connections over tcp and ipc wait until it admits
  /// them.
  explicit Context(Reactor& reactor);
  ~Context();
  Context(const Context&) = delete;
  Context& operator=(const Context&) = delete;

  zmq::context_t& zmq() { return context_; }
  /// Created on first use: a program that only dials needs none.
  Gate& gate();

 private:
  Reactor& reactor_;
  zmq::context_t context_;
  std::unique_ptr<Gate> gate_;
};

}  // namespace zerosuite::net
