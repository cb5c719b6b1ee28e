#include "db/commit_queue.hpp"

#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "db/state_file.hpp"
#include "support/fakes.hpp"
#include "support/faulty_disk.hpp"

namespace zerosuite::test::commit_queue_test {

using db::CommitQueue;

// A file of numbers, and a queue before it.
class Numbers : public CommitQueue::Target, public HandDisk {
 public:
  Numbers() {
    file_.open(db::StateFile::IfGone::kRefuse);
    file_.start([] {});
  }

  bool dirty() const override { return !own.empty(); }
  void load() override { loaded_ = std::exchange(own, {}); }
  void unload() override { own.insert(own.begin(), loaded_.begin(), loaded_.end()); }
  void write(std::vector<CommitQueue::Work>& works) override {
    try {
      file_.begin();
      for (auto& work : works) work();
      for (const int number : loaded_) insert(number);
      if (works.empty() && loaded_.empty()) file_.database().exec("UPDATE probe SET count = count + 1");
      file_.commit();
    } catch (const core::Failure&) {
      file_.roll_back();
      throw;
    }
  }
  void landed(const core::Error* error) override {
    if (error != nullptr) unload();
  }
  void settled() override { ++settled_batches; }

  // Notes "1 " when it was written, "1! " when not, "1- " when it was undone.
  CommitQueue::Entry entry(int number) {
    return {.work = [this, number] { insert(number); },
            .undo = [this, number] { notes += std::to_string(number) + "- "; },
            .done =
                [this, number](const core::Error* error) {
                  notes += std::to_string(number) + (error != nullptr ? "! " : " ");
                }};
  }
  void add(int number) { queue.add(entry(number)); }
  void work() {
    turn();
    REQUIRE(offload.waiting.size() == 1);
    offload.work();
  }
  std::int64_t stored() const { return file_.database().integer("SELECT count(*) FROM number"); }
  std::int64_t probes() const { return file_.database().integer("SELECT count FROM probe"); }

  FaultyDisk disk;
  std::vector<int> own;  // to be written beside the entries' works
  std::string notes;
  int settled_batches = 0;

 private:
  void insert(int number) const {
    file_.database().exec("INSERT INTO number VALUES(" + std::to_string(number) + ")");
  }

  TemporaryFolder folder_;
  db::StateFile file_{folder_.path(),
                      {.file = "numbers.db",
                       .mark = "numbers",
                       .kind = "a file of numbers",
                       .application_id = 7,
                       .schema = {"CREATE TABLE number(number INTEGER)", "CREATE TABLE probe(count INTEGER)",
                                  "INSERT INTO probe VALUES(0)"}}};
  std::vector<int> loaded_;

