// The dict of options that some methods take as their last argument.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>

#include "wire/codec.hpp"

namespace zerosuite::rpc {

/// A method's argument: nil, or a dict with text keys. Decodes only the options that are asked for, however
/// much a client has sent. Views the call's message: valid until the method returns.
class Options {
 public:
  /// None.
  Options() = default;
  /// `entries` are `size` alternating keys and values, encoded and checked.
  Options(std::uint32_t size, std::string_view entries) : size_(size), entries_(entries) {}

  /// Throws core::Failure(InvalidArgument) for a key that is not among `known`, naming the one probably
  /// meant, or all of them; and for more entries than known keys.
  void expect(std::initializer_list<std::string_view> known) const;

  /// The encoded value; empty when the option is omitted or nil.
  std::string_view find(std::string_view key) const;
  // Each reads an option like an argument of that type; nullopt when it is omitted or nil. Throws
  // core::Failure: TypeError, OverflowError, ValueError.
  std::optional<std::int64_t> integer(std::string_view key) const;
  std::optional<std::string> text(std::string_view key) const;
  std::optional<bool> flag(std::string_view key) const;

 private:
  template <class T>
  std::optional<T> get(std::string_view key) const;

  std::uint32_t size_ = 0;
  std::string_view entries_;
};

}  // namespace zerosuite::rpc

namespace zerosuite::wire {

template <>
struct Foreign<rpc::Options> {
  static rpc::Options read(Reader& in);
};

}  // namespace zerosuite::wire
