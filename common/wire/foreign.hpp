// A program's own types as arguments and results: structs with MSGPACK_DEFINE_MAP(…) or MSGPACK_DEFINE(…),
// and all others that msgpack-c has adaptors for. Separate from codec.hpp because all of msgpack-c takes a
// second to compile.
#pragma once

#include <msgpack.hpp>

#include "wire/codec.hpp"

namespace zerosuite::wire {

/// Appends what msgpack-c packed. Throws Mismatch when a stock peer could not read it.
void append_checked(Packer& out, const Buffer& packed);

/// The buffer type that msgpack-c packs to, so that its packer can be specialised for floats below.
struct ForeignBuffer : Buffer {};

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
    ForeignBuffer packed;
    msgpack::pack(packed, value);
    append_checked(out, packed);
  }
};

}  // namespace zerosuite::wire

// msgpack-c's own packer would send 3.0 as the integer 3 (see pack_float()).
template <>
inline msgpack::v1::packer<zerosuite::wire::ForeignBuffer>&
msgpack::v1::packer<zerosuite::wire::ForeignBuffer>::pack_double(double value) {
  zerosuite::wire::Packer exact(m_stream);
  zerosuite::wire::pack_float(exact, value);
  return *this;
}
template <>
inline msgpack::v1::packer<zerosuite::wire::ForeignBuffer>&
msgpack::v1::packer<zerosuite::wire::ForeignBuffer>::pack_float(float value) {
  return pack_double(static_cast<double>(value));
}
