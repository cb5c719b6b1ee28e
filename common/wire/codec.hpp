// C++ types to and from MessagePack values, as both stock peers understand them (docs/protocol.md, "Types").
//
// Reading accepts what peers actually send: an integral float for an integer (Node sends large integers that
// way), str or bin for text, an integer for a float. Writing refuses what they cannot read: text that is not
// UTF-8, map keys that are not text, integers beyond 64 bits.
#pragma once

#include <array>
#include <cmath>
#include <concepts>
#include <map>
#include <msgpack/pack.hpp>
#include <msgpack/sbuffer.hpp>
#include <optional>
#include <stdexcept>
#include <string>
#include <tuple>
#include <type_traits>
#include <unordered_map>
#include <utility>
#include <variant>
#include <vector>

#include "core/error.hpp"
#include "wire/reader.hpp"
#include "wire/value.hpp"

namespace zerosuite::wire {

using Buffer = msgpack::sbuffer;
using Packer = msgpack::packer<Buffer>;

/// The value is of another kind, or of the right kind but out of range.
class Mismatch : public std::runtime_error {
 public:
  enum class Why : std::uint8_t { kKind, kRange, kText };
  Mismatch(Why why, const std::string& message) : std::runtime_error(message), why_(why) {}

  Why why() const noexcept { return why_; }

