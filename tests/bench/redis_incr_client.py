"""Load for counters on Redis by redis-benchmark, for about as long as the other clients run; ends in a line of JSON
like theirs.

`--connections C` have a pipeline of `--pipeline P` commands each. The command is what is left, such as INCR NAME.
"""

import csv
import subprocess
from urllib.parse import urlsplit

from measure import flags_of, report

WARM_UP_CALLS = 2000


def run(flags, calls):
    """What redis-benchmark says of so many."""
    at = urlsplit(flags.endpoint)
    done = subprocess.run(["redis-benchmark", "-h", at.hostname, "-p", str(at.port), "-c", str(flags.connections),
                           "-P", str(flags.pipeline), "-n", str(calls), "--csv", *flags.command],
                          check=True, capture_output=True, text=True)
    return next(csv.DictReader(done.stdout.splitlines()))


def main():
    flags = flags_of(__doc__)
    flags.add_argument("--connections", type=int, default=1)
    flags.add_argument("--pipeline", type=int, default=1)
    flags.add_argument("command", nargs="+")
    flags = flags.parse_args()
    # It takes a number of calls, not a duration.
    rate = float(run(flags, WARM_UP_CALLS)["rps"])
    calls = max(WARM_UP_CALLS, int(rate * flags.run_ms / 1000))
    row = run(flags, calls)
    report({"answered": WARM_UP_CALLS + calls, "per_second": float(row["rps"]),
            "p50_us": 1000 * float(row["p50_latency_ms"]), "p99_us": 1000 * float(row["p99_latency_ms"])})


if __name__ == "__main__":
    main()
