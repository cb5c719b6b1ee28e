"""Clients behind one proxy: what one of them asks for is not waited for by the others."""

import re
import time

from support.programs import wait_until
from support.raw import Raw

HOGS, CALLS = 3, 500


def test_heavy_calls_of_some_hold_up_nobody_else_and_are_not_done_once_they_are_gone(suite):
    proxy = suite.start_proxy()
    id = suite.start_worker("zerosuite-id", proxy.back, ZEROSUITE_ID_DATA=suite.folder())
    proxy.await_workers(1)
    hogs = [Raw(proxy.endpoint, rcvhwm=1) for _ in range(HOGS)]
    with Raw(proxy.endpoint) as honest:
        for hog in hogs:
            for _ in range(CALLS):
                hog.call("id.uuid4", [100_000])  # ten milliseconds each
        for _ in range(10):
            begun = time.monotonic()
            honest.value("id.uuid4")
            assert time.monotonic() - begun < 2
        for hog in hogs:
            hog.close()
        wait_until(lambda: proxy.call("proxy.stats")["channels"] == 0)
        honest.value("id.uuid4")
    id.finish()
    assert int(re.search(r"stopped calls=(\d+)", id.log()).group(1)) < HOGS * CALLS / 2
