// The errors that all stores share.
#pragma once

#include <cstdint>
#include <string>

#include "core/error.hpp"

namespace zerosuite::id::stores {

core::Error no_such_tag(const std::string& name);
core::Error tag_exists(const std::string& name);
/// `key` as Key::text(); its values end before `end`.
core::Error range_exhausted(const std::string& key, std::int64_t end);
/// `next` is the tag's next value.
core::Error cannot_be_lowered(const std::string& tag, std::int64_t next);
core::Error worker_ids_exhausted(std::int64_t workers);

/// A worker id whose lease has `left_ms` left.
struct Taken {
  std::int64_t worker = 0;
  std::string owner = {};
  std::int64_t left_ms = 0;
};
core::Error worker_id_in_use(const Taken& taken);

/// For a shared store: it has lost data; it is another one, with that id; or it is new and can be used in
/// `left_ms`.
core::Error store_has_forgotten();
core::Error another_store(const std::string& id);
core::Error still_young(std::int64_t left_ms);
/// Unavailable, for the second issuer that opens a shared store.
core::Error joins_a_lone_issuer(std::int64_t left_ms);

}  // namespace zerosuite::id::stores
