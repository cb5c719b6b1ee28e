#include "id/stores/high_water_marks.hpp"

#include <doctest/doctest.h>
#include <sys/resource.h>

#include <csignal>
#include <limits>
#include <map>
#include <string>

#include "support/store_rigs.hpp"
#include "support/temporary_folder.hpp"

namespace zerosuite::test::floors_test {

using id::HighWaterMarks;

struct Desk {
  std::filesystem::path path() const { return folder.path() / "floors"; }
  void write(const std::string& content) const { write_file(path(), content); }
  std::string content() const { return content_of(path()); }
  // What reading it fails with, without the path; empty when it does not.
  std::string failure() const {
    try {
      const HighWaterMarks floors(path());
    } catch (const core::Failure& failure) {
      CHECK(failure.name() == "StorageError");
      const std::string what = failure.what();
      REQUIRE(what.starts_with(path().string() + " "));
      return what.substr(path().string().size() + 1);
    }
    return {};
  }

  TemporaryFolder folder;
};

// Files cannot grow beyond `size` while it lives.
class FileLimit {
 public:
  explicit FileLimit(rlim_t size) {
    ::getrlimit(RLIMIT_FSIZE, &before_);
    handler_ = std::signal(SIGXFSZ, SIG_IGN);
    const rlimit limit{size, before_.rlim_max};
    ::setrlimit(RLIMIT_FSIZE, &limit);
  }
  ~FileLimit() {
    ::setrlimit(RLIMIT_FSIZE, &before_);
    std::signal(SIGXFSZ, handler_);
  }
  FileLimit(const FileLimit&) = delete;
  FileLimit& operator=(const FileLimit&) = delete;

 private:
  rlimit before_{};
  void (*handler_)(int) = SIG_DFL;
};

// All that is known, by key.
std::map<std::string, std::int64_t> all_of(HighWaterMarks& floors) {
  std::map<std::string, std::int64_t> all;
  std::string last;
  for (auto some = floors.after(last, 3); !some.empty(); some = floors.after(last, 3)) {
    for (const auto& [key, next] : some) REQUIRE(all.emplace(key, next).second);
    last = some.back().first;
  }
  return all;
}
std::map<std::string, std::int64_t> all_in(const std::filesystem::path& path) {
  HighWaterMarks floors(path);
  return all_of(floors);
}

struct Begun : Desk {
  Begun() { floors.begin(); }

