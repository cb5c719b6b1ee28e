// Logs calls: at debug the beginning and end of each call, at warn dropped messages. Nothing per call at
// info.
#pragma once

#include "ops/log.hpp"
#include "rpc/observer.hpp"

namespace zerosuite::ops {

/// Must not outlive the log. Loop thread only.
class CallLog final : public rpc::Observer {
 public:
  explicit CallLog(Log& log) : log_(log) {}

  void before(const rpc::CallInfo& call) override;
  void after(const rpc::CallInfo& call) override;
  void failed(const rpc::CallInfo& call, const core::Error& error) override;
  void lost(const rpc::CallInfo& call) override;
  void dropped(const wire::Envelope& peer, std::string_view reason) override;

 private:
  void about(const rpc::CallInfo& call, std::string_view event, std::initializer_list<Field> more = {});

  Log& log_;
};

}  // namespace zerosuite::ops
