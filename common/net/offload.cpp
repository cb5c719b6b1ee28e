#include "net/offload.hpp"

#include <sys/eventfd.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <system_error>
#include <utility>

namespace zerosuite::net {
namespace {

int make_bell() {
  const int bell = ::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
  if (bell < 0) throw std::system_error(errno, std::generic_category(), "eventfd");
  return bell;
}

}  // namespace

Mailbox::Mailbox(Reactor& reactor)
    : bell_(make_bell()), watch_(reactor.watch(bell_, [this] { deliver(); })) {}

Mailbox::~Mailbox() {
  watch_.reset();
  ::close(bell_);
}

void Mailbox::post(core::MoveFunction<void()> job) {
  const std::lock_guard lock(mutex_);
  posted_.push_back(std::move(job));
  // Only for the first job: the bell is still ringing for those behind it, and one turn takes them all.
  if (posted_.size() == 1) ::eventfd_write(bell_, 1);
}

bool Mailbox::empty() const {
  const std::lock_guard lock(mutex_);
  return posted_.empty();
}

void Mailbox::deliver() noexcept {
  // Reset before the jobs are taken: a job posted in between is taken too, and one posted later rings again.
  eventfd_t rings = 0;
  ::eventfd_read(bell_, &rings);
  {
    const std::lock_guard lock(mutex_);
    delivering_.swap(posted_);
  }
  for (auto& job : delivering_) job();
  delivering_.clear();
}

}  // namespace zerosuite::net
