#include "rpc/server/options.hpp"

#include <algorithm>
#include <string>
#include <vector>

#include "core/text.hpp"

namespace zerosuite::rpc {
namespace {

// A key that is not text is returned as empty.
std::string_view take_key(wire::Reader& in) {
  std::string_view key;
  if (!in.take_text(key)) in.skip(wire::kChecked);
  return key;
}

[[noreturn]] void refuse(std::string_view key, const std::vector<std::string>& known) {
  std::string words = "there is no option " + core::quote(key);
  if (const auto meant = core::nearest(key, known)) {
    words += "; did you mean '" + *meant + "'?";
  } else {
    words += "; there are";
    for (const std::string& name : known) words += (name == known.front() ? " " : ", ") + name;
  }
  throw core::Failure(core::kInvalidArgument, words);
}

}  // namespace

void Options::expect(std::initializer_list<std::string_view> known) const {
  wire::Reader in(entries_);
  for (std::uint32_t i = 0; i < size_; ++i) {
    const std::string_view key = take_key(in);
    if (std::find(known.begin(), known.end(), key) == known.end()) refuse(key, {known.begin(), known.end()});
    if (i == known.size())  // some keys are repeated
      throw core::Failure(core::kInvalidArgument, "opts must have at most " + std::to_string(known.size()) +
                                                      " elements, not " + std::to_string(size_));
    in.skip(wire::kChecked);
  }
}

std::optional<std::int64_t> Options::integer(std::string_view key) const { return get<std::int64_t>(key); }

std::optional<std::string> Options::text(std::string_view key) const { return get<std::string>(key); }

std::optional<bool> Options::flag(std::string_view key) const { return get<bool>(key); }

template <class T>
std::optional<T> Options::get(std::string_view key) const {
  wire::Reader in(find(key));
  if (in.at_end()) return std::nullopt;
  try {
    return wire::read<T>(in);
  } catch (const wire::Mismatch& mismatch) {
    throw core::Failure(wire::to_error(mismatch, "option '" + std::string(key) + "' "));
  }
}

std::string_view Options::find(std::string_view key) const {
  wire::Reader in(entries_);
  for (std::uint32_t i = 0; i < size_; ++i) {
    const bool found = take_key(in) == key;
    const std::string_view value = in.skip(wire::kChecked);
    if (found) return wire::Reader(value).peek() == wire::Kind::kNil ? std::string_view() : value;
  }
  return {};
}

}  // namespace zerosuite::rpc

namespace zerosuite::wire {

rpc::Options Foreign<rpc::Options>::read(Reader& in) {
  if (in.nil()) return {};
  const std::string_view encoded = in.skip(kChecked);
  Reader dict(encoded);
  const auto size = dict.map();
  if (!size) throw_kind_mismatch("dict", dict.peek());
  return {*size, encoded.substr(static_cast<std::size_t>(dict.position() - encoded.data()))};
}

}  // namespace zerosuite::wire
