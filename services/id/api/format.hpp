// The forms of ids in calls and replies: an int, or the text form named by `fmt`.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "id/secret/secrets.hpp"
#include "wire/value.hpp"

namespace zerosuite::id {

/// int, dec, b32, b36, b58, b62, hex, obf and token. Must not outlive its secrets. Belongs to the loop's
/// thread. Throws core::Failure InvalidArgument for another fmt, and EngineDisabled for obf and token if
/// there are no keys.
class Formats {
 public:
  explicit Formats(const Secrets& secrets) : secrets_(secrets) {}

  /// InvalidArgument if the id is negative.
  wire::Value show(std::int64_t id, std::string_view fmt) const;
  /// Throws what show() would throw for every id, so that an invalid `fmt` is reported before an id is used
  /// up.
  void check(std::string_view fmt) const;

  /// Reads an id ≥ 0: with "int" from an int, an integral float up to 2^53 or decimal text; otherwise from
  /// text. TypeError for anything else; InvalidArgument for a value that show() does not make, or BadToken if
  /// fmt is "token".
  std::int64_t read(const wire::Value& id, std::string_view fmt) const;

 private:
  const Secrets& secrets_;
};

/// The default for every `fmt`.
inline wire::Value int_format() { return "int"; }

/// The maximum numbers per call.
struct BatchLimits {
  std::int64_t list = 100'000;      ///< Ids in a list.
  std::int64_t runs = 4'000'000;    ///< Ids in runs.
  std::int64_t range = 16'777'216;  ///< Ids in [lo, hi).
  std::int64_t tags = 1'000;        ///< Tags in a page.
};

/// Returns `n` as a size. Throws core::Failure InvalidArgument if n < 1, BatchTooLarge if it is above `most`.
std::size_t batch_size(std::int64_t n, std::int64_t most);

}  // namespace zerosuite::id
