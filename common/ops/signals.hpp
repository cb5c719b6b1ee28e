// SIGTERM, SIGINT and SIGHUP as events of the loop (signalfd(2)), so that no code ever runs inside a signal
// handler.
#pragma once

namespace zerosuite::ops {

/// Blocks the three signals for the calling thread and those it starts, and ignores SIGPIPE: make it before
/// any other thread exists. The signals stay blocked after it is gone.
class Signals {
 public:
  /// Throws std::system_error when the kernel refuses.
  Signals();
  ~Signals();
  Signals(const Signals&) = delete;
  Signals& operator=(const Signals&) = delete;

  /// Becomes readable when a signal is there.
  int fd() const { return fd_; }
  /// The number of the next signal, 0 when none is there.
  int next();

 private:
  int fd_;
};

}  // namespace zerosuite::ops
