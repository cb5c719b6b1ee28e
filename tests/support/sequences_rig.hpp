// Sequences over a store in memory, which may be shared.
#pragma once

#include <doctest/doctest.h>

#include <optional>
#include <string>
#include <vector>

#include "id/sequence/sequences.hpp"
#include "support/id_calls.hpp"
#include "support/memory_store.hpp"

namespace zerosuite::test {

struct SequencesRig : MemoryStoreRig {
  explicit SequencesRig(bool shared = false) { memory.promises.shared = shared; }

  id::Sequences& sequences() {
    if (!made) made.emplace(timers, memory, options);
    return *made;
  }
  Answered<std::int64_t> start(const std::string& name) {
    return ask<std::int64_t>([&](auto done) { sequences().next(name, std::move(done)); });
  }
  Answered<std::int64_t> start_durable(const std::string& name) {
    return ask<std::int64_t>([&](auto done) { sequences().durable(name, std::move(done)); });
  }
  Answered<id::Range> start_batch(const std::string& name, std::int64_t n) {
    return ask<id::Range>([&](auto done) { sequences().batch(name, n, std::move(done)); });
  }
  Answered<std::int64_t> next(const std::string& name) { return settled(start(name)); }
  Answered<std::int64_t> durable(const std::string& name) { return settled(start_durable(name)); }
  Answered<id::Range> batch(const std::string& name, std::int64_t n) { return settled(start_batch(name, n)); }
  Answered<std::int64_t> count(const std::string& name, std::int64_t end) {
    return settled(ask<std::int64_t>([&](auto done) { sequences().count(name, end, std::move(done)); }));
  }
  template <class T>
  Answered<T> settled(Answered<T> answered) {
    settle();
    return answered;
  }
  bool stop() {
    bool stopped = false;
    sequences().stop([&] { stopped = true; });
    settle();
    return stopped;
  }
  std::int64_t stored(const std::string& name) {
    return memory.shelf->next({id::Key::Kind::kCounter, "seq/" + name});
  }
  void set(const std::string& name, std::int64_t next) {
    memory.shelf->set_next({id::Key::Kind::kCounter, "seq/" + name}, next);
  }
  void fail(Fate fate) {
    memory.fate = [fate](std::string_view) { return fate; };
  }

  id::SequenceOptions options;
  std::optional<id::Sequences> made;
};

}  // namespace zerosuite::test
