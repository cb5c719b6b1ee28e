#include "wire/codec.hpp"

#include <array>
#include <bit>
#include <limits>

#include "core/text.hpp"
#include "wire/foreign.hpp"

namespace zerosuite::wire {
namespace {

std::string decimal(Integer value) {
  const bool negative = value < 0;
  std::string digits;
  do {
    const int digit = static_cast<int>(value % 10);
    digits.insert(digits.begin(), static_cast<char>('0' + (negative ? -digit : digit)));
    value /= 10;
  } while (value != 0);
  return negative ? "-" + digits : digits;
}

// The exact bounds of the wire's integers as doubles: −2^63 is the lowest, 2^64 the first beyond.
constexpr double kLowest = -9223372036854775808.0;
constexpr double kBeyond = 18446744073709551616.0;

Dict read_dict(Reader& in, std::uint32_t count) {
  Dict dict;
  dict.reserve(count);
  for (std::uint32_t i = 0; i < count; ++i) {
    Value key = read_value(in);
    dict.push_back({std::move(key), read_value(in)});
  }
  return dict;
}

struct ValuePacker {
  Packer& out;

  void operator()(std::monostate) const { out.pack_nil(); }
  void operator()(bool value) const { pack(out, value); }
  void operator()(Integer value) const { pack_integer(out, value); }
  void operator()(double value) const { pack_float(out, value); }
  void operator()(const std::string& text) const { pack_text(out, text); }
  void operator()(const Bytes& bytes) const { pack_bytes(out, bytes.data); }
  void operator()(const List& list) const { pack(out, list); }
  void operator()(const Ext& ext) const {
    out.pack_ext(ext.data.size(), ext.type);
    out.pack_ext_body(ext.data.data(), static_cast<std::uint32_t>(ext.data.size()));
  }
  void operator()(const Dict& dict) const {
    out.pack_map(static_cast<std::uint32_t>(dict.size()));
    for (const auto& [key, value] : dict) {
      // msgpack-python 1.0 refuses other keys, and the event is silently dropped.
      if (!key.as<std::string>() && !key.as<Bytes>())
        throw Mismatch(Mismatch::Why::kKind,
                       "dict keys must be str or bytes, not " + std::string(python_name(key)));
      pack_value(out, key);
      pack_value(out, value);
    }
  }
};

}  // namespace

core::Error to_error(const Mismatch& mismatch, std::string_view subject) {
  std::string words = std::string(subject) + mismatch.what();
  switch (mismatch.why()) {
    case Mismatch::Why::kRange:
      return {core::kOverflowError, std::move(words)};
    case Mismatch::Why::kText:
      return {core::kValueError, std::move(words)};
    case Mismatch::Why::kKind:
      break;
  }
  return {core::kTypeError, std::move(words)};
}

void throw_kind_mismatch(std::string_view expected, Kind got) {
  throw Mismatch(Mismatch::Why::kKind,
                 "must be " + std::string(expected) + ", not " + std::string(python_name(got)));
}

void throw_range_mismatch(Integer value, Integer low, Integer high) {
  throw Mismatch(Mismatch::Why::kRange,
                 "must be from " + decimal(low) + " to " + decimal(high) + ", not " + decimal(value));
}

void throw_size_mismatch(std::size_t expected, std::size_t got) {
  throw Mismatch(Mismatch::Why::kKind,
                 "must have " + std::to_string(expected) + " elements, not " + std::to_string(got));
}

std::optional<Integer> try_integer(Reader& in) {
  if (const auto value = in.integer()) return *value;
  if (const auto value = in.boolean()) return *value ? 1 : 0;  // in Python a bool is an int
  Reader ahead = in;
  const auto real = ahead.floating();
  if (!real || !(*real >= kLowest && *real < kBeyond && std::trunc(*real) == *real)) return std::nullopt;
  in = ahead;
  return static_cast<Integer>(*real);
}

Integer read_integer(Reader& in) {
  if (const auto value = try_integer(in)) return *value;
  throw_kind_mismatch("int", in.peek());
}

double read_float(Reader& in) {
  if (const auto value = in.floating()) return *value;
  if (const auto value = in.integer()) return static_cast<double>(*value);
  if (const auto value = in.boolean()) return *value ? 1 : 0;
  throw_kind_mismatch("float", in.peek());
}

std::string_view read_text(Reader& in) {
  const auto text = in.text();
  if (!text) throw_kind_mismatch("str", in.peek());
  if (!core::is_utf8(*text)) throw Mismatch(Mismatch::Why::kText, "must be valid UTF-8");
  return *text;
}

std::string_view read_bytes(Reader& in) {
  const auto bytes = in.peek() == Kind::kStr ? in.str() : in.bin();
  if (!bytes) throw_kind_mismatch("bytes", in.peek());
  return *bytes;
}

Value read_value(Reader& in) {
  switch (in.peek()) {
    case Kind::kNil:
      in.nil();
      return {};
    case Kind::kBool:
      return {*in.boolean()};
    case Kind::kInt:
      return {*in.integer()};
    case Kind::kFloat:
      return {*in.floating()};
    case Kind::kStr:
      return {std::string(read_text(in))};
    case Kind::kBin:
      return {Bytes{std::string(*in.bin())}};
    case Kind::kArray:
      return {read_sequence<List>(in)};
    case Kind::kMap:
      return {read_dict(in, *in.map())};
    case Kind::kExt: {
      const ExtView ext = *in.ext();
      return {Ext{ext.type, std::string(ext.data)}};
    }
    case Kind::kNone:
      break;
  }
  throw_kind_mismatch("a value", Kind::kNone);
}

void pack_integer(Packer& out, Integer value) {
  if (!core::fits_wire(value)) throw Mismatch(Mismatch::Why::kRange, "Integer value out of range");
  if (value < 0) {
    out.pack_int64(static_cast<std::int64_t>(value));
  } else {
    out.pack_uint64(static_cast<std::uint64_t>(value));
  }
}

void pack_float(Packer& out, double value) {
  auto bits = std::bit_cast<std::uint64_t>(value);
  std::array<char, 9> encoded{static_cast<char>(0xcb)};
  for (std::size_t at = 8; at > 0; --at, bits >>= 8) encoded[at] = static_cast<char>(bits & 0xff);
  out.pack_bin_body(encoded.data(), encoded.size());  // written raw: a body has no prefix
}

// A stock Python client drops a whole event on invalid UTF-8, so only valid text is sent as a str.
void pack_text(Packer& out, std::string_view text) {
  if (!core::is_utf8(text)) throw Mismatch(Mismatch::Why::kText, "text is not valid UTF-8; send it as bytes");
  out.pack_str(static_cast<std::uint32_t>(text.size()));
  out.pack_str_body(text.data(), static_cast<std::uint32_t>(text.size()));
}

void pack_bytes(Packer& out, std::string_view bytes) {
  out.pack_bin(static_cast<std::uint32_t>(bytes.size()));
  out.pack_bin_body(bytes.data(), static_cast<std::uint32_t>(bytes.size()));
}

void pack_value(Packer& out, const Value& value) { std::visit(ValuePacker{out}, value.data); }

void append_checked(Packer& out, const Buffer& packed) {
  Reader in({packed.data(), packed.size()});
  pack_value(out, read_value(in));
}

}  // namespace zerosuite::wire
