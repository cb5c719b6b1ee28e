#include "rpc/transport/dialed_transport.hpp"

#include <utility>

#include "rpc/transport/fair_intake.hpp"

namespace zerosuite::rpc {
namespace {

using namespace std::chrono_literals;

// libzmq reports the end of a connection a moment before the socket has received the connection's last
// messages.
constexpr auto kLastWords = 2ms;
constexpr auto kTryAgain = 5s;  // to get a socket
constexpr auto kLookAgain = 2ms;

}  // namespace

/// Everything that belongs to one connection.
struct DialedTransport::Line {
  explicit Line(DialedTransport& transport)
      : socket(transport.dialing_.context, zmq::socket_type::dealer, transport.options_.socket),
        queue(transport.dialing_.reactor.timers(), socket, transport.options_.max_held_bytes),
        intake(transport.dialing_.reactor.timers(), socket,
               {.receive =
                    [&transport](std::vector<net::Frame>& frames) {
                      if (!transport.redialing()) transport.host_.receive(frames);
                    },
                .wanted = [this] { return keeps_up(); },
                .caught_up =
                    [&transport] {
                      if (!transport.redialing()) transport.host_.caught_up();
                    }},
               {.max_waiting_bytes = transport.options_.max_waiting_bytes}),
        last_words(transport.dialing_.reactor.timers(),
                   [this, &transport] {
                     intake.read_up();
                     if (!transport.redialing()) transport.host_.disconnected();
                   }),
        dialer(transport.dialing_, socket, transport.options_.endpoint,
               {.up = [&transport] { transport.host_.connected(); },
                .down =
                    [this] {
                      intake.read_up();
                      last_words.after(kLastWords);
                    },
                .not_found = [&transport](const core::Error& why) { transport.host_.not_found(why); }}),
        reactor(transport.dialing_.reactor),
        resume(reactor.timers(), [this] { listen(); }) {
    listen();
  }

  void listen() {
    watch = reactor.watch(socket.ref(), [this] { read(); });
  }

  // Calls of a peer that does not read its replies wait, or replies would pile up until the connection is
  // given up with all its clients.
  void read() {
    intake.read();
    if (keeps_up() && intake.has_room()) return;
    watch.reset();
    resume.after(kLookAgain);
  }

  bool keeps_up() { return queue.quiet() || queue.standing(net::Frame()) != SendQueue::Standing::kSlow; }

  net::Socket socket;
  SendQueue queue;
  FairIntake intake;
  net::Timer last_words;
  net::Dialer dialer;
  net::Reactor& reactor;
  net::Timer resume;
  net::Reactor::Watch watch;
};

DialedTransport::DialedTransport(const net::Dialing& dialing, DialedHost& host, DialedOptions options)
    : dialing_(dialing),
      host_(host),
      options_(std::move(options)),
      redial_(dialing.reactor.timers(), [this] { dial(); }) {
  dial();
}

DialedTransport::~DialedTransport() = default;

void DialedTransport::dial() {
  if (line_) line_->socket.drop_queue();  // what was given up must not be sent after all
  line_.reset();
  try {
    line_ = std::make_unique<Line>(*this);
  } catch (const zmq::error_t&) {  // out of descriptors
    redial_.after(kTryAgain);
  }
}

void DialedTransport::redial() { redial_.later(); }

net::Sent DialedTransport::attempt(std::span<net::Frame> frames) {
  return redialing() || !line_ ? net::Sent::kGone : line_->queue.attempt(frames);
}

Delivery DialedTransport::forward(std::span<net::Frame> frames) {
  return redialing() || !line_ ? Delivery::kGone : line_->queue.forward(frames);
}

bool DialedTransport::holding() const { return line_ && line_->queue.holding(); }

void DialedTransport::read_up() {
  if (line_) line_->intake.read_up();
}

bool DialedTransport::behind() const { return line_ && line_->intake.behind(); }

net::Traffic DialedTransport::traffic() const {
  return line_ ? net::Traffic(line_->dialer.descriptor()) : net::Traffic();
}

}  // namespace zerosuite::rpc
