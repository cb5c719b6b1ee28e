// Any bytes at all, as a payload from the network. What must hold is aborted on, so that libFuzzer keeps the
// bytes for which it did not.
#include <algorithm>
#include <bit>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string_view>

#include "support/reference_parser.hpp"
#include "wire/event.hpp"

namespace zerosuite::wire {
namespace {

constexpr Limits kTiny{.max_frame_bytes = 64, .max_id_bytes = 4, .max_nesting = 2, .max_elements = 6};

void hold(bool holds, const char* what) {
  if (holds) return;
  std::fprintf(stderr, "does not hold: %s\n", what);
  std::abort();
}

bool inside(std::string_view part, std::string_view payload) {
  return part.empty() ||
         (part.data() >= payload.data() && part.data() + part.size() <= payload.data() + payload.size());
}

void check_id(const Event& event) {
  Buffer out;
  begin_event(out, {.id = event.id, .response_to = event.id, .name = kOk});
  Packer(out).pack_nil();
  const Event echo = decode({out.data(), out.size()}, kChecked);
  hold(echo.fault == Fault::kNone, "an answer can be read");
  hold(echo.id == event.id && echo.response_to == event.id, "an id is echoed as it came");
  hold(id_text(echo.id) == id_text(event.id), "an echoed id has the same text");
}

// Floats by their bits, for no NaN equals itself.
bool same(const Value& a, const Value& b) {
  if (a.data.index() != b.data.index()) return false;
  if (const auto* x = a.as<double>())
    return std::bit_cast<std::uint64_t>(*x) == std::bit_cast<std::uint64_t>(*b.as<double>());
  const auto all_same = [](const auto& x, const auto& y, auto same_element) {
    return std::equal(x.begin(), x.end(), y.begin(), y.end(), same_element);
  };
  if (const auto* x = a.as<List>()) return all_same(*x, *b.as<List>(), same);
  if (const auto* x = a.as<Dict>())
    return all_same(*x, *b.as<Dict>(), [](const auto& left, const auto& right) {
      return same(left.key, right.key) && same(left.value, right.value);
    });
  return a == b;
}

Value value_of(std::string_view encoded) {
  Reader in(encoded);
  Value value = read_value(in);
  hold(in.at_end(), "a value is read to its end");
  return value;
}

void check_args(std::string_view args) {
  Value value;
  Buffer out;
  Packer packer(out);
  try {
    value = value_of(args);
    pack_value(packer, value);
  } catch (const Mismatch&) {
    return;  // text that is not UTF-8, or a dict that stock Python could not read
  }
  const std::string_view packed(out.data(), out.size());
  hold(Reader(packed).skip(kChecked).size() == packed.size(), "what is packed is one whole value");
  hold(same(value_of(packed), value), "a value packed and read again is the same value");
}

void check_event(std::string_view payload, const Limits& limits) {
  const Event event = decode(payload, limits);
  for (const std::string_view part : {event.id, event.response_to, event.name, event.args, event.header})
    hold(inside(part, payload), "an event's parts are in its payload");
  hold(event.args.empty() == (event.fault != Fault::kNone), "there are args unless there is a fault");
  if (!event.id.empty()) check_id(event);
  hold(inside(header_text(event.header, "traceparent"), payload), "a header's text is in its payload");
  if (event.fault != Fault::kNone) return;
  hold(payload.size() <= limits.max_frame_bytes, "no payload is beyond the limit");
  hold(id_text(event.id).size() <= limits.max_id_bytes, "no id is beyond the limit");
  check_args(event.args);
}

void check_skip(std::string_view bytes, const Limits& limits) {
  const test::Parsed reference = test::parse_by_reference(bytes);
  const bool allowed =
      reference.whole && reference.depth <= limits.max_nesting && reference.values <= limits.max_elements;
  Reader in(bytes);
  const std::string_view value = in.skip(limits);
  hold(value.size() == (allowed ? reference.size : 0),
       "skip() takes what msgpack-c takes, within its limits");
  hold(value.empty() == (in.damage() != Damage::kNone), "a refusal has a reason");
  hold(in.position() == bytes.data() + value.size(), "skip() stops behind the value, or where it was");
}

}  // namespace
}  // namespace zerosuite::wire

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace zerosuite::wire;
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  for (const Limits& limits : {Limits{}, kTiny, kChecked}) {
    check_event(bytes, limits);
    check_skip(bytes, limits);
  }
  return 0;
}
