#include "net/monitor.hpp"

#include <cstring>
#include <sstream>
#include <utility>

namespace zerosuite::net {
namespace {

constexpr int kEvents = ZMQ_EVENT_HANDSHAKE_SUCCEEDED | ZMQ_EVENT_DISCONNECTED;
constexpr int kEventsATurn = 64;

std::string name_for(const void* socket) {
  std::ostringstream name;
  name << "inproc://monitor-" << socket;
  return std::move(name).str();
}

}  // namespace

Monitor::Monitor(zmq::context_t& context, Reactor& reactor, Socket& socket,
                 std::function<void(Connection)> changed)
    : socket_(socket), events_(context, zmq::socket_type::pair), changed_(std::move(changed)) {
  void* const watched = socket_.ref().handle();
  const std::string name = name_for(watched);
  if (::zmq_socket_monitor(watched, name.c_str(), kEvents) != 0) throw zmq::error_t();
  events_.set(zmq::sockopt::linger, 0);
  events_.connect(name);
  watch_ = reactor.watch(events_, [this] { drain(); });
}

Monitor::~Monitor() {
  watch_.reset();
  ::zmq_socket_monitor(socket_.ref().handle(), nullptr, 0);
}

void Monitor::drain() {
  for (int taken = 0; taken < kEventsATurn; ++taken) {
    zmq::message_t event;
    zmq::message_t endpoint;
    if (!events_.recv(event, zmq::recv_flags::dontwait)) return;
    (void)events_.recv(endpoint, zmq::recv_flags::dontwait);  // whole messages only, so it is there
    std::uint16_t number = 0;                                 // in the machine's byte order, not aligned
    std::memcpy(&number, event.data(), sizeof number);
    changed_(number == ZMQ_EVENT_DISCONNECTED ? Connection::kDown : Connection::kUp);
  }
}

}  // namespace zerosuite::net
