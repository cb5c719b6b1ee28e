// Limits on input from peers, checked before anything is allocated for it. Each is a configuration key of the
// same name.
#pragma once

#include <cstddef>
#include <limits>

namespace zerosuite::wire {

inline constexpr std::size_t kMostNesting = 512;  ///< The highest max_nesting that Reader::skip() can follow.

struct Limits {
  std::size_t max_frame_bytes = 16 << 20;   ///< One payload.
  std::size_t max_envelope_frames = 16;     ///< Identity frames before the payload: one for each hop.
  std::size_t max_header_bytes = 16 << 10;  ///< One event's header, encoded.
  std::size_t max_id_bytes = 16 << 10;      ///< A message id, not counting a text's prefix.
  std::size_t max_nesting = 64;             ///< Depth of arrays and maps inside one another.
  std::size_t max_elements =
      4 << 20;  ///< Values in one payload, so that few bytes cannot become large objects.
};

/// For bytes that skip() has already accepted under other limits.
inline constexpr Limits kChecked{.max_nesting = kMostNesting,
                                 .max_elements = std::numeric_limits<std::size_t>::max()};

}  // namespace zerosuite::wire
