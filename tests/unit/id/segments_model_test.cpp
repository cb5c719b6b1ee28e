#include <doctest/doctest.h>

#include <algorithm>
#include <random>
#include <set>

#include "support/segments_rig.hpp"

namespace zerosuite::test::segments_model_test {

using namespace std::chrono_literals;
using Rig = test::SegmentsRig;
using Values = std::vector<std::int64_t>;

// One tag, whose every id is checked.
class World {
 public:
  explicit World(unsigned seed) : random_(seed) {
    rig_.options.buffer.wait.park = 10s;
    rig_.memory.promises.shared = below(2) == 0;
    rig_.create(small_tag("a", 1 + below(20)));
  }

  void step() {
    const int what = below(20);
    if (what < 12) {
      open_.push_back(
          test::ask<Values>([&](auto done) { rig_.segments().batch("a", 1 + below(40), std::move(done)); }));
      if (below(3) == 0) rig_.pass(core::milliseconds(below(300)));
    } else if (what < 14) {
      rig_.fail("reserve", static_cast<Fate>(below(4)));
    } else if (what == 14) {
      rig_.memory.delay = core::milliseconds(below(200));
      rig_.memory.works_late = below(2) == 0;
    } else {
      // All is answered before the rules change, so that it is plain which ids must keep which.
      collect();
      disturb();
    }
  }

  void collect() {
    rig_.fail("", Fate::kDone);
    rig_.pass(11s);
    for (const auto& answered : open_) {
      REQUIRE(answered.there());
      if (answered.ok()) check(*answered);
    }
    open_.clear();
  }
  std::size_t used() const { return used_.size(); }

 private:
  int below(int n) { return static_cast<int>(random_() % static_cast<unsigned>(n)); }

  void check(const Values& values) {
    REQUIRE(std::is_sorted(values.begin(), values.end()));
    for (const std::int64_t value : values) {
      REQUIRE(used_.insert(value).second);
      REQUIRE(value % delta_ == remainder_);
    }
  }

  void disturb() {
    switch (below(5)) {
      case 0:
        return rig_.segments().void_all();
      case 1:
        return change();
      case 2:
        rig_.segments().stop([] {});
        rig_.pass(1s);
        return rig_.made.reset();
      case 3:
        return rig_.made.reset();  // a crash
      default:
        REQUIRE(rig_.memory.shelf->reserve({{id::Key::Kind::kTag, "a"}, 1 + below(9)}));
    }
  }

  void change() {
    delta_ = 1 + below(5);
    remainder_ = below(static_cast<int>(delta_));
    const auto changed = test::ask<id::Tag>([&](auto done) {
      rig_.segments().update("a", {.delta = delta_, .remainder = remainder_}, std::move(done));
    });
    rig_.pass(1s);
    REQUIRE(changed.ok());
  }

  std::mt19937 random_;
  Rig rig_;
  std::set<std::int64_t> used_;
  std::vector<Answered<Values>> open_;
  std::int64_t delta_ = 1;
  std::int64_t remainder_ = 0;
};

TEST_CASE("whatever happens to store and tag, ids have the tag's remainder and none comes twice") {
  for (unsigned seed = 1; seed <= 20; ++seed) {
    CAPTURE(seed);
    World world(seed);
    for (int i = 0; i < 300; ++i) world.step();
    world.collect();
    CHECK(world.used() > 500);
  }
}

}  // namespace zerosuite::test::segments_model_test
