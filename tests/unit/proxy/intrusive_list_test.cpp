#include "proxy/intrusive_list.hpp"

#include <doctest/doctest.h>

#include <string>

namespace zerosuite::test::chain_test {

struct Link {
  explicit Link(char its_name) : name(its_name) {}

  char name;
  proxy::ListHook<Link> hook;
  proxy::ListHook<Link> other;
};

using IntrusiveList = proxy::IntrusiveList<Link, &Link::hook>;

std::string order(const IntrusiveList& chain) {
  std::string names;
  for (const Link* link = chain.first(); link != nullptr; link = IntrusiveList::after(*link))
    names += link->name;
  return names;
}

struct Three {
  Three() {
    for (Link* link : {&a, &b, &c}) chain.append(*link);
  }
  Link a{'a'}, b{'b'}, c{'c'};
  IntrusiveList chain;
};

TEST_CASE("a chain begins empty") {
  const IntrusiveList chain;
  CHECK(chain.empty());
  CHECK(chain.size() == 0);
  CHECK(chain.first() == nullptr);
}

TEST_CASE_FIXTURE(Three, "elements stand in the order they joined") {
  CHECK(order(chain) == "abc");
  CHECK(chain.size() == 3);
  CHECK_FALSE(chain.empty());
}

TEST_CASE("an element leaves from the front, the middle or the end, and the others stay in order") {
  for (const auto& [leaving, left] : {std::pair('a', "bc"), std::pair('b', "ac"), std::pair('c', "ab")}) {
    Three three;
    for (Link* link : {&three.a, &three.b, &three.c}) {
      if (link->name == leaving) three.chain.remove(*link);
    }
    CHECK(order(three.chain) == left);
    CHECK(three.chain.size() == 2);
  }
}

TEST_CASE_FIXTURE(Three, "an element that has left may join again, at the end") {
  chain.remove(a);
  chain.append(a);
  CHECK(order(chain) == "bca");
  chain.remove(a);
  chain.append(a);
  CHECK(order(chain) == "bca");
}

TEST_CASE_FIXTURE(Three, "a chain that was emptied can be filled again") {
  for (Link* link : {&b, &c, &a}) chain.remove(*link);
  CHECK(chain.empty());
  CHECK(chain.first() == nullptr);
  chain.append(c);
  CHECK(order(chain) == "c");
}

TEST_CASE("an element may stand in two chains by two hooks") {
  Three three;
  proxy::IntrusiveList<Link, &Link::other> reversed;
  for (Link* link : {&three.c, &three.b, &three.a}) reversed.append(*link);
  three.chain.remove(three.b);
  CHECK(order(three.chain) == "ac");
  CHECK(reversed.size() == 3);
  CHECK(reversed.first()->name == 'c');
  CHECK(reversed.after(three.c)->name == 'b');
}

}  // namespace zerosuite::test::chain_test
