// The ceiling: a libzmq ROUTER that blocks in zmq_msg_recv(3) and answers at once, without looking at the
// bytes.
// `--reply ok` answers each message with the bytes of `OK 7`; `--reply same` hands the received payload back.
#include <zmq.hpp>

#include "frames.hpp"
#include "measure.hpp"

namespace {

using namespace zerosuite;

void serve(const bench::Flags& flags) {
  zmq::context_t context;
  zmq::socket_t router(context, zmq::socket_type::router);
  router.set(zmq::sockopt::sndhwm, bench::kHighWaterMark);
  router.set(zmq::sockopt::rcvhwm, bench::kHighWaterMark);
  router.bind("tcp://127.0.0.1:*");
  bench::announce(router.get(zmq::sockopt::last_endpoint));

  const bool canned = flags.text("--reply", "ok") == "ok";
  const std::string ok = bench::ok_seven();
  // However many identities stand in front: one, and one more for each relay on the way.
  for (zmq::message_t frame;;) {
    (void)router.recv(frame);
    const bool more = frame.more();
    if (!more && canned) frame.rebuild(ok.data(), ok.size());
    router.send(frame, more ? zmq::send_flags::sndmore : zmq::send_flags::none);
  }
}

}  // namespace

int main(int argc, char** argv) { return bench::run_program(argc, argv, serve); }
