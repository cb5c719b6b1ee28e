// A worker that does not read for a while, and clients that go on talking.
#include <doctest/doctest.h>

#include "support/relay_rig.hpp"

using namespace zerosuite;
using test::FakeOutlet;
using test::RelayRig;

TEST_CASE("beats for a worker that does not read are lost, and grants and cancellations are kept") {
  RelayRig rig;
  FakeOutlet& worker = rig.join("m1");
  const auto call = rig.call("count", 9);
  worker.messages.clear();
  worker.sent = net::Sent::kFull;
  rig.tell(call, "_zpc_hb", 0);
  rig.tell(call, "_zpc_more", 5);
  rig.tell(call, "_zpx_cancel");
  CHECK(worker.took() == "_zpc_more [5]; _zpx_cancel []");
}

TEST_CASE("one client's talk cannot fill a stalled worker's queue, nor make it count as dead") {
  RelayRig rig;
  FakeOutlet& worker = rig.join("m1");
  const auto loud = rig.send({.name = "count"}, "mallory");
  const auto quiet = rig.send({.name = "count"}, "alice");
  worker.messages.clear();
  worker.sent = net::Sent::kFull;
  rig.tell(loud, "_zpc_more", std::string(5000, 'x'));
  CHECK(worker.messages.empty());
  for (int i = 0; i < 3000; ++i) rig.tell(loud, "_zpc_more", 1);
  CHECK(worker.messages.size() == 1000);
  rig.tell(quiet, "_zpc_more", 7);
  CHECK(worker.messages.size() == 1001);
  CHECK(worker.worker != nullptr);

  worker.sent = net::Sent::kYes;
  rig.tell(loud, "_zpc_hb", 0);
  worker.sent = net::Sent::kFull;
  rig.tell(loud, "_zpc_more", 1);
  CHECK(worker.messages.size() == 1003);
}
