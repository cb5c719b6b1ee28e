#include "id/sequence/segments.hpp"

#include <limits>
#include <utility>

#include "id/sequence/validation.hpp"

namespace zerosuite::id {

using core::Done, core::Result;

namespace {

std::vector<std::int64_t> values_of(const std::vector<Series>& all) {
  std::vector<std::int64_t> values;
  for (const Series& series : all) {
    for (std::int64_t i = 0; i < series.count; ++i) values.push_back(series.first + i * series.delta);
  }
  return values;
}

// Ends at the next value of the series, if there is one.
Range range_of(const Series& series) {
  const std::int64_t last = series.first + (series.count - 1) * series.delta;
  const std::int64_t most = std::numeric_limits<std::int64_t>::max();
  return {series.first, last < most - series.delta ? last + series.delta : last + 1};
}

}  // namespace

Segments::Segments(net::Timers& timers, Store& store, SegmentOptions options)
    : timers_(timers), store_(store), options_(options), buffers_(options_.max_tags) {}

RangeBuffer& Segments::buffer(const std::string& tag) {
  return buffers_.use(tag, [&] {
    return std::make_shared<RangeBuffer>(timers_, store_, Key{Key::Kind::kTag, tag}, options_.buffer);
  });
}

void Segments::next(const std::string& tag, Done<std::int64_t> done, Client client) {
  check_name("tag", tag);
  RangeBuffer& buffer = this->buffer(tag);
  if (const auto value = buffer.one()) return done(*value);
  buffer.take(
      {.client = client,
       .done = [this, tag, done = std::move(done)](const Result<std::vector<Series>>& result) mutable {
         forget_unknown(tag, result);
         if (!result) return done(result.error());
         done(result->front().first);
       }});
}

void Segments::batch(const std::string& tag, std::int64_t n, Done<std::vector<std::int64_t>> done,
                     Client client) {
  check_name("tag", tag);
  buffer(tag).take(
      {.client = client,
       .count = n,
       .done = [this, tag, done = std::move(done)](const Result<std::vector<Series>>& result) mutable {
         forget_unknown(tag, result);
         if (!result) return done(result.error());
         done(values_of(*result));
       }});
}

// Names of tags that do not exist must not fill the memory.
void Segments::forget_unknown(const std::string& tag, const Result<std::vector<Series>>& result) {
  if (!result && result.error().name == core::kNoSuchTag.name) forget(tag, result.error());
}

void Segments::forget(const std::string& tag, const core::Error& why) {
  RangeBuffer* buffer = buffers_.find(tag);
  if (buffer == nullptr) return;
  // The callbacks may call forget() again, which then finds no waiters and nothing to erase.
  buffer->refuse_all(why);
  buffers_.erase(tag);
}

void Segments::range(const std::string& tag, std::int64_t n, Done<Range> done, Client client) {
  check_name("tag", tag);
  buffer(tag).take(
      {.client = client,
       .count = n,
       .whole = true,
       .done = [this, tag, done = std::move(done)](const Result<std::vector<Series>>& result) mutable {
         forget_unknown(tag, result);
         if (!result) return done(result.error());
         done(range_of(result->front()));
       }});
}

void Segments::create(const Tag& tag, Done<Tag> done) {
  check_tag(tag);
  store_.create_tag(tag, std::move(done));
}

void Segments::update(const std::string& tag, const TagChange& change, Done<Tag> done) {
  check_name("tag", tag);
  check_change(change, change.delta.value_or(1), change.delta ? change.remainder.value_or(0) : 0);
  if (!change.delta && !change.remainder) return send_update(tag, change, std::move(done));
  store_.tag(tag, [this, change, done = std::move(done)](const Result<Tag>& found) mutable {
    if (!found) return done(found.error());
    try {
      check_change(change, change.delta.value_or(found->delta), change.remainder.value_or(found->remainder));
    } catch (const core::Failure& failure) {
      return done(failure.error());
    }
    send_update(found->name, change, std::move(done));
  });
}

void Segments::send_update(const std::string& tag, const TagChange& change, Done<Tag> done) {
  store_.update_tag(tag, change,
                    [this, tag, change, done = std::move(done)](const Result<Tag>& result) mutable {
                      updated(tag, change, result);
                      done(result);
                    });
}

void Segments::updated(const std::string& tag, const TagChange& change, const Result<Tag>& result) {
  RangeBuffer* buffer = buffers_.find(tag);
  if (buffer == nullptr) return;
  // The change may have been made: what is known of the tag may be outdated.
  if (!result && result.error().name == core::kIndeterminate.name) return forget(tag, result.error());
  const bool same_values = !change.floor && !change.delta && !change.remainder && !change.max && !change.step;
  if (result && !same_values) buffer->change(*result);
}

void Segments::changed(const std::string& tag) {
  if (RangeBuffer* buffer = buffers_.find(tag)) buffer->distrust();
}

void Segments::remove(const std::string& tag, Done<Tag> done) {
  check_name("tag", tag);
  store_.delete_tag(tag, [this, tag, done = std::move(done)](const Result<Tag>& result) mutable {
    removed(tag, result);
    done(result);
  });
}

void Segments::removed(const std::string& tag, const Result<Tag>& result) {
  const bool kept = !result && result.error().name != core::kIndeterminate.name &&
                    result.error().name != core::kNoSuchTag.name;
  if (!kept) forget(tag, {core::kNoSuchTag, "tag '" + tag + "' was deleted"});
}

void Segments::info(const std::string& tag, Done<TagInfo> done) {
  check_name("tag", tag);
  store_.tag(tag, [this, done = std::move(done)](const Result<Tag>& found) mutable {
    if (!found) return done(found.error());
    TagInfo info{*found};
    if (RangeBuffer* buffer = buffers_.find(found->name)) {
      info.cur = buffer->next();
      info.ranges = buffer->ranges();
      info.left = buffer->left();
      info.rate = buffer->rate();
      info.parked = buffer->parked();
    }
    done(std::move(info));
  });
}

void Segments::void_all() {
  buffers_.for_each([](RangeBuffer& buffer) { buffer.void_all(); });
}

void Segments::stop(core::MoveFunction<void()> done) {
  const auto last = std::make_shared<core::CompletionLatch>(std::move(done));
  buffers_.for_each([&](RangeBuffer& buffer) { buffer.stop(last); });
}

}  // namespace zerosuite::id
