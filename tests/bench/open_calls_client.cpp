// Many calls open at once: a libzmq DEALER that opens `--calls` calls of `slow_async(--open_ms)`, sends a
// heartbeat on each every five seconds as a stock client does, and counts what comes back. Knows nothing of
// zerosuite's own client, so that a mistake there cannot hide one in the server.
#include <vector>
#include <zmq.hpp>

#include "frames.hpp"
#include "measure.hpp"

namespace {

using namespace zerosuite;
using std::chrono::milliseconds;

constexpr milliseconds kHeartbeatInterval{5000};
constexpr milliseconds kGrace{10'000};

class OpenCalls {
 public:
  explicit OpenCalls(const bench::Flags& flags)
      : socket_(context_, zmq::socket_type::dealer),
        open_for_(flags.count("--open_ms", 20'000)),
        next_heartbeat_(flags.count("--calls", 10'000)),
        done_(next_heartbeat_.size()) {
    socket_.set(zmq::sockopt::sndhwm, bench::kHighWaterMark);
    socket_.set(zmq::sockopt::rcvhwm, bench::kHighWaterMark);
    socket_.set(zmq::sockopt::rcvtimeo, 10);
    socket_.set(zmq::sockopt::linger, 0);
    socket_.connect(flags.text("--endpoint"));
  }

  /// Opens every call, then waits until all are answered or the last of them is ten seconds late.
  void run() {
    std::string request = bench::slow_request(static_cast<std::size_t>(open_for_.count()));
    for (std::uint32_t call = 0; call < done_.size(); ++call) {
      bench::number_id(request, bench::kIdOffset, call);
      send(request);
      next_heartbeat_[call] = bench::Clock::now() + kHeartbeatInterval;
    }
    const auto deadline = bench::Clock::now() + open_for_ + kGrace;
    while (answered_ < done_.size() && bench::Clock::now() < deadline) {
      while (take()) continue;
      beat();
    }
  }

  void report() const {
    std::printf(
        "{\"answered\": %zu, \"lost\": %zu, \"heartbeats_sent\": %zu, \"heartbeats_received\": %zu}\n",
        answered_, done_.size() - answered_, beats_sent_, beats_received_);
  }

 private:
  void send(const std::string& payload) {
    socket_.send(zmq::message_t(), zmq::send_flags::sndmore);
    socket_.send(zmq::message_t(payload.data(), payload.size()), zmq::send_flags::none);
  }

  /// Takes one message; false when none came for a moment. Throws std::runtime_error on what is neither a
  /// heartbeat nor the first OK of an open call.
  bool take() {
    if (!socket_.recv(frame_)) return false;
    (void)socket_.recv(frame_);
    const auto event = frame_.to_string_view();
    if (event.find("_zpc_hb") != event.npos) {
      ++beats_received_;
      return true;
    }
    const std::size_t call = channel(event);
    if (event.find("\xa2OK") == event.npos || done_.at(call)) {
      throw std::runtime_error("not the expected event: " + std::string(event));
    }
    done_[call] = true;
    ++answered_;
    return true;
  }

  static std::size_t channel(std::string_view event) {
    const std::size_t key = event.find("response_to\xc4\x20");
    if (key == event.npos) throw std::runtime_error("an event without a channel: " + std::string(event));
    return std::stoul(std::string(event.substr(key + 13, bench::kCounterDigits)), nullptr, 16);
  }

  void beat() {
    const auto now = bench::Clock::now();
    for (std::uint32_t call = 0; call < done_.size(); ++call) {
      if (done_[call] || now < next_heartbeat_[call]) continue;
      bench::number_id(heartbeat_, bench::kIdOffset, static_cast<std::uint32_t>(done_.size() + beats_sent_));
      bench::number_id(heartbeat_, bench::kResponseToOffset, call);
      send(heartbeat_);
      ++beats_sent_;
      next_heartbeat_[call] += kHeartbeatInterval;
    }
  }

  zmq::context_t context_;
  zmq::socket_t socket_;
  milliseconds open_for_;
  std::vector<bench::TimePoint> next_heartbeat_;
  std::vector<bool> done_;
  std::string heartbeat_ = bench::heartbeat();
  zmq::message_t frame_;
  std::size_t answered_ = 0;
  std::size_t beats_sent_ = 0;
  std::size_t beats_received_ = 0;
};

void hold(const bench::Flags& flags) {
  OpenCalls calls(flags);
  calls.run();
  calls.report();
}

}  // namespace

int main(int argc, char** argv) { return bench::run_program(argc, argv, hold); }
