// rpc::Client driven line by line: `zerosuite_peer_client ENDPOINT [HEARTBEAT_MS [SLOTS]]`
// (tests/conformance/peers/client.py is the same around the stock client).
#include <cmath>
#include <iostream>
#include <mutex>
#include <thread>

#include "rpc/client/client.hpp"
#include "support/line.hpp"

namespace zerosuite::test {
namespace {

using Clock = std::chrono::steady_clock;
using wire::Dict, wire::Integer, wire::List, wire::Value;

/// What went wrong, as its own map.
Dict describe(const std::exception_ptr& error) {
  Answer told;
  try {
    std::rethrow_exception(error);
  } catch (const rpc::RemoteError& remote) {
    told.add("name", remote.name())
        .add("message", std::string(remote.what()))
        .add("traceback", remote.traceback());
  } catch (const core::Failure& failure) {
    told.add("name", failure.name()).add("message", std::string(failure.what()));
  } catch (const std::exception& other) {
    told.add("name", std::string("exception")).add("message", std::string(other.what()));
  }
  return told.fields();
}

/// Calls `function(args…)` with as many arguments as the list has.
template <class F>
auto spread(const List& args, F function) {
  switch (args.size()) {
    case 0:
      return function();
    case 1:
      return function(args[0]);
    case 2:
      return function(args[0], args[1]);
    case 3:
      return function(args[0], args[1], args[2]);
    default:
      throw std::runtime_error("more than three arguments");
  }
}

/// Writes answers, from any thread.
class Output {
 public:
  void write(const Request& request, Clock::time_point begun, Answer answer) {
    answer.add("n", Integer{request.count("n")});
    answer.add("seconds", std::chrono::duration<double>(Clock::now() - begun).count());
    const std::lock_guard lock(mutex_);
    std::cout << answer.line() << std::flush;
  }

 private:
  std::mutex mutex_;
};

class Driver {
 public:
  Driver(const std::string& endpoint, const rpc::ClientOptions& options)
      : endpoint_(endpoint), client_(endpoint, options) {}

  void serve(const std::string& line) {
    auto request = std::make_shared<Request>(line);
    const std::string& op = request->text("op");
    if (op == "call") return call(request);
    if (op == "burst") return burst(request);
    if (op == "loop") return loop(request);
    if (op == "cancel") return cancel(*request);
    threads_.emplace_back([this, request] { op_in_thread(*request); });
  }

 private:
  rpc::Request prepare(const Request& request) {
    rpc::CallOptions options;
    if (request.has("timeout"))
      options.timeout = core::milliseconds(std::lround(request.number("timeout") * 1000));
    options.stop = stops_[request.count("n")].get_token();
    return {request.text("method"), options};
  }

  void call(const std::shared_ptr<Request>& request) {
    start(*request, [this, request, begun = Clock::now()](rpc::Outcome<Value> outcome) {
      Answer answer;
      if (outcome.ok()) {
        answer.add("value", std::move(outcome.value()));
      } else {
        answer.add("error", describe(outcome.error()));
      }
      output_.write(*request, begun, std::move(answer));
    });
  }

  template <class F>
  void start(const Request& request, F callback) {
    start(client_, prepare(request), request, std::move(callback));
  }
  template <class F>
  static void start(rpc::Client& client, const rpc::Request& call, const Request& request, F callback) {
    spread(request.list("args"), [&](const auto&... args) { client.start<Value>(call, callback, args...); });
  }

  void burst(const std::shared_ptr<Request>& request) {
    struct Sum {
      List values, errors;
    };
    auto sum = std::make_shared<Sum>();
    const std::size_t count = request->count("count");
    for (std::size_t i = 0; i < count; ++i) {
      start(*request, [this, request, sum, count, begun = Clock::now()](rpc::Outcome<Value> outcome) {
        if (outcome.ok()) {
          sum->values.push_back(std::move(outcome.value()));
        } else {
          sum->errors.push_back(describe(outcome.error())[0].value);
        }
        if (sum->values.size() + sum->errors.size() < count) return;
        output_.write(*request, begun, Answer().add("values", sum->values).add("errors", sum->errors));
      });
    }
  }

