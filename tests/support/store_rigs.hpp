// Every store that the suites over the seam run on. Of a rig they need `store()`, `settle()` until all that
// was asked is answered, and `pass(duration)`.
#pragma once

#include <algorithm>
#include <filesystem>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "id/stores/redis_store.hpp"
#include "id/stores/sqlite_store.hpp"
#include "id/stores/store.hpp"
#include "support/fakes.hpp"
#include "support/memory_store.hpp"
#include "support/redis_rig.hpp"
#include "support/temporary_folder.hpp"

namespace zerosuite::test {

inline id::Key counter(const std::string& name) { return {id::Key::Kind::kCounter, name}; }
inline id::Key ticks(const std::string& name) { return {id::Key::Kind::kTicks, name}; }
inline id::Key tag_key(const std::string& name) { return {id::Key::Kind::kTag, name}; }

inline id::Tag tag_of(const std::string& name) { return {.name = name}; }

inline id::Claim claim_by(const std::string& owner, std::optional<std::int64_t> worker = {}) {
  return {.worker = worker, .owner = owner};
}

/// The error's name; "" when it is none.
template <class T>
std::string name_of(const core::Result<T>& result) {
  return result ? "" : result.error().name;
}

/// The calls of the seam to a store, each waited for. What is derived from it is a rig with `store()`, and
/// `settle()` until all that was asked is answered.
template <class Rig>
class StoreCalls {
 public:
  core::Result<id::Reserved> reserve(const id::ReserveRequest& ask) {
    return call<id::Reserved>([&](auto done) { rig().store().reserve(ask, std::move(done)); });
  }
  /// Throws core::Failure when there is none.
  id::Range range(const id::Key& key, std::int64_t count) {
    const auto reserved = reserve({.key = key, .count = count});
    if (!reserved) throw core::Failure(reserved.error());
    return reserved->range;
  }
  core::Result<bool> give_back(const id::Key& key, const id::Range& unused) {
    return call<bool>([&](auto done) { rig().store().give_back(key, unused, std::move(done)); });
  }
  core::Result<id::Tag> create_tag(const id::Tag& tag) {
    return call<id::Tag>([&](auto done) { rig().store().create_tag(tag, std::move(done)); });
  }
  core::Result<id::Tag> update_tag(const std::string& name, const id::TagChange& change) {
    return call<id::Tag>([&](auto done) { rig().store().update_tag(name, change, std::move(done)); });
  }
  core::Result<id::Tag> delete_tag(const std::string& name) {
    return call<id::Tag>([&](auto done) { rig().store().delete_tag(name, std::move(done)); });
  }
  core::Result<id::Tag> tag(const std::string& name) {
    return call<id::Tag>([&](auto done) { rig().store().tag(name, std::move(done)); });
  }
  core::Result<std::vector<id::Tag>> tags(const id::TagPage& page = {}) {
    return call<std::vector<id::Tag>>([&](auto done) { rig().store().tags(page, std::move(done)); });
  }
  core::Result<std::string> open(const id::OpenRequest& bond) {
    return call<std::string>([&](auto done) { rig().store().open(bond, std::move(done)); });
  }
  core::Result<bool> distrust() {
    return call<bool>([&](auto done) { rig().store().distrust(std::move(done)); });
  }
  core::Result<bool> remember(const std::vector<std::pair<std::string, std::int64_t>>& floors) {
    return call<bool>([&](auto done) { rig().store().remember(floors, std::move(done)); });
  }
  core::Result<id::Changes> look(const id::ChangesQuery& look = {}) {
    return call<id::Changes>([&](auto done) { rig().store().look(look, std::move(done)); });
  }
  core::Result<id::Lease> claim(const id::Claim& claim) {
    return call<id::Lease>([&](auto done) { rig().store().claim(claim, std::move(done)); });
  }
  core::Result<id::Lease> renew(const id::Claim& claim, const id::Lease& lease) {
    return call<id::Lease>([&](auto done) { rig().store().renew(claim, lease, std::move(done)); });
  }
  core::Result<bool> release(const id::Claim& claim, const id::Lease& lease) {
    return call<bool>([&](auto done) { rig().store().release(claim, lease, std::move(done)); });
  }
  core::Result<std::string> pin(const std::string& name, const std::string& value,
                                id::Store::Pin how = id::Store::Pin::kKeep) {
    return call<std::string>([&](auto done) { rig().store().pin(name, value, how, std::move(done)); });
  }

