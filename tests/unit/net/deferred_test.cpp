#include "net/deferred.hpp"

#include <doctest/doctest.h>

#include <memory>
#include <stdexcept>
#include <string>

#include "support/fakes.hpp"

namespace deferred_test {

using namespace std::chrono_literals;
using namespace zerosuite;
using net::Deferred;
using test::kStart;

TEST_CASE(
    "deferred calls are made once, not inside the call that adds them, in order, at the end of the turn") {
  net::Timers timers(kStart);
  Deferred deferred(timers);
  std::string done;
  net::Timer due(timers, [&] {
    done += 't';
    deferred.add([&] { done += 'c'; });
  });
  due.after(1ms);
  deferred.add([&] { done += 'a'; });
  deferred.add([&, only_moved = std::make_unique<char>('b')] { done += *only_moved; });
  CHECK(done == "");
  CHECK_FALSE(deferred.empty());
  CHECK(timers.next() == timers.now());
  timers.advance_to(kStart + 1ms);
  CHECK(done == "tabc");
  CHECK(deferred.empty());
  timers.advance_to(kStart + 2ms);
  CHECK(done == "tabc");
  CHECK_FALSE(timers.next());
}

TEST_CASE("a call may defer another and destroy what the calls belong to") {
  net::Timers timers(kStart);
  auto deferred = std::make_unique<Deferred>(timers);
  std::string done;
  deferred->add([&] {
    done += 'a';
    deferred->add([&] { done += 'c'; });
  });
  deferred->add([&] { done += 'b'; });
  timers.advance_to(kStart);
  CHECK(done == "abc");
  deferred->add([&] { deferred.reset(); });
  deferred->add([&] { done += 'd'; });
  timers.advance_to(kStart);
  CHECK(done == "abc");
  CHECK(deferred == nullptr);
}

TEST_CASE("run() makes the deferred calls at once, and only once") {
  net::Timers timers(kStart);
  Deferred deferred(timers);
  int calls = 0;
  deferred.add([&] { ++calls; });
  deferred.run();
  CHECK(calls == 1);
  timers.advance_to(kStart);
  CHECK(calls == 1);
}

TEST_CASE("after an exception the other deferred calls are made at the next advance") {
  net::Timers timers(kStart);
  Deferred deferred(timers);
  std::string done;
  deferred.add([] { throw std::runtime_error("bad"); });
  deferred.add([&] { done += 'a'; });
  CHECK_THROWS_AS(timers.advance_to(kStart), std::runtime_error);
  CHECK(done == "");
  CHECK(timers.next() == timers.now());
  timers.advance_to(kStart);
  CHECK(done == "a");
}

}  // namespace deferred_test
