// Values to bytes and back in one step.
#pragma once

#include <doctest/doctest.h>

#include <string>
#include <string_view>

#include "support/golden.hpp"
#include "wire/codec.hpp"

namespace zerosuite::wire {

/// The value as pack() encodes it, in hexadecimal. Throws Mismatch.
template <class T>
std::string packed(const T& value) {
  Buffer buffer;
  Packer packer(buffer);
  pack(packer, value);
  return test::to_hex({buffer.data(), buffer.size()});
}

/// The value that hexadecimal bytes encode, all of them. Throws Mismatch.
template <class T>
T unpacked(std::string_view hex) {
  const std::string bytes = test::from_hex(hex);
  REQUIRE(Reader(bytes).skip(Limits{}).size() == bytes.size());
  Reader in(bytes);
  T value = read<T>(in);
  CHECK(in.at_end());
  return value;
}

/// What a Mismatch says that `f` throws; "nothing" when it throws none.
template <class F>
std::string mismatch_of(F f) {
  try {
    f();
  } catch (const Mismatch& mismatch) {
    return mismatch.what();
  }
  return "nothing";
}

}  // namespace zerosuite::wire