 private:
  Rig& rig() { return static_cast<Rig&>(*this); }

  template <class T, class Call>
  core::Result<T> call(Call ask) {
    std::optional<core::Result<T>> answer;
    ask(core::Done<T>([&](core::Result<T> result) { answer = std::move(result); }));
    rig().settle();
    if (!answer) throw core::Failure("Unanswered", "the store does not answer");
    return *std::move(answer);
  }
};

/// The SQLite store in a folder of its own; it may be started there again and again.
class SqliteStoreRig : public HandDisk, public StoreCalls<SqliteStoreRig> {
 public:
  SqliteStoreRig() { start(); }
  ~SqliteStoreRig() { crash(); }
  SqliteStoreRig(const SqliteStoreRig&) = delete;
  SqliteStoreRig& operator=(const SqliteStoreRig&) = delete;

  id::stores::SqliteStore& store() { return *store_; }

  void start(bool accept_regressed = false) {
    store_ = std::make_unique<id::stores::SqliteStore>(timers, offload,
                                                       id::stores::SqliteOptions{path(), accept_regressed});
  }
  /// The process is gone, and with it all that was not on the disk.
  void crash() {
    offload.waiting.clear();
    store_.reset();
  }
  void restart_after_crash() {
    crash();
    start();
  }
  std::optional<core::Error> close() {
    auto error = store_->close();
    store_.reset();
    return error;
  }
  void restart() {
    close();
    start();
  }

  std::filesystem::path path() const { return folder_.path() / "ids"; }
  std::filesystem::path file() const { return path() / "ids.db"; }
  std::filesystem::path log() const { return path() / "ids.db-wal"; }

 private:
  TemporaryFolder folder_;
  std::unique_ptr<id::stores::SqliteStore> store_;
};

/// One for all tests that do it no harm.
inline RedisServer& common_redis_server() {
  static RedisServer server;
  return server;
}

/// The Redis store on a real server, each rig on keys of its own.
class RedisStoreRig : public StoreCalls<RedisStoreRig> {
 public:
  RedisStoreRig() : RedisStoreRig(common_redis_server()) {}
  explicit RedisStoreRig(const RedisServer& server, int wait_replicas = 0)
      : client({.endpoint = server.endpoint(), .longest_pause = core::milliseconds(100)}),
        redis_store(*client.redis, {.prefix = prefix, .wait_replicas = wait_replicas}) {
    if (!client.connect()) throw std::runtime_error("no connection to " + server.endpoint());
    const auto old = client.ask({"SET", prefix + "born", "0"});  // not one that may have lost its data
    if (!old) throw std::runtime_error(old.error().text());
  }

  id::Store& store() { return redis_store; }
  void settle() {
    if (!client.settle()) throw std::runtime_error("Redis does not answer");
  }
  /// Takes the time off the leases instead of waiting for it.
  void pass(core::milliseconds duration) {
    settle();
    const auto passed = client.ask({"EVAL", kAge, "1", prefix + "workers", std::to_string(duration.count())});
    if (!passed) throw std::runtime_error(passed.error().text());
  }

  const std::string prefix = "test" + std::to_string(++rigs_) + ":";
  RedisRig client;
  id::stores::RedisStore redis_store;

 private:
  static constexpr const char* kAge = R"lua(
local leases = redis.call('HGETALL', KEYS[1])
for i = 1, #leases, 2 do
  local epoch, ends, owner = string.match(leases[i + 1], '^(%d+) (%d+) (.*)$')
  if ends ~= '0' then
    redis.call('HSET', KEYS[1], leases[i], epoch .. ' ' .. string.format('%.0f', ends - ARGV[1]) .. ' ' .. owner)
  end
end
return 1
)lua";

  static inline int rigs_ = 0;
};

struct OwnMemoryRig : MemoryStoreRig, StoreCalls<OwnMemoryRig> {};

struct SharedMemoryRig : MemoryStoreRig, StoreCalls<SharedMemoryRig> {
  SharedMemoryRig() { memory.promises.shared = true; }
};

}  // namespace zerosuite::test

#define SHARED_STORE_RIGS zerosuite::test::RedisStoreRig, zerosuite::test::SharedMemoryRig
#define STORE_RIGS zerosuite::test::SqliteStoreRig, zerosuite::test::OwnMemoryRig, SHARED_STORE_RIGS
