// The dict of options that some methods take as their last argument.
#pragma once

#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>

#include "wire/value.hpp"

namespace zerosuite::id {

/// A plain value.
class Options {
 public:
  /// nil or a dict. Throws core::Failure: TypeError for anything else, InvalidArgument for a key that is not
  /// among `known`; the message names the nearest of them.
  Options(const wire::Value& dict, std::initializer_list<std::string_view> known);

  /// Nullopt when it is left out or nil. As an argument's: TypeError, OverflowError, ValueError.
  std::optional<std::int64_t> integer(std::string_view key) const;
  std::optional<std::string> text(std::string_view key) const;

 private:
  template <class T>
  std::optional<T> read(std::string_view key) const;

  wire::Dict dict_;
};

}  // namespace zerosuite::id
