#include "id/stores/store.hpp"

namespace zerosuite::id {

std::string Key::text() const {
  switch (kind) {
    case Kind::kTicks:
      return "ticks:" + name;
    case Kind::kTag:
      return "tag:" + name;
    case Kind::kCounter:
      break;
  }
  return "counter:" + name;
}

std::optional<std::string> TagPage::end() const {
  std::string end = prefix;
  while (!end.empty() && static_cast<unsigned char>(end.back()) == 0xff) end.pop_back();
  if (end.empty()) return std::nullopt;
  ++end.back();
  return end;
}

}  // namespace zerosuite::id
