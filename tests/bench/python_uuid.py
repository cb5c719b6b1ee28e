"""How many ids Python's uuid makes a second, `--what` uuid1 or uuid4; ends in a line of JSON like the C++ ones."""

import time
import uuid

from measure import flags_of, report

BLOCK = 256  # reading the clock each time would be measured, too


def main():
    flags = flags_of(__doc__)
    flags.add_argument("--what", choices=["uuid1", "uuid4"], required=True)
    flags = flags.parse_args()
    make = getattr(uuid, flags.what)
    begin = time.perf_counter() + flags.warmup_ms / 1000
    end = begin + flags.run_ms / 1000
    answered, since, before, now = 0, None, 0, 0.0
    while now < end:
        for _ in range(BLOCK):
            str(make())
        now = time.perf_counter()
        answered += BLOCK
        if since is None and now >= begin:
            since, before = now, answered
    report({"answered": answered, "per_second": (answered - before) / (now - since)})


if __name__ == "__main__":
    main()
