#include "wire/id.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <string>
#include <unordered_set>

#include "wire/event.hpp"

namespace zerosuite::wire::id_test {

TEST_CASE("ids have the form that Python's have: 32 lower-case hex digits in a bin8") {
  IdSource ids;
  const std::string_view id = ids.next();
  REQUIRE(id.size() == IdSource::kSize);
  CHECK(id.substr(0, 2) == "\xc4\x20");
  CHECK(id.find_first_not_of("0123456789abcdef", 2) == std::string_view::npos);
  CHECK(id_text(id) == id.substr(2));
}

TEST_CASE("ids count on in hex without a repetition, through every carry") {
  IdSource ids;
  std::unordered_set<std::string> seen;
  std::string before(id_text(ids.next()));
  CHECK(before.substr(16) == "0000000000000001");
  for (std::uint64_t count = 2; count <= 100'000; ++count) {
    const std::string_view text = id_text(ids.next());
    const bool grows = text > before;  // digits before letters in ASCII: the order of numbers
    const bool counts = ids.count() == count && ids.count_of(text) == count;
    if (!grows || !counts) FAIL_CHECK("id " << count << " is " << text << " behind " << before);
    before = text;
    seen.insert(before);
  }
  CHECK(seen.size() == 99'999);
  CHECK(before.substr(16) == "00000000000186a0");
}

TEST_CASE("two sources share no id") {
  IdSource one, other;
  CHECK(one.next().substr(2, 16) != other.next().substr(2, 16));
}

TEST_CASE("an id is known again whether a peer echoes it as bin or as str") {
  IdSource ids;
  for (int i = 0; i < 26; ++i) ids.next();
  const std::string text(id_text(ids.next()));
  CHECK(ids.count_of(text) == 27);
  const std::string as_str = "\xd9\x20" + text, as_raw = std::string("\xda\0\x20", 3) + text;
  CHECK(ids.count_of(id_text(as_str)) == 27);
  CHECK(ids.count_of(id_text(as_raw)) == 27);
}

TEST_CASE("ids of others are not ours") {
  IdSource ids, others;
  const std::string ours(id_text(ids.next()));
  CHECK_FALSE(ids.count_of(id_text(others.next())));
  CHECK_FALSE(ids.count_of(""));
  CHECK_FALSE(ids.count_of(ours.substr(0, 31)));
  CHECK_FALSE(ids.count_of(ours + "0"));
  CHECK_FALSE(ids.count_of("22b1768b-eebf-4904-81e0-000000000000"));
  for (const std::string_view tail :
       {"000000000000000g", "00000000000000-1", "0x00000000000001", "               1"}) {
    CAPTURE(std::string(tail));
    CHECK_FALSE(ids.count_of(ours.substr(0, 16) + std::string(tail)));
  }
}

TEST_CASE("an integer id has no text") { CHECK(id_text("\x05").empty()); }

}  // namespace zerosuite::wire::id_test
