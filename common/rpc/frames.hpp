// From an encoded event to a ZeroMQ frame.
#pragma once

#include "net/socket.hpp"
#include "wire/codec.hpp"

namespace zerosuite::rpc {

/// A frame of the buffer's bytes. Small ones are copied, so that the buffer's memory is used again; large ones take
/// the memory over.
net::Frame to_frame(wire::Buffer& payload);

}  // namespace zerosuite::rpc
