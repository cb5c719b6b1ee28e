#include "db/redis_link.hpp"

#include <doctest/doctest.h>

#include <memory>
#include <string>
#include <utility>

#include "support/redis_rig.hpp"
#include "support/wait.hpp"

namespace zerosuite::test::redis_link_test {

using core::Result;
using db::RedisLink;
using db::RedisReply;

struct LinkRig {
  RedisServer server;
  net::Reactor reactor;
  int ends = 0;
  std::string why;
  RedisLink::Unanswered unanswered;
  std::unique_ptr<RedisLink> link;

  LinkRig() {
    link =
        std::make_unique<RedisLink>(reactor, db::RedisTarget{.address = "127.0.0.1", .port = server.port()},
                                    1 << 20, [this](std::string reason, RedisLink::Unanswered left) {
                                      ++ends;
                                      why = std::move(reason);
                                      unanswered = std::move(left);
                                    });
  }
  bool ended() {
    return turn_until(reactor, [this] { return ends > 0; });
  }
};

void ignore(const Result<RedisReply>&) {}

TEST_CASE("a link that has ended is closed and told of once, also when it is kept") {
  LinkRig rig;
  rig.link->send({"PING"}, 20s, ignore);
  REQUIRE(turn_until(rig.reactor, [&] { return rig.link->idle(); }));
  CHECK(rig.link->open());
  SUBCASE("because its peer went away") {
    rig.server.freeze();
    rig.link->send({"PING"}, 20s, ignore);  // not even written when the end is seen
    rig.server.kill();
    REQUIRE(rig.ended());
    CHECK(rig.why != "");
  }
  SUBCASE("because an answer is late") {
    rig.server.freeze();
    rig.link->send({"PING"}, 20ms, ignore);
    REQUIRE(rig.ended());
    CHECK(rig.why == "no answer within 20 ms");
    rig.server.thaw();
  }
  CHECK_FALSE(rig.link->open());
  CHECK(rig.link->idle());
  CHECK(rig.unanswered.size() == 1);
  for (int i = 0; i < 10; ++i) rig.reactor.turn(5ms);
  CHECK(rig.ends == 1);
}

}  // namespace zerosuite::test::redis_link_test
