// Never trusts a store to remember: what it once answered is a floor under what it may answer.
//
// A store forgets when an old copy of it is restored, when a replica takes over that lacks the last writes,
// or when its memory is wiped. Of a shared one, nobody can tell then what other processes were given above
// the floors that are known here: it is not asked for more until all issuers have written back what they
// know, and an operator has said that it may go on above that.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "id/stores/high_water_marks.hpp"
#include "id/stores/store.hpp"

namespace zerosuite::id {

/// Belongs to the loop's thread. Must outlive the calls to the store, and not outlive the store.
class GuardedStore final : public Store {
 public:
  /// Gets StoreRegressed when the store has forgotten, StorageError when the floors cannot be written, and
  /// nullopt when that is over.
  using Callback = std::function<void(const std::optional<core::Error>&)>;

  GuardedStore(Store& store, HighWaterMarks& floors, Callback told = {});

  /// As the floors know the store. Of one that is accepted, raises all that is in it to the floors first.
  void open(const OpenRequest& bond, core::Done<std::string> done) override;
  /// Never below the floor. StoreRegressed when a shared store has forgotten what it gave out.
  void reserve(const ReserveRequest& ask, core::Done<Reserved> done) override;
  /// Waits for the disk, unless it waits for flush().
  void give_back(const Key& key, const Range& unused, core::Done<bool> done) override;
  /// From now on give_back() waits for flush(), so that many wait for the disk together.
  void gather() { gathering_ = true; }
  /// Gives back what was gathered.
  void flush();

  void create_tag(const Tag& tag, core::Done<Tag> done) override;
  void update_tag(const std::string& name, const TagChange& change, core::Done<Tag> done) override;
  void delete_tag(const std::string& name, core::Done<Tag> done) override;
  void tag(const std::string& name, core::Done<Tag> done) override;
  void tags(const TagPage& page, core::Done<std::vector<Tag>> done) override;
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
  void distrust(core::Done<bool> done) override { store_.distrust(std::move(done)); }
  void remember(const std::vector<HighWaterMarks::Mark>& floors, core::Done<bool> done) override {
    store_.remember(floors, std::move(done));
  }
  /// While the store is not to be used: writes back what is known here, and looks whether it is accepted.
  void look(const ChangesQuery& look, core::Done<Changes> done) override;

  StoreTraits traits() const override { return store_.traits(); }
  /// Of a shared store that was opened, its id.
  const std::string& id() const { return marks_.state(); }
  /// The store's; or why floors cannot be written, which stops nothing.
  std::optional<core::Error> trouble() const override;

  /// StoreRegressed while the store is not to be used. Of one of this process alone, an alarm that stays,
  /// though all goes on.
  const std::optional<core::Error>& regressed() const { return regressed_; }
  /// How often it had forgotten.
  std::uint64_t regressions() const { return regressions_; }

 private:
  struct Unused {
    Key key;
    Range range;
    core::Done<bool> done;
    bool lowered = false;  // the floor, for it
  };

  template <class T>
  core::Done<T> heeding(core::Done<T> done);
  void answered(const ReserveRequest& ask, std::int64_t expected, core::Result<Reserved> result,
                core::Done<Reserved> done);
  void lowered(const std::string& name, std::int64_t before, const core::Result<Tag>& tag);
  bool up_to_date(const Tag& tag);
  void tell_of_floors();
  void forgotten(const core::Error& error);
  void write_back(const std::string& after, core::Done<bool> done);
  void pass_back(Unused unused);

  Store& store_;
  HighWaterMarks& marks_;
  const Callback told_;
  bool gathering_ = false;
  std::vector<Unused> gathered_;
  OpenRequest bond_;
  bool floors_trouble_ = false;
  bool written_back_ = false;  // since the store was found to have forgotten
  std::optional<core::Error> regressed_;
  std::uint64_t regressions_ = 0;
};

}  // namespace zerosuite::id
