#include "id/config.hpp"

#include <unistd.h>

#include <array>

#include "core/random.hpp"
#include "core/text.hpp"
#include "db/folder.hpp"
#include "db/redis.hpp"
#include "id/secret/secret_file.hpp"
#include "id/stores/redis_store.hpp"
#include "ops/config/text.hpp"

namespace zerosuite::id {
namespace {

// Different at each start of each process, and yet shows an operator where it runs.
std::string owner() {
  std::array<char, 65> host{};
  ::gethostname(host.data(), host.size() - 1);
  const std::uint64_t bits = core::random_bits();
  return std::string(host.data()) + ":" + std::to_string(::getpid()) + ":" +
         core::hex({reinterpret_cast<const char*>(&bits), sizeof bits});
}

// A lease that is renewed too late is never held.
void check_lease(const WorkerIdOptions& worker) {
  if (worker.claim.ttl > worker.renew + worker.margin) return;
  throw core::Failure(core::kInvalidArgument,
                      "lease_ms is " + std::to_string(worker.claim.ttl.count()) +
                          "; expected more than renew_ms and lease_margin_ms together, " +
                          std::to_string((worker.renew + worker.margin).count()));
}

void check_worker(const Claim& claim, const Layout& layout) {
  if (!claim.worker || *claim.worker < layout.workers()) return;
  throw core::Failure(core::kInvalidArgument, "worker is " + std::to_string(*claim.worker) + "; layout " +
                                                  layout.name + " has the worker ids 0 to " +
                                                  std::to_string(layout.workers() - 1));
}

void describe_store(ops::OptionTable& options, Config& config) {
  options
      .add_choice<StoreKind>("store", config.store,
                             {{"sqlite", StoreKind::kSqlite}, {"redis", StoreKind::kRedis}},
                             "Where it is kept what was given out: sqlite (in --data) or redis.")
      .argument("STORE");
  options.add("redis", config.redis, "The Redis server of --store redis; unix:PATH too.")
      .argument("HOST:PORT");
  options.add("redis_prefix", config.redis_prefix, "Prefix of the keys in Redis.");
  options
      .add("redis_password_file", config.redis_password_file, "A file with the password for Redis, or none.")
      .empty_word("none")
      .argument("FILE");
  options.add("redis_replicas", config.redis_replicas,
              "Number of replicas that must have a reservation, or a tag's change, before the reply (WAIT).");
  options.add("redis_max_reply_bytes", config.redis_max_reply_bytes, {65'536},
              "Maximum memory for one reply of Redis; a longer one ends the connection.");
  options.add("worker", config.worker, "The worker id, or auto: the lowest that the store has free.")
      .empty_word("auto")
      .argument("N|auto");
  options
      .add("floors_file", config.floors_file,
           "Where the high-water marks are kept, by which an old copy of the store is noticed; none = in "
           "--data.")
      .empty_word("none")
      .argument("FILE");
  options.add_command("accept_regressed", config.accept_regressed,
                      "Goes on with an old copy of the store, above what is known to be given out.");
  options.add_command("allow_relayout", config.allow_relayout,
                      "Goes on with another layout than the ids before had.");
}

void describe_snowflakes(ops::OptionTable& options, Config& config) {
  IssuerOptions& issuer = config.issuer;
  options.add("layout", config.layout, "The layout of snowflakes when a call names none.").argument("NAME");
  options.add_choice<SequenceStart>(
      "sequence_start", issuer.sequence_start,
      {{"carry", SequenceStart::kCarry}, {"zero", SequenceStart::kZero}, {"random", SequenceStart::kRandom}},
      "Where the sequence of a new tick begins: where the last ended (carry), at 0 (zero), or at 0 to 99 "
      "(random).");
  options.add("window_ms", issuer.snowflake.window, {100},
              "How much time is reserved for snowflakes at once.");
  options.add("burst_lead_ms", issuer.snowflake.burst_lead, {1},
              "How much of the future may be borrowed when a tick is used up.");
  options.add("park_ms", issuer.snowflake.park, "Maximum wait of a call for the store.");
  options.add(
      "max_parked", issuer.snowflake.max_parked, {1},
      "Maximum number of calls that wait for one source, shared by clients; ERR Overloaded beyond it.");
  options.add("max_layouts", issuer.snowflake.max_layouts,
              {static_cast<std::int64_t>(named_layouts().size())},
              "Maximum number of layouts in use, with the named ones; ERR Overloaded beyond it.");
}

void describe_batches(ops::OptionTable& options, BatchLimits& limits) {
  options.add("max_batch", limits.list, {1},
              "Maximum number of ids, or runs, in one list; ERR BatchTooLarge beyond it.");
  options.add("max_runs_ids", limits.runs, {1},
              "Maximum number of ids of one snowflake_runs(); ERR BatchTooLarge beyond it.");
  options.add("max_range", limits.range, {1},
              "Maximum number of ids of one segment_range() or seq_batch(); ERR BatchTooLarge beyond it.");
  options.add("max_tags_listed", limits.tags, {1},
              "Maximum number of tags in one page of tags(); ERR BatchTooLarge beyond it.");
}

void describe_worker(ops::OptionTable& options, Config& config) {
  IssuerOptions& issuer = config.issuer;
  options.add("lease_ms", issuer.worker.claim.ttl, {1000}, "Lease of the worker id.");
  options.add("renew_ms", issuer.worker.renew, {100}, "How often the lease is renewed.");
  options.add("lease_margin_ms", issuer.worker.margin,
              "Safety margin: nothing is issued for this long before the lease ends.");
  options.add("start_wait_ms", config.start_wait,
              "Maximum wait for the store and for a worker id at the start.");
  options.add("max_lead_ms", issuer.clock.max_lead, "How far ids may run ahead of the wall clock.");
  options.add("max_forward_ms", issuer.clock.max_forward, {1000},
              "A longer jump of the wall clock is not followed.");
}

void describe_sequences(ops::OptionTable& options, Config& config) {
  IssuerOptions& issuer = config.issuer;
  options.add("outage_budget_ms", issuer.segments.buffer.outage_budget,
              "How long the values reserved of a tag must last without the store.");
  options.add("tag_watch_ms", issuer.watch.every, {10},
              "How often it is asked what other issuers on the same store have changed of tags.");
  options.add("max_tags", issuer.segments.max_tags, {1},
              "Maximum number of tags in memory; idle ones make room, and without one ERR Overloaded.");
  options.add("max_names", issuer.sequences.max_names, {1},
              "Maximum number of sequences in memory; beyond it the idle ones are dropped.");
}

void describe_secrets(ops::OptionTable& options, Config& config) {
  options
      .add("keys_file", config.keys_file,
           "The keys of obf() and token(), or none; only its owner may read the file.")
      .empty_word("none")
      .argument("FILE");
  options.add_secret("keys", config.keys, "The same keys in one line, separated by commas.");
  options
      .add("admin_token_file", config.admin_token_file,
           "The token that tag_create() and its like ask for, or none; only its owner may read the file.")
      .empty_word("none")
      .argument("FILE");
}

}  // namespace

Config::Config()
    : redis_prefix(stores::RedisStoreOptions().prefix),
      redis_max_reply_bytes(db::RedisOptions().max_reply_bytes) {}

void Config::describe(ops::OptionTable& options) {
  describe_store(options, *this);
  describe_snowflakes(options, *this);
  describe_batches(options, limits);
  describe_worker(options, *this);
  describe_sequences(options, *this);
  describe_secrets(options, *this);
}

void Config::check() const {
  issuer_options();
  secrets();
  admin_token();
}

std::filesystem::path Config::marks_file() const {
  return floors_file ? std::filesystem::path(*floors_file) : std::filesystem::path(data) / "floors";
}

Secrets Config::secrets() const {
  if (keys_file) return Secrets(read_keys(*keys_file));
  const bool some = keys && core::view(*keys) != "none";
  return Secrets(some ? parse_keys(core::view(*keys), "ZEROSUITE_ID_KEYS", ',') : std::vector<SecretKey>());
}

core::SecretText Config::admin_token() const {
  return admin_token_file ? read_secret(*admin_token_file) : core::SecretText();
}

IssuerOptions Config::issuer_options() const {
  IssuerOptions options = issuer;
  options.layout = layout_of(layout);
  options.allow_relayout = allow_relayout;
  options.fresh_store = db::fresh_state_id();
  options.accept_regressed = accept_regressed;
  options.watch.wait = options.snowflake.park;
  options.worker.claim.worker = worker;
  options.worker.claim.workers = options.layout.workers();
  options.worker.claim.owner = owner();
  check_lease(options.worker);
  check_worker(options.worker.claim, options.layout);
  for (WaitOptions* wait : {&options.segments.buffer.wait, &options.sequences.buffer.wait}) {
    wait->park = options.snowflake.park;
    wait->max_parked = options.snowflake.max_parked;
  }
  return options;
}

}  // namespace zerosuite::id
