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
  const Tag tag{.name = std::string("or\0der \xff\n'\"%:", 13),
                .next = 1'000'000'000'000'007,
                .step = 50'000,
                .delta = 10,
                .remainder = 7,
                .max = std::numeric_limits<std::int64_t>::max() - 1,
                .description = std::string("of the \0 shop\r\n\xc3\xa9\xff", 18)};
  CHECK(*rig.create_tag(tag) == tag);
  CHECK(*rig.tag(tag.name) == tag);
  Tag plain = tag_of(std::string(200, 'x'));
  CHECK(*rig.create_tag(plain) == plain);
  CHECK(*rig.tag(plain.name) == plain);
  CHECK(*rig.tag(tag.name) == tag);
}

TEST_CASE_TEMPLATE("tags are listed by name", Rig, STORE_RIGS) {
  Rig rig;
  CHECK(rig.tags()->empty());
  for (const char* name : {"b", "\xff", "a", "ab", "B", "c"}) REQUIRE(rig.create_tag(tag_of(name)));
  REQUIRE(rig.delete_tag("c"));
  rig.range(tag_key("ab"), 5);
  const auto tags = *rig.tags();
  CHECK(names_of(tags) == std::vector<std::string>{"B", "a", "ab", "b", "\xff"});
  CHECK(tags[2].next == 6);
}

TEST_CASE_TEMPLATE("tags are listed by the page, those that begin so", Rig, STORE_RIGS) {
  Rig rig;
  for (const char* name : {"a", "b/", "b/1", "b/2", "b/3", "b0", "b/\xff", "\xff", "\xff\xff"})
    REQUIRE(rig.create_tag(tag_of(name)));
  using Names = std::vector<std::string>;
  CHECK(names_of(*rig.tags({.limit = 2})) == Names{"a", "b/"});
  CHECK(names_of(*rig.tags({.after = "b/", .limit = 2})) == Names{"b/1", "b/2"});
  CHECK(names_of(*rig.tags({.prefix = "b/"})) == Names{"b/", "b/1", "b/2", "b/3", "b/\xff"});
  CHECK(names_of(*rig.tags({.prefix = "b/", .after = "b/2"})) == Names{"b/3", "b/\xff"});
  CHECK(names_of(*rig.tags({.prefix = "b/", .after = "a"})).size() == 5);
  CHECK(names_of(*rig.tags({.prefix = "\xff"})) == Names{"\xff", "\xff\xff"});
  CHECK(rig.tags({.prefix = "b/", .after = "c"})->empty());
  REQUIRE(rig.delete_tag("b/2"));
  CHECK(names_of(*rig.tags({.prefix = "b/", .limit = 3})) == Names{"b/", "b/1", "b/3"});
}

