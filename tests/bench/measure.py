"""How long a run of a Python client lasts, and what it came to: as measure.hpp has it for the C++ clients."""

import argparse
import json
import time


def flags_of(description):
    """A parser with the flags that every client takes."""
    flags = argparse.ArgumentParser(description=description)
    flags.add_argument("--endpoint", required=True)
    flags.add_argument("--warmup_ms", type=int, default=300)
    flags.add_argument("--run_ms", type=int, default=1500)
    return flags


def percentile_us(sorted_ns, share):
    return sorted_ns[int(share * (len(sorted_ns) - 1))] / 1000


class Run:
    """A warm-up that is not counted, then what is. Times are those of time.perf_counter_ns; any thread may use it."""

    def __init__(self, flags):
        self._begin = time.perf_counter_ns() + flags.warmup_ms * 1_000_000
        self._end = self._begin + flags.run_ms * 1_000_000
        self._answers = []

    def answered(self, started, now):
        """A call started at `started` has been answered at `now`."""
        self._answers.append((now, now - started))

    def seconds_left(self):
        """0 once no further call should be started."""
        return max(0, self._end - time.perf_counter_ns()) / 1e9

    def result(self):
        """What report() is to print; `answered` counts the warm-up too."""
        counted = sorted(latency for now, latency in self._answers if now >= self._begin)
        last = max(now for now, _ in self._answers)
        return {
            "answered": len(self._answers),
            "per_second": len(counted) / ((last - self._begin) / 1e9),
            "p50_us": percentile_us(counted, 0.5),
            "p99_us": percentile_us(counted, 0.99),
            "p999_us": percentile_us(counted, 0.999),
        }


def report(result):
    """Prints the result as one line of JSON."""
    print(json.dumps(result))
