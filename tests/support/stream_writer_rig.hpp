// A writer and its one client, on a fake clock.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>

#include "rpc/server/stream_writer.hpp"
#include "support/server_rig.hpp"

namespace zerosuite::test {

/// A server with one method whose items the test pushes, and one call to it.
struct StreamWriterRig : ServerRig {
  explicit StreamWriterRig(std::optional<std::int64_t> timeout_ms = {}) {
    server.method("watch", "", [this](rpc::StreamWriter<std::string> its_feed) {
      its_feed.on_lost([this] { ++lost; });
      writer.emplace(std::move(its_feed));
    });
    wire::Context extra;
    if (timeout_ms) extra.add("timeout_ms", *timeout_ms);
    channel = send({.name = "watch", .extra = &extra});
  }

  void grant(int items) { tell(channel, "_zpc_more", items); }
  std::string heard() { return ServerRig::heard(channel); }
  bool open() const { return server.stats().channels > 0; }

  std::optional<rpc::StreamWriter<std::string>> writer;
  int lost = 0;
  Channel channel;
};

}  // namespace zerosuite::test
