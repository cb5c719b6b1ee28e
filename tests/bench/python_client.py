"""The stock zerorpc client: one call at a time, or one stream of `--items`; ends in a line of JSON like the C++ clients'."""

import argparse
import json
import time

import zerorpc


def percentile_us(sorted_ns, share):
    return sorted_ns[int(share * (len(sorted_ns) - 1))] / 1000


def calls(client, flags):
    begin = time.perf_counter_ns() + flags.warmup_ms * 1_000_000
    end = begin + flags.run_ms * 1_000_000
    latencies, answered, now = [], 0, 0
    while now < end:
        started = time.perf_counter_ns()
        if client.add(3, 4) != 7:
            raise SystemExit("not the expected reply")
        now = time.perf_counter_ns()
        answered += 1
        if now >= begin:
            latencies.append(now - started)
    latencies.sort()
    return {
        "answered": answered,
        "per_second": len(latencies) / ((now - begin) / 1e9),
        "p50_us": percentile_us(latencies, 0.5),
        "p99_us": percentile_us(latencies, 0.99),
        "p999_us": percentile_us(latencies, 0.999),
    }


def stream(client, items):
    started = time.perf_counter_ns()
    received = sum(1 for _ in client.range(0, items))
    if received != items:
        raise SystemExit(f"{received} items instead of {items}")
    return {"answered": items, "per_second": items / ((time.perf_counter_ns() - started) / 1e9)}


def main():
    flags = argparse.ArgumentParser()
    flags.add_argument("--endpoint", required=True)
    flags.add_argument("--warmup_ms", type=int, default=300)
    flags.add_argument("--run_ms", type=int, default=1500)
    flags.add_argument("--items", type=int, default=0)
    flags = flags.parse_args()
    client = zerorpc.Client(flags.endpoint)
    print(json.dumps(stream(client, flags.items) if flags.items else calls(client, flags)))


if __name__ == "__main__":
    main()
