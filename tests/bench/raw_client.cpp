// The load: a libzmq DEALER that keeps `--window` calls open against `--endpoint` (the raw echo, or any
// zerorpc server with `add` or `echo`) and touches nothing but the id in a prepared frame. `--bytes N` calls
// `echo` with N bytes instead of `add(3, 4)`. Replies are taken to come in the order of the calls, as every
// single server measured here gives them; of several workers that exchanges latencies among the calls.
#include <deque>
#include <zmq.hpp>

#include "frames.hpp"
#include "measure.hpp"

namespace {

using namespace zerosuite;

class Load {
 public:
  explicit Load(const bench::Flags& flags)
      : socket_(context_, zmq::socket_type::dealer),
        bytes_(flags.count("--bytes", 0)),
        request_(bytes_ > 0 ? bench::echo_request(bytes_) : bench::add_request()) {
    socket_.set(zmq::sockopt::sndhwm, bench::kHighWaterMark);
    socket_.set(zmq::sockopt::rcvhwm, bench::kHighWaterMark);
    socket_.set(zmq::sockopt::rcvtimeo, 10'000);
    socket_.set(zmq::sockopt::linger, 0);
    socket_.connect(flags.text("--endpoint"));
  }

  void call() {
    bench::number_id(request_, bench::kIdOffset, ++calls_);
    started_.push_back(bench::Clock::now());
    socket_.send(zmq::message_t(), zmq::send_flags::sndmore);
    socket_.send(zmq::message_t(request_.data(), request_.size()), zmq::send_flags::none);
  }

  /// Takes every reply that has arrived, and waits for the first: a poll per message would halve the rate.
  /// Throws std::runtime_error when none comes within ten seconds, or when it is not the answer.
  void take(bench::Run& run) {
    if (!take(run, zmq::recv_flags::none)) throw std::runtime_error("no reply within ten seconds");
    while (open() > 0 && take(run, zmq::recv_flags::dontwait)) continue;
  }

  std::size_t open() const { return started_.size(); }

 private:
  bool take(bench::Run& run, zmq::recv_flags flags) {
    if (!socket_.recv(frame_, flags)) return false;
    (void)socket_.recv(frame_);
    check_reply();
    run.answered(started_.front(), bench::Clock::now());
    started_.pop_front();
    return true;
  }
  void check_reply() const {
    const auto reply = frame_.to_string_view();
    const bool good =
        bytes_ > 0 ? reply.size() > bytes_ && reply.back() == 'x' : reply.ends_with(bench::kOkSeven);
    if (!good) throw std::runtime_error("not the expected reply: " + std::string(reply.substr(0, 300)));
  }

  zmq::context_t context_;
  zmq::socket_t socket_;
  std::size_t bytes_;
  std::string request_;
  std::deque<bench::TimePoint> started_;
  zmq::message_t frame_;
  std::uint32_t calls_ = 0;
};

void drive(const bench::Flags& flags) {
  Load load(flags);
  bench::keep_open(load, flags);
}

}  // namespace

int main(int argc, char** argv) { return bench::run_program(argc, argv, drive); }
