"""The stock zerorpc client: one call at a time, or one stream of `--items`; ends in a line of JSON like the C++ clients'."""

import time

import zerorpc

from measure import Run, flags_of, report


def calls(client, flags):
    run = Run(flags)
    while run.seconds_left():
        started = time.perf_counter_ns()
        if client.add(3, 4) != 7:
            raise SystemExit("not the expected reply")
        run.answered(started, time.perf_counter_ns())
    return run.result()


def stream(client, items):
    started = time.perf_counter_ns()
    received = sum(1 for _ in client.range(0, items))
    if received != items:
        raise SystemExit(f"{received} items instead of {items}")
    return {"answered": items, "per_second": items / ((time.perf_counter_ns() - started) / 1e9)}


def main():
    flags = flags_of(__doc__)
    flags.add_argument("--items", type=int, default=0)
    flags = flags.parse_args()
    client = zerorpc.Client(flags.endpoint)
    report(stream(client, flags.items) if flags.items else calls(client, flags))


if __name__ == "__main__":
    main()
