// A store whose results are checked against the high-water marks: what it gave out once is a floor under what
// it may give out.
//
// A store loses data when an old copy is restored, when a replica that lacks the last writes takes over, or
// when its memory is wiped. What a shared store had granted to other processes above the floors known here is
// then unknown: it is not used until all issuers have written back their floors and an operator has accepted
// it.
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

/// Belongs to the loop's thread. Must outlive its calls to the store, and must not outlive the store.
class GuardedStore final : public Store {
 public:
  /// Gets StoreRegressed when the store has lost data, StorageError when the floors cannot be written, and
  /// nullopt when the problem is over.
  using Callback = std::function<void(const std::optional<core::Error>&)>;

  GuardedStore(Store& store, HighWaterMarks& floors, Callback told = {});

  /// Takes the known id from the high-water marks, not from `bond`. If the store is accepted, raises all its
  /// keys to the floors first.
  void open(const OpenRequest& bond, core::Done<std::string> done) override;
  /// Never below the floor. StoreRegressed if a shared store has lost what it gave out.
  void reserve(const ReserveRequest& ask, core::Done<Reserved> done) override;
  /// Blocks on the disk; after gather(), queues the range for flush().
  void give_back(const Key& key, const Range& unused, core::Done<bool> done) override;
  /// From now on give_back() only queues, so that flush() syncs once for all ranges.
  void gather() { gathering_ = true; }
  /// Gives back the queued ranges; blocks on the disk.
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
  /// While the store is refused: writes back the floors known here, and checks whether it has been accepted.
  void look(const ChangesQuery& look, core::Done<Changes> done) override;

  StoreTraits traits() const override { return store_.traits(); }
  /// The id of a shared store that was opened.
  const std::string& id() const { return marks_.state(); }
  /// The store's trouble; or why floors cannot be written, which does not stop the service.
  std::optional<core::Error> trouble() const override;

  /// StoreRegressed while the store is refused. For a store of one process, an alarm that stays while the
  /// service continues.
  const std::optional<core::Error>& regressed() const { return regressed_; }
  /// How many times the store was found to have lost data.
  std::uint64_t regressions() const { return regressions_; }

 private:
  struct Unused {
    Key key;
    Range range;
    core::Done<bool> done;
    bool lowered = false;  // whether the floor was lowered for it
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
  bool written_back_ = false;  // since the loss of data was found
  std::optional<core::Error> regressed_;
  std::uint64_t regressions_ = 0;
};

}  // namespace zerosuite::id
