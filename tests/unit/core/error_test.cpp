#include "core/error.hpp"

#include <doctest/doctest.h>

#include <fstream>
#include <set>
#include <sstream>
#include <vector>

#include "support/golden.hpp"

namespace zerosuite::core::error_test {

// The rows `| name | meaning |` of docs/errors.md, in their order.
std::vector<std::string> documented() {
  std::ifstream in(test::source_path("docs/errors.md"));
  std::vector<std::string> rows;
  bool in_table = false;
  for (std::string line; std::getline(in, line); in_table = in_table && !line.empty()) {
    if (in_table && line.rfind("| `", 0) == 0) rows.push_back(line);
    if (line == "| name | meaning |") in_table = true;
  }
  return rows;
}

TEST_CASE("docs/errors.md tells of every error name, with its meaning, and of no other") {
  std::vector<std::string> rows;
  for (const ErrorName& error : kErrorNames) {
    std::ostringstream row;
    row << "| `" << error.name << "` | " << error.meaning << " |";
    rows.push_back(row.str());
  }
  CHECK(documented() == rows);
}

TEST_CASE("no two errors have one name or one meaning") {
  std::set<std::string_view> names, meanings;
  for (const ErrorName& error : kErrorNames) {
    names.insert(error.name);
    meanings.insert(error.meaning);
  }
  CHECK(names.size() == std::size(kErrorNames));
  CHECK(meanings.size() == std::size(kErrorNames));
}

TEST_CASE("a failure carries its name and its message") {
  const Failure failure(kValueError, "too big");
  CHECK(failure.name() == "ValueError");
  CHECK(std::string(failure.what()) == "too big");
  CHECK(failure.error().name == "ValueError");
  CHECK(failure.error().message == "too big");
}

TEST_CASE("an error shows its details behind its words, and keeps both apart whatever they are") {
  CHECK(Error{"Busy", "not now"}.text() == "not now");
  const Error error{"Busy", R"(tag 'a {"b"}')", Json().add("retry_after_ms", 200)};
  CHECK(error.text() == R"(tag 'a {"b"}' {"retry_after_ms":200})");
  const Failure failure(error);
  CHECK(std::string(failure.what()) == error.text());
  CHECK(failure.error().message == error.message);
  CHECK(failure.error().details.text() == R"({"retry_after_ms":200})");
}

}  // namespace zerosuite::core::error_test
