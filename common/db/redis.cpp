#include "db/redis.hpp"

#include <algorithm>
#include <utility>

#include "core/json.hpp"
#include "core/random.hpp"

namespace zerosuite::db {

using core::milliseconds;

namespace {

constexpr std::uint32_t kMostDoublings = 20;  // beyond any pause, without overflow

std::vector<std::string> script_words(const char* command, const std::string& script,
                                      const std::vector<std::string>& keys,
                                      const std::vector<std::string>& arguments) {
  std::vector<std::string> words{command, script, std::to_string(keys.size())};
  words.insert(words.end(), keys.begin(), keys.end());
  words.insert(words.end(), arguments.begin(), arguments.end());
  return words;
}

// Empty when the reply names no role.
std::string role_in(const core::Result<RedisReply>& reply) {
  if (!reply || !reply->is_list() || reply->list().empty() || !reply->at(0).is_text()) return {};
  return reply->at(0).text();
}

}  // namespace

milliseconds pause_after(std::uint32_t failures, const RedisOptions& options, std::uint64_t random) {
  const auto doublings = std::min(failures - std::min(failures, 1u), kMostDoublings);
  const milliseconds pause = std::min(options.first_pause * (1 << doublings), options.longest_pause);
  const auto half = static_cast<std::uint64_t>(pause.count() / 2);
  return pause - milliseconds(random % (half + 1));
}

Redis::Redis(net::Reactor& reactor, net::Names& names, RedisOptions options)
    : reactor_(reactor),
      names_(names),
      options_(std::move(options)),
      address_(parse_redis_address(options_.endpoint)),
      attempt_(reactor.timers(), [this] { attempt(); }),
      refusals_(reactor.timers()) {
  attempt_.after(milliseconds(0));
}

Redis::~Redis() = default;

void Redis::command(const std::vector<std::string>& words, Done done) {
  if (!connected()) return refuse_later(std::move(done));
  link_->send(words, options_.command_timeout, std::move(done));
}

void Redis::eval(const std::string& script, const std::vector<std::string>& keys,
                 const std::vector<std::string>& arguments, Done done) {
  if (!connected()) return refuse_later(std::move(done));
  const std::string& hash = hash_of(script);
  if (hash.empty()) return command(script_words("EVAL", script, keys, arguments), std::move(done));
  std::vector<std::string> words = script_words("EVALSHA", hash, keys, arguments);
  command(words, [this, words, script = std::string(script),
                  done = std::move(done)](core::Result<RedisReply> reply) mutable {
    if (reply || !is_redis_error(reply.error(), "NOSCRIPT")) return done(std::move(reply));
    words[0] = "EVAL";  // which also loads it into the server
    words[1] = std::move(script);
    command(words, std::move(done));
  });
}

// Asks the server for the hash when it is not known. It depends on the script only, so it is valid for every
// server.
const std::string& Redis::hash_of(const std::string& script) {
  const auto [entry, fresh] = hashes_.try_emplace(script);
  if (fresh)
    command({"SCRIPT", "LOAD", script}, [this, entry = entry](const core::Result<RedisReply>& hash) {
      if (hash && hash->is_text()) {
        entry->second = hash->text();
      } else {
        hashes_.erase(entry);
      }
    });
  return entry->second;
}

void Redis::refuse_later(Done done) {
  refusals_.add([done = std::move(done), error = unavailable()]() mutable { done(std::move(error)); });
}

std::optional<core::Error> Redis::trouble() const {
  return connected() ? std::nullopt : std::optional(unavailable());
}

core::Error Redis::unavailable() const {
  const auto rest = std::chrono::ceil<milliseconds>(due_ - reactor_.timers().now());
  const milliseconds wait = attempt_.armed() ? std::max(rest, options_.first_pause) : options_.first_pause;
  return {core::kUnavailable,
          "Redis at " + options_.endpoint + ": " + trouble_.value_or("the connection has ended"),
          core::Json().add("retry_after_ms", wait.count())};
}

void Redis::on_change(std::function<void(const std::optional<core::Error>& trouble)> changed) {
  changed_ = std::move(changed);
}

void Redis::attempt() {
  if (!address_.path.empty()) return connect({.path = address_.path});
  if (found_.empty()) {
    net::Addresses numeric = net::numeric_address(address_.host);
    if (!numeric) {
      lookup_ = names_.look_up(address_.host, [this](const net::Addresses& addresses) { found(addresses); });
      return;
    }
    found_ = *std::move(numeric);
  }
  const std::string address = std::move(found_.front());
  found_.erase(found_.begin());
  connect({.address = address, .port = address_.port});
}

void Redis::found(const net::Addresses& addresses) {
  if (!addresses) return refused(addresses.error());
  found_ = *addresses;
  attempt();
}

void Redis::connect(const RedisTarget& target) {
  link_ = std::make_unique<RedisLink>(reactor_, target, options_.max_reply_bytes,
                                      [this](const std::string& why, RedisLink::Unanswered unanswered) {
                                        ended(why, std::move(unanswered));
                                      });
  if (link_->open()) greet();
}

// A server that accepts connections may still not work, so the link counts as up only after a reply.
void Redis::greet() {
  const auto heard = [this](const core::Result<RedisReply>& reply) {
    if (!link_ || reply || reply.error().name == core::kStorageError.name) return true;
    refused(reply.error());
    return false;
  };
  if (!options_.password.empty()) {
    std::vector<std::string> words{"AUTH"};
    std::string& password = words.emplace_back(core::view(options_.password));
    link_->send(words, options_.connect_timeout, heard);
    core::wipe(password.data(), password.size());
  }
  link_->send({"PING"}, options_.connect_timeout, [this, heard](const core::Result<RedisReply>& reply) {
    if (link_ && heard(reply) && link_->open()) ask_role();
  });
}

// A replica replies to PING as a master does. A client without permission for ROLE finds out with its first
// command.
void Redis::ask_role() {
  link_->send({"ROLE"}, options_.connect_timeout, [this](const core::Result<RedisReply>& reply) {
    if (!link_) return;
    const std::string role = role_in(reply);
    if (role == "slave" || role == "sentinel")
      return refused({core::kUnavailable, "it is a " + (role == "slave" ? "replica" : role)});
    if (link_->open()) greeted();
  });
}

void Redis::greeted() {
  since_ = reactor_.timers().now();
  found_.clear();
  change(std::nullopt);
}

void Redis::refused(const core::Error& error) {
  link_.reset();
  retry();
  change(error.message);
}

void Redis::ended(const std::string& why, RedisLink::Unanswered unanswered) {
  const std::weak_ptr<const bool> life = life_;
  const core::Error lost{core::kIndeterminate,
                         "Redis at " + options_.endpoint + ": " + why + " before it had answered"};
  link_.reset();
  retry();
  change(why);
  for (Done& done : unanswered) {
    if (life.expired()) return;
    done(lost);
  }
}

void Redis::retry() {
  // Not at the first reply: a server that always fails right after it needs the back-off too.
  if (!trouble_ && reactor_.timers().now() - since_ >= options_.longest_pause) failures_ = 0;
  milliseconds pause{0};
  if (found_.empty()) pause = pause_after(++failures_, options_, core::random_bits());
  due_ = reactor_.timers().now() + pause;
  attempt_.at(due_);
}

// The callback may destroy this.
void Redis::change(std::optional<std::string> trouble) {
  if (trouble == trouble_) return;
  trouble_ = std::move(trouble);
  const auto changed = changed_;
  if (changed) changed(this->trouble());
}

}  // namespace zerosuite::db
