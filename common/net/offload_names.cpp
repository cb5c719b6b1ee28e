#include "net/offload_names.hpp"

#include <netdb.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdint>
#include <deque>
#include <mutex>
#include <system_error>
#include <thread>
#include <utility>

#include "core/text.hpp"

namespace zerosuite::net {
namespace {

constexpr std::string_view kTcp = "tcp://";

bool is_port(std::string_view text) { return core::parse<std::uint16_t>(text).value_or(0) != 0; }

std::string_view without_brackets(std::string_view host) {
  const bool bracketed = host.starts_with('[') && host.ends_with(']');
  return bracketed ? host.substr(1, host.size() - 2) : host;
}

Addresses ask(const std::string& host, int flags) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = flags;
  addrinfo* found = nullptr;
  const int code = ::getaddrinfo(host.c_str(), nullptr, &hints, &found);
  if (code != 0) {
    const std::string why =
        code == EAI_SYSTEM ? std::generic_category().message(errno) : ::gai_strerror(code);
    return core::Error{core::kUnavailable, host + ": " + why};
  }
  const std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> owned(found, ::freeaddrinfo);

  std::vector<std::string> addresses;
  for (const addrinfo* one = found; one != nullptr; one = one->ai_next) {
    std::array<char, NI_MAXHOST> text{};
    if (::getnameinfo(one->ai_addr, one->ai_addrlen, text.data(), text.size(), nullptr, 0, NI_NUMERICHOST) ==
        0)
      addresses.emplace_back(text.data());
  }
  if (addresses.empty())
    return core::Error{core::kUnavailable, host + ": no address that can be written down"};
  // IPv4 first, as libzmq itself would dial: a service bound to one family only is more often bound to IPv4.
  std::stable_partition(addresses.begin(), addresses.end(),
                        [](const std::string& address) { return address.find(':') == std::string::npos; });
  return addresses;
}

}  // namespace

std::string NamedEndpoint::at(const std::string& address) const {
  const bool v6 = address.find(':') != address.npos;
  return before + (v6 ? "[" + address + "]" : address) + behind;
}

std::optional<NamedEndpoint> named_endpoint(std::string_view endpoint) {
  const std::size_t colon = endpoint.rfind(':');
  if (!endpoint.starts_with(kTcp) || colon < kTcp.size() || !is_port(endpoint.substr(colon + 1)))
    return std::nullopt;
  const std::size_t own = endpoint.substr(0, colon).rfind(';');
  const std::size_t start = own == endpoint.npos ? kTcp.size() : own + 1;
  const std::string host(without_brackets(endpoint.substr(start, colon - start)));
  if (host.empty() || host == "*" || numeric_address(host)) return std::nullopt;
  return NamedEndpoint{std::string(endpoint.substr(0, start)), host, std::string(endpoint.substr(colon))};
}

Addresses numeric_address(const std::string& host) { return ask(host, AI_NUMERICHOST); }

Addresses ask_system(const std::string& host) { return ask(host, 0); }

/// One request for a name.
struct Names::Wish {
  Wish(Timers& timers, Then its_then) : then(std::move(its_then)), patience(timers, [this] { give_up(); }) {}

  // The last use of this object: the callback may destroy it.
  void answer(const Addresses& addresses) {
    patience.cancel();
    if (auto once = std::exchange(then, {})) once(addresses);
  }
  void give_up() { answer(core::Error{core::kUnavailable, host + ": its lookup has not been answered"}); }

  std::string host;
  Then then;
  Timer patience;
};

/// Shared with the threads, which take hosts from it and deliver results through it. Outlives the Names while
/// a lookup hangs.
struct Names::Desk {
  explicit Desk(Names* its_owner) : owner(its_owner) {}

  static void work(const std::shared_ptr<Desk>& desk, std::string host) noexcept {
    for (;;) {
      const Addresses addresses = desk->ask(host);
      const std::lock_guard lock(desk->mutex);
      if (desk->owner == nullptr) return;
      desk->owner->answers_->post([owner = desk->owner, host, addresses] { owner->found(host, addresses); });
      if (desk->waiting.empty()) {
        --desk->threads;
        return;
      }
      host = std::move(desk->waiting.front());
      desk->waiting.pop_front();
    }
  }

  std::function<Addresses(const std::string&)> ask;
  std::mutex mutex;
  Names* owner;  // null once it is destroyed
  std::size_t threads = 0;
  std::deque<std::string> waiting;
};

Names::Names(Reactor& reactor, NamesOptions options)
    : reactor_(reactor), options_(std::move(options)), desk_(std::make_shared<Desk>(this)) {
  desk_->ask = options_.ask;
}

Names::~Names() {
  const std::lock_guard lock(desk_->mutex);
  desk_->owner = nullptr;
}

Names::Lookup Names::look_up(const std::string& host, Then then) {
  auto wish = std::make_shared<Wish>(reactor_.timers(), std::move(then));
  wish->host = host;
  wish->patience.after(options_.patience);
  const auto [entry, fresh] = asked_.try_emplace(host);
  auto& wishes = entry->second;
  std::erase_if(wishes, [](const auto& each) { return each.expired(); });
  wishes.push_back(wish);
  if (fresh && !start(host)) asked_.erase(entry);  // it will time out, and the name may be asked for again
  return Lookup(std::move(wish));
}

// False when no thread can be started.
bool Names::start(const std::string& host) try {
  if (!answers_) answers_.emplace(reactor_);
  const std::lock_guard lock(desk_->mutex);
  if (desk_->threads == options_.threads) {
    desk_->waiting.push_back(host);
    return true;
  }
  // Detached, since a thread that hangs in the system's resolver cannot be ended and must not be waited for.
  std::thread(&Desk::work, desk_, host).detach();
  ++desk_->threads;
  return true;
} catch (const std::system_error&) {
  return false;
}

void Names::found(const std::string& host, const Addresses& addresses) {
  const auto wishes = asked_.extract(host);
  for (const std::weak_ptr<Wish>& each : wishes.mapped()) {
    if (const auto wish = each.lock()) wish->answer(addresses);
  }
}

}  // namespace zerosuite::net
