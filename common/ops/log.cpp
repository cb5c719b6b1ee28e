#include "ops/log.hpp"

#include <poll.h>
#include <spdlog/logger.h>
#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <unistd.h>

#include <array>
#include <utility>

#include "ops/config/text.hpp"

namespace zerosuite::ops {
namespace {

// A line is shorter than PIPE_BUF, which a writable pipe takes at once (pipe(7)). A stderr that has failed
// counts as having room, since writing to it does not block.
bool has_room(int descriptor) {
  pollfd item{descriptor, POLLOUT, 0};
  return ::poll(&item, 1, 0) != 0;
}

constexpr std::array<std::string_view, 4> kLevelNames = {"error", "warn", "info", "debug"};

}  // namespace

std::string_view level_name(Level level) { return kLevelNames[static_cast<std::size_t>(level)]; }

std::string line(Level level, std::string_view program, std::string_view event,
                 std::span<const Field> fields) {
  std::string out;
  out.append(level_name(level)).append(" ").append(program).append(" ").append(event);
  for (const Field& field : fields) {
    out.append(" ").append(field.key).append("=").append(word_or_quoted(field.value));
  }
  return out;
}

Log::Log(std::string_view program)
    : program_(program),
      logger_(std::make_unique<spdlog::logger>(program_, std::make_shared<spdlog::sinks::stderr_sink_st>())) {
  // The level is part of the line, not of the pattern: spdlog would write "warning".
  logger_->set_formatter(std::make_unique<spdlog::pattern_formatter>("%Y-%m-%dT%H:%M:%S.%eZ %v",
                                                                     spdlog::pattern_time_type::utc));
  logger_->set_error_handler([](const std::string&) {});
}

Log::~Log() = default;

void Log::set_level(Level level) { level_ = level; }

void Log::write(Level level, std::string_view event, std::span<const Field> fields) {
  if (!enabled(level)) return;
  if (!has_room(STDERR_FILENO)) {
    ++lost_;
    return;
  }
  if (lost_ > 0) {
    const Field count("count", std::exchange(lost_, 0));
    put(line(Level::kWarn, program_, "lines lost", {&count, 1}));
  }
  put(line(level, program_, event, fields));
}

void Log::put(const std::string& text) {
  logger_->log(spdlog::level::critical, spdlog::string_view_t(text.data(), text.size()));
}

}  // namespace zerosuite::ops
