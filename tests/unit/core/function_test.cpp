#include "core/function.hpp"

#include <doctest/doctest.h>

#include <memory>

namespace zerosuite::core::function_test {

TEST_CASE("a function may own what can only be moved, and may be moved itself") {
  MoveFunction<int(int)> add = [base = std::make_unique<int>(40)](int more) { return *base + more; };
  CHECK(add(2) == 42);
  const bool was_set = static_cast<bool>(add);
  MoveFunction<int(int)> moved = std::move(add);
  CHECK(was_set);
  CHECK(moved(3) == 43);
}

TEST_CASE("a function that was never given anything to call says so") {
  CHECK_FALSE(MoveFunction<void()>());
  CHECK(MoveFunction<void()>([] {}));
}

TEST_CASE("a function hands arguments on as they are: moved, or the caller's own") {
  MoveFunction<std::unique_ptr<int>(std::unique_ptr<int>, int&)> take = [](std::unique_ptr<int> owned,
                                                                           int& theirs) {
    ++theirs;
    return owned;
  };
  int theirs = 1;
  const auto back = take(std::make_unique<int>(7), theirs);
  CHECK(*back == 7);
  CHECK(theirs == 2);
}

TEST_CASE("what a function owns is gone with it") {
  const auto shared = std::make_shared<int>(1);
  MoveFunction<void()> keep = [shared] {};
  CHECK(shared.use_count() == 2);
  keep = MoveFunction<void()>();
  CHECK(shared.use_count() == 1);
}

}  // namespace zerosuite::core::function_test
