#include "net/socket.hpp"

#include <algorithm>
#include <cerrno>
#include <cstdlib>

#include "core/error.hpp"
#include "core/random.hpp"
#include "net/arrivals.hpp"
#include "net/connections.hpp"
#include "net/gate.hpp"
#include "net/offload_names.hpp"

namespace zerosuite::net {
namespace {

// zmq.h hides it with the draft options, but Debian's library has it.
constexpr int kZeroCopyReceive = 10;

constexpr std::string_view kInproc = "inproc://";

// Maximum number of messages of connections ended for too much unread that one call drops: half a
// millisecond's worth.
constexpr int kMostUnwanted = 1000;

[[noreturn]] void refuse(const char* action, const std::string& endpoint, const zmq::error_t& error) {
  const int number = error.num();
  const bool malformed = number == EINVAL || number == EPROTONOSUPPORT || number == ENOCOMPATPROTO ||
                         number == ENODEV || number == ENAMETOOLONG;
  throw core::Failure(malformed ? core::kInvalidArgument : core::kUnavailable,
                      std::string("cannot ") + action + " " + endpoint + ": " + error.what());
}

// A host in brackets. libzmq refuses those without the ipv6 option; with it, it would resolve names to IPv6
// addresses first.
bool is_ipv6(std::string_view endpoint) { return endpoint.find('[') != std::string_view::npos; }

// libzmq resolves no name to bind to, and this one must work without a resolver.
std::string numeric(const std::string& endpoint) {
  constexpr std::string_view kLocalhost = "tcp://localhost:";
  if (!endpoint.starts_with(kLocalhost)) return endpoint;
  return "tcp://127.0.0.1:" + endpoint.substr(kLocalhost.size());
}

// False when nothing is waiting. Even a non-blocking call may fail with EINTR (poll(2) with a timeout of 0).
bool receive_frame(void* socket, Frame& frame) {
  while (::zmq_msg_recv(frame.handle(), socket, ZMQ_DONTWAIT) < 0) {
    if (errno == EAGAIN) return false;
    if (errno != EINTR) throw zmq::error_t();
  }
  return true;
}

// Returns 0, or the error that means "nothing was taken".
int send_frame(void* socket, Frame& frame, int flags) {
  while (::zmq_msg_send(frame.handle(), socket, flags) < 0) {
    if (errno == EAGAIN || errno == EHOSTUNREACH) return errno;
    if (errno != EINTR) throw zmq::error_t();
  }
  return 0;
}

// A ROUTER names its peers by a number that begins at rand(), which libzmq never seeds: without this it is
// the same in every run, and any client could guess the identities of all others. Only for ROUTER sockets, so
// that a program that uses rand() itself and only dials keeps its own sequence.
zmq::socket_t make(Context& context, zmq::socket_type type) {
  if (type == zmq::socket_type::router) std::srand(static_cast<unsigned>(core::random_bits()));
  return {context.zmq(), type};
}

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

Socket::Socket(Context& context, zmq::socket_type type, const SocketOptions& options)
    : context_(&context), options_(options), type_(type), socket_(make(context, type)) {
  socket_.set(zmq::sockopt::linger, static_cast<int>(options.linger.count()));
  socket_.set(zmq::sockopt::maxmsgsize, options.max_frame_bytes);
  socket_.set(zmq::sockopt::sndhwm, options.high_water);
  // libzmq's default of 100 is used up at once when many clients connect together, and each one beyond it
  // waits a second.
  socket_.set(zmq::sockopt::backlog, 4096);
  if (options.probe.count() > 0) {
    socket_.set(zmq::sockopt::heartbeat_ivl, static_cast<int>(options.probe.count()));
    const core::milliseconds limit = options.probe_limit.value_or(2 * options.probe);
    socket_.set(zmq::sockopt::heartbeat_timeout, static_cast<int>(limit.count()));
  }
  if (options.keepalive.count() > 0) {
    constexpr int kProbes = 3;
    const int idle = std::max(1, static_cast<int>(options.keepalive.count() / 1000));
    socket_.set(zmq::sockopt::tcp_keepalive, 1);
    socket_.set(zmq::sockopt::tcp_keepalive_idle, idle);
    socket_.set(zmq::sockopt::tcp_keepalive_intvl, std::max(1, idle / kProbes));
    socket_.set(zmq::sockopt::tcp_keepalive_cnt, kProbes);
  }
  // Without it a message to a full or gone peer is dropped silently.
  if (type == zmq::socket_type::router) socket_.set(zmq::sockopt::router_mandatory, true);
}

// Over inproc nothing is read, and the marks of both ends are combined.
void Socket::set_mark(std::string_view endpoint) {
  const bool all = options_.reading == Reading::kAll && !endpoint.starts_with(kInproc);
  socket_.set(zmq::sockopt::rcvhwm, all ? 0 : options_.high_water);
}

std::string Socket::bind(const std::string& endpoint) {
  try {
    if (!endpoint.starts_with(kInproc)) {
      context_->gate();
      Gate::guard(socket_);
    }
    set_mark(endpoint);
    socket_.set(zmq::sockopt::ipv6, is_ipv6(endpoint));
    socket_.bind(numeric(endpoint));
  } catch (const zmq::error_t& error) {
    refuse("bind", endpoint, error);
  }
  return socket_.get(zmq::sockopt::last_endpoint);
}

void Socket::connect(const std::string& endpoint) {
  if (named_endpoint(endpoint))
    throw core::Failure(core::kInvalidArgument,
                        "cannot connect to " + endpoint + " before its host is looked up");
  try {
    set_mark(endpoint);
    socket_.set(zmq::sockopt::ipv6, is_ipv6(endpoint));
    socket_.connect(endpoint);
  } catch (const zmq::error_t& error) {
    refuse("connect to", endpoint, error);
  }
}

void Socket::disconnect(const std::string& endpoint) {
  if (::zmq_disconnect(socket_.handle(), endpoint.c_str()) != 0 && errno != ENOENT) throw zmq::error_t();
}

Received Socket::receive(std::vector<Frame>& frames) {
  for (int unwanted = 0; unwanted < kMostUnwanted; ++unwanted) {
    std::uint64_t dropped = 0;
    const Received received = take(frames, dropped);
    if (connections_ == nullptr) return received;
    if (received == Received::kNone) connections_->heard_nothing();
    if (received == Received::kNone || connections_->heard(frames, dropped)) return received;
  }
  frames.clear();
  return Received::kNone;
}

// For a message with too many frames, `dropped` is the weight of those dropped.
Received Socket::take(std::vector<Frame>& frames, std::uint64_t& dropped) {
  // libzmq hands out whole messages only, so once the first frame is here the others are too. Receiving into
  // a frame releases what it held before.
  for (std::size_t count = 0; count < kMaxFrames; ++count) {
    if (count == frames.size()) frames.emplace_back();
    if (!receive_frame(socket_.handle(), frames[count])) {
      frames.clear();
      return Received::kNone;
    }
    if (frames[count].more()) continue;
    // Another core wrote the payload. Fetching it takes about as long as the work before it is read.
    __builtin_prefetch(frames[count].data());
    frames.resize(count + 1);
    return Received::kMessage;
  }
  for (Frame rest; receive_frame(socket_.handle(), rest);) {
    dropped += weight_of(rest);
    if (!rest.more()) break;
  }
  return Received::kTooManyFrames;
}

Sent Socket::send(std::span<Frame> frames) {
  if (connections_ != nullptr && !connections_->reaches(frames.front().to_string_view())) return Sent::kGone;
  // The first frame decides. After it, libzmq does not check the high-water mark again until the message is
  // complete (it counts messages, not frames), so a blocking send of the other frames never blocks; and when
  // the pipe dies half-way, only a blocking send drops the rest silently, where one with ZMQ_DONTWAIT would
  // leave half a message and return EAGAIN.
  int flags = ZMQ_DONTWAIT;
  for (Frame& frame : frames) {
    const int more = &frame == &frames.back() ? 0 : ZMQ_SNDMORE;
    const int error = send_frame(socket_.handle(), frame, flags | more);
    if (error == EAGAIN) return Sent::kFull;
    if (error == EHOSTUNREACH) return Sent::kGone;
    flags = 0;
  }
  return Sent::kYes;
}

}  // namespace zerosuite::net
