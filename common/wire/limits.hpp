// What a peer may ask of us before anything is allocated for it. Each is a configuration key of the same
// name.
#pragma once

#include <cstddef>
#include <limits>

namespace zerosuite::wire {

inline constexpr std::size_t kMostNesting = 512;  ///< The highest max_nesting that Reader::skip() can follow.

struct Limits {
  std::size_t max_frame_bytes = 16 << 20;   ///< One payload.
  std::size_t max_envelope_frames = 16;     ///< Identity frames before the payload: one for each hop.
  std::size_t max_header_bytes = 16 << 10;  ///< One event's header, encoded.
  std::size_t max_id_bytes = 16 << 10;      ///< A message id, without the prefix of a text.
  std::size_t max_nesting = 64;             ///< Arrays and maps inside one another.
  std::size_t max_elements =
      4 << 20;  ///< Values in one payload, so that small bytes cannot become big objects.
};

/// For bytes that skip() let through before, under limits that are not at hand any more.
inline constexpr Limits kChecked{.max_nesting = kMostNesting,
                                 .max_elements = std::numeric_limits<std::size_t>::max()};

}  // namespace zerosuite::wire
