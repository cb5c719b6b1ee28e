#include "id/stores/redis_store.hpp"

#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>
#include <utility>

#include "core/clock.hpp"
#include "core/json.hpp"
#include "core/text.hpp"
#include "id/stores/redis_scripts.hpp"
#include "id/stores/store_errors.hpp"

namespace zerosuite::id::stores {
namespace {

using core::Json, core::Result;
using db::RedisReply;

constexpr std::string_view kOk = "ok";

// The scripts compute with numbers from 0.
std::string text_of(std::int64_t value) { return std::to_string(std::max<std::int64_t>(value, 0)); }

// Numbers from Redis are checked before use: another program may have written there, or the server may not be
// Redis.
void expect(bool good, const char* what) {
  if (!good)
    throw core::Failure(core::kStorageError, std::string("Redis answered ") + what + " that cannot be");
}

// Throws core::Failure if another program has written something other than such a number.
std::int64_t integer_of(const RedisReply& reply) {
  const std::string& text = reply.text();
  const auto value = core::parse<std::int64_t>(text);
  if (!value || *value < 0)
    throw core::Failure(core::kStorageError, "Redis keeps \"" + db::printable(text) +
                                                 "\" where an integer from 0 to 2^63-1 should be");
  return *value;
}

// An integer from 0 that is exact in Lua.
std::int64_t small_integer_of(const RedisReply& reply, const char* what) {
  expect(reply.integer() >= 0 && reply.integer() <= scripts::kLastInteger, what);
  return reply.integer();
}

Tag tag_of(const RedisReply& reply) {
  Tag tag{.name = reply.at(0).text(),
          .next = integer_of(reply.at(1)),
          .step = integer_of(reply.at(2)),
          .delta = integer_of(reply.at(3)),
          .remainder = integer_of(reply.at(4)),
          .max = integer_of(reply.at(5)),
          .description = reply.at(6).text(),
          .lowered = integer_of(reply.at(7))};
  expect(tag.step > 0 && tag.delta > 0 && tag.remainder < tag.delta, "a tag");
  return tag;
}

bool is_ok(const RedisReply& reply) { return reply.at(0).text() == kOk; }

// Reads {"ok", tag}; any other status means that there is no such tag.
auto tag_reader(const std::string& name) {
  return [name](const RedisReply& reply) -> Result<Tag> {
    if (!is_ok(reply)) return no_such_tag(name);
    return tag_of(reply.at(1));
  };
}

Result<Reserved> read_reserved(const ReserveRequest& ask, const RedisReply& reply) {
  const Key& key = ask.key;
  if (!is_ok(reply)) {
    if (key.kind == Key::Kind::kTag && reply.list().size() == 1) return no_such_tag(key.name);
    return range_exhausted(key.text(), integer_of(reply.at(1)));
  }
  Reserved reserved{.range = {integer_of(reply.at(1)), integer_of(reply.at(2))},
                    .stored = integer_of(reply.at(3))};
  const auto& [lo, hi] = reserved.range;
  expect(lo < hi && lo >= ask.floor && lo >= reserved.stored && hi <= ask.end && hi - lo <= ask.count,
         "a range");
  if (key.kind == Key::Kind::kTag) reserved.tag = tag_of(reply.at(4));
  return reserved;
}

Result<Lease> read_lease(const Claim& claim, const RedisReply& reply) {
  const std::string& status = reply.at(0).text();
  if (status == kOk) {
    const std::int64_t worker = reply.at(1).integer();
    expect(worker >= 0 && worker < claim.workers && worker == claim.worker.value_or(worker), "a worker id");
    return Lease{.worker = worker,
                 .epoch = small_integer_of(reply.at(2), "an epoch"),
                 .taken_over = reply.at(3).integer() != 0,
                 .store_ms = small_integer_of(reply.at(4), "a time")};
  }
  if (status == "young") return still_young(reply.at(1).integer());
  if (status == "all in use") return worker_ids_exhausted(claim.workers);
  return worker_id_in_use({reply.at(1).integer(), reply.at(2).text(), reply.at(3).integer()});
}

void add_field(std::vector<std::string>& words, const char* field, const std::optional<std::int64_t>& value) {
  if (value) words.insert(words.end(), {field, text_of(*value)});
}

// A second issuer is granted nothing before the first has had time to notice it. So the first knows that it
// was alone if its last look is more recent than that, less a margin for clock errors and replies in flight.
constexpr core::milliseconds kSecondWaits{2000};
constexpr core::milliseconds kAlone{1500};

}  // namespace

RedisReplicas::RedisReplicas(db::Redis& redis, int wanted)
    : asking_(std::make_shared<Asking>(Asking{.redis = redis, .wanted = wanted})) {}

void RedisReplicas::confirm(Callback told) {
  asking_->next.push_back(std::move(told));
  if (!asking_->busy) ask(asking_);
}

void RedisReplicas::ask(const std::shared_ptr<Asking>& asking) {
  asking->busy = !asking->next.empty();
  if (!asking->busy) return;
  // A request that arrives meanwhile waits for this WAIT and the next one, and must still finish in time.
  const auto limit = std::max(asking->redis.options().command_timeout / 4, core::milliseconds(1));
  asking->redis.command(
      {"WAIT", std::to_string(asking->wanted), std::to_string(limit.count())},
      [asking, asked = std::exchange(asking->next, {})](const core::Result<db::RedisReply>& reached) mutable {
        const auto error = lack(asking->wanted, reached);
        for (Callback& told : asked) told(error);
        ask(asking);
      });
}

std::optional<core::Error> RedisReplicas::lack(int wanted, const core::Result<db::RedisReply>& reached) {
  if (!reached) return core::Error{core::kIndeterminate, reached.error().message, reached.error().details};
  if (!reached->is_integer())
    return core::Error{core::kIndeterminate, "Redis did not answer WAIT with the number of replicas"};
  if (reached->integer() >= wanted) return std::nullopt;
  return core::Error{core::kIndeterminate, "too few replicas of Redis have what was reserved",
                     core::Json().add("replicas", reached->integer()).add("wanted", wanted)};
}

RedisStore::RedisStore(db::Redis& redis, RedisStoreOptions options)
    : redis_(redis), options_(std::move(options)) {
  if (options_.wait_replicas > 0) replicas_.emplace(redis_, options_.wait_replicas);
}

RedisStore::Words RedisStore::keys_of(const Key& key) const {
  Words keys{options_.prefix + key.text()};
  if (key.kind == Key::Kind::kTag)
    keys.insert(keys.end(),
                {options_.prefix + "definition:" + key.name, options_.prefix + "history:" + key.name});
  return keys;
}

RedisStore::Words RedisStore::tag_keys(const std::string& name) const {
  Words keys = keys_of({Key::Kind::kTag, name});
  keys.insert(keys.end(), {key("tags"), key("names"), key("changes")});
  return keys;
}

template <class T, class Read>
void RedisStore::run(const Call& call, Read read, core::Done<T> done) {
  redis_.eval(call.script, call.keys, call.arguments,
              [read = std::move(read), done = std::move(done)](const Result<RedisReply>& reply) mutable {
                if (!reply) return done(reply.error());
                std::optional<Result<T>> result;
                try {
                  result.emplace(read(*reply));
                } catch (const core::Failure& failure) {
                  result.emplace(failure.error());
                }
                done(*std::move(result));
              });
}

// StoreRegressed if the store is no longer the one that open() found.
template <class T, class Read>
void RedisStore::run_guarded(Call call, Read read, core::Done<T> done) {
  call.keys.insert(call.keys.begin(), key("state"));
  call.arguments.insert(call.arguments.begin(), opened_->id);
  run<T>(
      call,
      [read = std::move(read)](const RedisReply& reply) -> Result<T> {
        if (reply.at(0).text() == "forgotten") return store_has_forgotten();
        return read(reply);
      },
      std::move(done));
}

template <class T>
core::Done<T> RedisStore::once_replicated(core::Done<T> done) {
  if (!replicas_) return done;
  return [replicas = *replicas_, done = std::move(done)](Result<T> result) mutable {
    if (!result) return done(std::move(result));
    replicas.confirm([result = std::move(result),
                      done = std::move(done)](const std::optional<core::Error>& error) mutable {
      error ? done(*error) : done(std::move(result));
    });
  };
}

void RedisStore::reserve(const ReserveRequest& ask, core::Done<Reserved> done) {
  Call call{scripts::kReserve,
            keys_of(ask.key),
            {text_of(ask.count), text_of(ask.floor), text_of(ask.end), ask.key.name}};
  const auto read = [ask](const RedisReply& reply) { return read_reserved(ask, reply); };
  done = once_replicated(std::move(done));
  if (!ask.continued) return run_guarded<Reserved>(std::move(call), read, std::move(done));
  call.keys.insert(call.keys.begin(), key("state"));
  call.arguments.insert(call.arguments.begin(), "");
  run<Reserved>(call, read, std::move(done));
}

void RedisStore::give_back(const Key& key, const Range& unused, core::Done<bool> done) {
  run<bool>(
      {scripts::kGiveBack, keys_of(key), {text_of(unused.lo), text_of(unused.hi)}},
      [](const RedisReply& reply) { return reply.integer() != 0; }, std::move(done));
}

void RedisStore::create_tag(const Tag& tag, core::Done<Tag> done) {
  Words arguments{tag.name, text_of(tag.next)};
  add_field(arguments, "step", tag.step);
  add_field(arguments, "delta", tag.delta);
  add_field(arguments, "remainder", tag.remainder);
  add_field(arguments, "max", tag.max);
  arguments.insert(arguments.end(), {"description", tag.description});
  const auto read = [name = tag.name](const RedisReply& reply) -> Result<Tag> {
    if (is_ok(reply)) return tag_of(reply.at(1));
    return tag_exists(name);
  };
  run_guarded<Tag>({scripts::kCreateTag, tag_keys(tag.name), std::move(arguments)}, read,
                   once_replicated(std::move(done)));
}

void RedisStore::update_tag(const std::string& name, const TagChange& change, core::Done<Tag> done) {
  Words arguments{name, text_of(change.floor.value_or(0)), change.lower ? "lower" : ""};
  add_field(arguments, "step", change.step);
  add_field(arguments, "delta", change.delta);
  add_field(arguments, "remainder", change.remainder);
  add_field(arguments, "max", change.max);
  if (change.description) arguments.insert(arguments.end(), {"description", *change.description});
  const auto read = [name](const RedisReply& reply) -> Result<Tag> {
    if (reply.at(0).text() == "given") return cannot_be_lowered(name, integer_of(reply.at(1)));
    return tag_reader(name)(reply);
  };
  run_guarded<Tag>({scripts::kUpdateTag, tag_keys(name), std::move(arguments)}, read,
                   once_replicated(std::move(done)));
}

void RedisStore::delete_tag(const std::string& name, core::Done<Tag> done) {
  run_guarded<Tag>({scripts::kDeleteTag, tag_keys(name), {name}}, tag_reader(name),
                   once_replicated(std::move(done)));
}

void RedisStore::tag(const std::string& name, core::Done<Tag> done) {
  run_guarded<Tag>({scripts::kTag, tag_keys(name), {name}}, tag_reader(name), std::move(done));
}

void RedisStore::tags(const TagPage& page, core::Done<std::vector<Tag>> done) {
  const auto read = [](const RedisReply& reply) -> Result<std::vector<Tag>> {
    std::vector<Tag> tags;
    for (const RedisReply& one : reply.at(1).list()) tags.push_back(tag_of(one));
    return tags;
  };
  Words arguments = keys_of({Key::Kind::kTag, ""});
  const bool later = page.after > page.prefix;
  arguments.push_back(later ? "(" + page.after : "[" + page.prefix);
  const auto end = page.end();
  arguments.push_back(end ? "(" + *end : "+");
  arguments.push_back(text_of(page.limit));
  run_guarded<std::vector<Tag>>({scripts::kPageOfTags, {key("tags"), key("names")}, std::move(arguments)},
                                read, std::move(done));
}

void RedisStore::open(const OpenRequest& bond, core::Done<std::string> done) {
  const core::TimePoint now = core::Clock::now();
  const auto read = [opened = opened_, now](const RedisReply& reply) -> Result<std::string> {
    const std::string& status = reply.at(0).text();
    if (status == "young") return still_young(reply.at(1).integer());
    if (status == "second") return joins_a_lone_issuer(reply.at(1).integer());
    if (status == "other") return another_store(reply.at(1).text());
    if (!is_ok(reply)) return store_has_forgotten();
    *opened = {reply.at(1).text(), reply.at(2).text(), reply.at(3).integer() == 1, now};
    return opened->id;
  };
  if (!bond.known.empty()) opened_->id = bond.known;
  run<std::string>(
      {scripts::kOpen,
       {key("state"), key("born")},
       {bond.known, bond.fresh, text_of(bond.wait.count()), bond.accept ? "accept" : "",
        opened_->alone && now - opened_->seen < kAlone ? opened_->run : "", text_of(kSecondWaits.count())}},
      read, std::move(done));
}

void RedisStore::distrust(core::Done<bool> done) {
  run<bool>(
      {scripts::kDistrust, {key("state")}, {opened_->id}},
      [](const RedisReply&) { return Result<bool>(true); }, std::move(done));
}

void RedisStore::remember(const std::vector<std::pair<std::string, std::int64_t>>& floors,
                          core::Done<bool> done) {
  Words keys, values;
  for (const auto& [key, floor] : floors) {
    keys.push_back(options_.prefix + key);
    values.push_back(text_of(floor));
  }
  run<bool>(
      {scripts::kRemember, std::move(keys), std::move(values)},
      [](const RedisReply&) { return Result<bool>(true); }, std::move(done));
}

void RedisStore::look(const ChangesQuery& look, core::Done<Changes> done) {
  constexpr std::int64_t kMostNames = 1'000;
  const auto read = [opened = opened_, now = core::Clock::now()](const RedisReply& reply) -> Result<Changes> {
    opened->alone = opened->alone && reply.at(4).text() == "1";
    opened->seen = now;
    opened->run = reply.at(5).text();
    Changes news{.revision = integer_of(reply.at(1)), .tags = {}, .followed = integer_of(reply.at(2))};
    for (const RedisReply& name : reply.at(3).list()) news.tags.push_back(name.text());
    return news;
  };
  run_guarded<Changes>(
      {scripts::kLook,
       {key("changes"), key("workers"), key("followed")},
       {text_of(look.followed), look.worker ? text_of(*look.worker) : "", text_of(kMostNames)}},
      read, once_replicated(std::move(done)));
}

void RedisStore::claim(const Claim& claim, core::Done<Lease> done) {
  const std::string worker = claim.worker ? text_of(*claim.worker) : "";
  run<Lease>(
      {scripts::kClaim,
       {options_.prefix + "workers", options_.prefix + "born"},
       {worker, text_of(claim.workers), claim.owner, text_of(claim.ttl.count())}},
      [claim](const RedisReply& reply) { return read_lease(claim, reply); }, std::move(done));
}

void RedisStore::renew(const Claim& claim, const Lease& lease, core::Done<Lease> done) {
  const auto read = [worker = lease.worker, epoch = lease.epoch](const RedisReply& now) -> Result<Lease> {
    const std::int64_t store_ms = small_integer_of(now, "a time");
    if (store_ms != 0) return Lease{.worker = worker, .epoch = epoch, .store_ms = store_ms};
    return core::Error{core::kLeaseLost, "the lease has passed, or is another's",
                       Json().add("worker", worker)};
  };
  run<Lease>({scripts::kRenew,
              {options_.prefix + "workers", options_.prefix + "born"},
              {text_of(lease.worker), text_of(lease.epoch), claim.owner, text_of(claim.ttl.count())}},
             read, std::move(done));
}

void RedisStore::release(const Claim& claim, const Lease& lease, core::Done<bool> done) {
  run<bool>(
      {scripts::kRelease,
       {options_.prefix + "workers"},
       {text_of(lease.worker), text_of(lease.epoch), claim.owner}},
      [](const RedisReply& reply) { return reply.integer() != 0; }, std::move(done));
}

void RedisStore::pin(const std::string& name, const std::string& value, Pin how,
                     core::Done<std::string> done) {
  run<std::string>(
      {scripts::kPin, {options_.prefix + "pin:" + name}, {value, how == Pin::kReplace ? "replace" : "keep"}},
      [](const RedisReply& reply) { return reply.text(); }, std::move(done));
}

}  // namespace zerosuite::id::stores
