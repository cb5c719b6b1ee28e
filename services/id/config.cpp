#include "id/config.hpp"

#include <unistd.h>

#include <array>

#include "core/random.hpp"
#include "core/text.hpp"
#include "db/folder_state.hpp"
#include "db/redis.hpp"
#include "id/secret/secret_file.hpp"
#include "id/secret/secret_keys.hpp"
#include "ops/config/program.hpp"

namespace zerosuite::id {
namespace {

using core::milliseconds;
using ops::Option;
using ops::Scope;
using ops::Type;

constexpr std::array<std::string_view, 2> kStores = {"sqlite", "redis"};
constexpr std::array<std::string_view, 3> kStarts = {"carry", "zero", "random"};

Option choice(std::string_view name, std::span<const std::string_view> choices, std::string_view help) {
  return {.name = name,
          .type = Type::kChoice,
          .scope = Scope::kOwn,
          .initial = std::string(choices.front()),
          .argument = name == "store" ? "STORE" : "",
          .choices = choices,
          .help = help};
}

Option text(std::string_view name, std::string initial, std::string_view argument, std::string_view help) {
  return {.name = name,
          .type = Type::kText,
          .scope = Scope::kOwn,
          .initial = std::move(initial),
          .argument = argument,
          .help = help};
}

Option once(std::string_view name, std::string_view help) {
  return {.name = name, .type = Type::kSwitch, .scope = Scope::kCommand, .initial = false, .help = help};
}

std::vector<Option> store_options() {
  Option reply = ops::own_count("redis_max_reply_bytes", db::RedisOptions().max_reply_bytes, 65'536,
                                "Ends a connection on which one reply of Redis takes more memory.");
  reply.unit = "bytes";
  return {
      choice("store", kStores, "Keeps what was given out in: sqlite (in --data), redis."),
      text("redis", "127.0.0.1:6379", "HOST:PORT", "The Redis server of --store redis; unix:PATH too."),
      text("redis_prefix", "zerosuite:id:", "", "What the keys in Redis begin with."),
      text("redis_password_file", "none", "", "A file with the password for Redis, or none."),
      ops::own_count(
          "redis_replicas", 0, 0,
          "Replicas that must have a reservation, or a tag's change, before it is answered (WAIT)."),
      std::move(reply),
      text("worker", "auto", "N|auto", "The worker id, or auto: the lowest that the store has free."),
      text("floors_file", "none", "",
           "Remembers here what was given out, to notice an old copy of the store; none = in --data."),
      once("accept_regressed", "Goes on with an old copy of the store, above what is known to be given out."),
      once("allow_relayout", "Goes on with another layout than the ids before had.")};
}

std::vector<Option> source_options() {
  const IssuerOptions usual;
  const ClockRules rules;
  const BatchLimits limits;
  return {text("layout", "twitter", "NAME", "The layout of snowflakes when a call names none."),
          choice("sequence_start", kStarts,
                 "Where the sequence of a new tick begins: where the last ended, at 0, or at 0 to 99."),
          ops::own_time("window_ms", usual.snowflake.window, 100,
                        "Reserves so much time for snowflakes at once."),
          ops::own_time("burst_lead_ms", usual.snowflake.burst_lead, 1,
                        "Borrows so much of the future when a tick is used up."),
          ops::own_time("park_ms", usual.snowflake.park, 0, "A call waits so long for the store."),
          ops::own_count("max_parked", usual.snowflake.max_parked, 1,
                         "Calls that wait for one source, shared by clients; ERR Overloaded beyond it."),
          ops::own_count("max_layouts", usual.snowflake.max_layouts,
                         static_cast<std::int64_t>(named_layouts().size()),
                         "Layouts in use, with the named ones; ERR Overloaded for one more."),
          ops::own_count("max_batch", static_cast<std::size_t>(limits.list), 1,
                         "Ids, or runs, in one list; ERR BatchTooLarge beyond it."),
          ops::own_count("max_runs_ids", static_cast<std::size_t>(limits.runs), 1,
                         "Ids of one snowflake_runs(); ERR BatchTooLarge beyond it."),
          ops::own_count("max_range", static_cast<std::size_t>(limits.range), 1,
                         "Ids of one segment_range() or seq_batch(); ERR BatchTooLarge beyond it."),
          ops::own_count("max_tags_listed", static_cast<std::size_t>(limits.tags), 1,
                         "Tags in one page of tags(); ERR BatchTooLarge beyond it."),
          ops::own_time("lease_ms", usual.worker.claim.ttl, 1000, "A worker id is leased for so long."),
          ops::own_time("renew_ms", usual.worker.renew, 100, "Renews the lease so often."),
          ops::own_time("lease_margin_ms", usual.worker.margin, 0,
                        "Stops issuing so long before another may have the worker id."),
          ops::own_time("start_wait_ms", milliseconds(20'000), 0,
                        "Waits so long for the store and for a worker id at the start."),
          ops::own_time("max_lead_ms", rules.max_lead, 0, "Ids may run so far ahead of the wall clock."),
          ops::own_time("max_forward_ms", rules.max_forward, 1000,
                        "A longer leap of the wall clock is not followed."),
          ops::own_time("outage_budget_ms", usual.segments.buffer.outage_budget, 0,
                        "Reserves of a tag what it uses in so long."),
          ops::own_time("tag_watch_ms", usual.watch.every, 10,
                        "Looks so often what other issuers on the same store have changed of tags."),
          ops::own_count("max_tags", usual.segments.max_tags, 1, "Tags in use; ERR Overloaded beyond it."),
          ops::own_count("max_names", usual.sequences.max_names, 1,
                         "Sequences in memory; the idle ones are dropped beyond it."),
          text("keys_file", "none", "", "The keys of obf() and token(), or none; a file of its owner alone."),
          {.name = "keys",
           .type = Type::kText,
           .scope = Scope::kSecret,
           .initial = std::string("none"),
           .help = "The same keys in one line, separated by commas."},
          text("admin_token_file", "none", "",
               "The token that tag_create() and its like ask for, or none; a file of its owner alone.")};
}

std::vector<Option> own_options() {
  std::vector<Option> all = store_options();
  for (Option& option : source_options()) all.push_back(std::move(option));
  return all;
}

std::optional<std::int64_t> worker_of(const std::string& text) {
  if (text == "auto") return std::nullopt;
  if (const auto worker = core::parse<std::int64_t>(text); worker && *worker >= 0) return worker;
  throw core::Failure(core::kInvalidArgument,
                      "worker is " + core::word_or_quoted(text) + "; expected a number or auto");
}

// Unlike any other start of any other process, and yet a person can tell where it runs.
std::string owner() {
  std::array<char, 65> host{};
  ::gethostname(host.data(), host.size() - 1);
  const std::uint64_t bits = core::random_bits();
  return std::string(host.data()) + ":" + std::to_string(::getpid()) + ":" +
         core::hex({reinterpret_cast<const char*>(&bits), sizeof bits});
}

SequenceStart start_of(const std::string& word) {
  if (word == "zero") return SequenceStart::kZero;
  return word == "random" ? SequenceStart::kRandom : SequenceStart::kCarry;
}

// What is renewed too late is never held.
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

const std::vector<Option> kOptions = own_options();
void validate(const ops::Config& config) {
  issuer_options(config);
  secrets(config);
  admin_token(config);
}

const ops::Program kProgram{.name = "id",
                            .summary = "Distributed ids over zerorpc.",
                            .bind = "tcp://127.0.0.1:4303",
                            .data = "data/id",
                            .options = kOptions,
                            .validate = validate};

}  // namespace

const ops::Program& program() { return kProgram; }

std::optional<std::string> text_unless_none(const ops::Config& config, std::string_view name) {
  const std::string& text = config.text(name);
  if (text == "none") return std::nullopt;
  return text;
}

std::filesystem::path floors_file(const ops::Config& config) {
  if (const auto file = text_unless_none(config, "floors_file")) return *file;
  return std::filesystem::path(config.text("data")) / "floors";
}

Secrets secrets(const ops::Config& config) {
  if (const auto file = text_unless_none(config, "keys_file")) return Secrets(read_keys(*file));
  const core::SecretText* const keys = config.secret("keys");
  const bool some = keys != nullptr && core::view(*keys) != "none";
  return Secrets(some ? parse_keys(core::view(*keys), "ZEROSUITE_ID_KEYS", ',') : std::vector<SecretKey>());
}

BatchLimits batch_limits(const ops::Config& config) {
  return {.list = config.integer("max_batch"),
          .runs = config.integer("max_runs_ids"),
          .range = config.integer("max_range"),
          .tags = config.integer("max_tags_listed")};
}

core::SecretText admin_token(const ops::Config& config) {
  const auto file = text_unless_none(config, "admin_token_file");
  return file ? read_secret(*file) : core::SecretText();
}

IssuerOptions issuer_options(const ops::Config& config) {
  IssuerOptions options;
  options.layout = layout_of(config.text("layout"));
  options.sequence_start = start_of(config.text("sequence_start"));
  options.allow_relayout = config.on("allow_relayout");
  options.fresh_store = db::fresh_state_id();
  options.accept_regressed = config.on("accept_regressed");
  options.watch = {.every = config.duration("tag_watch_ms"), .wait = config.duration("park_ms")};
  options.snowflake = {.window = config.duration("window_ms"),
                       .burst_lead = config.duration("burst_lead_ms"),
                       .park = config.duration("park_ms"),
                       .max_parked = config.size("max_parked"),
                       .max_layouts = config.size("max_layouts")};
  options.worker = {.claim = {.worker = worker_of(config.text("worker")),
                              .workers = options.layout.workers(),
                              .owner = owner(),
                              .ttl = config.duration("lease_ms")},
                    .renew = config.duration("renew_ms"),
                    .margin = config.duration("lease_margin_ms")};
  check_lease(options.worker);
  check_worker(options.worker.claim, options.layout);
  options.clock.max_lead = config.duration("max_lead_ms");
  options.clock.max_forward = config.duration("max_forward_ms");
  options.segments.buffer.outage_budget = config.duration("outage_budget_ms");
  options.segments.max_tags = config.size("max_tags");
  options.sequences.max_names = config.size("max_names");
  for (RangeAllocatorOptions* source : {&options.segments.buffer.source, &options.sequences.buffer.source}) {
    source->park = config.duration("park_ms");
    source->max_parked = config.size("max_parked");
  }
  return options;
}

}  // namespace zerosuite::id
