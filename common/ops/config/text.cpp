#include "ops/config/text.hpp"

#include "core/error.hpp"
#include "core/keyed_hash.hpp"

namespace zerosuite::ops {

std::string pseudonym(std::string_view bytes) {
  const std::uint64_t hash = core::KeyedHash()(bytes);
  return core::hex({reinterpret_cast<const char*>(&hash), sizeof hash});
}

std::string upper(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
  }
  return out;
}

void refuse(const std::string& line) { throw core::Failure(core::kInvalidArgument, line); }

}  // namespace zerosuite::ops
