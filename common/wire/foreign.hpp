// A program's own types as arguments and results: structs with MSGPACK_DEFINE_MAP(…) or MSGPACK_DEFINE(…),
// and what else msgpack-c has adaptors for. Apart from codec.hpp because all of msgpack-c takes a second to
// compile.
#pragma once

#include <msgpack.hpp>

#include "wire/codec.hpp"

namespace zerosuite::wire {

/// Appends what msgpack-c packed. Throws Mismatch when a stock peer could not read it.
void append_checked(Packer& out, const Buffer& packed);

template <class T>
struct Foreign {
  static T read(Reader& in) {
    const Kind kind = in.peek();
    const std::string_view encoded = in.skip(kChecked);
    try {
      return msgpack::unpack(encoded.data(), encoded.size()).get().template as<T>();
    } catch (const msgpack::type_error&) {
      throw_kind_mismatch("a structure of other fields", kind);
    }
  }

  static void pack(Packer& out, const T& value) {
    Buffer packed;
    msgpack::pack(packed, value);
    append_checked(out, packed);
  }
};

}  // namespace zerosuite::wire
