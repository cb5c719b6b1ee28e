// What every store must do with tags.
#include <doctest/doctest.h>

#include <limits>
#include <string>
#include <vector>

#include "support/store_rigs.hpp"

namespace zerosuite::test::store_tags_test {

using id::Range, id::Tag;

std::vector<std::string> names_of(const std::vector<Tag>& tags) {
  std::vector<std::string> names;
  for (const Tag& tag : tags) names.push_back(tag.name);
  return names;
}

TEST_CASE_TEMPLATE("a tag is kept as it was made", Rig, STORE_RIGS) {
  Rig rig;
  StoreCalls ask(rig);
  const Tag tag{.name = std::string("or\0der \xff\n'\"%:", 13),
                .next = 1'000'000'000'000'007,
                .step = 50'000,
                .delta = 10,
                .remainder = 7,
                .max = std::numeric_limits<std::int64_t>::max() - 1,
                .description = std::string("of the \0 shop\r\n\xc3\xa9\xff", 18)};
  CHECK(*ask.create_tag(tag) == tag);
  CHECK(*ask.tag(tag.name) == tag);
  Tag plain = tag_of(std::string(200, 'x'));
  CHECK(*ask.create_tag(plain) == plain);
  CHECK(*ask.tag(plain.name) == plain);
  CHECK(*ask.tag(tag.name) == tag);
}

TEST_CASE_TEMPLATE("tags are listed by name", Rig, STORE_RIGS) {
  Rig rig;
  StoreCalls ask(rig);
  CHECK(ask.tags()->empty());
  for (const char* name : {"b", "\xff", "a", "ab", "B", "c"}) REQUIRE(ask.create_tag(tag_of(name)));
  REQUIRE(ask.delete_tag("c"));
  ask.range(tag_key("ab"), 5);
  const auto tags = *ask.tags();
  CHECK(names_of(tags) == std::vector<std::string>{"B", "a", "ab", "b", "\xff"});
  CHECK(tags[2].next == 6);
}

TEST_CASE_TEMPLATE("tags are listed by the page, those that begin so", Rig, STORE_RIGS) {
  Rig rig;
  StoreCalls ask(rig);
  for (const char* name : {"a", "b/", "b/1", "b/2", "b/3", "b0", "b/\xff", "\xff", "\xff\xff"})
    REQUIRE(ask.create_tag(tag_of(name)));
  using Names = std::vector<std::string>;
  CHECK(names_of(*ask.tags({.limit = 2})) == Names{"a", "b/"});
  CHECK(names_of(*ask.tags({.after = "b/", .limit = 2})) == Names{"b/1", "b/2"});
  CHECK(names_of(*ask.tags({.prefix = "b/"})) == Names{"b/", "b/1", "b/2", "b/3", "b/\xff"});
  CHECK(names_of(*ask.tags({.prefix = "b/", .after = "b/2"})) == Names{"b/3", "b/\xff"});
  CHECK(names_of(*ask.tags({.prefix = "b/", .after = "a"})).size() == 5);
  CHECK(names_of(*ask.tags({.prefix = "\xff"})) == Names{"\xff", "\xff\xff"});
  CHECK(ask.tags({.prefix = "b/", .after = "c"})->empty());
  REQUIRE(ask.delete_tag("b/2"));
  CHECK(names_of(*ask.tags({.prefix = "b/", .limit = 3})) == Names{"b/", "b/1", "b/3"});
}

TEST_CASE_TEMPLATE("a floor that was a mistake is taken back, to no less than what was given out before it",
                   Rig, STORE_RIGS) {
  constexpr std::int64_t kGreatest = std::numeric_limits<std::int64_t>::max() - 1;
  Rig rig;
  StoreCalls ask(rig);
  Tag tag = tag_of("a");
  tag.max = kGreatest;
  REQUIRE(ask.create_tag(tag));
  ask.range(tag_key("a"), 99);
  CHECK(name_of(ask.update_tag("a", {.floor = 50, .lower = true})) == "InvalidArgument");
  REQUIRE(ask.update_tag("a", {.floor = 5'000}));
  REQUIRE(ask.update_tag("a", {.floor = kGreatest}));
  REQUIRE(ask.update_tag("a", {.floor = 7}));  // is below already
  CHECK(ask.update_tag("a", {.floor = 200, .lower = true})->next == 200);
  CHECK(ask.tag("a")->max == kGreatest);
  CHECK(name_of(ask.update_tag("a", {.floor = 150, .lower = true})) == "InvalidArgument");
  CHECK(ask.range(tag_key("a"), 10) == Range{200, 210});
}

TEST_CASE_TEMPLATE("what was given out above that floor is not given out again", Rig, STORE_RIGS) {
  Rig rig;
  StoreCalls ask(rig);
  REQUIRE(ask.create_tag(tag_of("a")));
  ask.range(tag_key("a"), 99);
  REQUIRE(ask.update_tag("a", {.floor = 1'000}));
  CHECK(ask.range(tag_key("a"), 5) == Range{1'000, 1'005});
  const auto lowered = ask.update_tag("a", {.floor = 1, .lower = true, .step = 9});
  REQUIRE(lowered);
  CHECK(lowered->next == 100);
  CHECK(lowered->max == 999);
  CHECK(lowered->step == 9);
  CHECK(ask.range(tag_key("a"), 100'000) == Range{100, 1'000});
  CHECK(name_of(ask.reserve({.key = tag_key("a")})) == "RangeExhausted");
  REQUIRE(ask.delete_tag("a"));
  CHECK(ask.create_tag(tag_of("a"))->next == 1'000);
}

TEST_CASE_TEMPLATE("who looks at a shared store hears what was changed, and what all follow", Rig,
                   SHARED_STORE_RIGS) {
  Rig rig;
  StoreCalls ask(rig);
  for (const char* name : {"a", "b", "c"}) REQUIRE(ask.create_tag(tag_of(name)));
  const auto ann = ask.claim(test::claim_by("ann", 1)), bob = ask.claim(test::claim_by("bob", 2));
  REQUIRE(bob);
  const auto first = ask.look({.worker = 1});
  REQUIRE(first);
  CHECK(first->followed == 0);  // of bob nothing is known
  REQUIRE(ask.update_tag("b", {.step = 5}));
  REQUIRE(ask.delete_tag("c"));
  ask.range(tag_key("a"), 1);
  const auto news = ask.look({.followed = first->revision, .worker = 1});
  CHECK(news->tags == std::vector<std::string>{"b", "c"});
  CHECK(news->revision > first->revision);
  CHECK(ask.look({.followed = news->revision, .worker = 2})->followed == first->revision);
  CHECK(ask.look({.followed = news->revision, .worker = 1})->tags.empty());
  CHECK(ask.look({.followed = news->revision, .worker = 1})->followed == news->revision);
  REQUIRE(ask.update_tag("a", {.step = 6}));
  REQUIRE(*ask.release(test::claim_by("bob", 2), *bob));
  const auto last = ask.look({.followed = news->revision, .worker = 1});
  CHECK(ask.look({.followed = last->revision, .worker = 1})->followed == last->revision);
}

TEST_CASE_TEMPLATE("a shared store that is found to have forgotten refuses all who opened it", Rig,
                   SHARED_STORE_RIGS) {
  Rig rig;
  StoreCalls ask(rig);
  const auto id = ask.open({.fresh = "it"});
  REQUIRE(id);
  CHECK(*id == "it");
  REQUIRE(ask.create_tag(tag_of("a")));
  CHECK(*ask.open({.known = "it"}) == "it");
  CHECK(name_of(ask.open({.known = "another"})) == "StoreRegressed");
  REQUIRE(ask.open({.known = "it"}));
  REQUIRE(ask.distrust());
  CHECK(name_of(ask.reserve({.key = counter("x")})) == "StoreRegressed");
  CHECK(name_of(ask.reserve({.key = tag_key("a")})) == "StoreRegressed");
  CHECK(name_of(ask.tag("a")) == "StoreRegressed");
  CHECK(name_of(ask.tags()) == "StoreRegressed");
  CHECK(name_of(ask.look()) == "StoreRegressed");
  CHECK(ask.reserve({.key = test::ticks("l/1"), .continued = true}));
  CHECK(name_of(ask.open({.fresh = "other"})) == "StoreRegressed");
  CHECK(name_of(ask.open({.known = "it"})) == "StoreRegressed");
  REQUIRE(ask.remember({{"counter:x", 500}, {"tag:a", 70}}));
  CHECK(*ask.open({.known = "it", .accept = true}) == "it");
  CHECK(ask.range(counter("x"), 1) == Range{500, 501});
}

TEST_CASE_TEMPLATE("a shared store that has gone back behind what is followed refuses all who opened it", Rig,
                   SHARED_STORE_RIGS) {
  Rig rig;
  StoreCalls ask(rig);
  REQUIRE(ask.open({.fresh = "it"}));
  ask.range(counter("x"), 5);
  const std::int64_t later = ask.look()->revision + 1;
  CHECK(name_of(ask.look({.followed = later})) == "StoreRegressed");
  CHECK(name_of(ask.reserve({.key = counter("x")})) == "StoreRegressed");
  CHECK(name_of(ask.open({.known = "it"})) == "StoreRegressed");
  CHECK(*ask.open({.known = "it", .accept = true}) == "it");
  CHECK(ask.look({.followed = later}));  // also of one that was away meanwhile
}

TEST_CASE_TEMPLATE("what there is no tag for is NoSuchTag, and a name is taken once", Rig, STORE_RIGS) {
  Rig rig;
  StoreCalls ask(rig);
  CHECK(name_of(ask.tag("a")) == "NoSuchTag");
  CHECK(name_of(ask.update_tag("a", {.floor = 5})) == "NoSuchTag");
  CHECK(name_of(ask.delete_tag("a")) == "NoSuchTag");
  CHECK(name_of(ask.reserve({.key = tag_key("a")})) == "NoSuchTag");
  CHECK_FALSE(*ask.give_back(tag_key("a"), {1, 2}));
  Tag tag = tag_of("a");
  tag.step = 7;
  REQUIRE(ask.create_tag(tag));
  Tag other = tag;
  other.step = 8;
  other.next = 100;
  CHECK(name_of(ask.create_tag(other)) == "TagExists");
  CHECK(*ask.tag("a") == tag);
}

TEST_CASE_TEMPLATE("a change of a tag changes what it names, and no more", Rig, STORE_RIGS) {
  Rig rig;
  StoreCalls ask(rig);
  Tag tag = tag_of("a");
  tag.description = "first";
  REQUIRE(ask.create_tag(tag));
  tag.next = ask.range(tag_key("a"), 20).hi;
  CHECK(*ask.update_tag("a", {}) == tag);
  tag.step = 2000;
  CHECK(*ask.update_tag("a", {.step = 2000}) == tag);
  tag.delta = 3;
  tag.remainder = 2;
  CHECK(*ask.update_tag("a", {.delta = 3, .remainder = 2}) == tag);
  tag.max = 5000;
  tag.description = "";
  CHECK(*ask.update_tag("a", {.max = 5000, .description = ""}) == tag);
  CHECK(*ask.tag("a") == tag);
}

TEST_CASE_TEMPLATE("a tag is raised to a floor and never falls", Rig, STORE_RIGS) {
  Rig rig;
  StoreCalls ask(rig);
  REQUIRE(ask.create_tag(tag_of("a")));
  CHECK(ask.update_tag("a", {.floor = 1000})->next == 1000);
  CHECK(ask.update_tag("a", {.floor = 10})->next == 1000);
  CHECK(ask.range(tag_key("a"), 10) == Range{1000, 1010});
  CHECK(ask.update_tag("a", {.floor = 1009})->next == 1010);
  CHECK(ask.update_tag("a", {.floor = 1500})->next == 1500);
  CHECK_FALSE(*ask.give_back(tag_key("a"), {1005, 1010}));
  CHECK(ask.range(tag_key("a"), 10) == Range{1500, 1510});
}

TEST_CASE_TEMPLATE("a reservation tells of the tag as it is now", Rig, STORE_RIGS) {
  Rig rig;
  StoreCalls ask(rig);
  Tag tag = tag_of("a");
  REQUIRE(ask.create_tag(tag));
  tag.next = 11;
  CHECK(ask.reserve({.key = tag_key("a"), .count = 10})->tag == tag);
  tag = *ask.update_tag("a", {.step = 5, .max = 25, .description = "new"});
  tag.next = 21;
  CHECK(ask.reserve({.key = tag_key("a"), .count = 10})->tag == tag);
  CHECK_FALSE(ask.reserve({.key = counter("a")})->tag);
}

TEST_CASE_TEMPLATE("a tag gives nothing above its own last value, until that is raised", Rig, STORE_RIGS) {
  Rig rig;
  StoreCalls ask(rig);
  Tag tag = tag_of("a");
  tag.max = 15;
  REQUIRE(ask.create_tag(tag));
  CHECK(ask.range(tag_key("a"), 10) == Range{1, 11});
  CHECK(ask.range(tag_key("a"), 10) == Range{11, 16});
  const auto refused = ask.reserve({.key = tag_key("a"), .count = 10});
  REQUIRE(name_of(refused) == "RangeExhausted");
  CHECK(refused.error().text().find("\"max\":15") != std::string::npos);
  REQUIRE(ask.update_tag("a", {.max = 100}));
  CHECK(ask.reserve({.key = tag_key("a"), .count = 10, .end = 20})->range == Range{16, 20});
  CHECK(ask.range(tag_key("a"), 10) == Range{20, 30});
}

TEST_CASE_TEMPLATE("a tag that was deleted goes on above what it had given out", Rig, STORE_RIGS) {
  Rig rig;
  StoreCalls ask(rig);
  Tag tag = tag_of("a");
  tag.description = "first";
  REQUIRE(ask.create_tag(tag));
  ask.range(tag_key("a"), 99);
  tag.next = 100;
  CHECK(*ask.delete_tag("a") == tag);
  CHECK(name_of(ask.reserve({.key = tag_key("a")})) == "NoSuchTag");
  CHECK(ask.tags()->empty());
  Tag again = tag_of("a");
  again.next = 50;
  again.step = 3;
  const Tag made = *ask.create_tag(again);
  again.next = 100;
  CHECK(made == again);
  CHECK(ask.range(tag_key("a"), 1) == Range{100, 101});
  REQUIRE(ask.delete_tag("a"));
  again.next = 5000;
  CHECK(ask.create_tag(again)->next == 5000);
}

}  // namespace zerosuite::test::store_tags_test
