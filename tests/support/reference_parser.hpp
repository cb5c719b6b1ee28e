// msgpack-c's parser, as the second opinion on what MessagePack is.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <msgpack.hpp>
#include <string_view>

namespace zerosuite::test {

/// What msgpack-c finds in front of some bytes.
struct Parsed {
  bool whole = false;      ///< One whole value; the rest means nothing when not.
  std::size_t size = 0;    ///< Bytes of it.
  std::size_t values = 0;  ///< Arrays, maps, keys and all that is in them.
  std::size_t depth = 0;   ///< Arrays and maps inside one another.
};

// Counts instead of building objects. msgpack-c calls these names by template.
class Census : public msgpack::null_visitor {
 public:
  bool visit_nil() { return count(); }
  bool visit_boolean(bool) { return count(); }
  bool visit_positive_integer(std::uint64_t) { return count(); }
  bool visit_negative_integer(std::int64_t) { return count(); }
  bool visit_float32(float) { return count(); }
  bool visit_float64(double) { return count(); }
  bool visit_str(const char*, std::uint32_t) { return count(); }
  bool visit_bin(const char*, std::uint32_t) { return count(); }
  bool visit_ext(const char*, std::uint32_t) { return count(); }
  bool start_array(std::uint32_t) { return open(); }
  bool end_array() { return close(); }
  bool start_map(std::uint32_t) { return open(); }
  bool end_map() { return close(); }

  std::size_t values() const { return values_; }
  std::size_t deepest() const { return deepest_; }

 private:
  bool count() {
    ++values_;
    return true;
  }
  bool open() {
    deepest_ = std::max(deepest_, ++depth_);
    return count();
  }
  bool close() {
    --depth_;
    return true;
  }

  std::size_t values_ = 0, depth_ = 0, deepest_ = 0;
};

/// Parses the first value.
inline Parsed parse_by_reference(std::string_view bytes) {
  Census census;
  std::size_t end = 0;
  const bool whole = !bytes.empty() && msgpack::parse(bytes.data(), bytes.size(), end, census);
  return {whole, end, census.values(), census.deepest()};
}

}  // namespace zerosuite::test
