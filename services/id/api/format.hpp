// Ids as clients want them: an int, or one of the texts that `fmt` names.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "id/secret/secrets.hpp"
#include "wire/value.hpp"

namespace zerosuite::id {

/// int, dec, b32, b36, b58, b62, hex, obf and token. Must not outlive its secrets. Belongs to the loop's
/// thread. Throws core::Failure InvalidArgument for another fmt, and EngineDisabled for obf and token without
/// keys.
class Formats {
 public:
  explicit Formats(const Secrets& secrets) : secrets_(secrets) {}

  /// InvalidArgument when the id is negative.
  wire::Value show(std::int64_t id, std::string_view fmt) const;
  /// Throws what show() would throw for every id, so that a bad `fmt` is reported before an id is used up.
  void check(std::string_view fmt) const;

  /// An id ≥ 0: with "int" from an int, an integral float up to 2^53 or decimal text; else from text.
  /// TypeError for anything else; InvalidArgument for what show() does not make, BadToken when fmt is
  /// "token".
  std::int64_t read(const wire::Value& id, std::string_view fmt) const;

 private:
  const Secrets& secrets_;
};

/// The default of every `fmt`.
inline wire::Value int_format() { return "int"; }

/// The most that one call may ask for, or gets in one reply.
struct BatchLimits {
  std::int64_t list = 100'000;      ///< Ids in a list.
  std::int64_t runs = 4'000'000;    ///< Ids in runs.
  std::int64_t range = 16'777'216;  ///< Ids in [lo, hi).
  std::int64_t tags = 1'000;        ///< Tags in a page.
};

/// The number of ids that a call asks for. Throws InvalidArgument when n < 1, BatchTooLarge when it is above
/// `most`.
std::size_t batch_size(std::int64_t n, std::int64_t most);

}  // namespace zerosuite::id
