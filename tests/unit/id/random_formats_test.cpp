// The texts of ids that others specified, by the examples of their specifications.
#include <doctest/doctest.h>

#include <string>

#include "id/random/ksuid.hpp"
#include "id/random/object_id.hpp"
#include "id/random/ulid.hpp"
#include "id/random/uuid.hpp"

namespace zerosuite::id::formats::random_formats_test {

constexpr std::uint64_t kAll = ~std::uint64_t{0};

// RFC 9562, Appendix A.1 and A.5: 2022-02-22 14:22:22 -5.
constexpr Uuid1Parts kExample{.ticks = 0x1EC9414C232AB00, .clock_seq = 0x33C8, .node = 0x9F6BDECED846};

TEST_CASE("a version 1 UUID is as in RFC 9562, Appendix A.1") {
  CHECK(uuid_text(uuid1(kExample)) == "c232ab00-9414-11ec-b3c8-9f6bdeced846");
}

TEST_CASE("a version 6 UUID is as in RFC 9562, Appendix A.5") {
  CHECK(uuid_text(uuid6(kExample)) == "1ec9414c-232a-6b00-b3c8-9f6bdeced846");
}

TEST_CASE(
    "a version 4 UUID is as in RFC 9562, Appendix A.3, whatever stood where its version and variant stand") {
  constexpr const char* kText = "919108f7-52d1-4320-9bac-f847db4148a8";
  CHECK(uuid_text(uuid4(joined(0x919108F752D1F320, 0xDBACF847DB4148A8))) == kText);
  CHECK(uuid_text(uuid4(joined(0x919108F752D10320, 0x1BACF847DB4148A8))) == kText);
}

TEST_CASE("a version 7 UUID is as in RFC 9562, Appendix A.6") {
  CHECK(uuid_text(uuid7(0x017F22E279B0CC3, 0x18C4DC0C0C07398F)) == "017f22e2-79b0-7cc3-98c4-dc0c0c07398f");
}

TEST_CASE("full fields leave the version and the variant alone") {
  constexpr Uuid1Parts kFull{.ticks = (1LL << 60) - 1, .clock_seq = 0x3fff, .node = kAll >> 16};
  CHECK(uuid_text(uuid1(kFull)) == "ffffffff-ffff-1fff-bfff-ffffffffffff");
  CHECK(uuid_text(uuid6(kFull)) == "ffffffff-ffff-6fff-bfff-ffffffffffff");
  CHECK(uuid_text(uuid4(joined(kAll, kAll))) == "ffffffff-ffff-4fff-bfff-ffffffffffff");
  CHECK(uuid_text(uuid7((1LL << 60) - 1, kAll)) == "ffffffff-ffff-7fff-bfff-ffffffffffff");
  CHECK(uuid_text(uuid1({})) == "00000000-0000-1000-8000-000000000000");
}

TEST_CASE("the bit of a random node is the lowest of its first byte") {
  CHECK(uuid_text(uuid1({.node = kRandomNode})) == "00000000-0000-1000-8000-010000000000");
}

TEST_CASE("a ULID is as in its specification") {
  CHECK(ulid_text(ulid(0x01563E3AB5D3, joined(0xD676, 0x4C61EFB99302BD5B))) == "01ARZ3NDEKTSV4RRFFQ69G5FAV");
  CHECK(ulid_text(ulid(0xFFFFFFFFFFFF, joined(kAll, kAll))) == "7ZZZZZZZZZZZZZZZZZZZZZZZZZ");
  CHECK(ulid_text(0) == "00000000000000000000000000");
}

TEST_CASE("a ULID takes 80 bits of what is random, and tells its time") {
  const Number128 id = ulid(1234, joined(kAll, 7));
  CHECK(ulid_ms(id) == 1234);
  CHECK(id == joined(1234 << 16 | 0xffff, 7));
}

TEST_CASE("the number after the last ULID of a millisecond is the first of the next") {
  CHECK(ulid(1234, joined(kAll, kAll)) + 1 == ulid(1235, 0));
}

TEST_CASE("a KSUID is as in its readme") {
  CHECK(ksuid_text({107608047, joined(0xB5A1CD34B5F99D11, 0x54FB6853345C9735)}) ==
        "0ujtsYcgvSTl8PAuAdqWYSMnLOv");
  CHECK(ksuid_text({0xffffffff, joined(kAll, kAll)}) == "aWgEPTl1tmebfsQzFP4bxwgy80V");
  CHECK(ksuid_text({}) == "000000000000000000000000000");
}

TEST_CASE("a KSUID's sum carries into its second") {
  CHECK(Ksuid{7, joined(kAll, kAll - 1)}.plus(3) == Ksuid{8, 1});
  CHECK(Ksuid{7, joined(1, kAll)}.plus(1) == Ksuid{7, joined(2, 0)});
}

TEST_CASE("an Xid is as in its readme") {
  CHECK(xid_text({0x4d88e15b, 0x60f486e428, 0x412dc9}) == "9m4e2mr0ui3e8a215n4g");
  CHECK(xid_text({0xffffffff, kAll >> 24, 0xffffff}) == "vvvvvvvvvvvvvvvvvvvg");
  CHECK(xid_text({}) == "00000000000000000000");
}

TEST_CASE("an ObjectId is as in MongoDB's manual") {
  CHECK(objectid_text({0x507f1f77, 0xbcf86cd799, 0x439011}) == "507f1f77bcf86cd799439011");
  CHECK(objectid_text({}) == "000000000000000000000000");
}

}  // namespace zerosuite::id::formats::random_formats_test
