"""A proxy in front of servers, which the tests then use as if it were the server."""

import tempfile
from pathlib import Path

from support.programs import BIN, Server
from support.raw import Raw

ANY_PORT = "tcp://127.0.0.1:*"


def upstream(name, *endpoints, **cells):
    """A [[proxy.upstream]] table."""
    rows = {"name": f'"{name}"', "endpoint": str(list(endpoints)).replace("'", '"'), **cells}
    return "[[proxy.upstream]]\n" + "".join(f"{key} = {value}\n" for key, value in rows.items())


class Proxy(Server):
    """zerosuite-proxy on free ports. Names that nobody offers are unknown at once, not only when it has settled."""

    def __init__(self, *tables, back=ANY_PORT, bind=ANY_PORT, **environment):
        self._folder = tempfile.TemporaryDirectory()
        config = Path(self._folder.name) / "suite.toml"
        config.write_text("\n".join(tables))
        environment = {"ZEROSUITE_PROXY_SETTLE_MS": "0", "ZEROSUITE_PROXY_DRAIN_MS": "0", **environment}
        super().__init__([BIN / "zerosuite-proxy", "--bind", bind, "--back", back, "--config", config], **environment)
        self.back = self.await_line(r"waiting for workers endpoint=(\S+)").group(1)

    def call(self, method, *args, seconds=10.0):
        """One call on a connection of its own."""
        with Raw(self.endpoint) as raw:
            return raw.value(method, *args, seconds=seconds)

    def workers(self):
        """What proxy.workers says, by id."""
        return {worker["id"]: worker for worker in self.call("proxy.workers")}

    def await_workers(self, count, seconds=20.0):
        """Waits until that many have come; answers their ids in the order in which they did."""
        lines = self.await_lines(r" (?:worker registered|upstream up) worker=(\S+)", count, seconds)
        return [line.group(1) for line in lines]


class Behind:
    """A server reached through a proxy: everything but its endpoint is the server's own."""

    def __init__(self, proxy, server):
        self.proxy = proxy
        self.server = server
        self.endpoint = proxy.endpoint

    def __getattr__(self, name):
        return getattr(self.server, name)
