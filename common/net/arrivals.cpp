#include "net/arrivals.hpp"

#include <dlfcn.h>
#include <poll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <utility>

namespace zerosuite::net {
namespace {

// State of one descriptor. Written only by the libzmq thread that serves it, and read by the loop.
struct Stream {
  std::atomic<std::uint64_t> weight;
  StreamScale scale;
};

// A block is allocated when the first of its descriptors is used, and never freed.
constexpr std::size_t kInBlock = 1024;
constexpr std::size_t kMostDescriptors = 1 << 20;
using Block = std::array<Stream, kInBlock>;
constinit std::array<std::atomic<Block*>, kMostDescriptors / kInBlock> blocks{};
constinit std::atomic<std::uint64_t> weight_of_all{0};

constexpr int kAccepted = 95;  // percent; the remaining descriptors are for the rest of the program
constexpr int kPauseMs = 1;

Stream* stream_of(int fd) {
  const auto number = static_cast<std::size_t>(fd);
  if (number >= kMostDescriptors) return nullptr;
  Block* const block = blocks[number / kInBlock].load(std::memory_order_acquire);
  return block == nullptr ? nullptr : &(*block)[number % kInBlock];
}

void begin(int fd) {
  std::atomic<Block*>& place = blocks[static_cast<std::size_t>(fd) / kInBlock];
  if (place.load(std::memory_order_acquire) == nullptr) {
    auto* const fresh = new Block();
    Block* none = nullptr;
    if (!place.compare_exchange_strong(none, fresh)) delete fresh;  // another thread was first
  }
  Stream& stream = *stream_of(fd);
  stream.scale = {};
  stream.weight.store(0, std::memory_order_relaxed);
}

void note(int fd, std::string_view bytes) {
  Stream* const stream = stream_of(fd);
  if (stream == nullptr) return;
  const std::uint64_t weight = stream->scale.add(bytes);
  // Only the thread that serves the descriptor writes it, so no atomic addition is needed.
  stream->weight.store(stream->weight.load(std::memory_order_relaxed) + weight, std::memory_order_relaxed);
  weight_of_all.fetch_add(weight, std::memory_order_relaxed);
}

bool short_of_means(int error) {
  return error == EMFILE || error == ENFILE || error == ENOBUFS || error == ENOMEM;
}

// The function that `name` would refer to without our override: libc's, or a sanitizer's in front of it.
template <class Function>
Function* next(const char* name) {
  return reinterpret_cast<Function*>(::dlsym(RTLD_NEXT, name));
}

}  // namespace

std::uint64_t StreamScale::add(std::string_view bytes) {
  std::uint64_t weight = 0;
  while (!bytes.empty()) {
    if (const std::size_t size = whole_frame(bytes)) {
      weight += kFrameCost + size - kShortHead;
      bytes.remove_prefix(size);
      continue;
    }
    if (body_ > 0) {
      if (std::exchange(unnamed_, false)) weight += name(static_cast<unsigned char>(bytes.front()));
      const std::size_t part = std::min<std::uint64_t>(body_, bytes.size());
      if (!silent_) weight += part;
      body_ -= part;
      bytes.remove_prefix(part);
      continue;
    }
    const auto byte = static_cast<unsigned char>(bytes.front());
    bytes.remove_prefix(1);
    if (length_bytes_ > 0) {
      length_ = length_ << 8 | byte;
      if (--length_bytes_ == 0) body_ = length_;
      continue;
    }
    constexpr unsigned kLong = 2;
    constexpr unsigned kCommand = 4;
    length_ = 0;
    length_bytes_ = (byte & kLong) != 0 ? 8 : 1;
    silent_ = unnamed_ = (byte & kCommand) != 0;
    if (!silent_) weight += kFrameCost;
  }
  return weight;
}

// The size of the short message frame at the start of `bytes` if it is complete, as it usually is; otherwise
// 0.
std::size_t StreamScale::whole_frame(std::string_view bytes) const {
  constexpr unsigned char kMore = 1;  // the only flag it may have
  if (body_ > 0 || length_bytes_ > 0 || bytes.size() < kShortHead) return 0;
  if ((static_cast<unsigned char>(bytes[0]) & ~kMore) != 0) return 0;
  const std::size_t size = kShortHead + static_cast<unsigned char>(bytes[1]);
  return size <= bytes.size() ? size : 0;
}

// SUBSCRIBE and CANCEL are passed on to every kind of socket (libzmq 4.3.4, session_base.cpp, push_msg).
std::uint64_t StreamScale::name(std::size_t size) {
  constexpr std::size_t kSubscribe = 9;
  constexpr std::size_t kCancel = 6;
  silent_ = size != kSubscribe && size != kCancel;
  return silent_ ? 0 : kFrameCost;
}

std::uint64_t weight_read(int fd) {
  const Stream* const stream = stream_of(fd);
  return stream == nullptr ? 0 : stream->weight.load(std::memory_order_relaxed);
}

std::uint64_t weight_read() { return weight_of_all.load(std::memory_order_relaxed); }

int descriptors(int percent) {
  rlimit files{};
  if (::getrlimit(RLIMIT_NOFILE, &files) != 0) files.rlim_cur = kMostDescriptors;
  return static_cast<int>(std::min<rlim_t>(files.rlim_cur, kMostDescriptors) *
                          static_cast<unsigned>(percent) / 100);
}

}  // namespace zerosuite::net

// A symbol that a library needs is taken from the executable if it defines it (System V ABI, "Shared Object
// Dependencies"); libzmq uses these two.

// The kernel hands out the lowest free descriptor, so a high number shows how many are in use. Excess
// connections are closed here, in libzmq's own thread, which accepts faster than the loop could stop it. With
// no descriptor left, its ipc listener ends the process (EMFILE, ipc_listener.cpp:325), and every listener
// retries without a pause, since the pending connection is still there. All listeners tolerate ENFILE.
extern "C" int accept4(int listener, sockaddr* address, socklen_t* size, int flags) {
  using namespace zerosuite::net;
  static const auto real = next<int(int, sockaddr*, socklen_t*, int)>("accept4");
  const int fd = real(listener, address, size, flags);
  if (fd >= 0 && fd < descriptors(kAccepted)) {
    begin(fd);
    return fd;
  }
  if (fd >= 0) {
    ::close(fd);
  } else if (short_of_means(errno)) {
    ::poll(nullptr, 0, kPauseMs);
  } else {
    return fd;
  }
  errno = ENFILE;
  return -1;
}

extern "C" ssize_t recv(int fd, void* bytes, std::size_t most, int flags) {
  using namespace zerosuite::net;
  static const auto real = next<ssize_t(int, void*, std::size_t, int)>("recv");
  const ssize_t size = real(fd, bytes, most, flags);
  if (size > 0 && (flags & MSG_PEEK) == 0)
    note(fd, {static_cast<const char*>(bytes), std::min(static_cast<std::size_t>(size), most)});
  return size;
}