  HighWaterMarks floors{path()};
};

TEST_CASE_FIXTURE(Desk, "where there is no file nothing is known, and none is made before it begins") {
  HighWaterMarks floors(path());
  CHECK_FALSE(floors.found());
  CHECK(all_of(floors).empty());
  CHECK(floors.of(counter("a")) == 0);
  CHECK_FALSE(std::filesystem::exists(path()));
  floors.begin();
  CHECK(std::filesystem::exists(path()));
  CHECK(HighWaterMarks(path()).found());
}

TEST_CASE_FIXTURE(Begun, "each floor is a line, at once, and known again at the next start") {
  floors.raise(counter("a"), 11);
  floors.raise(ticks("twitter/5"), std::numeric_limits<std::int64_t>::max());
  floors.raise(counter("a"), 21);
  CHECK(floors.of(counter("a")) == 21);
  CHECK(content() == "11 counter:a\n9223372036854775807 ticks:twitter/5\n21 counter:a\n");
  HighWaterMarks again(path());
  CHECK(all_of(again) == all_of(floors));
  CHECK(again.of(counter("a")) == 21);
  CHECK(again.of(ticks("twitter/5")) == std::numeric_limits<std::int64_t>::max());
  CHECK(again.of(tag_key("a")) == 0);
}

TEST_CASE_FIXTURE(Begun, "a floor that is known already is not written, and only by name does one fall") {
  floors.raise(counter("a"), 11);
  floors.raise(counter("a"), 11);
  floors.raise(counter("a"), 5);
  CHECK(content() == "11 counter:a\n");
  floors.lower(counter("a"), 7);
  CHECK(floors.of(counter("a")) == 7);
  CHECK(HighWaterMarks(path()).of(counter("a")) == 7);
}

TEST_CASE_FIXTURE(Desk, "the beginning leaves one line for each key") {
  write("5 tag:b\n3 counter:a\n9 tag:b\n4 counter:a\n1 counter:a\n");
  HighWaterMarks floors(path());
  CHECK(floors.found());
  CHECK(content() == "5 tag:b\n3 counter:a\n9 tag:b\n4 counter:a\n1 counter:a\n");
  floors.begin();
  CHECK(content() == "1 counter:a\n9 tag:b\n");
  floors.raise(counter("c"), 2);
  CHECK(content() == "1 counter:a\n9 tag:b\n2 counter:c\n");
}

TEST_CASE_FIXTURE(Begun, "a key may hold any byte") {
  const std::string odd[] = {"",  " ",   "a b",      "a\nb",   "\r", std::string("\0", 1),
                             "%", "%0a", "\xff\x7f", "7 tag:x"};
  std::int64_t next = 100;
  for (const std::string& name : odd) {
    floors.raise(counter(name), ++next);
    floors.raise(tag_key(name), ++next);
  }
  HighWaterMarks again(path());
  CHECK(all_of(again) == all_of(floors));
  CHECK(all_of(again).size() == 20);
  next = 100;
  for (const std::string& name : odd) {
    CHECK(again.of(counter(name)) == ++next);
    CHECK(again.of(tag_key(name)) == ++next);
  }
}

TEST_CASE("a last line that is torn does not count, wherever it was torn") {
  const std::string whole = "5 counter:a\n1234 counter:b\n";
  for (std::size_t size = 12; size < whole.size(); ++size) {
    const Desk desk;
    desk.write(whole.substr(0, size));
    HighWaterMarks floors(desk.path());
    CHECK(floors.of(counter("a")) == 5);
    CHECK(all_of(floors).size() == 1);
    floors.begin();
    floors.raise(counter("c"), 7);
    CHECK(desk.content() == "5 counter:a\n7 counter:c\n");
  }
}

TEST_CASE_FIXTURE(Desk, "any other line that is damaged stops the start, with its number") {
  const std::string advice = "; to go on, mend it by hand, or move it away and start with --accept-regressed";
  for (const char* line :
       {"", "x", "counter:a", "5", "5 ", "5counter:a", " 5 counter:a", "5 counter%:a", "5 counter:%4",
        "5 counter:%-1", "9223372036854775808 counter:a", "0x5 counter:a"}) {
    CAPTURE(line);
    write(std::string("1 counter:a\n") + line + "\n3 counter:b\n");
    CHECK(failure() == "is damaged in line 2" + advice);
  }
  write("1 counter:a\n");
  CHECK(failure().empty());
}

TEST_CASE_FIXTURE(Desk, "what is no file is refused") {
  std::filesystem::create_directories(path());
  CHECK(failure() == "is not a file");
  HighWaterMarks nowhere(folder.path() / "none" / "floors");
  CHECK_FALSE(nowhere.found());
  CHECK_THROWS_AS(nowhere.begin(), core::Failure);
}

TEST_CASE_FIXTURE(Begun, "a file that has grown is rewritten, and nothing of it is lost") {
  for (int nth = 0; nth < 100; ++nth) floors.raise(tag_key(std::to_string(nth)), nth + 1);
  std::uintmax_t most = 0;
  for (int nth = 1; nth <= 250'000; ++nth) {
    floors.raise(counter("a"), nth);
    if (nth % 100 == 0) most = std::max(most, std::filesystem::file_size(path()));
  }
  CHECK(most > 1'000'000);
  CHECK(most < 1'060'000);
  CHECK_FALSE(floors.trouble());
  HighWaterMarks again(path());
  CHECK(all_of(again) == all_of(floors));
  CHECK(again.of(counter("a")) == 250'000);
  CHECK(std::distance(std::filesystem::directory_iterator(folder.path()), {}) == 1);
}

TEST_CASE_FIXTURE(Desk, "however many names there are, only some are in memory, and all are known") {
  HighWaterMarks floors(path(), 1'000);
  floors.begin();
  const auto name = [](int nth) {
    return counter(std::to_string(nth * 7919 % 30'011) + (nth % 3 == 0 ? "\n%" : ""));
  };
  for (int nth = 0; nth < 30'000; ++nth) {
    floors.raise(name(nth), nth + 1);
    REQUIRE(floors.in_memory() <= 1'001);
  }
  for (int nth = 0; nth < 30'000; nth += 7) {
    REQUIRE(floors.of(name(nth)) == nth + 1);
    floors.lower(name(nth), nth + 100'000);
  }
  CHECK(floors.of(counter("none")) == 0);
  CHECK(floors.of(counter("")) == 0);
  CHECK(floors.of(counter("zzz")) == 0);
  CHECK(all_of(floors).size() == 30'000);
  HighWaterMarks again(path(), 1'000);
  CHECK(all_of(again) == all_of(floors));
  for (int nth = 0; nth < 30'000; nth += 11)
    REQUIRE(again.of(name(nth)) == (nth % 7 == 0 ? nth + 100'000 : nth + 1));
}

TEST_CASE_FIXTURE(Desk, "the id of the store is kept beside the floors, and is none of them") {
  {
    HighWaterMarks floors(path());
    floors.begin();
    CHECK(floors.state().empty());
    floors.set_state("first");
    floors.raise(counter("a"), 5);
    floors.set_state("second");
  }
  HighWaterMarks again(path());
  CHECK(again.state() == "second");
  again.begin();
  CHECK(HighWaterMarks(path()).state() == "second");
  CHECK(all_of(again) == std::map<std::string, std::int64_t>{{"counter:a", 5}});
}

TEST_CASE_FIXTURE(Begun, "a line that cannot be written is remembered, and written with the next that can") {
  floors.raise(counter("a"), 5);
  {
    const FileLimit limit(20);  // in the middle of the second line
    floors.raise(counter("b"), 6);
    REQUIRE(floors.trouble());
    CHECK(floors.trouble()->name == "StorageError");
    CHECK(floors.trouble()->text().starts_with(path().string() + " cannot be written: "));
    CHECK(floors.of(counter("b")) == 6);
    CHECK(all_in(path()).size() == 1);
    floors.raise(counter("c"), 7);
    CHECK(floors.trouble());
    floors.lower(counter("c"), 6);
    CHECK(floors.trouble());
  }
  floors.raise(counter("d"), 8);
  CHECK_FALSE(floors.trouble());
  CHECK(content() == "5 counter:a\n6 counter:b\n6 counter:c\n8 counter:d\n");
  floors.raise(counter("a"), 9);
  CHECK(all_in(path()) == all_of(floors));
}

}  // namespace zerosuite::test::floors_test
