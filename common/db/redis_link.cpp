#include "db/redis_link.hpp"

#include <fcntl.h>
#include <hiredis/async.h>
#include <sys/socket.h>

#include <array>
#include <csignal>
#include <new>
#include <string_view>
#include <utility>

namespace zerosuite::db {

namespace {

constexpr std::size_t kShown = 100;         // maximum number of bytes quoted from an unexpected reply
constexpr std::size_t kBytesOfValue = 128;  // memory of a value here and in hiredis, without its text

std::string unasked(std::string_view bytes) {
  return "it sent what nobody had asked for: \"" + printable(bytes.substr(0, kShown)) + "\"";
}

}  // namespace

// The callbacks of hiredis. Its user data, and that of its reader, is the link.
struct RedisLink::Hooks {
  static RedisLink& of(void* data) { return *static_cast<RedisLink*>(data); }

  static void add_read(void* data) {
    RedisLink& link = of(data);
    if (!link.readable_) link.readable_ = link.reactor_.watch(link.context_->c.fd, [&link] { link.hear(); });
  }
  static void del_read(void* data) { of(data).readable_.reset(); }
  static void add_write(void* data) {
    RedisLink& link = of(data);
    if (!link.writable_)
      link.writable_ =
          link.reactor_.watch_writable(link.context_->c.fd, [&link] { link.work(redisAsyncHandleWrite); });
  }
  static void del_write(void* data) { of(data).writable_.reset(); }

  // Called last for a context.
  static void clean_up(void* data) {
    RedisLink& link = of(data);
    if (link.why_.empty()) link.why_ = link.context_->errstr;
    link.readable_.reset();
    link.writable_.reset();
    link.context_ = nullptr;
  }

  // A null reply means that the context is being freed; clean_up() comes next.
  static void answer(redisAsyncContext* context, void* reply, void*) {
    if (reply == nullptr) return;
    RedisLink& link = of(context->ev.data);
    link.reply_bytes_ = 0;
    link.answers_.push_back(
        {std::move(link.waiting_.front().done), read_redis_reply(*static_cast<redisReply*>(reply))});
    link.waiting_.pop_front();
    const core::Result<RedisReply>& read = link.answers_.back().reply;
    if (!read && link.why_.empty() && must_redial(read.error())) link.why_ = read.error().message;
    const redisReader& reader = *context->c.reader;
    if (link.waiting_.empty() && reader.pos < reader.len)
      link.end(unasked({reader.buf + reader.pos, reader.len - reader.pos}));
  }

  // hiredis' own functions, each preceded by a check of the memory it will take. Returning null makes the
  // reader fail as out of memory.
  static redisReplyObjectFunctions counted(const redisReplyObjectFunctions& plain) {
    static redisReplyObjectFunctions usual = plain;
    redisReplyObjectFunctions all = usual;
    all.createString = [](const redisReadTask* task, char* text, std::size_t size) -> void* {
      return of(task->privdata).afford(size) ? usual.createString(task, text, size) : nullptr;
    };
    all.createArray = [](const redisReadTask* task, auto size) -> void* {
      const std::size_t bytes = static_cast<std::size_t>(size) * sizeof(void*);
      return of(task->privdata).afford(bytes) ? usual.createArray(task, size) : nullptr;
    };
    all.createInteger = [](const redisReadTask* task, long long integer) -> void* {
      return of(task->privdata).afford(0) ? usual.createInteger(task, integer) : nullptr;
    };
    all.createNil = [](const redisReadTask* task) -> void* {
      return of(task->privdata).afford(0) ? usual.createNil(task) : nullptr;
    };
    return all;
  }
};

RedisLink::RedisLink(net::Reactor& reactor, const RedisTarget& target, std::size_t max_reply_bytes,
                     Ended ended)
    : reactor_(reactor),
      max_reply_bytes_(max_reply_bytes),
      ended_(std::move(ended)),
      limit_(reactor.timers(), [this] { time_out(); }) {
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
    return limit_.after(core::milliseconds(0));  // the owner is still constructing this
  }
  redisReader& reader = *context_->c.reader;
  static redisReplyObjectFunctions counted = Hooks::counted(*reader.fn);
  reader.fn = &counted;
  reader.privdata = this;
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
    throw std::bad_alloc();  // the only failure on an open connection
  waiting_.push_back({std::move(done), reactor_.timers().now() + timeout, timeout});
  if (!limit_.armed()) watch_first();
}

// hiredis must not read an unexpected reply; the end of the connection is handled as usual.
void RedisLink::hear() {
  std::array<char, kShown> bytes{};
  const ssize_t size = waiting_.empty() ? ::recv(context_->c.fd, bytes.data(), bytes.size(), MSG_PEEK) : 0;
  if (size <= 0) return work(redisAsyncHandleRead);
  end(unasked({bytes.data(), static_cast<std::size_t>(size)}));
  finish();
}

void RedisLink::work(void (*handle)(redisAsyncContext*)) {
  handle(context_);
  // hiredis creates nothing for a bulk string before it is complete, so its buffer is checked here.
  if (context_ != nullptr) {
    const redisReader& reader = *context_->c.reader;
    if (reader.len - reader.pos > max_reply_bytes_) end(too_large());
  }
  settle();
}

bool RedisLink::afford(std::size_t bytes) {
  reply_bytes_ += kBytesOfValue + bytes;
  if (reply_bytes_ <= max_reply_bytes_) return true;
  why_ = too_large();  // hiredis ends the link and would report that it is out of memory
  return false;
}

std::string RedisLink::too_large() const {
  return "a reply takes more than " + std::to_string(max_reply_bytes_) + " bytes";
}

void RedisLink::end(std::string why) {
  why_ = std::move(why);
  redisAsyncFree(context_);
}

void RedisLink::time_out() {
  if (context_ != nullptr)
    end("no answer within " + std::to_string(waiting_.front().timeout.count()) + " ms");
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
  if (context_ != nullptr && !why_.empty() && waiting_.empty()) redisAsyncFree(context_);
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
