#include "id/clock/zone.hpp"

#include <doctest/doctest.h>

#include "support/id_rigs.hpp"

namespace zone_test {

using zerosuite::id::Zone;

constexpr std::int64_t kSecond = 1'000'000'000;

std::string refusal(const std::string& name) {
  return zerosuite::test::refusal([&] { Zone zone(name); });
}

TEST_CASE("a day of UTC goes from midnight to midnight") {
  Zone utc("UTC");
  CHECK(utc.day(0) == 19700101);
  CHECK(utc.day(86'400 * kSecond - 1) == 19700101);
  CHECK(utc.day(86'400 * kSecond) == 19700102);
  CHECK(utc.day(1'709'164'800 * kSecond) == 20240229);
  CHECK(utc.day(1'709'251'200 * kSecond) == 20240301);
  CHECK(utc.day(-1) == 19691231);
}

TEST_CASE("a zone's days follow its offset, in summer and in winter") {
  Zone berlin("Europe/Berlin");
  CHECK(berlin.day(1'704'063'599 * kSecond) == 20231231);  // 23:59:59 at UTC+1
  CHECK(berlin.day(1'704'063'600 * kSecond) == 20240101);
  CHECK(berlin.day(1'719'784'799 * kSecond) == 20240630);  // 23:59:59 at UTC+2
  CHECK(berlin.day(1'719'784'800 * kSecond) == 20240701);
  CHECK(berlin.day(1'704'063'599 * kSecond) == 20231231);  // and back
  Zone kolkata("Asia/Kolkata");
  CHECK(kolkata.day(1'704'047'399 * kSecond) == 20231231);  // UTC+5:30
  CHECK(kolkata.day(1'704'047'400 * kSecond) == 20240101);
}

TEST_CASE("a name that is no zone's is refused") {
  CHECK(refusal("Europe/Atlantis") ==
        "InvalidArgument: tz must be the name of a time zone, such as 'UTC' or 'Europe/Berlin', not "
        "'Europe/Atlantis'");
  CHECK(refusal("").substr(0, 15) == "InvalidArgument");
  CHECK(refusal("../../../etc/passwd").substr(0, 15) == "InvalidArgument");
  CHECK(refusal("utc").substr(0, 15) == "InvalidArgument");
  CHECK(refusal("Etc/UTC") == "");
}

}  // namespace zone_test
