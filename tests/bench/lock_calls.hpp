// What the lock benchmarks read of the broker's answers.
#pragma once

#include <cstdint>
#include <stdexcept>

#include "rpc/client/client.hpp"
#include "wire/value.hpp"

namespace zerosuite::bench {

/// The part of a grant that a client needs.
struct Grant {
  bool ok = false;
  std::int64_t token = 0;

  void require() const {
    if (!ok) throw std::runtime_error("the lock was not granted");
  }
};

}  // namespace zerosuite::bench

namespace zerosuite::wire {

template <>
struct Foreign<bench::Grant> {
  static bench::Grant read(Reader& in) {
    bench::Grant grant;
    const auto fields = in.map();
    if (!fields) throw_kind_mismatch("dict", in.peek());
    for (std::uint32_t i = 0; i < *fields; ++i) {
      const std::string_view key = read_text(in);
      if (key == "ok") {
        grant.ok = wire::read<bool>(in);
      } else if (key == "token") {
        grant.token = wire::read<std::int64_t>(in);
      } else {
        in.skip(kChecked);
      }
    }
    return grant;
  }
};

}  // namespace zerosuite::wire
