// Every store that the suites over the seam run on. Of a rig they need `store()`, `settle()` until all that
// was asked is answered, and `pass(duration)`.
#pragma once

#include "support/memory_store.hpp"
#include "support/redis_store_rig.hpp"
#include "support/sqlite_store_rig.hpp"

namespace zerosuite::test {

struct SharedMemoryRig : MemoryStoreRig {
  SharedMemoryRig() { memory.promises.shared = true; }
};

}  // namespace zerosuite::test

#define SHARED_STORE_RIGS zerosuite::test::RedisStoreRig, zerosuite::test::SharedMemoryRig
#define STORE_RIGS zerosuite::test::SqliteStoreRig, zerosuite::test::MemoryStoreRig, SHARED_STORE_RIGS
