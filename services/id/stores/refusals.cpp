#include "id/stores/refusals.hpp"

#include "core/json.hpp"

namespace zerosuite::id::stores {

using core::Error, core::Json, core::with_json;

Error no_such_tag(const std::string& name) {
  return {core::kNoSuchTag, with_json("no tag of that name was created", Json().add("tag", name))};
}

Error tag_exists(const std::string& name) {
  return {core::kTagExists, with_json("a tag of that name is there already", Json().add("tag", name))};
}

Error range_exhausted(const std::string& key, std::int64_t end) {
  return {core::kRangeExhausted,
          with_json("the sequence has come to its last value", Json().add("key", key).add("max", end - 1))};
}

Error worker_ids_exhausted(std::int64_t workers) {
  return {core::kWorkerIdExhausted, with_json("no worker id is free", Json().add("workers", workers))};
}

Error worker_id_in_use(const Taken& taken) {
  return {core::kWorkerIdInUse,
          with_json("worker id " + std::to_string(taken.worker) + " is another's",
                    Json().add("owner", taken.owner).add("retry_after_ms", taken.left_ms))};
}

}  // namespace zerosuite::id::stores
