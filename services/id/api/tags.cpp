#include <sodium.h>

#include <algorithm>
#include <cmath>
#include <utility>
#include <variant>

#include "id/api/groups.hpp"
#include "id/sequence/validation.hpp"
#include "rpc/server/options.hpp"

namespace zerosuite::id {
namespace {

using core::Failure, core::Result;
using rpc::Options, rpc::Reply;
using wire::Dict, wire::List, wire::Value;
using Ids = std::vector<std::int64_t>;
using IdsOrTexts = std::variant<Ids, Value>;

const Value kNil;

Dict dict_of(const Tag& tag) {
  return {{"tag", tag.name},        {"max_id", tag.next},         {"step", tag.step},
          {"delta", tag.delta},     {"remainder", tag.remainder}, {"max", tag.max},
          {"desc", tag.description}};
}

Value value_of(const TagInfo& info) {
  Dict dict = dict_of(info.tag);
  dict.add("cur", info.cur)
      .add("ranges", info.ranges)
      .add("left", info.left)
      .add("rate", std::round(info.rate * 10) / 10)
      .add("next_ready", info.next_ready())
      .add("parked", info.parked);
  return dict;
}

Value shown(const Ids& ids, const Formats& formats, std::string_view fmt) {
  List list;
  list.reserve(ids.size());
  for (const std::int64_t id : ids) list.push_back(formats.show(id, fmt));
  return list;
}

// Replies once all issuers of the store have applied the change, or ChangeWatchOptions::wait has passed.
core::Done<Tag> answer_once_spread(ChangeWatch& watch, const Reply<Value>& reply) {
  return [&watch, reply](const Result<Tag>& tag) {
    if (!tag) return reply(tag.error());
    watch.spread([reply, tag] { reply(dict_of(*tag)); });
  };
}

// Compares in constant time, so that the token cannot be guessed byte by byte.
bool same_secret(std::string_view given, std::string_view secret) {
  return given.size() == secret.size() && sodium_memcmp(given.data(), secret.data(), secret.size()) == 0;
}

void check_admin(const Options& options, const core::SecretText& admin_token) {
  if (admin_token.empty() || same_secret(options.text("token").value_or(""), core::view(admin_token))) return;
  throw Failure(core::kAccessDenied, "changing tags needs the right option 'token'");
}

}  // namespace

void bind_segments(rpc::Server& server, Segments& segments, const Formats& formats,
                   const BatchLimits& limits) {
  server.method(
      "segment", {"tag", {"fmt", int_format()}}, "The next id of a tag.",
      [&segments, &formats](const Reply<Value>& reply, const std::string& tag, const std::string& fmt) {
        formats.check(fmt);
        const auto show = [&formats, fmt](std::int64_t id) { return formats.show(id, fmt); };
        segments.next(tag, reply.with(show), client_of(reply));
      });
  server.method("segment_batch", {"tag", "n", {"fmt", int_format()}}, "The next n ids of a tag, ascending.",
                [&segments, &formats, &limits](const Reply<IdsOrTexts>& reply, const std::string& tag,
                                               std::int64_t n, const std::string& fmt) {
                  formats.check(fmt);
                  batch_size(n, limits.list);
                  const auto show = [&formats, fmt](const Ids& ids) {
                    return fmt == "int" ? IdsOrTexts(ids) : IdsOrTexts(shown(ids, formats, fmt));
                  };
                  segments.batch(tag, n, reply.with(show), client_of(reply));
                });
  server.method("segment_range", {"tag", "n"},
                "[lo, hi), a range with n ids of a tag, for the client to use by itself.",
                [&segments, &limits](const Reply<Ids>& reply, const std::string& tag, std::int64_t n) {
                  batch_size(n, limits.range);
                  const auto bounds = [](const Range& range) { return Ids{range.lo, range.hi}; };
                  segments.range(tag, n, reply.with(bounds), client_of(reply));
                });
}

namespace {

TagChange change_of(const Options& options) {
  TagChange change{.floor = options.integer("floor"),
                   .lower = false,
                   .step = options.integer("step"),
                   .delta = options.integer("delta"),
                   .remainder = options.integer("remainder"),
                   .max = options.integer("max"),
                   .description = options.text("desc")};
  if (const auto lowered = options.integer("lower_to")) {
    if (change.floor) throw Failure(core::kInvalidArgument, "floor and lower_to exclude one another");
    change.floor = lowered;
    change.lower = true;
  }
  return change;
}

void bind_changes(rpc::Server& server, Issuer& issuer, const core::SecretText& admin_token) {
  Segments& segments = issuer.segments();
  ChangeWatch& watch = issuer.watch();
  server.method(
      "tag_create", {"tag", {"opts", kNil}},
      "Creates a tag; opts: start, step (the minimum to reserve at once), delta and remainder (ids with id "
      "mod delta = remainder), max, desc.",
      [&segments, &admin_token](const Reply<Value>& reply, std::string tag, const Options& options) {
        options.expect({"start", "step", "delta", "remainder", "max", "desc", "token"});
        check_admin(options, admin_token);
        Tag made;
        made.name = std::move(tag);
        made.next = options.integer("start").value_or(made.next);
        made.step = options.integer("step").value_or(made.step);
        made.delta = options.integer("delta").value_or(made.delta);
        made.remainder = options.integer("remainder").value_or(made.remainder);
        made.max = options.integer("max").value_or(made.max);
        made.description = options.text("desc").value_or("");
        segments.create(made, reply.with(dict_of));
      });
  server.method(
      "tag_update", {"tag", {"opts", kNil}},
      "Changes a tag; opts: as for tag_create() except start, and floor, the minimum of later ids, or "
      "lower_to, which corrects a floor that was too high. Replies once all issuers have applied it, "
      "or after park_ms.",
      [&segments, &watch, &admin_token](const Reply<Value>& reply, const std::string& tag,
                                        const Options& options) {
        options.expect({"floor", "lower_to", "step", "delta", "remainder", "max", "desc", "token"});
        check_admin(options, admin_token);
        segments.update(tag, change_of(options), answer_once_spread(watch, reply));
      });
  server.method("tag_delete", {"tag", {"opts", kNil}},
                "Deletes a tag and returns it as it was. Created again, it continues above what it gave out.",
                [&segments, &watch, &admin_token](const Reply<Value>& reply, const std::string& tag,
                                                  const Options& options) {
                  options.expect({"token"});
                  check_admin(options, admin_token);
                  segments.remove(tag, answer_once_spread(watch, reply));
                });
}

// A page in the form of the lock service's list(); `cursor` is where to continue, "" at the end.
Value page_of(const std::vector<Tag>& tags, std::size_t limit) {
  List list;
  for (const Tag& tag : tags) {
    if (list.size() < limit) list.push_back(dict_of(tag));
  }
  return Dict{{"tags", std::move(list)}, {"cursor", tags.size() > limit ? tags[limit - 1].name : ""}};
}

void list(Segments& segments, const Reply<Value>& reply, TagPage page) {
  const auto limit = static_cast<std::size_t>(page.limit);
  ++page.limit;  // one more, to see whether there is another page
  segments.list(page, reply.with([limit](const std::vector<Tag>& tags) { return page_of(tags, limit); }));
}

}  // namespace

void bind_tags(rpc::Server& server, Issuer& issuer, const core::SecretText& admin_token,
               const BatchLimits& limits) {
  bind_changes(server, issuer, admin_token);
  Segments& segments = issuer.segments();
  server.query("tags", {{"prefix", ""}, {"limit", 100}, {"cursor", ""}},
               "The tags whose names begin with prefix, at most limit; pass cursor for the next page.",
               [&segments, &limits](const Reply<Value>& reply, std::string prefix, std::int64_t limit,
                                    std::string cursor) {
                 batch_size(limit, limits.tags);
                 list(segments, reply, {std::move(prefix), std::move(cursor), limit});
               });
  server.query(
      "tag_info", {"tag"},
      "A tag, and what this issuer has reserved of it: cur, left, ranges; rate (ids per second), parked.",
      [&segments](const Reply<Value>& reply, const std::string& tag) {
        segments.info(tag, reply.with(value_of));
      });
}

}  // namespace zerosuite::id
