"""The layering check itself: each thing it forbids, shown to it once."""

import subprocess
import sys

import pytest
from support.programs import ROOT

pytestmark = pytest.mark.direct

FORBIDDEN = {
    "core sees a layer": ("common/core/a.hpp", '#include "wire/event.hpp"', "common/core may not see wire/"),
    "wire sees the network": ("common/wire/a.cpp", '#include "net/socket.hpp"', "common/wire may not see net/"),
    "net sees the protocol": ("common/net/a.cpp", "#include <rpc/server/server.hpp>", "common/net may not see rpc/"),
    "rpc sees a process's parts": ("common/rpc/a.cpp", '  #  include "ops/log.hpp"', "common/rpc may not see ops/"),
    "a new layer is not in the table": ("common/gui/a.cpp", '#include "core/error.hpp"', "common/gui may not see core/"),
    "common sees a service": ("common/ops/a.cpp", '#include "math/math.hpp"', "common/ops may not see math/math.hpp"),
    "one service sees another": ("services/lock/a.cpp", '#include "math/math.hpp"', "services/lock may not see math/"),
    "logic sees rpc": ("services/math/math.hpp", '#include "rpc/server/reply.hpp"', "rpc/ is for api alone"),
    "logic sees wire": ("services/math/main.cpp", '#include "wire/event.hpp"', "wire/ is for api alone"),
    "the proxy's choice sees wire": ("services/proxy/balance.cpp", '#include "wire/event.hpp"', "wire/ is for api alone"),
    "a folder sees one above it": ("services/id/stores/a.cpp", '#include "id/sequence/stock.hpp"',
                                   "services/id/stores may not see id/sequence/stock.hpp"),
    "transport sees the server": ("common/rpc/transport/a.cpp", '#include "rpc/server/server.hpp"',
                                  "common/rpc/transport may not see rpc/server/server.hpp"),
    "an include climbs": ("services/math/api.cpp", '#include "../lock/lock.hpp"', "climbs out of its folder"),
    "zmq outside net": ("common/rpc/a.hpp", "#include <zmq.hpp>", "zmq.hpp is for common/net alone"),
    "msgpack outside wire": ("common/rpc/a.hpp", "#include <msgpack.hpp>", "msgpack.hpp is for common/wire alone"),
    "spdlog outside ops": ("services/math/api.cpp", "#include <spdlog/spdlog.h>", "is for common/ops alone"),
    "sodium outside core and id": ("services/lock/a.cpp", "#include <sodium.h>", "is for common/core and services/id alone"),
    "a mutex": ("common/rpc/a.cpp", "std::mutex mutex_;", "std::mutex outside common/net/offload*"),
    "a thread": ("services/math/api.cpp", "std::jthread t([] {});", "std::jthread outside common/net/offload*"),
    "an atomic in net": ("common/net/reactor.cpp", "#include <atomic>", "outside common/net/offload*"),
    "a sleep": ("services/math/main.cpp", "std::this_thread::sleep_for(1s);", "sleep_for outside common/net/offload*"),
    "a coroutine": ("common/rpc/a.hpp", "co_return 1;", "g++ 12 miscompiles coroutines"),
    "a long file": ("common/core/a.hpp", "\n" * 501, "longer than 500 lines"),
}

ALLOWED = {
    "common/core/a.hpp": '#include <string>\n#include <sodium.h>\n#include "core/error.hpp"\n',
    "services/id/secret/a.cpp": '#include <sodium.h>\n#include "id/text/digits.hpp"\n',
    "services/id/api/a.cpp": '#include "id/issuer.hpp"\n#include "rpc/server/server.hpp"\n',
    "common/net/offload_pool.cpp": '#include <mutex>\n#include <zmq.hpp>\n#include "core/error.hpp"\nstd::mutex m;\n',
    "common/wire/a.cpp": '#include <msgpack.hpp>\n#include "core/error.hpp"\n',
    "common/rpc/a.cpp": '#include "net/timers.hpp"\n#include "wire/event.hpp"\n',
    "common/ops/a.cpp": '#include <sys/signalfd.h>\n#include <toml++/toml.h>\n#include "rpc/server/server.hpp"\n',
    "services/math/api.cpp": '#include "math/math.hpp"\n#include "rpc/server/server.hpp"\n' + "\n" * 298,
    "services/proxy/relay.cpp": '#include "rpc/transport/sink.hpp"\n#include "wire/event.hpp"\n',
    "dev": "#!/usr/bin/env bash\n",
}


# What another header brings along: the file that gets it, and the headers in between.
REACHING = {
    "zmq reaches a store": ("zmq", "services/id/stores/b.hpp", {
        "services/id/stores/b.hpp": '#include "core/error.hpp"\n#include "net/between.hpp"\n',
        "common/net/between.hpp": '#include "net/home.hpp"\n',
        "common/net/home.hpp": "#include <zmq.hpp>\n"}),
    "sqlite reaches the broker": ("sqlite3", "services/lock/broker/b.cpp", {
        "services/lock/broker/b.cpp": '#include "core/error.hpp"\n#include "db/home.hpp"\n',
        "common/db/home.hpp": "#include <sqlite3.h>\n"}),
    "msgpack reaches the proxy's choice": ("msgpack", "services/proxy/balance.hpp", {
        "services/proxy/balance.hpp": '#include "core/error.hpp"\n#include "proxy/between.hpp"\n',
        "services/proxy/between.hpp": '#include "wire/home.hpp"\n',
        "common/wire/home.hpp": "#include <msgpack.hpp>\n"}),
}


def check(root, files):
    for path, text in files.items():
        file = root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    command = [sys.executable, ROOT / "tests" / "layering.py", root]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_a_tree_that_keeps_the_layers_passes(tmp_path):
    run = check(tmp_path, ALLOWED)
    assert (run.stdout, run.returncode) == ("layering: 0 findings in 9 files\n", 0)


@pytest.mark.parametrize("case", FORBIDDEN)
def test_each_breach_is_found_where_it_is(tmp_path, case):
    path, line, finding = FORBIDDEN[case]
    run = check(tmp_path, {**ALLOWED, path: line + "\n"})
    first, summary = run.stdout.splitlines()
    assert run.returncode == 1
    assert first.startswith(f"{path}:") and finding in first
    assert summary.startswith("layering: 1 findings")


@pytest.mark.parametrize("case", REACHING)
def test_a_library_that_other_headers_bring_along_is_found(tmp_path, case):
    library, path, files = REACHING[case]
    run = check(tmp_path, {**ALLOWED, **files})
    first, summary = run.stdout.splitlines()
    assert run.returncode == 1
    assert first == f"{path}:2: {library} may not reach this file"
    assert summary.startswith("layering: 1 findings")


def test_headers_that_include_one_another_are_no_endless_way(tmp_path):
    circle = {"common/core/b.hpp": '#include "core/c.hpp"\n', "common/core/c.hpp": '#include "core/b.hpp"\n'}
    assert check(tmp_path, {**ALLOWED, **circle}).returncode == 0
