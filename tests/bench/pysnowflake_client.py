"""Load for pysnowflake's server by its own client, `--clients` threads; ends in a line of JSON like the C++ ones."""

import time
from concurrent.futures import ThreadPoolExecutor

import requests
from snowflake import client

from measure import Run, flags_of, report

START_SECONDS = 5


def await_server():
    """It says that it has started before it listens."""
    deadline = time.monotonic() + START_SECONDS
    while True:
        try:
            return client.get_guid()
        except requests.ConnectionError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.02)


def ask(run):
    while run.seconds_left():
        started = time.perf_counter_ns()
        client.get_guid()
        run.answered(started, time.perf_counter_ns())


def main():
    flags = flags_of(__doc__)
    flags.add_argument("--clients", type=int, default=1)
    flags = flags.parse_args()
    client.setup(*flags.endpoint.rsplit(":", 1))
    await_server()
    run = Run(flags)
    with ThreadPoolExecutor(flags.clients) as threads:
        for done in [threads.submit(ask, run) for _ in range(flags.clients)]:
            done.result()
    report(run.result())


if __name__ == "__main__":
    main()
