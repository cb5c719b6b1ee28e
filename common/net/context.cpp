#include "net/context.hpp"

#include "net/gate.hpp"

namespace zerosuite::net {

namespace {

// zmq.h hides it with the draft options, but Debian's library has it.
constexpr int kZeroCopyReceive = 10;

}  // namespace

// With zero-copy receive, the frames of one read share its block, which is 18 KB however few there are and is
// kept as long as any of them: a peer that sends its frames one at a time would make us keep five hundred
// times what it sent.
Context::Context(Reactor& reactor) : reactor_(reactor) {
  if (::zmq_ctx_set(context_.handle(), kZeroCopyReceive, 0) != 0) throw zmq::error_t();
}
Context::~Context() = default;

Gate& Context::gate() {
  if (gate_ == nullptr) gate_ = std::make_unique<Gate>(*this, reactor_);
  return *gate_;
}

}  // namespace zerosuite::net