 private:
  Why why_;
};

/// The error a client gets for a mismatch, with `subject` in front of the message: TypeError, OverflowError
/// or ValueError.
core::Error to_error(const Mismatch& mismatch, std::string_view subject = {});

[[noreturn]] void throw_kind_mismatch(std::string_view expected, Kind got);
[[noreturn]] void throw_range_mismatch(Integer value, Integer low, Integer high);
[[noreturn]] void throw_size_mismatch(std::size_t expected, std::size_t got);

// The non-template halves of read() and pack().
/// Reads an integer, a bool, or an integral float within the wire's range, as Python does; for anything else
/// returns nullopt and takes nothing. Never throws.
std::optional<Integer> try_integer(Reader& in);
Integer read_integer(Reader& in);        ///< The same; throws Mismatch.
double read_float(Reader& in);           ///< Accepts an integer or a bool too.
std::string_view read_text(Reader& in);  ///< str or bin; must be UTF-8.
std::string_view read_bytes(Reader& in);
Value read_value(Reader& in);
void pack_integer(Packer& out, Integer value);
/// Always a float64: msgpack-c's pack_double() would send 3.0 as the integer 3, which is another type in
/// Python.
void pack_float(Packer& out, double value);
void pack_text(Packer& out, std::string_view text);  ///< Throws Mismatch when it is not UTF-8.
void pack_bytes(Packer& out, std::string_view bytes);
void pack_value(Packer& out, const Value& value);

/// Reads and packs types that msgpack-c supports. Defined in wire/foreign.hpp, to be included where such
/// types are used.
template <class T>
struct Foreign;

template <class T>
struct is_optional : std::false_type {};
template <class T>
struct is_optional<std::optional<T>> : std::true_type {};

template <class T>
struct is_variant : std::false_type {};
template <class... T>
struct is_variant<std::variant<T...>> : std::true_type {};

template <class T>
concept Sequence = requires(T list) {
  typename T::value_type;
  list.emplace_back(std::declval<typename T::value_type>());
  list.reserve(std::size_t{});
};
template <class T>
concept TextMap = requires {
  typename T::mapped_type;
}
&&std::same_as<typename T::key_type, std::string>;
template <class T>
concept TupleLike = requires {
  std::tuple_size<T>::value;
};
template <class T>
concept Text = std::convertible_to<T, std::string_view>;

/// Reads the next value as a T; the input must have been checked by Reader::skip(). Throws Mismatch. Other
/// types are read by msgpack-c: include wire/foreign.hpp and give them MSGPACK_DEFINE_MAP or an adaptor.
template <class T>
T read(Reader& in);

template <Sequence T>
T read_sequence(Reader& in) {
  const auto count = in.array();
  if (!count) throw_kind_mismatch("list", in.peek());
  T list;
  list.reserve(*count);  // bounded: skip() has seen that many values
  for (std::uint32_t i = 0; i < *count; ++i) list.emplace_back(read<typename T::value_type>(in));
  return list;
}

template <TextMap T>
T read_map(Reader& in) {
  const auto count = in.map();
  if (!count) throw_kind_mismatch("dict", in.peek());
  T map;
  for (std::uint32_t i = 0; i < *count; ++i) {
    std::string key(read_text(in));
    map.insert_or_assign(std::move(key), read<typename T::mapped_type>(in));
  }
  return map;
}

template <TupleLike T>
T read_tuple(Reader& in) {
  const auto count = in.array();
  if (!count) throw_kind_mismatch("list", in.peek());
  if (*count != std::tuple_size_v<T>) throw_size_mismatch(std::tuple_size_v<T>, *count);
  return [&]<std::size_t... I>(std::index_sequence<I...>) {
    return T{read<std::tuple_element_t<I, T>>(in)...};  // braces: evaluated left to right
  }
  (std::make_index_sequence<std::tuple_size_v<T>>());
}

/// The kind a C++ type is sent as; kNone for types whose kind depends on the value or that msgpack-c handles.
template <class T>
constexpr Kind kind_of() {
  if constexpr (std::same_as<T, bool>) return Kind::kBool;
  if constexpr (std::same_as<T, Integer> || std::integral<T>) return Kind::kInt;
  if constexpr (std::floating_point<T>) return Kind::kFloat;
  if constexpr (std::same_as<T, std::string>) return Kind::kStr;
  if constexpr (std::same_as<T, Bytes>) return Kind::kBin;
  if constexpr (Sequence<T> && !Text<T>) return Kind::kArray;
  if constexpr (TextMap<T>) return Kind::kMap;
  if constexpr (std::same_as<T, std::monostate>) return Kind::kNil;
  return Kind::kNone;
}

/// Reads the first alternative of the kind that arrived; a bool counts as an int if there is no bool
/// alternative.
template <class... T>
std::variant<T...> read_variant(Reader& in, std::type_identity<std::variant<T...>>) {
  const Kind kind = in.peek();
  std::optional<std::variant<T...>> result;
  const auto attempt = [&]<class U>(std::type_identity<U>, Kind as) {
    if (!result && kind_of<U>() == as) result = read<U>(in);
  };
  (attempt(std::type_identity<T>(), kind), ...);
  if (kind == Kind::kBool) (attempt(std::type_identity<T>(), Kind::kInt), ...);
  if (result) return *std::move(result);
  std::string expected;
  ((expected += (expected.empty() ? "" : " or ") + std::string(python_name(kind_of<T>()))), ...);
  throw_kind_mismatch(expected, kind);
}

template <class T>
T read(Reader& in) {
  if constexpr (std::same_as<T, bool>) {
    const auto value = in.boolean();
    if (!value) throw_kind_mismatch("bool", in.peek());
    return *value;
  } else if constexpr (std::same_as<T, Integer>) {
    return read_integer(in);
  } else if constexpr (std::integral<T>) {
    const Integer value = read_integer(in);
    constexpr Integer kLow = std::numeric_limits<T>::min();
    constexpr Integer kHigh = std::numeric_limits<T>::max();
    if (value < kLow || value > kHigh) throw_range_mismatch(value, kLow, kHigh);
    return static_cast<T>(value);
  } else if constexpr (std::floating_point<T>) {
    return static_cast<T>(read_float(in));
  } else if constexpr (std::same_as<T, std::string>) {
    return std::string(read_text(in));
  } else if constexpr (std::same_as<T, Bytes>) {
    return Bytes{std::string(read_bytes(in))};
  } else if constexpr (std::same_as<T, Value>) {
    return read_value(in);
  } else if constexpr (std::same_as<T, std::monostate>) {
    if (!in.nil()) throw_kind_mismatch("NoneType", in.peek());
    return {};
  } else if constexpr (is_optional<T>::value) {
    if (in.nil()) return std::nullopt;
    return read<typename T::value_type>(in);
  } else if constexpr (is_variant<T>::value) {
    return read_variant(in, std::type_identity<T>());
  } else if constexpr (Sequence<T>) {
    return read_sequence<T>(in);
  } else if constexpr (TextMap<T>) {
    return read_map<T>(in);
  } else if constexpr (TupleLike<T>) {
    return read_tuple<T>(in);
  } else {
    return Foreign<T>::read(in);
  }
}

/// Appends the value. Throws Mismatch for a value that a stock peer could not read; `out`'s buffer may then
/// hold part of it.
template <class T>
void pack(Packer& out, const T& value) {
  if constexpr (std::same_as<T, bool>) {
    value ? out.pack_true() : out.pack_false();
  } else if constexpr (std::same_as<T, Integer> || std::integral<T>) {
    pack_integer(out, value);
  } else if constexpr (std::floating_point<T>) {
    pack_float(out, static_cast<double>(value));
  } else if constexpr (std::same_as<T, std::nullptr_t> || std::same_as<T, std::monostate> ||
                       std::same_as<T, std::nullopt_t>) {
    out.pack_nil();
  } else if constexpr (Text<T>) {
    pack_text(out, value);
  } else if constexpr (std::same_as<T, Bytes>) {
    pack_bytes(out, value.data);
  } else if constexpr (std::same_as<T, Value>) {
    pack_value(out, value);
  } else if constexpr (is_optional<T>::value) {
    value ? pack(out, *value) : pack(out, nullptr);
  } else if constexpr (is_variant<T>::value) {
    std::visit([&](const auto& alternative) { pack(out, alternative); }, value);
  } else if constexpr (Sequence<T>) {
    out.pack_array(static_cast<std::uint32_t>(value.size()));
    for (const auto& element : value) pack<typename T::value_type>(out, element);
  } else if constexpr (TextMap<T>) {
    out.pack_map(static_cast<std::uint32_t>(value.size()));
    for (const auto& [key, element] : value) {
      pack_text(out, key);
      pack(out, element);
    }
  } else if constexpr (TupleLike<T>) {
    out.pack_array(std::tuple_size_v<T>);
    std::apply([&](const auto&... element) { (pack(out, element), ...); }, value);
  } else {
    Foreign<T>::pack(out, value);
  }
}

}  // namespace zerosuite::wire
