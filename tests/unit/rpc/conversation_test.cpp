#include "rpc/conversation.hpp"

#include <doctest/doctest.h>

#include "support/fakes.hpp"

namespace zerosuite::test::conversation_test {

using rpc::Conversation;

TEST_CASE("the first reply event is free, and each takes a credit") {
  Conversation conversation;
  CHECK(conversation.has_credit());
  conversation.replied();
  CHECK_FALSE(conversation.has_credit());
  conversation.replied();
  CHECK(conversation.grant("_zpc_more", list(2), 10));
  conversation.replied();
  CHECK(conversation.has_credit());
  conversation.replied();
  CHECK_FALSE(conversation.has_credit());
}

TEST_CASE("never more than the maximum is granted ahead, whatever is asked for") {
  for (const std::uint64_t asked : {3ULL, 4ULL, ~0ULL}) {
    Conversation conversation;
    conversation.grant("_zpc_more", list(asked), 3);
    conversation.grant("_zpc_more", list(asked), 3);
    int replies = 0;
    for (; conversation.has_credit(); ++replies) conversation.replied();
    CHECK(replies == 3);
  }
}

TEST_CASE("heartbeats carry grants up to version 2 of the protocol, and other events none") {
  CHECK(rpc::grant_in(2, "_zpc_hb", list(5)) == 5);
  CHECK_FALSE(rpc::grant_in(3, "_zpc_hb", list(5)));
  CHECK(rpc::grant_in(2, "_zpc_more", list(5)) == 5);
  CHECK(rpc::grant_in(3, "_zpc_more", list(5)) == 5);
  CHECK_FALSE(rpc::grant_in(3, "STREAM", list(5)));
}

TEST_CASE("a deadline is for the first reply event, and one too far away is none") {
  Conversation conversation(3, 1000, kStart);
  CHECK(conversation.deadline() == kStart + std::chrono::seconds(1));
  conversation.replied();
  CHECK(conversation.deadline() == core::TimePoint::max());
  CHECK(Conversation(3, std::nullopt, kStart).deadline() == core::TimePoint::max());
  CHECK(Conversation(3, std::int64_t{1} << 40, kStart).deadline() == core::TimePoint::max());
}

}  // namespace zerosuite::test::conversation_test
