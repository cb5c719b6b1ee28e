// What issuers gave out, and whether they kept what they promise.
#pragma once

#include <algorithm>
#include <cstdint>
#include <limits>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace zerosuite::test {

/// Values first … first+count−1 of one key, by one process. Moments are numbers that only rise.
struct Issued {
  std::string key;
  std::size_t process = 0;
  std::int64_t first = 0;
  std::int64_t count = 1;
  std::uint64_t asked = 0;
  std::uint64_t answered = 0;

  std::int64_t last() const { return first + count - 1; }
  std::string text() const {
    return key + " " + std::to_string(first) + "+" + std::to_string(count) + " of process " +
           std::to_string(process) + ", asked " + std::to_string(asked) + ", answered " +
           std::to_string(answered);
  }
};

/// In the order of the answers. The checkers answer what is wrong; nullopt when nothing is.
class IdHistory {
 public:
  using Finding = std::optional<std::string>;

  /// No value of any key is there twice.
  Finding twice() const {
    for (auto [key, all] : by_key()) {
      std::sort(all.begin(), all.end(), [](auto* a, auto* b) { return a->first < b->first; });
      for (std::size_t i = 1; i < all.size(); ++i) {
        if (all[i]->first <= all[i - 1]->last()) return both("twice", *all[i - 1], *all[i]);
      }
    }
    return std::nullopt;
  }

  /// The values of one process ascend.
  Finding falling(const std::string& key) const {
    std::map<std::size_t, const Issued*> latest;
    for (const Issued& one : issued) {
      if (one.key != key) continue;
      const Issued*& before = latest[one.process];
      if (before != nullptr && one.first <= before->last()) return both("falling", *before, one);
      before = &one;
    }
    return std::nullopt;
  }

  /// If one was answered before another was asked for, it is less.
  Finding out_of_order(const std::string& key) const {
    std::vector<const Issued*> all;
    for (const Issued& one : issued) {
      if (one.key == key) all.push_back(&one);
    }
    auto by_asked = all;
    std::sort(by_asked.begin(), by_asked.end(), [](auto* a, auto* b) { return a->asked < b->asked; });
    const Issued* greatest = nullptr;  // of those answered before this one was asked for
    auto answered = all.begin();
    for (const Issued* one : by_asked) {
      for (; answered != all.end() && (*answered)->answered < one->asked; ++answered) {
        if (greatest == nullptr || (*answered)->last() > greatest->last()) greatest = *answered;
      }
      if (greatest != nullptr && one->first <= greatest->last()) return both("out of order", *greatest, *one);
    }
    return std::nullopt;
  }

  std::int64_t count() const {
    std::int64_t sum = 0;
    for (const Issued& one : issued) sum += one.count;
    return sum;
  }

  std::vector<Issued> issued;
  std::map<std::string, int> refused;  ///< By the name of the error.
  std::optional<std::string> unfair;   ///< A refusal for which there was no reason.

 private:
  static std::string both(const std::string& what, const Issued& a, const Issued& b) {
    return what + ": " + a.text() + "; " + b.text();
  }

  std::map<std::string, std::vector<const Issued*>> by_key() const {
    std::map<std::string, std::vector<const Issued*>> keys;
    for (const Issued& one : issued) keys[one.key].push_back(&one);
    return keys;
  }
};

}  // namespace zerosuite::test
