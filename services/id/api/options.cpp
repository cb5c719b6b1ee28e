#include "id/api/options.hpp"

#include <algorithm>
#include <vector>

#include "core/error.hpp"
#include "ops/config/text.hpp"
#include "wire/codec.hpp"

namespace zerosuite::id {
namespace {

using core::Failure;

void check_known(std::string_view key, std::initializer_list<std::string_view> known) {
  if (std::find(known.begin(), known.end(), key) != known.end()) return;
  const std::vector<std::string> names(known.begin(), known.end());
  std::string words = "there is no option " + ops::quote(key);
  if (const auto meant = ops::nearest(key, names)) {
    words += "; did you mean '" + *meant + "'?";
  } else {
    words += "; there are";
    for (const std::string& name : names) words += (name == names.front() ? " " : ", ") + name;
  }
  throw Failure(core::kInvalidArgument, words);
}

const core::ErrorName& name_of(wire::Mismatch::Why why) {
  switch (why) {
    case wire::Mismatch::Why::kRange:
      return core::kOverflowError;
    case wire::Mismatch::Why::kText:
      return core::kValueError;
    case wire::Mismatch::Why::kKind:
      break;
  }
  return core::kTypeError;
}

}  // namespace

Options::Options(const wire::Value& dict, std::initializer_list<std::string_view> known) {
  if (dict.is_nil()) return;
  const auto* entries = dict.as<wire::Dict>();
  if (entries == nullptr)
    throw Failure(core::kTypeError, "options must be dict, not " + std::string(python_name(dict)));
  for (const wire::DictEntry& entry : *entries) check_known(wire::text_of(entry.key).value_or(""), known);
  dict_ = *entries;
}

// By way of the wire, so that an option may be sent in every way that an argument may.
template <class T>
std::optional<T> Options::read(std::string_view key) const {
  const auto entry = std::find_if(dict_.begin(), dict_.end(), [&](const wire::DictEntry& each) {
    return wire::text_of(each.key) == key;
  });
  if (entry == dict_.end() || entry->value.is_nil()) return {};
  try {
    wire::Buffer encoded(64);
    wire::Packer packer(encoded);
    wire::pack(packer, entry->value);
    wire::Reader in({encoded.data(), encoded.size()});
    return wire::read<T>(in);
  } catch (const wire::Mismatch& mismatch) {
    throw Failure(name_of(mismatch.why()), "option '" + std::string(key) + "' " + mismatch.what());
  }
}

std::optional<std::int64_t> Options::integer(std::string_view key) const { return read<std::int64_t>(key); }

std::optional<std::string> Options::text(std::string_view key) const { return read<std::string>(key); }

}  // namespace zerosuite::id
