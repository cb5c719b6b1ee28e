"""Fails on what the compiler lets pass: an include against the layers, a thread outside its place, a file too long.

Run as `python3 tests/layering.py [ROOT]`; prints one line for each finding and exits 1 when there are any.
"""

import re
import sys
from pathlib import Path

# A layer of common/, and the layers it may include beside itself.
LAYERS = {
    "core": (),
    "wire": ("core",),
    "net": ("core",),
    "db": ("core", "net"),
    "rpc": ("core", "wire", "net"),
    "ops": ("core", "wire", "net", "rpc"),
}
# Inside one part: a folder, and the folders that it may include beside itself; "" is the part's own. What is not named
# here may include all of them: main() and what it is made of.
FOLDERS = {
    "common/rpc": {
        "": (),
        "client": ("", "transport"),
        "server": ("", "transport"),
        "transport": ("",),
        "worker": ("", "transport"),
    },
    "common/ops": {"config": ()},
    "services/id": {
        "clock": ("stores",),
        "random": ("clock", "text"),
        "secret": ("text",),
        "sequence": ("clock", "snowflake", "stores"),
        "snowflake": ("clock", "stores"),
        "stores": (),
        "text": (),
    },
    "services/lock": {"broker": ("",), "engines": ("",)},
}
# A library's headers (the first part of the include), and the only folders that may see them.
LIBRARIES = {
    "zmq.h": ("common/net",),
    "zmq.hpp": ("common/net",),
    "zmq_addon.hpp": ("common/net",),
    "msgpack": ("common/wire",),
    "msgpack.h": ("common/wire",),
    "msgpack.hpp": ("common/wire",),
    "sqlite3.h": ("common/db",),
    "hiredis": ("common/db",),
    "sodium.h": ("common/core", "services/id"),  # every table needs the hash; ids are sealed with the ciphers
    "CLI": ("common/ops",),
    "spdlog": ("common/ops",),
    "toml++": ("common/ops",),
}
# The files that a library's headers may reach by way of other headers, however many: each is the beginning of a path.
REACH = {
    "zmq": ("common/net/", "common/rpc/", "common/ops/", "services/proxy/", "services/id/api/", "services/id/main.cpp",
            "services/id/store_stack.", "services/lock/main.cpp", "services/math/main.cpp"),
    "msgpack": ("common/wire/", "common/rpc/", "common/ops/", "services/proxy/", "services/id/api/",
                "services/id/main.cpp", "services/id/store_stack.", "services/lock/api/", "services/lock/main.cpp",
                "services/math/api.", "services/math/main.cpp"),
    "sqlite3": ("common/db/",),
    "hiredis": ("common/db/",),
    "sodium": ("common/core/", "services/id/secret/"),
    "CLI": ("common/ops/config/",),
    "toml++": ("common/ops/config/",),
    "spdlog": ("common/ops/",),
}
# Only what binds a service's logic to its methods knows both worlds: the folder api, or the one file of that name. But
# the proxy's matter is the protocol itself, and of its files only these do without.
API = re.compile(r"api(\.[ch]pp)?")
API_ONLY = ("rpc", "wire")
PROXY_PURE = ("balance.hpp", "balance.cpp", "intrusive_list.hpp", "ping_watch.hpp")

INCLUDE = re.compile(r'\s*#\s*include\s*([<"][^>"]+)[>"]')
THREADING = re.compile(r"std::(?:mutex|thread|jthread|atomic|condition_variable)|sleep_for|"
                       r"#\s*include\s*<(?:mutex|thread|atomic|condition_variable|shared_mutex)>")
COROUTINE = re.compile(r"\bco_(?:await|yield|return)\b")
MAX_LINES = 500

PRODUCT = ("common", "services", "clients")
CPP = (".cpp", ".hpp")
COUNTED = (*CPP, ".py", ".js")


def include_finding(path, include):
    """What is wrong in `path` (relative to the root) with `include`, its opening mark included; None if nothing."""
    top, folder = path.parts[0], path.parts[1]
    mark, name = include[0], include[1:]
    target = name.split("/")[0]
    if target == "..":
        return f"{name} climbs out of its folder"
    if target in LIBRARIES:
        homes = LIBRARIES[target]
        return None if f"{top}/{folder}" in homes else f"{name} is for {' and '.join(homes)} alone"
    if target in LAYERS and (top != "common" or target != folder):
        return layer_finding(path, target)
    if mark == '"' and "/" in name and target != folder:
        return f"{top}/{folder} may not see {name}"
    return folder_finding(path, name) if target == folder else None


