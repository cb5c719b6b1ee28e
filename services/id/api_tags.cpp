#include <algorithm>
#include <cmath>
#include <utility>
#include <variant>

#include "id/api_more.hpp"
#include "id/api_options.hpp"
#include "id/names.hpp"

namespace zerosuite::id {
namespace {

using core::Failure, core::Result;
using rpc::Reply;
using wire::Dict, wire::Integer, wire::List, wire::Value;
using Ids = std::vector<std::int64_t>;
using IdsOrTexts = std::variant<Ids, Value>;

const Value kNil;
Dict dict_of(const Tag& tag) {
  Dict dict;
  const auto put = [&](const char* key, Value value) {
    dict.push_back({{std::string(key)}, std::move(value)});
  };
  put("tag", {tag.name});
  put("max_id", {Integer{tag.next}});
  put("step", {Integer{tag.step}});
  put("delta", {Integer{tag.delta}});
  put("remainder", {Integer{tag.remainder}});
  put("max", {Integer{tag.max}});
  put("desc", {tag.description});
  return dict;
}

Value value_of(const TagInfo& info) {
  Dict dict = dict_of(info.tag);
  const auto put = [&](const char* key, Value value) {
    dict.push_back({{std::string(key)}, std::move(value)});
  };
  put("cur", info.cur ? Value{Integer{*info.cur}} : Value{});
  put("ranges", {Integer{info.ranges}});
  put("left", {Integer{info.left}});
  put("rate", {std::round(info.rate * 10) / 10});
  put("next_ready", {info.next_ready()});
  put("parked", {Integer{info.parked}});
  return {std::move(dict)};
}

Value shown(const Ids& ids, const Formats& formats, std::string_view fmt) {
  List list;
  list.reserve(ids.size());
  for (const std::int64_t id : ids) list.push_back(formats.show(id, fmt));
  return {std::move(list)};
}

core::Done<Tag> answer(const Reply<Value>& reply) {
  return [reply](const Result<Tag>& tag) { tag ? reply(Value{dict_of(*tag)}) : reply(tag.error()); };
}

// Takes as long whatever is wrong, so that the token cannot be found out byte by byte.
bool same_secret(std::string_view given, std::string_view secret) {
  unsigned different = given.size() == secret.size() ? 0 : 1;
  for (std::size_t i = 0; i < given.size(); ++i)
    different |= static_cast<unsigned char>(given[i]) ^ static_cast<unsigned char>(secret[i % secret.size()]);
  return different == 0;
}

void check_admin(const Options& options, const core::SecretText& admin_token) {
  if (admin_token.empty() || same_secret(options.text("token").value_or(""), core::view(admin_token))) return;
  throw Failure(core::kAccessDenied, "changing tags needs the right option 'token'");
}

void bind_segments(rpc::Server& server, Segments& segments, const Formats& formats) {
  server.method("segment", {"tag", {"fmt", int_format()}}, "The next id of a tag.",
                [&](Reply<Value> reply, std::string tag, std::string fmt) {
                  formats.check(fmt);
                  segments.next(tag, [&formats, reply, fmt](const Result<std::int64_t>& id) {
                    id ? reply(formats.show(*id, fmt)) : reply(id.error());
                  });
                });
  server.method("segment_batch", {"tag", "n", {"fmt", int_format()}}, "The next n ids of a tag, ascending.",
                [&](Reply<IdsOrTexts> reply, std::string tag, std::int64_t n, std::string fmt) {
                  formats.check(fmt);
                  batch_size(n);
                  segments.batch(tag, n, [&formats, reply, fmt](const Result<Ids>& ids) {
                    if (!ids) return reply(ids.error());
                    reply(fmt == "int" ? IdsOrTexts(*ids) : IdsOrTexts(shown(*ids, formats, fmt)));
                  });
                });
  server.method("segment_range", {"tag", "n"},
                "[lo, hi) with n ids of a tag, for the client to use up by itself.",
                [&](Reply<Ids> reply, std::string tag, std::int64_t n) {
                  batch_size(n, kMostInRange);
                  segments.range(tag, n, [reply](const Result<Range>& range) {
                    range ? reply(Ids{range->lo, range->hi}) : reply(range.error());
                  });
                });
}

void bind_changes(rpc::Server& server, Segments& segments, const core::SecretText& admin_token) {
  server.method(
      "tag_create", {"tag", {"opts", kNil}},
      "Makes a tag: start, step (the least to reserve at once), delta and remainder (ids with id mod delta = "
      "remainder), max, desc.",
      [&](Reply<Value> reply, std::string tag, Value opts) {
        const Options options(opts, {"start", "step", "delta", "remainder", "max", "desc", "token"});
        check_admin(options, admin_token);
        Tag made;
        made.name = std::move(tag);
        made.next = options.integer("start").value_or(made.next);
        made.step = options.integer("step").value_or(made.step);
        made.delta = options.integer("delta").value_or(made.delta);
        made.remainder = options.integer("remainder").value_or(made.remainder);
        made.max = options.integer("max").value_or(made.max);
        made.description = options.text("desc").value_or("");
        segments.create(made, answer(reply));
      });
  server.method(
      "tag_update", {"tag", {"opts", kNil}},
      "Changes a tag: as tag_create() but for start; floor is what all later ids are at least.",
      [&](Reply<Value> reply, std::string tag, Value opts) {
        const Options options(opts, {"floor", "step", "delta", "remainder", "max", "desc", "token"});
        check_admin(options, admin_token);
        const TagChange change{options.integer("floor"), options.integer("step"),
                               options.integer("delta"), options.integer("remainder"),
                               options.integer("max"),   options.text("desc")};
        segments.update(tag, change, answer(reply));
      });
  server.method("tag_delete", {"tag", {"opts", kNil}},
                "Takes a tag away and answers what it was. Made anew, it goes on above what it gave out.",
                [&](Reply<Value> reply, std::string tag, Value opts) {
                  check_admin(Options(opts, {"token"}), admin_token);
                  segments.remove(tag, answer(reply));
                });
}

}  // namespace

void bind_tags(rpc::Server& server, Segments& segments, const Formats& formats,
               const core::SecretText& admin_token) {
  bind_segments(server, segments, formats);
  bind_changes(server, segments, admin_token);
  server
      .method("tags", "All tags, by name.",
              [&](Reply<Value> reply) {
                segments.list([reply](const Result<std::vector<Tag>>& tags) {
                  if (!tags) return reply(tags.error());
                  List list;
                  for (const Tag& tag : *tags) list.push_back({dict_of(tag)});
                  reply(Value{std::move(list)});
                });
              })
      .idempotent = true;
  server
      .method(
          "tag_info", {"tag"},
          "A tag, and what this issuer has reserved of it: cur, left, ranges; rate (ids a second), parked.",
          [&](Reply<Value> reply, std::string tag) {
            segments.info(tag, [reply](const Result<TagInfo>& info) {
              info ? reply(value_of(*info)) : reply(info.error());
            });
          })
      .idempotent = true;
}

}  // namespace zerosuite::id
