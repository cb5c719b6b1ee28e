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
  zmq::message_t identity;
  zmq::message_t delimiter;
  zmq::message_t payload;
  for (;;) {
    (void)router.recv(identity);
    (void)router.recv(delimiter);
    (void)router.recv(payload);
    if (canned) payload.rebuild(ok.data(), ok.size());
    router.send(identity, zmq::send_flags::sndmore);
    router.send(delimiter, zmq::send_flags::sndmore);
    router.send(payload, zmq::send_flags::none);
  }
}

}  // namespace

int main(int argc, char** argv) { return bench::run_program(argc, argv, serve); }
