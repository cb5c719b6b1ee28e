#include "ops/option.hpp"

#include <algorithm>
#include <charconv>

#include "core/error.hpp"
#include "ops/endpoint.hpp"
#include "ops/log.hpp"
#include "ops/text.hpp"
#include "wire/limits.hpp"

namespace zerosuite::ops {
namespace {

using List = std::vector<std::string>;

constexpr std::int64_t kHour = 3'600'000;
constexpr std::int64_t kMany = 1'000'000'000;

std::string upper(std::string_view text) {
  std::string out(text);
  for (char& c : out) c = c == '-' ? '_' : static_cast<char>(c >= 'a' && c <= 'z' ? c - 'a' + 'A' : c);
  return out;
}

std::int64_t count(std::size_t value) { return static_cast<std::int64_t>(value); }

List split(std::string_view text) {
  static constexpr std::string_view kBetween = ", \t";
  List parts;
  std::size_t from = text.find_first_not_of(kBetween);
  while (from != std::string_view::npos) {
    const std::size_t to = std::min(text.find_first_of(kBetween, from), text.size());
    parts.emplace_back(text.substr(from, to - from));
    from = text.find_first_not_of(kBetween, to);
  }
  return parts;
}

bool all_endpoints(const List& list) {
  return !list.empty() && std::all_of(list.begin(), list.end(), is_endpoint);
}

bool accepted(const Option& option, const Value& value) {
  switch (option.type) {
    case Type::kSwitch:
      return std::holds_alternative<bool>(value);
    case Type::kInteger: {
      const auto* number = std::get_if<std::int64_t>(&value);
      return number != nullptr && *number >= option.least && *number <= option.most;
    }
    case Type::kText: {
      const auto* text = std::get_if<std::string>(&value);
      return text != nullptr && !text->empty();
    }
    case Type::kLevel: {
      const auto* text = std::get_if<std::string>(&value);
      return text != nullptr && level_of(*text).has_value();
    }
    case Type::kEndpoints: {
      const auto* list = std::get_if<List>(&value);
      return list != nullptr && all_endpoints(*list);
    }
    case Type::kProxies: {
      const auto* list = std::get_if<List>(&value);
      return list != nullptr && *list == List{"none"};
    }
  }
  return false;
}

std::vector<Option> command_options() {
  return {
      {.name = "config",
       .type = Type::kText,
       .scope = Scope::kCommand,
       .initial = std::string(),
       .argument = "FILE",
       .help = "Reads the configuration file FILE; without it no file is read."},
      {.name = "check",
       .type = Type::kSwitch,
       .scope = Scope::kCommand,
       .initial = false,
       .help = "Validates the configuration and exits."},
      {.name = "help",
       .type = Type::kSwitch,
       .scope = Scope::kCommand,
       .initial = false,
       .help = "Prints this."},
      {.name = "version",
       .type = Type::kSwitch,
       .scope = Scope::kCommand,
       .initial = false,
       .help = "Prints the version."},
  };
}

std::vector<Option> own_options(const Program& program) {
  const std::string_view data_help =
      program.data.empty() ? "Keeps no data; taken so that every program of the suite has the same flags."
                           : "Keeps its data in the folder DIR, which one process at a time may use.";
  return {{.name = "bind",
           .type = Type::kEndpoints,
           .scope = Scope::kOwn,
           .initial = List{std::string(program.bind)},
           .argument = "ENDPOINT",
           .help = "Serves on ENDPOINT (tcp://HOST:PORT or ipc://PATH); may be repeated."},
          {.name = "data",
           .type = Type::kText,
           .scope = Scope::kOwn,
           .initial = std::string(program.data.empty() ? "none" : program.data),
           .argument = "DIR",
           .help = data_help}};
}

std::vector<Option> shared_options() {
  return {
      {.name = "proxy",
       .type = Type::kProxies,
       .initial = List{"none"},
       .argument = "ENDPOINT",
       .help = "Serves behind the proxy at ENDPOINT as well; this version knows only none."},
      {.name = "log_level",
       .type = Type::kLevel,
       .initial = std::string("info"),
       .argument = "LEVEL",
       .help = "Logs what is at least this grave: error, warn, info or debug. Read again on SIGHUP."},
      {.name = "insecure",
       .type = Type::kSwitch,
       .initial = false,
       .help = "Allows a bind that other machines can reach, without encryption or authentication."},
      {.name = "heartbeat_ms",
       .type = Type::kInteger,
       .initial = std::int64_t{5000},
       .unit = "ms",
       .least = 100,
       .most = kHour,
       .help = "Heartbeats every open call this often; a client silent for twice that is lost."},
      {.name = "drain_ms",
       .type = Type::kInteger,
       .initial = std::int64_t{10000},
       .unit = "ms",
       .most = kHour,
       .help = "Lets calls in flight finish for so long after SIGTERM or SIGINT."},
      {.name = "blocking_threads",
       .type = Type::kInteger,
       .initial = std::int64_t{0},
       .most = 1024,
       .help = "Runs so many blocking methods at once; 0 = one for each core."},
      {.name = "blocking_queue",
       .type = Type::kInteger,
       .initial = std::int64_t{10000},
       .least = 1,
       .most = kMany,
       .help = "Lets so many calls of blocking methods wait; one more is answered ERR Overloaded."},
      {.name = "high_water",
       .type = Type::kInteger,
       .initial = std::int64_t{1000},
       .most = kMany,
       .help = "Queues so many messages each way for each peer; 0 = no limit."},
  };
}

Option limit(std::string_view name, std::int64_t initial, std::int64_t least, std::string_view help) {
  return {
      .name = name, .type = Type::kInteger, .initial = initial, .least = least, .most = kMany, .help = help};
}

std::vector<Option> limits() {
  const wire::Limits wire;
  Option frame =
      limit("max_frame_bytes", count(wire.max_frame_bytes), 1024, "One payload; ERR TooLarge beyond it.");
  frame.unit = "bytes";
  Option id = limit("max_id_bytes", count(wire.max_id_bytes), 36, "A message id; a longer one is dropped.");
  id.unit = "bytes";
  Option frames =
      limit("max_envelope_frames", count(wire.max_envelope_frames), 1, "Identity frames, one for each hop.");
  frames.most = count(wire.max_envelope_frames);
  Option nesting = limit("max_nesting", count(wire.max_nesting), 4, "Arrays and maps inside one another.");
  nesting.most = count(wire::kMostNesting);
  Option held = limit("max_held_bytes", 32 << 20, 1024,
                      "Answers kept for one client that does not read; beyond it the client counts as gone.");
  held.unit = "bytes";
  return {frame,
          frames,
          id,
          nesting,
          limit("max_elements", count(wire.max_elements), 16, "Values in one payload."),
          held,
          limit("max_credit", 1'000'000, 1, "Stream items a client may ask for in advance."),
          limit("max_channels_per_peer", 65'536, 1, "Open calls of one client; ERR Overloaded beyond it."),
          limit("max_channels", 262'144, 1, "Open calls of all clients; ERR Overloaded beyond it.")};
}

}  // namespace

std::string Option::flag() const {
  std::string out = concat({"--", name});
  std::replace(out.begin(), out.end(), '_', '-');
  return out;
}

std::vector<Option> options_of(const Program& program) {
  std::vector<Option> all = command_options();
  for (auto group : {own_options(program), shared_options(), limits()})
    all.insert(all.end(), group.begin(), group.end());
  return all;
}

std::string environment_prefix(std::string_view program) {
  return concat({"ZEROSUITE_", upper(program), "_"});
}

std::vector<std::string> environment_names(const Program& program, const Option& option) {
  if (option.scope == Scope::kCommand && option.type == Type::kSwitch) return {};
  const std::string shared = concat({"ZEROSUITE_", upper(option.name)});
  const std::string own = environment_prefix(program.name) + upper(option.name);
  switch (option.scope) {
    case Scope::kCommand:
      return {shared};
    case Scope::kOwn:
      return {own};
    case Scope::kShared:
      return {own, shared};
  }
  return {};
}

std::string expectation(const Option& option) {
  switch (option.type) {
    case Type::kSwitch:
      return "true or false";
    case Type::kInteger:
      return concat({"a whole number from ", std::to_string(option.least), " to ",
                     std::to_string(option.most), option.unit.empty() ? "" : " (", option.unit,
                     option.unit.empty() ? "" : ")"});
    case Type::kText:
      return "a text that is not empty";
    case Type::kLevel:
      return "error, warn, info or debug";
    case Type::kEndpoints:
      return "endpoints such as tcp://127.0.0.1:4301 or ipc:///run/math";
    case Type::kProxies:
      return "none: this version serves stand-alone only";
  }
  return {};
}

void refuse_value(const Option& option, const std::string& shown, const std::string& subject) {
  throw core::Failure(core::kInvalidArgument,
                      concat({subject, " is ", shown, "; expected ", expectation(option)}));
}

Value parse(const Option& option, std::string_view text, const std::string& subject) {
  Value value = std::string(text);
  if (option.type == Type::kSwitch && (text == "true" || text == "false")) value = text == "true";
  if (option.type == Type::kEndpoints || option.type == Type::kProxies) value = split(text);
  if (option.type == Type::kInteger) {
    std::int64_t number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error == std::errc() && end == text.data() + text.size()) value = number;
  }
  if (!accepted(option, value)) refuse_value(option, quote(text), subject);
  return value;
}

Value checked(const Option& option, Value value, const std::string& subject) {
  if (!accepted(option, value)) refuse_value(option, to_toml(value), subject);
  return value;
}

std::string to_toml(const Value& value) {
  if (const auto* flag = std::get_if<bool>(&value)) return *flag ? "true" : "false";
  if (const auto* number = std::get_if<std::int64_t>(&value)) return std::to_string(*number);
  if (const auto* text = std::get_if<std::string>(&value)) return quote(*text);
  std::string out;
  for (const std::string& part : std::get<List>(value)) out += concat({out.empty() ? "" : ", ", quote(part)});
  return concat({"[", out, "]"});
}

}  // namespace zerosuite::ops