  // `count` clients of their own, each calling again and again until `seconds` have passed: how many calls
  // were answered with `expect`, how many with something else, and how many failed by which name.
  struct Loop {
    std::mutex mutex;  // each client drives its callbacks on a thread of its own
    std::size_t running = 0, answered = 0, wrong = 0;
    std::map<std::string, std::size_t> errors;
    Clock::time_point begun = Clock::now();
  };

  void loop(const std::shared_ptr<Request>& request) {
    auto loop = std::make_shared<Loop>();
    loop->running = request->count("count");
    for (std::size_t i = request->count("count"); i > 0; --i)
      turn(request, loop, *clients_.emplace_back(std::make_unique<rpc::Client>(endpoint_)));
  }

  void turn(const std::shared_ptr<Request>& request, const std::shared_ptr<Loop>& loop, rpc::Client& client) {
    start(client, request->text("method"), *request, [=, this, &client](rpc::Outcome<Value> outcome) {
      const std::chrono::duration<double> time(request->number("seconds"));
      const bool again = Clock::now() < loop->begun + time;
      if (again) turn(request, loop, client);
      const std::lock_guard lock(loop->mutex);
      if (!outcome.ok()) {
        ++loop->errors[*describe(outcome.error())[0].value.as<std::string>()];
      } else {
        ++(outcome.value() == request->value("expect") ? loop->answered : loop->wrong);
      }
      if (again || --loop->running > 0) return;
      Dict errors;
      for (const auto& [name, count] : loop->errors) errors.add(name, count);
      output_.write(*request, loop->begun,
                    Answer()
                        .add("answered", Integer{loop->answered})
                        .add("wrong", Integer{loop->wrong})
                        .add("errors", std::move(errors)));
    });
  }

  void cancel(const Request& request) {
    stops_.at(request.count("call")).request_stop();
    output_.write(request, Clock::now(), Answer());
  }

  // What waits for its answer: "wait" is a call, "stream" reads a stream.
  void op_in_thread(const Request& request) {
    const auto begun = Clock::now();
    Answer answer;
    List items;
    try {
      if (request.text("op") == "wait") {
        answer.add("value", wait(request));
      } else {
        read(request, items);
      }
    } catch (...) {
      answer.add("error", describe(std::current_exception()));
    }
    answer.add("items", std::move(items));
    output_.write(request, begun, std::move(answer));
  }

  Value wait(const Request& request) {
    return spread(request.list("args"),
                  [&](const auto&... args) { return client_.call<Value>(prepare(request), args...); });
  }

  void read(const Request& request, List& items) {
    const std::size_t take = request.has("take") ? request.count("take") : SIZE_MAX;
    const std::chrono::duration<double> pause(request.has("pause") ? request.number("pause") : 0);
    auto stream = spread(request.list("args"), [&](const auto&... args) {
      return client_.stream<Value>(prepare(request), args...);
    });
    while (items.size() < take) {
      auto item = stream.next();
      if (!item) return;
      items.push_back(std::move(*item));
      std::this_thread::sleep_for(pause);
    }
  }

  Output output_;
  std::map<std::size_t, std::stop_source> stops_;
  std::string endpoint_;
  rpc::Client client_;
  std::vector<std::unique_ptr<rpc::Client>> clients_;
  std::vector<std::jthread> threads_;
};

}  // namespace
}  // namespace zerosuite::test

int main(int argc, char** argv) {
  using namespace zerosuite;
  const std::vector<std::string> words(argv + 1, argv + argc);
  rpc::ClientOptions options;
  if (words.size() > 1) options.caller.heartbeat = core::milliseconds(std::stol(words[1]));
  if (words.size() > 2) options.slots = static_cast<std::uint32_t>(std::stoul(words[2]));
  test::Driver driver(words.at(0), options);
  for (std::string line; std::getline(std::cin, line);) driver.serve(line);
  std::_Exit(0);  // calls may be under way, and the test has gone
}
