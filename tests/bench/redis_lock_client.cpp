// Load for locks on Redis by hiredis, the usual way: SET NX PX, and a script that deletes only what is one's
// own.
// `--clients N` keeps N owners going over one connection, each acquiring and releasing a lock of its own.
#include <hiredis/hiredis.h>

#include <array>
#include <deque>
#include <memory>
#include <string_view>

#include "measure.hpp"

namespace {

using namespace zerosuite;

constexpr std::string_view kRelease =
    "if redis.call('get', KEYS[1]) == ARGV[1] then return redis.call('del', KEYS[1]) else return 0 end";

struct Free {
  void operator()(redisContext* context) const { redisFree(context); }
  void operator()(redisReply* reply) const { freeReplyObject(reply); }
};
using Reply = std::unique_ptr<redisReply, Free>;

class Connection {
 public:
  /// `endpoint` is redis://HOST:PORT. Throws std::runtime_error when nothing answers there.
  explicit Connection(const std::string& endpoint) {
    const std::size_t host = std::string_view("redis://").size();
    const std::size_t colon = endpoint.rfind(':');
    context_.reset(
        redisConnect(endpoint.substr(host, colon - host).c_str(), std::stoi(endpoint.substr(colon + 1))));
    require(context_ && context_->err == 0);
  }

  /// The command leaves when take() has nothing left to give.
  template <class... Words>
  void send(const Words&... words) {
    const std::array<std::string_view, sizeof...(words)> all = {words...};
    std::array<const char*, sizeof...(words)> texts{};
    std::array<std::size_t, sizeof...(words)> sizes{};
    for (std::size_t i = 0; i < all.size(); ++i) {
      texts[i] = all[i].data();
      sizes[i] = all[i].size();
    }
    require(redisAppendCommandArgv(context_.get(), static_cast<int>(all.size()), texts.data(),
                                   sizes.data()) == REDIS_OK);
  }

  /// The next answer, in the order of the commands. Throws std::runtime_error when it is an error.
  Reply take() {
    void* taken = nullptr;
    require(redisGetReply(context_.get(), &taken) == REDIS_OK);
    Reply reply(static_cast<redisReply*>(taken));
    if (reply->type == REDIS_REPLY_ERROR) throw std::runtime_error(reply->str);
    return reply;
  }

 private:
  void require(bool good) const {
    if (!good) throw std::runtime_error(context_ ? context_->errstr : "no memory for a connection");
  }

  std::unique_ptr<redisContext, Free> context_;
};

/// Owners that acquire and release one after the other. A pair's latency is its acquire's.
class Pairs {
 public:
  Pairs(Connection& connection, bench::Run& run) : connection_(connection), run_(run) {
    connection_.send("SCRIPT", "LOAD", kRelease);
    script_ = connection_.take()->str;
  }

  void play(std::size_t count) {
    std::vector<Owner> owners(count);
    for (std::size_t i = 0; i < count; ++i) {
      owners[i].lock = "lock of owner-" + std::to_string(i);
      acquire(owners[i]);
    }
    while (!asking_.empty()) take();
  }

 private:
  struct Owner {
    std::string lock;
    std::string value;
    bench::TimePoint started;
    bench::TimePoint granted;
    bool holds = false;
  };

  void acquire(Owner& owner) {
    owner.value = owner.lock + std::to_string(++acquired_);
    owner.started = bench::Clock::now();
    connection_.send("SET", owner.lock, owner.value, "NX", "PX", "30000");
    asking_.push_back(&owner);
  }

  void take() {
    const Reply reply = connection_.take();
    Owner& owner = *asking_.front();
    asking_.pop_front();
    owner.holds ? released(owner, *reply) : granted(owner, *reply);
  }

  void granted(Owner& owner, const redisReply& reply) {
    owner.granted = bench::Clock::now();
    if (reply.type != REDIS_REPLY_STATUS) throw std::runtime_error("the lock was not granted");
    owner.holds = true;
    connection_.send("EVALSHA", script_, "1", owner.lock, owner.value);
    asking_.push_back(&owner);
  }

  void released(Owner& owner, const redisReply& reply) {
    if (reply.integer != 1) throw std::runtime_error("the lock was lost");
    owner.holds = false;
    run_.answered(owner.started, owner.granted);
    if (!run_.over()) acquire(owner);
  }

  Connection& connection_;
  bench::Run& run_;
  std::string script_;
  std::deque<Owner*> asking_;
  std::size_t acquired_ = 0;
};

void drive(const bench::Flags& flags) {
  Connection connection(flags.text("--endpoint"));
  bench::Run run(flags);
  Pairs(connection, run).play(flags.count("--clients", 1));
  run.report();
}

}  // namespace

int main(int argc, char** argv) { return bench::run_program(argc, argv, drive); }