 public:
  CommitQueue queue{timers, offload, *this};
};

TEST_CASE_FIXTURE(Numbers,
                  "all that one turn brings goes to the disk together, and what comes meanwhile goes next") {
  for (int number = 1; number <= 64; ++number) add(number);
  CHECK(offload.waiting.empty());
  turn();
  REQUIRE(offload.waiting.size() == 1);
  CHECK_FALSE(queue.idle());
  notes.clear();
  add(65);
  turn();
  CHECK(offload.waiting.size() == 1);
  offload.waiting.front().first();
  CHECK(notes.empty());  // it is on the disk, and nobody knows yet
  offload.waiting.front().second();
  offload.waiting.pop_front();
  CHECK(notes.starts_with("1 2 3 "));
  CHECK(notes.ends_with(" 64 "));
  CHECK(queue.written() == 1);
  work();
  CHECK(notes.ends_with(" 64 65 "));
  CHECK(queue.idle());
  CHECK(settled_batches == 2);
  CHECK(stored() == 65);
}

TEST_CASE_FIXTURE(
    Numbers,
    "what the target has to write goes after the delay it asks for, or with what somebody waits for") {
  own = {1};
  queue.within(20ms);
  test::pass(timers, 10ms);
  queue.within(20ms);
  test::pass(timers, 9ms);
  CHECK(offload.waiting.empty());
  test::pass(timers, 1ms);
  work();
  own = {2};
  queue.within(20ms);
  add(3);
  work();
  CHECK(stored() == 3);
  test::pass(timers, 1s);
  CHECK(offload.waiting.empty());
  own = {4};
  queue.soon();
  work();
  CHECK(stored() == 4);
}

TEST_CASE_FIXTURE(Numbers,
                  "who waits for nothing that must be written is answered all the same, without the disk") {
  queue.follow(queue.gathering(), {.done = [&](const core::Error*) { notes += "1 "; }});
  CHECK(notes.empty());
  turn();
  CHECK(notes == "1 ");
  CHECK(offload.waiting.empty());
}

TEST_CASE_FIXTURE(
    Numbers,
    "a full queue of the offload is tried again a little later, with nothing lost, and is no error") {
  offload.room = 0;
  add(1);
  own = {2};
  test::pass(timers, 100ms);
  CHECK(queue.idle());
  CHECK_FALSE(queue.trouble());
  add(3);
  offload.room = 1;
  test::pass(timers, 10ms);
  work();
  CHECK(notes == "1 3 ");
  CHECK(stored() == 3);
}

TEST_CASE_FIXTURE(Numbers, "an answer may ask for an answer behind those of its own batch") {
  auto first = entry(1);
  first.done = [&](const core::Error*) {
    notes += "1 ";
    CHECK(queue.awaited() == 1);
    queue.follow(1, entry(3));
  };
  queue.add(std::move(first));
  add(2);
  CHECK(queue.awaited() == 1);
  work();
  CHECK(notes == "1 2 3 ");
  CHECK(queue.answered() == 1);
  CHECK(queue.awaited() == 0);
}

TEST_CASE_FIXTURE(Numbers,
                  "when a batch cannot be written, all who wait are undone backwards and told in order") {
  disk.fail(FaultyDisk::Fault::kSync, 1);
  add(1);
  add(2);
  turn();
  add(3);
  offload.work();
  CHECK(notes == "3- 2- 1- 1! 2! 3! ");
  REQUIRE(queue.trouble());
  CHECK(queue.trouble()->name == "StorageError");
  CHECK(queue.trouble()->message.find("retry_after_ms") == std::string::npos);
  CHECK(queue.failed_for_good());
  CHECK(settled_batches == 1);
  test::pass(timers, 10s);
  CHECK(offload.waiting.empty());
  CHECK(queue.close()->name == "StorageError");
}

TEST_CASE_FIXTURE(Numbers, "who asks while nothing can be written is refused, but not inside the call") {
  disk.fail(FaultyDisk::Fault::kFull, 1);
  add(1);
  work();
  notes.clear();
  add(2);
  add(3);
  CHECK(notes.empty());
  disk.heal();
  turn();
  CHECK(notes == "2! 3! ");
  CHECK(offload.waiting.empty());
}

TEST_CASE("on a full disk a probe goes out each second, and carries what is outstanding") {
  for (const bool outstanding : {false, true}) {
    Numbers numbers;
    numbers.disk.fail(FaultyDisk::Fault::kFull, 1);
    if (outstanding) numbers.own = {2};
    numbers.add(1);
    numbers.work();
    CHECK(numbers.queue.trouble()->text().ends_with("database or disk is full {\"retry_after_ms\":1000}"));
    for (int probe = 0; probe < 3; ++probe) {
      test::pass(numbers.timers, 999ms);
      CHECK(numbers.offload.waiting.empty());
      test::pass(numbers.timers, 1ms);
      numbers.work();
      CHECK(numbers.queue.trouble());
    }
    numbers.disk.heal();
    test::pass(numbers.timers, 1s);
    numbers.work();
    CHECK_FALSE(numbers.queue.trouble());
    CHECK(numbers.stored() == (outstanding ? 1 : 0));
    CHECK(numbers.probes() == (outstanding ? 0 : 1));
  }
}

TEST_CASE_FIXTURE(Numbers, "that nothing can be written any more, and that it can again, is told once") {
  std::vector<std::string> told;
  queue.on_change([&](const auto& trouble) { told.push_back(trouble ? trouble->name : "over"); });
  add(1);
  work();
  CHECK(told.empty());
  disk.fail(FaultyDisk::Fault::kFull, 1);
  add(2);
  work();
  for (int probe = 0; probe < 3; ++probe) {
    test::pass(timers, 1s);
    work();
  }
  CHECK(told == std::vector<std::string>{"StorageError"});
  disk.heal();
  test::pass(timers, 1s);
  work();
  CHECK(told == std::vector<std::string>{"StorageError", "over"});
}

TEST_CASE_FIXTURE(Numbers,
                  "closing writes all that is outstanding, and what is asked meanwhile, in the one call") {
  auto first = entry(1);
  first.done = [&](const core::Error*) {
    notes += "1 ";
    add(2);
  };
  queue.add(std::move(first));
  own = {3};
  CHECK_FALSE(queue.close());
  CHECK(notes == "1 2 ");
  CHECK(stored() == 3);
}

TEST_CASE_FIXTURE(Numbers, "closing on a full disk says so, unless there is room again") {
  disk.fail(FaultyDisk::Fault::kFull, 1);
  add(1);
  CHECK(queue.close()->text().ends_with(" {\"retry_after_ms\":1000}"));
  CHECK(notes == "1- 1! ");
  add(2);
  disk.heal();
  CHECK_FALSE(queue.close());
  CHECK(notes == "1- 1! 2! ");
}

}  // namespace zerosuite::test::commit_queue_test
