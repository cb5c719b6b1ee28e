#include "id/stores/store_errors.hpp"

#include "core/json.hpp"

namespace zerosuite::id::stores {

using core::Error, core::Json;

Error no_such_tag(const std::string& name) {
  return {core::kNoSuchTag, "no tag of that name was created", Json().add("tag", name)};
}

Error tag_exists(const std::string& name) {
  return {core::kTagExists, "a tag of that name is there already", Json().add("tag", name)};
}

Error range_exhausted(const std::string& key, std::int64_t end) {
  return {core::kRangeExhausted, "the sequence has come to its last value",
          Json().add("key", key).add("max", end - 1)};
}

Error cannot_be_lowered(const std::string& tag, std::int64_t next) {
  return {core::kInvalidArgument,
          "the tag cannot be lowered so far: ids up to there were given out, or may have been",
          Json().add("tag", tag).add("max_id", next)};
}

Error worker_ids_exhausted(std::int64_t workers) {
  return {core::kWorkerIdExhausted, "no worker id is free", Json().add("workers", workers)};
}

Error worker_id_in_use(const Taken& taken) {
  return {core::kWorkerIdInUse, "worker id " + std::to_string(taken.worker) + " is another's",
          Json().add("owner", taken.owner).add("retry_after_ms", taken.left_ms)};
}

Error store_has_forgotten() {
  return {
      core::kStoreRegressed,
      "the store has lost what it gave out; all issuers that are there write back what they know: to go on "
      "above that, start one of them with --accept-regressed"};
}

Error another_store(const std::string& id) {
  return {core::kStoreRegressed,
          "the store is not the one that this issuer knows; to go on with it, start with "
          "--accept-regressed",
          Json().add("store", id)};
}

Error still_young(std::int64_t left_ms) {
  return {core::kUnavailable, "this Redis is new, or has lost its data: it gives out no worker id yet",
          Json().add("retry_after_ms", left_ms)};
}

Error joins_a_lone_issuer(std::int64_t left_ms) {
  return {core::kUnavailable, "the issuer that used this store alone so far is told first",
          Json().add("retry_after_ms", left_ms)};
}

}  // namespace zerosuite::id::stores
