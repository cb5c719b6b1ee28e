#include "net/offload_names.hpp"

#include <doctest/doctest.h>

#include <atomic>
#include <future>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "support/wait.hpp"

namespace zerosuite::test::offload_names_test {

using net::Addresses;
using net::Names;
using net::Reactor;

using List = std::vector<std::string>;

// Lookups that hang until the test ends; "quick" is answered at once.
class Hanging {
 public:
  ~Hanging() { end_.set_value(); }
  std::function<Addresses(const std::string&)> ask() {
    return [asked = asked_, ended = ended_](const std::string& host) -> Addresses {
      ++*asked;
      if (host != "quick") ended.wait();
      return List{"10.0.0.1"};
    };
  }
  int asked() const { return *asked_; }

 private:
  std::promise<void> end_;
  std::shared_future<void> ended_ = end_.get_future().share();
  std::shared_ptr<std::atomic<int>> asked_ = std::make_shared<std::atomic<int>>(0);
};

struct Rig {
  explicit Rig(net::NamesOptions options = {}) : names(std::in_place, reactor, std::move(options)) {}

  Names::Lookup look_up(const std::string& host) {
    return names->look_up(host, [this, host](const Addresses& found) {
      answers.push_back(host + (found ? " is " + found->front() : " is not found: " + found.error().message));
    });
  }
  List next() {
    turn_until(reactor, [&] { return !answers.empty(); });
    return std::exchange(answers, {});
  }

  Reactor reactor;
  List answers;
  std::optional<Names> names;
};

TEST_CASE("localhost is looked up with the system, and what nobody knows is not found") {
  Rig rig;
  const auto known = rig.look_up("localhost");
  CHECK(rig.answers.empty());  // never before look_up() returns
  const List found = rig.next();
  CHECK((found == List{"localhost is 127.0.0.1"} || found == List{"localhost is ::1"}));
  CHECK_FALSE(net::numeric_address("localhost"));
  CHECK(*net::numeric_address("::1") == List{"::1"});
  CHECK(*net::numeric_address("127.0.0.1") == List{"127.0.0.1"});
}

TEST_CASE_FIXTURE(Hanging, "a lookup that hangs holds up no other name, and counts as not found in time") {
  Rig rig({.ask = ask()});
  const auto slow = rig.look_up("slow");
  const auto quick = rig.look_up("quick");
  CHECK(rig.next() == List{"quick is 10.0.0.1"});
  rig.reactor.timers().advance_to(rig.reactor.timers().now() + 4900ms);
  CHECK(rig.answers.empty());
  rig.reactor.timers().advance_to(rig.reactor.timers().now() + 200ms);
  CHECK(rig.answers == List{"slow is not found: slow: its lookup has not been answered"});
}

TEST_CASE_FIXTURE(Hanging, "a name is looked up once for all who ask meanwhile, and anew afterwards") {
  Rig rig({.ask = ask()});
  const auto first = rig.look_up("slow");
  const auto second = rig.look_up("slow");
  REQUIRE(turn_until(rig.reactor, [&] { return asked() == 1; }));
  const auto quick = rig.look_up("quick");
  rig.next();
  CHECK(asked() == 2);
  const auto again = rig.look_up("quick");
  rig.next();
  CHECK(asked() == 3);
}

TEST_CASE("no more lookups hang at a time than there may be threads, and the others wait") {
  std::optional<Hanging> hanging(std::in_place);
  Rig rig({.threads = 2, .ask = hanging->ask()});
  const auto one = rig.look_up("one");
  const auto two = rig.look_up("two");
  const auto quick = rig.look_up("quick");
  REQUIRE(turn_until(rig.reactor, [&] { return hanging->asked() == 2; }));
  rig.reactor.turn(20ms);
  CHECK(rig.answers.empty());
  hanging.reset();
  CHECK(turn_until(rig.reactor, [&] { return rig.answers.size() == 3; }));
}

TEST_CASE_FIXTURE(Hanging, "who lets a lookup go is not called, and nobody waits for one that hangs") {
  Rig rig({.ask = ask()});
  auto slow = rig.look_up("slow");
  { const auto dropped = rig.look_up("quick"); }
  const auto kept = rig.look_up("quick");
  CHECK(rig.next() == List{"quick is 10.0.0.1"});
  rig.names.reset();  // would hang here
  CHECK(rig.answers.empty());
}

}  // namespace zerosuite::test::offload_names_test
