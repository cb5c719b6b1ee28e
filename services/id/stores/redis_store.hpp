// The shared store in Redis: every method is one Lua script, which Redis runs atomically
// (https://redis.io/docs/latest/develop/interact/programmability/eval-intro/).
//
// Durability depends on Redis' configuration: `appendonly yes` with `appendfsync always`, no eviction of
// keys, and wait_replicas if a replica may become the master.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/error.hpp"
#include "core/function.hpp"
#include "core/result.hpp"
#include "db/redis.hpp"
#include "id/stores/store.hpp"

namespace zerosuite::id::stores {

/// Confirms that writes have reached the replicas of a Redis server (https://redis.io/commands/wait).
///
/// WAIT blocks all later commands on its connection. So only one is in flight at a time, on behalf of all
/// writes made while the previous one was in flight: if a replica is gone, leases must still be renewed.
///
/// Belongs to the loop's thread. Copies share their state. May be destroyed before all callbacks ran; the
/// client must outlive it.
class RedisReplicas {
 public:
  /// Gets nullopt if enough replicas have the writes, otherwise Indeterminate.
  using Callback = core::MoveFunction<void(const std::optional<core::Error>&)>;

  RedisReplicas(db::Redis& redis, int wanted);

  /// Asks about all writes so far. Call it when the reply to the last write arrives: WAIT covers the writes
  /// of its own connection.
  void confirm(Callback told);

 private:
  struct Asking {
    db::Redis& redis;
    const int wanted;
    std::vector<Callback> next = {};  // for the next WAIT, after the present one
    bool busy = false;
  };

  static void ask(const std::shared_ptr<Asking>& asking);
  static std::optional<core::Error> lack(int wanted, const core::Result<db::RedisReply>& reached);

  std::shared_ptr<Asking> asking_;
};

struct RedisStoreOptions {
  std::string prefix = "zerosuite:id:";  ///< Prefix of all keys.
  /// The number of replicas that must confirm a reservation or a change of a tag; otherwise the result is
  /// Indeterminate (https://redis.io/commands/wait).
  int wait_replicas = 0;
};

/// Belongs to the loop's thread. Leases are timed by Redis' clock. May be destroyed while calls are pending:
/// they complete as long as the Redis client exists. The client must outlive it.
class RedisStore final : public Store {
 public:
  explicit RedisStore(db::Redis& redis, RedisStoreOptions options = {});

  void reserve(const ReserveRequest& ask, core::Done<Reserved> done) override;
  void give_back(const Key& key, const Range& unused, core::Done<bool> done) override;
  void create_tag(const Tag& tag, core::Done<Tag> done) override;
  void update_tag(const std::string& name, const TagChange& change, core::Done<Tag> done) override;
  void delete_tag(const std::string& name, core::Done<Tag> done) override;
  void tag(const std::string& name, core::Done<Tag> done) override;
  void tags(const TagPage& page, core::Done<std::vector<Tag>> done) override;
  void claim(const Claim& claim, core::Done<Lease> done) override;
  void renew(const Claim& claim, const Lease& lease, core::Done<Lease> done) override;
  void release(const Claim& claim, const Lease& lease, core::Done<bool> done) override;
  void pin(const std::string& name, const std::string& value, Pin how, core::Done<std::string> done) override;
  void open(const OpenRequest& bond, core::Done<std::string> done) override;
  void distrust(core::Done<bool> done) override;
  void remember(const std::vector<std::pair<std::string, std::int64_t>>& floors,
                core::Done<bool> done) override;
  void look(const ChangesQuery& look, core::Done<Changes> done) override;
  /// The key of the hash with the store's id, and the id as open() found it.
  std::string state_key() const { return key("state"); }
  const std::string& id() const { return opened_->id; }
  StoreTraits traits() const override { return {.name = "redis", .shared = true}; }
  std::optional<core::Error> trouble() const override { return redis_.trouble(); }

 private:
  using Words = std::vector<std::string>;
  struct Opened {
    std::string id;
    std::string run;       // the server's run id
    bool alone = false;    // this issuer created the store, and no other has opened it since
    core::TimePoint seen;  // when `alone` was last confirmed
  };
  struct Call {
    const std::string& script;
    Words keys;
    Words arguments = {};
  };

  template <class T, class Read>
  void run(const Call& call, Read read, core::Done<T> done);
  template <class T, class Read>
  void run_guarded(Call call, Read read, core::Done<T> done);
  /// Delays `done` until the required replicas have the write; Indeterminate if they do not.
  template <class T>
  core::Done<T> once_replicated(core::Done<T> done);
  Words keys_of(const Key& key) const;
  Words tag_keys(const std::string& name) const;
  std::string key(const char* name) const { return options_.prefix + name; }

  db::Redis& redis_;
  const RedisStoreOptions options_;
  const std::shared_ptr<Opened> opened_ = std::make_shared<Opened>();  // as open() found it
  std::optional<RedisReplicas> replicas_;                              // if wait_replicas > 0
};

}  // namespace zerosuite::id::stores
