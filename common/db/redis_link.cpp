#include "db/redis_link.hpp"

#include <fcntl.h>
#include <hiredis/async.h>

#include <csignal>
#include <new>
#include <utility>

namespace zerosuite::db {

// What hiredis calls. Its user data is the link.
struct RedisLink::Hooks {
  static RedisLink& of(void* data) { return *static_cast<RedisLink*>(data); }

  static void add_read(void* data) {
    RedisLink& link = of(data);
    if (!link.readable_)
      link.readable_ = link.reactor_.watch(link.context_->c.fd, [&link] { link.work(redisAsyncHandleRead); });
  }
  static void del_read(void* data) { of(data).readable_.reset(); }
  static void add_write(void* data) {
    RedisLink& link = of(data);
    if (!link.writable_)
      link.writable_ =
          link.reactor_.watch_writable(link.context_->c.fd, [&link] { link.work(redisAsyncHandleWrite); });
  }
  static void del_write(void* data) { of(data).writable_.reset(); }

  // The last thing that happens to a context.
  static void clean_up(void* data) {
    RedisLink& link = of(data);
    if (link.why_.empty()) link.why_ = link.context_->errstr;
    link.readable_.reset();
    link.writable_.reset();
    link.context_ = nullptr;
  }

  // No reply means that the context is being freed, and clean_up() comes next.
  static void answer(redisAsyncContext* context, void* reply, void*) {
    if (reply == nullptr) return;
    RedisLink& link = of(context->ev.data);
    link.answers_.push_back(
        {std::move(link.waiting_.front().done), read_redis_reply(*static_cast<redisReply*>(reply))});
    link.waiting_.pop_front();
  }
};

RedisLink::RedisLink(net::Reactor& reactor, const RedisTarget& target, Ended ended)
    : reactor_(reactor), ended_(std::move(ended)), limit_(reactor.timers(), [this] { time_out(); }) {
  std::signal(SIGPIPE, SIG_IGN);  // hiredis writes to connections that the peer has closed
  adopt(target.path.empty() ? redisAsyncConnect(target.address.c_str(), target.port)
                            : redisAsyncConnectUnix(target.path.c_str()));
}

RedisLink::~RedisLink() {
  if (context_ != nullptr) redisAsyncFree(context_);
}

void RedisLink::adopt(redisAsyncContext* context) {
  if (context == nullptr) throw std::bad_alloc();
  context_ = context;
  context_->ev = {this,           Hooks::add_read, Hooks::del_read, Hooks::add_write, Hooks::del_write,
                  Hooks::clean_up};
  if (context_->err != 0) {
    redisAsyncFree(context_);
    return limit_.after(core::milliseconds(0));  // its owner is still making it
  }
  ::fcntl(context_->c.fd, F_SETFD, FD_CLOEXEC);
}

void RedisLink::send(const std::vector<std::string>& words, core::milliseconds timeout, Done done) {
  std::vector<const char*> starts;
  std::vector<std::size_t> sizes;
  for (const std::string& word : words) {
    starts.push_back(word.data());
    sizes.push_back(word.size());
  }
  if (redisAsyncCommandArgv(context_, Hooks::answer, nullptr, static_cast<int>(words.size()), starts.data(),
                            sizes.data()) != REDIS_OK)
    throw std::bad_alloc();  // of an open connection it refuses nothing else
  waiting_.push_back({std::move(done), reactor_.timers().now() + timeout, timeout});
  if (!limit_.armed()) watch_first();
}

void RedisLink::work(void (*handle)(redisAsyncContext*)) {
  handle(context_);
  settle();
}

void RedisLink::time_out() {
  if (context_ != nullptr) {
    why_ = "no answer within " + std::to_string(waiting_.front().timeout.count()) + " ms";
    redisAsyncFree(context_);
  }
  finish();
}

void RedisLink::settle() {
  const std::weak_ptr<const bool> life = life_;
  while (!answers_.empty()) {
    Answer answer = std::move(answers_.front());
    answers_.pop_front();
    answer.done(std::move(answer.reply));
    if (life.expired()) return;
  }
  if (context_ == nullptr) return finish();
  watch_first();
}

void RedisLink::finish() {
  Unanswered unanswered;
  for (Waiting& waiting : waiting_) unanswered.push_back(std::move(waiting.done));
  waiting_.clear();
  limit_.cancel();
  const Ended ended = std::move(ended_);  // it may destroy this
  ended(std::move(why_), std::move(unanswered));
}

void RedisLink::watch_first() {
  if (waiting_.empty()) return limit_.cancel();
  limit_.at(waiting_.front().deadline);
}

}  // namespace zerosuite::db
