#include <utility>
#include <variant>
#include <vector>

#include "id/api/format.hpp"
#include "id/api/groups.hpp"
#include "id/clock/zone.hpp"
#include "id/snowflake/cursor.hpp"
#include "wire/codec.hpp"

namespace zerosuite::id {

// Many ids in one reply, packed without a Value for each.

/// As [[first, count], …].
struct RunsView {
  std::vector<Run> runs;
};

/// As [id, id, …].
struct IdsView {
  std::vector<Run> runs;
  std::int64_t stride = 1;

  std::size_t size() const {
    std::int64_t total = 0;
    for (const Run& run : runs) total += run.count;
    return static_cast<std::size_t>(total);
  }
  /// Calls `each` with every id in turn.
  template <class F>
  void for_each(F each) const {
    for (const Run& run : runs) {
      for (std::int64_t i = 0; i < run.count; ++i) each(run.first + i * stride);
    }
  }
};

}  // namespace zerosuite::id

namespace zerosuite::wire {

template <>
struct Foreign<id::RunsView> {
  static void pack(Packer& out, const id::RunsView& view);
};

template <>
struct Foreign<id::IdsView> {
  static void pack(Packer& out, const id::IdsView& view);
};

}  // namespace zerosuite::wire

namespace zerosuite::id {
namespace {

using core::Failure;
using rpc::Reply;
using wire::Dict, wire::Value;
using Runs = Snowflake::Runs;
using BatchView = std::variant<IdsView, Value>;

const Value kDefault("default");

template <class Show>
void one(Snowflake& snowflake, const Now& now, const Reply<Value>& reply, Show show) {
  if (const auto id = snowflake.one(now)) return reply(show(*id));
  const auto first = [show = std::move(show)](const Runs& runs) { return show(runs.front().first); };
  snowflake.take(1, reply.with(first), client_of(reply));
}

BatchView shown(IdsView ids, const Formats& formats, const std::string& fmt) {
  if (fmt == "int") return ids;
  wire::List list;
  list.reserve(ids.size());
  ids.for_each([&](std::int64_t id) { list.push_back(formats.show(id, fmt)); });
  return Value(std::move(list));
}

template <class Show>
void batch(Snowflake& snowflake, const Reply<BatchView>& reply, std::int64_t n, Show show) {
  const auto view = [stride = snowflake.layout().stride(), show = std::move(show)](Runs runs) {
    return show(IdsView{std::move(runs), stride});
  };
  snowflake.take(n, reply.with(view), client_of(reply));
}

void runs(Snowflake& snowflake, const Reply<RunsView>& reply, std::int64_t n, const BatchLimits& limits) {
  const Layout& layout = snowflake.layout();
  if (layout.stride() != 1)
    throw Failure(core::kUnsupported,
                  "ids of layout " + layout.name + " do not follow one another: snowflake_batch()");
  const std::int64_t in_one_run = layout.sequences() - layout.first_sequence();
  const std::int64_t in_all_runs =
      limits.list < limits.runs / in_one_run ? limits.list * in_one_run : limits.runs;
  batch_size(n, std::min(in_all_runs, snowflake.most()));
  snowflake.take(n, reply.with([](Runs runs) { return RunsView{std::move(runs)}; }), client_of(reply));
}

Value parsed(const Layout& layout, std::int64_t id) {
  const Parts parts = layout.parse(id);
  const std::int64_t time_ms = layout.time_ns(parts.tick) / 1'000'000;
  const int low_bits = layout.worker_bits - layout.datacenter_bits;
  Dict dict{{"id", id}, {"time_ms", time_ms}, {"iso", iso_time(time_ms)}, {"worker", parts.worker}};
  if (layout.datacenter_bits > 0) dict.add("dc", parts.worker >> low_bits);
  dict.add("sequence", parts.sequence).add("layout", layout.name);
  return dict;
}

// The least and the greatest id with a time in that millisecond, of any worker: for paging by time.
std::vector<std::int64_t> range_at(const Layout& layout, std::int64_t time_ms) {
  const std::int64_t end_ms = layout.time_ns(layout.ticks()) / 1'000'000;
  if (time_ms < layout.epoch_ms || time_ms >= end_ms)
    throw Failure(core::kInvalidArgument,
                  "layout " + layout.name + " has times from " + std::to_string(layout.epoch_ms) + " to " +
                      std::to_string(end_ms - 1) + " ms after 1970, not " + std::to_string(time_ms));
  const std::int64_t from_ns = time_ms * 1'000'000;
  const std::int64_t last = layout.tick_at(from_ns + 999'999);
  return {layout.compose({layout.tick_at(from_ns), 0, 0}),
          layout.compose({last, layout.workers() - 1, layout.sequences() - 1})};
}

}  // namespace

void bind_snowflakes(rpc::Server& server, Issuer& issuer, const Formats& formats, const BatchLimits& limits) {
  Snowflakes& snowflakes = issuer.snowflakes();
  server.method("snowflake", {{"layout", kDefault}, {"fmt", int_format()}},
                "An id of time, worker and sequence number; later ones of a worker are greater.",
                [&snowflakes, &formats, &time = issuer.time()](const Reply<Value>& reply,
                                                               const std::string& layout, std::string fmt) {
                  formats.check(fmt);
                  one(snowflakes.of(layout), time.look(), reply,
                      [&formats, fmt = std::move(fmt)](std::int64_t id) { return formats.show(id, fmt); });
                });
  server.method(
      "snowflake_batch", {"n", {"layout", kDefault}, {"fmt", int_format()}}, "n ids in a list, ascending.",
      [&snowflakes, &formats, &limits](const Reply<BatchView>& reply, std::int64_t n,
                                       const std::string& layout, std::string fmt) {
        formats.check(fmt);
        Snowflake& snowflake = snowflakes.of(layout);
        batch_size(n, std::min(limits.list, snowflake.most()));
        batch(snowflake, reply, n,
              [&formats, fmt = std::move(fmt)](IdsView ids) { return shown(std::move(ids), formats, fmt); });
      });
  server.method(
      "snowflake_runs", {"n", {"layout", kDefault}},
      "n ids as [[first, count], ...], each run being first, first + 1, ...; for millions at once.",
      [&snowflakes, &limits](const Reply<RunsView>& reply, std::int64_t n, const std::string& layout) {
        runs(snowflakes.of(layout), reply, n, limits);
      });
  server.query("parse", {"id", {"layout", kDefault}, {"fmt", int_format()}},
               "The fields of a snowflake: time_ms, iso, worker, dc (if the layout has one), sequence.",
               [&snowflakes, &formats](const Value& id, const std::string& layout, const std::string& fmt) {
                 return parsed(snowflakes.layout(layout), formats.read(id, fmt));
               });
  server.query("range_at", {"time_ms", {"layout", kDefault}},
               "[least, greatest] of all ids of a millisecond, for paging by time.",
               [&snowflakes](std::int64_t time_ms, const std::string& layout) {
                 return range_at(snowflakes.layout(layout), time_ms);
               });
}

}  // namespace zerosuite::id

namespace zerosuite::wire {

void Foreign<id::RunsView>::pack(Packer& out, const id::RunsView& view) {
  out.pack_array(static_cast<std::uint32_t>(view.runs.size()));
  for (const id::Run& run : view.runs) {
    out.pack_array(2);
    out.pack_int64(run.first);
    out.pack_int64(run.count);
  }
}

void Foreign<id::IdsView>::pack(Packer& out, const id::IdsView& view) {
  out.pack_array(static_cast<std::uint32_t>(view.size()));
  view.for_each([&](std::int64_t id) { out.pack_int64(id); });
}

}  // namespace zerosuite::wire
