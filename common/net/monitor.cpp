#include "net/monitor.hpp"

#include <cstring>
#include <sstream>
#include <utility>

namespace zerosuite::net {
namespace {

std::string name_for(const void* socket) {
  std::ostringstream name;
  name << "inproc://monitor-" << socket;
  return std::move(name).str();
}

Connection kind_of(std::uint16_t event) {
  if (event == ZMQ_EVENT_ACCEPTED) return Connection::kAccepted;
  if (event == ZMQ_EVENT_CONNECTED) return Connection::kDialed;
  if (event == ZMQ_EVENT_ACCEPT_FAILED) return Connection::kFailed;
  if (event == ZMQ_EVENT_CONNECT_RETRIED) return Connection::kRefused;
  return event == ZMQ_EVENT_DISCONNECTED ? Connection::kDown : Connection::kUp;
}

}  // namespace

Monitor::Monitor(Context& context, Reactor& reactor, Socket& socket, std::function<void(Connection)> changed)
    : Monitor(context, reactor, socket, Events{ZMQ_EVENT_HANDSHAKE_SUCCEEDED | ZMQ_EVENT_DISCONNECTED},
              [changed = std::move(changed)](Connection connection, int) { changed(connection); }) {}

Monitor::Monitor(Context& context, Reactor& reactor, Socket& socket, Change changed)
    : Monitor(context, reactor, socket,
              Events{ZMQ_EVENT_ACCEPTED | ZMQ_EVENT_CONNECTED | ZMQ_EVENT_HANDSHAKE_SUCCEEDED |
                     ZMQ_EVENT_DISCONNECTED | ZMQ_EVENT_CONNECT_RETRIED | ZMQ_EVENT_ACCEPT_FAILED},
              std::move(changed)) {}

Monitor::Monitor(Context& context, Reactor& reactor, Socket& socket, Events events, Change changed)
    : socket_(socket),
      events_(context.zmq(), zmq::socket_type::pair),
      changed_(std::move(changed)),
      first_look_(reactor.timers(), [this] { catch_up(); }) {
  void* const watched = socket_.ref().handle();
  const std::string name = name_for(watched);
  if (::zmq_socket_monitor(watched, name.c_str(), events.mask) != 0) throw zmq::error_t();
  events_.set(zmq::sockopt::linger, 0);
  // With a high-water mark, libzmq's own thread, which serves every connection, would block once two thousand
  // events are unread.
  events_.set(zmq::sockopt::rcvhwm, 0);
  events_.connect(name);
  // Watched by descriptor, which is cheaper per turn than by socket. It signals only events that come after
  // the queue was found empty: so there must be a first read, and each must read everything.
  first_look_.after(core::milliseconds(0));
  watch_ = reactor.watch(events_.get(zmq::sockopt::fd), [this] { catch_up(); });
}

Monitor::~Monitor() {
  watch_.reset();
  ::zmq_socket_monitor(socket_.ref().handle(), nullptr, 0);
}

void Monitor::catch_up() {
  zmq::message_t event;
  zmq::message_t endpoint;
  while (events_.recv(event, zmq::recv_flags::dontwait)) {
    (void)events_.recv(endpoint, zmq::recv_flags::dontwait);  // whole messages only, so it is there
    std::uint16_t number = 0;                                 // in the machine's byte order, not aligned
    std::uint32_t value = 0;
    std::memcpy(&number, event.data(), sizeof number);
    std::memcpy(&value, event.data<char>() + sizeof number, sizeof value);
    changed_(kind_of(number), static_cast<int>(value));
  }
}

}  // namespace zerosuite::net
