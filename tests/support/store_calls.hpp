// The calls of the seam to a store (services/id/stores/store.hpp), each waited for.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "id/stores/store.hpp"

namespace zerosuite::test {

inline id::Key counter(const std::string& name) { return {id::Key::Kind::kCounter, name}; }
inline id::Key ticks(const std::string& name) { return {id::Key::Kind::kTicks, name}; }
inline id::Key tag_key(const std::string& name) { return {id::Key::Kind::kTag, name}; }

inline id::Tag tag_of(const std::string& name) {
  id::Tag tag;
  tag.name = name;
  return tag;
}

inline id::Claim claim_by(const std::string& owner, std::optional<std::int64_t> worker = {}) {
  id::Claim claim;
  claim.owner = owner;
  claim.worker = worker;
  return claim;
}

/// The error's name; "" when it is none.
template <class T>
std::string name_of(const core::Result<T>& result) {
  return result ? "" : result.error().name;
}

/// What a rig needs is `store()`, and `settle()` until all that was asked is answered.
template <class Rig>
class StoreCalls {
 public:
  explicit StoreCalls(Rig& rig) : rig_(rig) {}

  core::Result<id::Reserved> reserve(const id::ReserveRequest& ask) {
    return call<id::Reserved>([&](auto done) { rig_.store().reserve(ask, std::move(done)); });
  }
  /// Throws core::Failure when there is none.
  id::Range range(const id::Key& key, std::int64_t count) {
    const auto reserved = reserve({.key = key, .count = count});
    if (!reserved) throw core::Failure(reserved.error());
    return reserved->range;
  }
  core::Result<bool> give_back(const id::Key& key, const id::Range& unused) {
    return call<bool>([&](auto done) { rig_.store().give_back(key, unused, std::move(done)); });
  }
  core::Result<id::Tag> create_tag(const id::Tag& tag) {
    return call<id::Tag>([&](auto done) { rig_.store().create_tag(tag, std::move(done)); });
  }
  core::Result<id::Tag> update_tag(const std::string& name, const id::TagChange& change) {
    return call<id::Tag>([&](auto done) { rig_.store().update_tag(name, change, std::move(done)); });
  }
  core::Result<id::Tag> delete_tag(const std::string& name) {
    return call<id::Tag>([&](auto done) { rig_.store().delete_tag(name, std::move(done)); });
  }
  core::Result<id::Tag> tag(const std::string& name) {
    return call<id::Tag>([&](auto done) { rig_.store().tag(name, std::move(done)); });
  }
  core::Result<std::vector<id::Tag>> tags(const id::TagPage& page = {}) {
    return call<std::vector<id::Tag>>([&](auto done) { rig_.store().tags(page, std::move(done)); });
  }
  core::Result<std::string> open(const id::OpenRequest& bond) {
    return call<std::string>([&](auto done) { rig_.store().open(bond, std::move(done)); });
  }
  core::Result<bool> distrust() {
    return call<bool>([&](auto done) { rig_.store().distrust(std::move(done)); });
  }
  core::Result<bool> remember(const std::vector<std::pair<std::string, std::int64_t>>& floors) {
    return call<bool>([&](auto done) { rig_.store().remember(floors, std::move(done)); });
  }
  core::Result<id::Changes> look(const id::ChangesQuery& look = {}) {
    return call<id::Changes>([&](auto done) { rig_.store().look(look, std::move(done)); });
  }
  core::Result<id::Lease> claim(const id::Claim& claim) {
    return call<id::Lease>([&](auto done) { rig_.store().claim(claim, std::move(done)); });
  }
  core::Result<id::Lease> renew(const id::Claim& claim, const id::Lease& lease) {
    return call<id::Lease>([&](auto done) { rig_.store().renew(claim, lease, std::move(done)); });
  }
  core::Result<bool> release(const id::Claim& claim, const id::Lease& lease) {
    return call<bool>([&](auto done) { rig_.store().release(claim, lease, std::move(done)); });
  }
  core::Result<std::string> pin(const std::string& name, const std::string& value,
                                id::Store::Pin how = id::Store::Pin::kKeep) {
    return call<std::string>([&](auto done) { rig_.store().pin(name, value, how, std::move(done)); });
  }

 private:
  template <class T, class Call>
  core::Result<T> call(Call ask) {
    std::optional<core::Result<T>> answer;
    ask(core::Done<T>([&](core::Result<T> result) { answer = std::move(result); }));
    rig_.settle();
    if (!answer) throw core::Failure("Unanswered", "the store does not answer");
    return *std::move(answer);
  }

  Rig& rig_;
};

}  // namespace zerosuite::test
