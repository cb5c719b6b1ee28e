#include "net/context.hpp"

#include "net/gate.hpp"

namespace zerosuite::net {

Context::Context(Reactor& reactor) : reactor_(reactor) {}
Context::~Context() = default;

Gate& Context::gate() {
  if (gate_ == nullptr) gate_ = std::make_unique<Gate>(*this, reactor_);
  return *gate_;
}

}  // namespace zerosuite::net
