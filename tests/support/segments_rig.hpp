// Segments over a store in memory; every call is waited for.
#pragma once

#include <doctest/doctest.h>

#include <optional>
#include <string>
#include <vector>

#include "id/sequence/segments.hpp"
#include "support/id_calls.hpp"
#include "support/memory_store.hpp"

namespace zerosuite::test {

inline id::Tag small_tag(const std::string& name, std::int64_t step = 10) {
  id::Tag tag;
  tag.name = name;
  tag.step = step;
  return tag;
}

struct SegmentsRig : MemoryStoreRig {
  id::Segments& segments() {
    if (!made) made.emplace(timers, memory, options);
    return *made;
  }

  template <class T, class Call>
  Answered<T> settled(Call call) {
    const auto answered = ask<T>(call);
    settle();
    return answered;
  }
  Answered<std::int64_t> next(const std::string& tag) {
    return settled<std::int64_t>([&](auto done) { segments().next(tag, std::move(done)); });
  }
  Answered<std::vector<std::int64_t>> batch(const std::string& tag, std::int64_t n) {
    return settled<std::vector<std::int64_t>>([&](auto done) { segments().batch(tag, n, std::move(done)); });
  }
  Answered<id::Range> range(const std::string& tag, std::int64_t n) {
    return settled<id::Range>([&](auto done) { segments().range(tag, n, std::move(done)); });
  }
  Answered<id::Tag> create(const id::Tag& tag) {
    return settled<id::Tag>([&](auto done) { segments().create(tag, std::move(done)); });
  }
  Answered<id::Tag> update(const std::string& tag, const id::TagChange& change) {
    return settled<id::Tag>([&](auto done) { segments().update(tag, change, std::move(done)); });
  }
  Answered<id::Tag> remove(const std::string& tag) {
    return settled<id::Tag>([&](auto done) { segments().remove(tag, std::move(done)); });
  }
  Answered<id::TagInfo> info(const std::string& tag) {
    return settled<id::TagInfo>([&](auto done) { segments().info(tag, std::move(done)); });
  }
  bool stop() {
    bool stopped = false;
    segments().stop([&] { stopped = true; });
    settle();
    return stopped;
  }
  std::int64_t stored(const std::string& tag) { return memory.shelf->next({id::Key::Kind::kTag, tag}); }
  void fail(const std::string& call, Fate fate) {
    memory.fate = [call, fate](std::string_view name) { return name == call ? fate : Fate::kDone; };
  }

  id::SegmentOptions options;
  std::optional<id::Segments> made;
};

}  // namespace zerosuite::test
