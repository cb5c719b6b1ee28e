// The log: one line on stderr for each event, `2026-11-23T04:31:00.123Z info math
// listening endpoint=tcp://…`. Hides spdlog. Loop thread only.
#pragma once

#include <concepts>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <span>
#include <string>
#include <string_view>

namespace spdlog {
class logger;
}

namespace zerosuite::ops {

enum class Level { kError, kWarn, kInfo, kDebug };

/// error, warn, info or debug.
std::string_view level_name(Level level);

/// One `key=value` of a line.
struct Field {
  Field(std::string_view field, std::string_view text) : key(field), value(text) {}
  Field(std::string_view field, std::integral auto number) : key(field), value(std::to_string(number)) {}

  std::string_view key;
  std::string value;
};

/// The line without its time: level, program, event, fields. Values that are not one plain word are quoted,
/// and control characters and non-ASCII bytes are escaped (text.hpp).
std::string line(Level level, std::string_view program, std::string_view event,
                 std::span<const Field> fields);

class Log {
 public:
  explicit Log(std::string_view program);
  ~Log();
  Log(const Log&) = delete;
  Log& operator=(const Log&) = delete;

  void set_level(Level level);
  bool enabled(Level level) const { return level <= level_; }

  /// Writes and flushes one line, or nothing when `level` is not enabled. A stderr that is closed, or whose
  /// disk is full, is not an error. Never waits for a reader: a line for which a pipe has no room is lost,
  /// and the next line written is preceded by `lines lost count=N`.
  void write(Level level, std::string_view event, std::span<const Field> fields = {});
  void write(Level level, std::string_view event, std::initializer_list<Field> fields) {
    write(level, event, std::span(fields.begin(), fields.size()));
  }

 private:
  void put(const std::string& text);

  std::string program_;
  std::uint64_t lost_ = 0;
  Level level_ = Level::kInfo;
  std::unique_ptr<spdlog::logger> logger_;
};

}  // namespace zerosuite::ops
