// The one-way patterns for the conformance tests. `zerosuite_peer_oneway puller|subscriber` binds and tells
// on standard error what it was called with; `pusher|publisher ENDPOINT` sends what it is told line by line.
#include <unistd.h>

#include <iostream>

#include "net/offload_pool.hpp"
#include "rpc/server/oneway.hpp"
#include "support/line.hpp"

namespace zerosuite::test {
namespace {

template <class Receiver>
int receive() {
  net::Reactor reactor;
  net::Context context(reactor);
  net::Pool pool(reactor);
  Receiver receiver(context, reactor.timers(), pool);
  receiver.server().method("note", {"number", "text"}, "Tells what it was called with.",
                           [](std::int64_t number, const std::string& text) {
                             std::cerr << "noted " << number << ' ' << text << std::endl;
                           });
  receiver.server().method("fail", "Raises.",
                           [] { throw core::Failure(core::kValueError, "nobody hears this"); });
  std::cerr << "listening endpoint=" << receiver.bind("tcp://127.0.0.1:*") << std::endl;
  receiver.start(reactor);
  const auto input = reactor.watch(STDIN_FILENO, [&] { reactor.stop(); });
  reactor.run();
  return 0;
}

template <class Sender>
int send(const std::string& endpoint) {
  net::Reactor reactor;
  net::Context context(reactor);
  Sender sender(context);
  sender.connect(endpoint);
  for (std::string line; std::getline(std::cin, line);) {
    const Request request(line);
    const wire::List& args = request.list("args");
    const bool sent = args.empty() ? sender.send(request.text("method"))
                                   : sender.send(request.text("method"), args[0], args[1]);
    std::cout << Answer().add("n", wire::Integer{request.count("n")}).add("sent", sent).line() << std::flush;
  }
  return 0;
}

int run(const std::vector<std::string>& words) {
  const std::string& kind = words.at(0);
  if (kind == "puller") return receive<rpc::Puller>();
  if (kind == "subscriber") return receive<rpc::Subscriber>();
  return kind == "pusher" ? send<rpc::Pusher>(words.at(1)) : send<rpc::Publisher>(words.at(1));
}

}  // namespace
}  // namespace zerosuite::test

int main(int argc, char** argv) { return zerosuite::test::run({argv + 1, argv + argc}); }