TEST_CASE_TEMPLATE("a floor that was a mistake is taken back, to no less than what was given out before it",
                   Rig, STORE_RIGS) {
  constexpr std::int64_t kGreatest = std::numeric_limits<std::int64_t>::max() - 1;
  Rig rig;
  Tag tag = tag_of("a");
  tag.max = kGreatest;
  REQUIRE(rig.create_tag(tag));
  rig.range(tag_key("a"), 99);
  CHECK(name_of(rig.update_tag("a", {.floor = 50, .lower = true})) == "InvalidArgument");
  REQUIRE(rig.update_tag("a", {.floor = 5'000}));
  REQUIRE(rig.update_tag("a", {.floor = kGreatest}));
  REQUIRE(rig.update_tag("a", {.floor = 7}));  // is below already
  CHECK(rig.update_tag("a", {.floor = 200, .lower = true})->next == 200);
  CHECK(rig.tag("a")->max == kGreatest);
  CHECK(name_of(rig.update_tag("a", {.floor = 150, .lower = true})) == "InvalidArgument");
  CHECK(rig.range(tag_key("a"), 10) == Range{200, 210});
}

TEST_CASE_TEMPLATE("what was given out above that floor is not given out again", Rig, STORE_RIGS) {
  Rig rig;
  REQUIRE(rig.create_tag(tag_of("a")));
  rig.range(tag_key("a"), 99);
  REQUIRE(rig.update_tag("a", {.floor = 1'000}));
  CHECK(rig.range(tag_key("a"), 5) == Range{1'000, 1'005});
  const auto lowered = rig.update_tag("a", {.floor = 1, .lower = true, .step = 9});
  REQUIRE(lowered);
  CHECK(lowered->next == 100);
  CHECK(lowered->max == 999);
  CHECK(lowered->step == 9);
  CHECK(rig.range(tag_key("a"), 100'000) == Range{100, 1'000});
  CHECK(name_of(rig.reserve({.key = tag_key("a")})) == "RangeExhausted");
  REQUIRE(rig.delete_tag("a"));
  CHECK(rig.create_tag(tag_of("a"))->next == 1'000);
}

TEST_CASE_TEMPLATE("who looks at a shared store hears what was changed, and what all follow", Rig,
                   SHARED_STORE_RIGS) {
  Rig rig;
  for (const char* name : {"a", "b", "c"}) REQUIRE(rig.create_tag(tag_of(name)));
  const auto ann = rig.claim(claim_by("ann", 1)), bob = rig.claim(claim_by("bob", 2));
  REQUIRE(bob);
  const auto first = rig.look({.worker = 1});
  REQUIRE(first);
  CHECK(first->followed == 0);  // of bob nothing is known
  REQUIRE(rig.update_tag("b", {.step = 5}));
  REQUIRE(rig.delete_tag("c"));
  rig.range(tag_key("a"), 1);
  const auto news = rig.look({.followed = first->revision, .worker = 1});
  CHECK(news->tags == std::vector<std::string>{"b", "c"});
  CHECK(news->revision > first->revision);
  CHECK(rig.look({.followed = news->revision, .worker = 2})->followed == first->revision);
  CHECK(rig.look({.followed = news->revision, .worker = 1})->tags.empty());
  CHECK(rig.look({.followed = news->revision, .worker = 1})->followed == news->revision);
  REQUIRE(rig.update_tag("a", {.step = 6}));
  REQUIRE(*rig.release(claim_by("bob", 2), *bob));
  const auto last = rig.look({.followed = news->revision, .worker = 1});
  CHECK(rig.look({.followed = last->revision, .worker = 1})->followed == last->revision);
}

TEST_CASE_TEMPLATE("a shared store that is found to have forgotten refuses all who opened it", Rig,
                   SHARED_STORE_RIGS) {
  Rig rig;
  const auto id = rig.open({.fresh = "it"});
  REQUIRE(id);
  CHECK(*id == "it");
  REQUIRE(rig.create_tag(tag_of("a")));
  CHECK(*rig.open({.known = "it"}) == "it");
  CHECK(name_of(rig.open({.known = "another"})) == "StoreRegressed");
  REQUIRE(rig.open({.known = "it"}));
  REQUIRE(rig.distrust());
  CHECK(name_of(rig.reserve({.key = counter("x")})) == "StoreRegressed");
  CHECK(name_of(rig.reserve({.key = tag_key("a")})) == "StoreRegressed");
  CHECK(name_of(rig.tag("a")) == "StoreRegressed");
  CHECK(name_of(rig.tags()) == "StoreRegressed");
  CHECK(name_of(rig.look()) == "StoreRegressed");
  CHECK(rig.reserve({.key = ticks("l/1"), .continued = true}));
  CHECK(name_of(rig.open({.fresh = "other"})) == "StoreRegressed");
  CHECK(name_of(rig.open({.known = "it"})) == "StoreRegressed");
  REQUIRE(rig.remember({{"counter:x", 500}, {"tag:a", 70}}));
  CHECK(*rig.open({.known = "it", .accept = true}) == "it");
  CHECK(rig.range(counter("x"), 1) == Range{500, 501});
}

TEST_CASE_TEMPLATE("a shared store that has gone back behind what is followed refuses all who opened it", Rig,
                   SHARED_STORE_RIGS) {
  Rig rig;
  REQUIRE(rig.open({.fresh = "it"}));
  rig.range(counter("x"), 5);
  const std::int64_t later = rig.look()->revision + 1;
  CHECK(name_of(rig.look({.followed = later})) == "StoreRegressed");
  CHECK(name_of(rig.reserve({.key = counter("x")})) == "StoreRegressed");
  CHECK(name_of(rig.open({.known = "it"})) == "StoreRegressed");
  CHECK(*rig.open({.known = "it", .accept = true}) == "it");
  CHECK(rig.look({.followed = later}));  // also of one that was away meanwhile
}

TEST_CASE_TEMPLATE("what there is no tag for is NoSuchTag, and a name is taken once", Rig, STORE_RIGS) {
  Rig rig;
  CHECK(name_of(rig.tag("a")) == "NoSuchTag");
  CHECK(name_of(rig.update_tag("a", {.floor = 5})) == "NoSuchTag");
  CHECK(name_of(rig.delete_tag("a")) == "NoSuchTag");
  CHECK(name_of(rig.reserve({.key = tag_key("a")})) == "NoSuchTag");
  CHECK_FALSE(*rig.give_back(tag_key("a"), {1, 2}));
  Tag tag = tag_of("a");
  tag.step = 7;
  REQUIRE(rig.create_tag(tag));
  Tag other = tag;
  other.step = 8;
  other.next = 100;
  CHECK(name_of(rig.create_tag(other)) == "TagExists");
  CHECK(*rig.tag("a") == tag);
}

TEST_CASE_TEMPLATE("a change of a tag changes what it names, and no more", Rig, STORE_RIGS) {
  Rig rig;
  Tag tag = tag_of("a");
  tag.description = "first";
  REQUIRE(rig.create_tag(tag));
  tag.next = rig.range(tag_key("a"), 20).hi;
  CHECK(*rig.update_tag("a", {}) == tag);
  tag.step = 2000;
  CHECK(*rig.update_tag("a", {.step = 2000}) == tag);
  tag.delta = 3;
  tag.remainder = 2;
  CHECK(*rig.update_tag("a", {.delta = 3, .remainder = 2}) == tag);
  tag.max = 5000;
  tag.description = "";
  CHECK(*rig.update_tag("a", {.max = 5000, .description = ""}) == tag);
  CHECK(*rig.tag("a") == tag);
}

TEST_CASE_TEMPLATE("a tag is raised to a floor and never falls", Rig, STORE_RIGS) {
  Rig rig;
  REQUIRE(rig.create_tag(tag_of("a")));
  CHECK(rig.update_tag("a", {.floor = 1000})->next == 1000);
  CHECK(rig.update_tag("a", {.floor = 10})->next == 1000);
  CHECK(rig.range(tag_key("a"), 10) == Range{1000, 1010});
  CHECK(rig.update_tag("a", {.floor = 1009})->next == 1010);
  CHECK(rig.update_tag("a", {.floor = 1500})->next == 1500);
  CHECK_FALSE(*rig.give_back(tag_key("a"), {1005, 1010}));
  CHECK(rig.range(tag_key("a"), 10) == Range{1500, 1510});
}

TEST_CASE_TEMPLATE("a reservation tells of the tag as it is now", Rig, STORE_RIGS) {
  Rig rig;
  Tag tag = tag_of("a");
  REQUIRE(rig.create_tag(tag));
  tag.next = 11;
  CHECK(rig.reserve({.key = tag_key("a"), .count = 10})->tag == tag);
  tag = *rig.update_tag("a", {.step = 5, .max = 25, .description = "new"});
  tag.next = 21;
  CHECK(rig.reserve({.key = tag_key("a"), .count = 10})->tag == tag);
  CHECK_FALSE(rig.reserve({.key = counter("a")})->tag);
}

TEST_CASE_TEMPLATE("a tag gives nothing above its own last value, until that is raised", Rig, STORE_RIGS) {
  Rig rig;
  Tag tag = tag_of("a");
  tag.max = 15;
  REQUIRE(rig.create_tag(tag));
  CHECK(rig.range(tag_key("a"), 10) == Range{1, 11});
  CHECK(rig.range(tag_key("a"), 10) == Range{11, 16});
  const auto refused = rig.reserve({.key = tag_key("a"), .count = 10});
  REQUIRE(name_of(refused) == "RangeExhausted");
  CHECK(refused.error().text().find("\"max\":15") != std::string::npos);
  REQUIRE(rig.update_tag("a", {.max = 100}));
  CHECK(rig.reserve({.key = tag_key("a"), .count = 10, .end = 20})->range == Range{16, 20});
  CHECK(rig.range(tag_key("a"), 10) == Range{20, 30});
}

TEST_CASE_TEMPLATE("a tag that was deleted goes on above what it had given out", Rig, STORE_RIGS) {
  Rig rig;
  Tag tag = tag_of("a");
  tag.description = "first";
  REQUIRE(rig.create_tag(tag));
  rig.range(tag_key("a"), 99);
  tag.next = 100;
  CHECK(*rig.delete_tag("a") == tag);
  CHECK(name_of(rig.reserve({.key = tag_key("a")})) == "NoSuchTag");
  CHECK(rig.tags()->empty());
  Tag again = tag_of("a");
  again.next = 50;
  again.step = 3;
  const Tag made = *rig.create_tag(again);
  again.next = 100;
  CHECK(made == again);
  CHECK(rig.range(tag_key("a"), 1) == Range{100, 101});
  REQUIRE(rig.delete_tag("a"));
  again.next = 5000;
  CHECK(rig.create_tag(again)->next == 5000);
}

}  // namespace zerosuite::test::store_tags_test
