// The six methods every zerorpc server has, in the shapes the stock `zerorpc` command line reads.
#pragma once

#include <string>

#include "rpc/method.hpp"

namespace zerosuite::rpc {

/// Adds `_zerorpc_list`, `_name`, `_ping`, `_help`, `_args` and `_inspect` (docs/protocol.md, "Built-in
/// methods"). They describe what `methods` holds when they are called; the table must outlive them.
void add_builtins(Methods& methods, const std::string& service);

}  // namespace zerosuite::rpc
