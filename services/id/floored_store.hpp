// Never trusts a store to remember: what it once answered is a floor under what it may answer.
//
// A store forgets when an old copy of it is restored, when a replica takes over that lacks the last writes,
// or when its memory is wiped. Then other processes' ranges may be forgotten too, above those known here.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "id/floors.hpp"
#include "id/store.hpp"

namespace zerosuite::id {

/// Belongs to the loop's thread. Must not go before the store's answers came, nor before the store.
class FlooredStore final : public Store {
 public:
  FlooredStore(Store& store, Floors& floors);

  /// Not below the floor. From a shared store that has forgotten, nothing is taken but what lies well above
  /// the floor.
  void reserve(const Ask& ask, core::Done<Reserved> done) override;
  /// Waits for the disk, unless it waits for flush().
  void give_back(const Key& key, const Range& unused, core::Done<bool> done) override;
  /// From now on give_back() waits for flush(), so that many wait for the disk together.
  void gather() { gathering_ = true; }
  void flush();
  /// The tag goes on above its floor, also where the store does not know that it was there before.
  void create_tag(const Tag& tag, core::Done<Tag> done) override;
  void update_tag(const std::string& name, const TagChange& change, core::Done<Tag> done) override;
  void delete_tag(const std::string& name, core::Done<Tag> done) override {
    store_.delete_tag(name, std::move(done));
  }
  void tag(const std::string& name, core::Done<Tag> done) override { store_.tag(name, std::move(done)); }
  void tags(core::Done<std::vector<Tag>> done) override { store_.tags(std::move(done)); }
  void claim(const Claim& claim, core::Done<Lease> done) override { store_.claim(claim, std::move(done)); }
  void renew(const Claim& claim, const Lease& lease, core::Done<Lease> done) override {
    store_.renew(claim, lease, std::move(done));
  }
  void release(const Claim& claim, const Lease& lease, core::Done<bool> done) override {
    store_.release(claim, lease, std::move(done));
  }
  void pin(const std::string& name, const std::string& value, Pin how,
           core::Done<std::string> done) override {
    store_.pin(name, value, how, std::move(done));
  }

  StoreTraits traits() const override { return store_.traits(); }
  /// The store's; or why floors cannot be written, which stops nothing.
  std::optional<core::Error> trouble() const override;

  /// StoreRegressed, of the last time the store had forgotten: an alarm that stays, though all goes on.
  const std::optional<core::Error>& regressed() const { return regressed_; }
  /// How often it had.
  std::uint64_t regressions() const { return regressions_; }

 private:
  // Of one key.
  struct Seen {
    std::int64_t next = 0;   // the store has answered that much
    std::int64_t least = 0;  // nothing below is taken
  };

  void ask_store(const Ask& ask, core::Done<Reserved> done);
  void answered(const Ask& ask, std::int64_t expected, core::Result<Reserved> result,
                core::Done<Reserved> done);
  void skip(const Ask& ask, std::int64_t expected, std::int64_t stored);
  Seen& seen(const Key& key);

  Store& store_;
  Floors& floors_;
  struct Unused {
    Key key;
    Range range;
    core::Done<bool> done;
    bool lowered = false;  // the floor, for it
  };

  void pass_back(Unused unused);

  bool gathering_ = false;
  std::vector<Unused> gathered_;
  std::map<std::string, Seen> seen_;
  std::optional<core::Error> regressed_;
  std::uint64_t regressions_ = 0;
};

}  // namespace zerosuite::id
