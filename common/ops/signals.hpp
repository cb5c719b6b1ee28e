// SIGTERM, SIGINT and SIGHUP as events of the loop (signalfd(2)), so that no code ever runs inside a signal
// handler.
#pragma once

namespace zerosuite::ops {

/// Blocks the three signals for the calling thread and those it starts, and ignores SIGPIPE and SIGXFSZ:
/// create it before any other thread. The signals stay blocked after its destruction.
class Signals {
 public:
  /// Throws std::system_error when the kernel refuses.
  Signals();
  ~Signals();
  Signals(const Signals&) = delete;
  Signals& operator=(const Signals&) = delete;

  /// Becomes readable when a signal is pending.
  int fd() const { return fd_; }
  /// Takes the next pending signal and returns its number; 0 when there is none.
  int next();

 private:
  int fd_;
};

}  // namespace zerosuite::ops
