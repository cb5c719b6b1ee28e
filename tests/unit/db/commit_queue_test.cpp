#include "db/commit_queue.hpp"

#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "db/state_file.hpp"
#include "support/fakes.hpp"
#include "support/faulty_disk.hpp"

namespace zerosuite::test::commit_queue_test {

using namespace std::chrono_literals;
using db::CommitQueue;

// A file of numbers, and a queue before it.
class Numbers final : public CommitQueue::Target {
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
  void turn() { timers.advance_to(timers.now()); }
  void work() {
    turn();
    REQUIRE(offload.waiting.size() == 1);
    offload.work();
  }
  std::int64_t stored() const { return file_.database().integer("SELECT count(*) FROM number"); }
  std::int64_t probes() const { return file_.database().integer("SELECT count FROM probe"); }

  FaultyDisk disk;
  net::Timers timers{test::kStart};
  test::HandOffload offload;
  std::vector<int> own;  // to be written beside the entries' works
  std::string notes;
  int settled_batches = 0;

 private:
  void insert(int number) const {
    file_.database().exec("INSERT INTO number VALUES(" + std::to_string(number) + ")");
  }

  test::TemporaryFolder folder_;
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

TEST_CASE("all that one turn brings goes to the disk together, and what comes meanwhile goes next") {
  Numbers numbers;
  for (int number = 1; number <= 64; ++number) numbers.add(number);
  CHECK(numbers.offload.waiting.empty());
  numbers.turn();
  REQUIRE(numbers.offload.waiting.size() == 1);
  CHECK_FALSE(numbers.queue.idle());
  numbers.notes.clear();
  numbers.add(65);
  numbers.turn();
  CHECK(numbers.offload.waiting.size() == 1);
  numbers.offload.waiting.front().first();
  CHECK(numbers.notes.empty());  // it is on the disk, and nobody knows yet
  numbers.offload.waiting.front().second();
  numbers.offload.waiting.pop_front();
  CHECK(numbers.notes.starts_with("1 2 3 "));
  CHECK(numbers.notes.ends_with(" 64 "));
  CHECK(numbers.queue.written() == 1);
  numbers.work();
  CHECK(numbers.notes.ends_with(" 64 65 "));
  CHECK(numbers.queue.idle());
  CHECK(numbers.settled_batches == 2);
  CHECK(numbers.stored() == 65);
}

TEST_CASE("what the target has to write goes after the delay it asks for, or with what somebody waits for") {
  Numbers numbers;
  numbers.own = {1};
  numbers.queue.within(20ms);
  test::pass(numbers.timers, 10ms);
  numbers.queue.within(20ms);
  test::pass(numbers.timers, 9ms);
  CHECK(numbers.offload.waiting.empty());
  test::pass(numbers.timers, 1ms);
  numbers.work();
  numbers.own = {2};
  numbers.queue.within(20ms);
  numbers.add(3);
  numbers.work();
  CHECK(numbers.stored() == 3);
  test::pass(numbers.timers, 1s);
  CHECK(numbers.offload.waiting.empty());
  numbers.own = {4};
  numbers.queue.soon();
  numbers.work();
  CHECK(numbers.stored() == 4);
}

TEST_CASE("who waits for nothing that must be written is answered all the same, without the disk") {
  Numbers numbers;
  numbers.queue.follow(numbers.queue.gathering(),
                       {.done = [&](const core::Error*) { numbers.notes += "1 "; }});
  CHECK(numbers.notes.empty());
  numbers.turn();
  CHECK(numbers.notes == "1 ");
  CHECK(numbers.offload.waiting.empty());
}

TEST_CASE("a full queue of the offload is tried again a little later, with nothing lost, and is no error") {
  Numbers numbers;
  numbers.offload.room = 0;
  numbers.add(1);
  numbers.own = {2};
  test::pass(numbers.timers, 100ms);
  CHECK(numbers.queue.idle());
  CHECK_FALSE(numbers.queue.trouble());
  numbers.add(3);
  numbers.offload.room = 1;
  test::pass(numbers.timers, 10ms);
  numbers.work();
  CHECK(numbers.notes == "1 3 ");
  CHECK(numbers.stored() == 3);
}

TEST_CASE("an answer may ask for an answer behind those of its own batch") {
  Numbers numbers;
  auto first = numbers.entry(1);
  first.done = [&](const core::Error*) {
    numbers.notes += "1 ";
    CHECK(numbers.queue.awaited() == 1);
    numbers.queue.follow(1, numbers.entry(3));
  };
  numbers.queue.add(std::move(first));
  numbers.add(2);
  CHECK(numbers.queue.awaited() == 1);
  numbers.work();
  CHECK(numbers.notes == "1 2 3 ");
  CHECK(numbers.queue.answered() == 1);
  CHECK(numbers.queue.awaited() == 0);
}

TEST_CASE("when a batch cannot be written, all who wait are undone backwards and told in order") {
  Numbers numbers;
  numbers.disk.fail(FaultyDisk::Fault::kSync, 1);
  numbers.add(1);
  numbers.add(2);
  numbers.turn();
  numbers.add(3);
  numbers.offload.work();
  CHECK(numbers.notes == "3- 2- 1- 1! 2! 3! ");
  REQUIRE(numbers.queue.trouble());
  CHECK(numbers.queue.trouble()->name == "StorageError");
  CHECK(numbers.queue.trouble()->message.find("retry_after_ms") == std::string::npos);
  CHECK(numbers.queue.failed_for_good());
  CHECK(numbers.settled_batches == 1);
  test::pass(numbers.timers, 10s);
  CHECK(numbers.offload.waiting.empty());
  CHECK(numbers.queue.close()->name == "StorageError");
}

TEST_CASE("who asks while nothing can be written is refused, but not inside the call") {
  Numbers numbers;
  numbers.disk.fail(FaultyDisk::Fault::kFull, 1);
  numbers.add(1);
  numbers.work();
  numbers.notes.clear();
  numbers.add(2);
  numbers.add(3);
  CHECK(numbers.notes.empty());
  numbers.disk.heal();
  numbers.turn();
  CHECK(numbers.notes == "2! 3! ");
  CHECK(numbers.offload.waiting.empty());
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

TEST_CASE("that nothing can be written any more, and that it can again, is told once") {
  Numbers numbers;
  std::vector<std::string> told;
  numbers.queue.on_change([&](const auto& trouble) { told.push_back(trouble ? trouble->name : "over"); });
  numbers.add(1);
  numbers.work();
  CHECK(told.empty());
  numbers.disk.fail(FaultyDisk::Fault::kFull, 1);
  numbers.add(2);
  numbers.work();
  for (int probe = 0; probe < 3; ++probe) {
    test::pass(numbers.timers, 1s);
    numbers.work();
  }
  CHECK(told == std::vector<std::string>{"StorageError"});
  numbers.disk.heal();
  test::pass(numbers.timers, 1s);
  numbers.work();
  CHECK(told == std::vector<std::string>{"StorageError", "over"});
}

TEST_CASE("closing writes all that is outstanding, and what is asked meanwhile, in the one call") {
  Numbers numbers;
  auto first = numbers.entry(1);
  first.done = [&](const core::Error*) {
    numbers.notes += "1 ";
    numbers.add(2);
  };
  numbers.queue.add(std::move(first));
  numbers.own = {3};
  CHECK_FALSE(numbers.queue.close());
  CHECK(numbers.notes == "1 2 ");
  CHECK(numbers.stored() == 3);
}

TEST_CASE("closing on a full disk says so, unless there is room again") {
  Numbers numbers;
  numbers.disk.fail(FaultyDisk::Fault::kFull, 1);
  numbers.add(1);
  CHECK(numbers.queue.close()->text().ends_with(" {\"retry_after_ms\":1000}"));
  CHECK(numbers.notes == "1- 1! ");
  numbers.add(2);
  numbers.disk.heal();
  CHECK_FALSE(numbers.queue.close());
  CHECK(numbers.notes == "1- 1! 2! ");
}

}  // namespace zerosuite::test::commit_queue_test
