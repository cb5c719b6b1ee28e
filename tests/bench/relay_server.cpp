// What a hop costs at the least: zmq_proxy(3) between a ROUTER for clients and a DEALER that dials the server
// at `--connect`, so that the very same server answers behind it as behind zerosuite-proxy.
#include <zmq.hpp>

#include "measure.hpp"

namespace {

using namespace zerosuite;

void serve(const bench::Flags& flags) {
  zmq::context_t context;
  zmq::socket_t front(context, zmq::socket_type::router);
  zmq::socket_t back(context, zmq::socket_type::dealer);
  for (zmq::socket_t* socket : {&front, &back}) {
    socket->set(zmq::sockopt::sndhwm, bench::kHighWaterMark);
    socket->set(zmq::sockopt::rcvhwm, bench::kHighWaterMark);
  }
  back.connect(flags.text("--connect"));
  front.bind("tcp://127.0.0.1:*");
  bench::announce(front.get(zmq::sockopt::last_endpoint));
  zmq::proxy(front, back);
}

}  // namespace

int main(int argc, char** argv) { return bench::run_program(argc, argv, serve); }
