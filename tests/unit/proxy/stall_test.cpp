// A worker that does not read for a while, and clients that go on talking.
#include <doctest/doctest.h>

#include "support/router_rig.hpp"

namespace zerosuite::test::stall_test {

TEST_CASE("what a client says to a worker that does not read for a moment is kept") {
  RouterRig rig;
  FakeOutlet& worker = rig.join("m1");
  const auto call = rig.call("count", 9);
  worker.messages.clear();
  worker.sent = net::Sent::kFull;
  rig.tell(call, "_zpc_hb", 0);
  rig.tell(call, "_zpc_more", 5);
  rig.tell(call, "_zpx_cancel");
  CHECK(worker.took() == "_zpc_hb [0]; _zpc_more [5]; _zpx_cancel []");
}

TEST_CASE("one client's talk cannot fill a stalled worker's queue, nor make it count as dead") {
  RouterRig rig;
  FakeOutlet& worker = rig.join("m1");
  const auto loud = rig.send({.name = "count"}, "mallory");
  const auto quiet = rig.send({.name = "count"}, "alice");
  worker.messages.clear();
  worker.sent = net::Sent::kFull;
  const std::string megabyte(1 << 20, 'x');
  for (int i = 0; i < 30; ++i) rig.tell(loud, "_zpc_more", megabyte);
  CHECK(worker.messages.size() == 15);
  rig.tell(quiet, "_zpc_more", 7);
  CHECK(worker.messages.size() == 16);
  CHECK(worker.worker != nullptr);

  worker.sent = net::Sent::kYes;
  rig.tell(loud, "_zpc_hb", 0);
  worker.sent = net::Sent::kFull;
  rig.tell(loud, "_zpc_more", megabyte);
  CHECK(worker.messages.size() == 18);
}

}  // namespace zerosuite::test::stall_test
