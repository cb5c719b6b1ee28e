// From the events of one call to a typed outcome.
#pragma once

#include <memory>
#include <string>
#include <type_traits>
#include <utility>
#include <variant>

#include "rpc/client/caller.hpp"
#include "rpc/nil.hpp"

namespace zerosuite::rpc {

/// Expects one value and passes the outcome on.
template <class R, class F>
class ValueHandler final : public ResponseHandler {
 public:
  explicit ValueHandler(F done) : finish_(std::move(done)) {}

  void value(wire::Reader& in) override {
    if constexpr (std::is_same_v<R, std::monostate>) {
      finish_(Outcome<R>(R()));  // the value is not wanted
    } else {
      finish_(read_outcome(in));
    }
  }
  bool item(wire::Reader& /*in*/) override { return false; }
  void done() override {
    finish_(Outcome<R>(protocol_error("the method answered with a stream, not with a value")));
  }
  void failed(std::exception_ptr error) override { finish_(Outcome<R>(std::move(error))); }

 private:
  static Outcome<R> read_outcome(wire::Reader& in) {
    try {
      return Outcome<R>(wire::read<R>(in));
    } catch (const wire::Mismatch& mismatch) {
      return Outcome<R>(protocol_error(std::string("the answer ") + mismatch.what()));
    } catch (...) {  // passes on what the program's own conversion throws
      return Outcome<R>(std::current_exception());
    }
  }

  F finish_;
};

/// Makes a listener that calls `done(Outcome<R>)` once, with std::monostate for void.
template <class R, class F>
std::unique_ptr<ResponseHandler> listen(F done) {
  return std::make_unique<ValueHandler<NilForVoid<R>, F>>(std::move(done));
}

}  // namespace zerosuite::rpc