def folder_finding(path, name):
    """What is wrong with including `name` of the same part; None if nothing."""
    part = "/".join(path.parts[:2])
    inside = path.parts[2] if len(path.parts) > 3 else ""
    seen = name.split("/")[1] if name.count("/") > 1 else ""
    allowed = FOLDERS.get(part, {}).get(inside)
    if allowed is None or seen in (inside, *allowed):
        return None
    return f"{part}/{inside} may not see {name}"


def layer_finding(path, target):
    """What is wrong with including something of the layer `target`; None if nothing."""
    top, folder = path.parts[0], path.parts[1]
    if top == "common" and target != folder and target not in LAYERS.get(folder, ()):
        return f"common/{folder} may not see {target}/"
    if top == "services" and target in API_ONLY and not may_see_protocol(path):
        return f"{target}/ is for api alone"
    return None


def may_see_protocol(path):
    return path.name not in PROXY_PURE if path.parts[1] == "proxy" else bool(API.fullmatch(path.parts[2]))


def cpp_findings(path, lines):
    """(line number, finding) for the C++ rules."""
    has_threads = path.parts[:2] == ("common", "net") and path.name.startswith(("offload", "arrivals"))
    for number, line in enumerate(lines, 1):
        included = INCLUDE.match(line)
        if included and (finding := include_finding(path, included[1])):
            yield number, finding
        if not has_threads and (threading := THREADING.search(line)):
            yield number, f"{threading[0]} outside common/net/offload*"
        if coroutine := COROUTINE.search(line):
            yield number, f"{coroutine[0]}: g++ 12 miscompiles coroutines"


def library_of(name):
    """The library that an include such as "zmq_addon.hpp" or "msgpack/v1/sbuffer.hpp" is of; None for another."""
    target = name.split("/")[0]
    return re.split(r"[._](?:h|hpp|addon)", target)[0] if target in LIBRARIES else None


class Includes:
    """What each file of the tree includes, by itself and by way of what it includes."""

    def __init__(self, root):
        self.lines = {}  # by path: (line number, the name that is included)
        for file in files(root, PRODUCT, CPP):
            lines = enumerate(file.read_text().splitlines(), 1)
            found = ((number, INCLUDE.match(line)) for number, line in lines)
            self.lines[file.relative_to(root)] = [(number, match[1][1:]) for number, match in found if match]
        self.reached = {}

    def libraries(self, path):
        """The libraries whose headers `path` gets, each with the line that brings it."""
        if path not in self.reached:
            self.reached[path] = brought = {}  # before it is whole, for headers that include one another
            for number, name in self.lines[path]:
                library, header = library_of(name), self.header(name)
                for each in [library] if library else self.libraries(header) if header else ():
                    brought.setdefault(each, number)
        return self.reached[path]

    def header(self, name):
        return next((path for top in PRODUCT if (path := Path(top) / name) in self.lines), None)

    def findings(self):
        """(path, line number, finding) for what reaches a file that has no use for it."""
        for path, lines in self.lines.items():
            direct = {number for number, name in lines if library_of(name)}
            for library, number in self.libraries(path).items():
                if number not in direct and not may_reach(path, library):
                    yield path, number, f"{library} may not reach this file"


def may_reach(path, library):
    pure = path.parts[1] == "proxy" and path.name in PROXY_PURE
    return not pure and str(path).startswith(REACH[library])


def files(root, tops, suffixes):
    for top in tops:
        yield from sorted(file for file in (root / top).rglob("*") if file.suffix in suffixes)


def findings(root):
    """Every finding below `root`, as "path:line: text"."""
    for file in files(root, PRODUCT, CPP):
        path = file.relative_to(root)
        for number, finding in cpp_findings(path, file.read_text().splitlines()):
            yield f"{path}:{number}: {finding}"
    for path, number, finding in Includes(root).findings():
        yield f"{path}:{number}: {finding}"
    for file in (*files(root, (*PRODUCT, "tests"), COUNTED), root / "dev"):
        count = len(file.read_text().splitlines())
        if count > MAX_LINES:
            yield f"{file.relative_to(root)}:{count}: longer than {MAX_LINES} lines"


def main():
    root = Path(sys.argv[1] if len(sys.argv) > 1 else Path(__file__).parent.parent)
    found = list(findings(root))
    for finding in found:
        print(finding)
    print(f"layering: {len(found)} findings in {len(list(files(root, PRODUCT, CPP)))} files")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
