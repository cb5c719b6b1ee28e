#include "rpc/frames.hpp"

#include <cstdlib>

namespace zerosuite::rpc {

net::Frame to_frame(wire::Buffer& payload) {
  constexpr std::size_t kCopied = 16 << 10;
  const std::size_t size = payload.size();
  if (size <= kCopied) return {payload.data(), size};
  return {payload.release(), size, [](void* data, void*) { std::free(data); }};
}

}  // namespace zerosuite::rpc
