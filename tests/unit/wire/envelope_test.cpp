#include "wire/envelope.hpp"

#include <doctest/doctest.h>

#include <unordered_set>
#include <vector>

namespace zerosuite::wire::envelope_test {

using Frames = std::vector<std::string>;

Frames frames_of(const Envelope& envelope) {
  Frames frames;
  envelope.for_each([&frames](std::string_view frame) { frames.emplace_back(frame); });
  return frames;
}

Envelope envelope_of(const Frames& frames) {
  Envelope envelope;
  for (const std::string& frame : frames) REQUIRE(envelope.push(frame));
  return envelope;
}

TEST_CASE("the identity frames of an envelope come out as they went in, outermost first") {
  for (const Frames& frames :
       {Frames{}, Frames{std::string("\0kEg\1", 5)}, Frames{"proxy", "client"}, Frames{"", "a", ""},
        Frames{std::string(255, '\xff'), std::string(128, '\x80'), "x"}, Frames(16, "12345")}) {
    const Envelope envelope = envelope_of(frames);
    CHECK(frames_of(envelope) == frames);
    CHECK(envelope.empty() == frames.empty());
  }
}

TEST_CASE("one hop's identity takes 6 bytes and two take 12") {
  CHECK(envelope_of({"12345"}).bytes().size() == 6);
  CHECK(envelope_of({"12345", "67890"}).bytes().size() == 12);
}

TEST_CASE("a call is counted for its connection, whatever the peer put into the envelope, and for its link") {
  const std::string client = envelope_of({"alice"}).client();
  CHECK(envelope_of({"alice", "made up"}).client() == client);
  CHECK(envelope_of({"bob", "alice"}).client() != client);
  CHECK(Envelope::client_of(0, "alice") == client);
  Envelope behind_proxy;
  behind_proxy.clear(1);
  REQUIRE(behind_proxy.push("alice"));
  CHECK(behind_proxy.client() != client);
  CHECK(behind_proxy.direct());
  CHECK_FALSE(envelope_of({"alice", "made up"}).direct());
}

TEST_CASE("a frame longer than an identity can be is not taken, and nothing of it is kept") {
  Envelope envelope = envelope_of({"a"});
  CHECK_FALSE(envelope.push(std::string(256, 'x')));
  CHECK(frames_of(envelope) == Frames{"a"});
}

TEST_CASE("envelopes differ where their frames are divided differently") {
  std::unordered_set<Envelope> set;
  for (const Frames& frames : {Frames{}, Frames{""}, Frames{"", ""}, Frames{"ab"}, Frames{"a", "b"},
                               Frames{"b", "a"}, Frames{"ab", ""}, Frames{"", "ab"}})
    set.insert(envelope_of(frames));
  CHECK(set.size() == 8);
  CHECK(set.count(envelope_of({"a", "b"})) == 1);
  CHECK(envelope_of({"a", "b"}) == envelope_of({"a", "b"}));
}

TEST_CASE("a cleared envelope is an empty one") {
  Envelope envelope = envelope_of({"a", "b"});
  envelope.clear();
  CHECK(envelope == Envelope());
  REQUIRE(envelope.push("c"));
  CHECK(frames_of(envelope) == Frames{"c"});
}

}  // namespace zerosuite::wire::envelope_test
