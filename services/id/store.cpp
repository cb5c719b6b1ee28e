#include "id/store.hpp"

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

}  // namespace zerosuite::id
