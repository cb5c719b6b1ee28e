// Ids of 96 bits that count within a second and a process: Xid (https://github.com/rs/xid) and MongoDB's
// ObjectId (https://www.mongodb.com/docs/manual/reference/bson-types/#objectid). Thread-safe.
#pragma once

#include <cstdint>
#include <string>

namespace zerosuite::id::formats {

struct Counted {
  std::uint32_t seconds = 0;  ///< Since 1970
  std::uint64_t process = 0;  ///< 40 bits: for Xid 24 of the machine and 16 of the process.
  std::uint32_t counter = 0;  ///< 24 bits
};

/// 20 digits of base 32, small letters.
std::string xid_text(const Counted& id);
/// 24 digits of base 16.
std::string objectid_text(const Counted& id);

}  // namespace zerosuite::id::formats
