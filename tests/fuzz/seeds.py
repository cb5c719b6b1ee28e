"""Turns the payloads of tests/golden into the files that libFuzzer starts from: seeds.py GOLDEN SEEDS"""

import pathlib
import sys

golden, seeds = map(pathlib.Path, sys.argv[1:])
seeds.mkdir(parents=True, exist_ok=True)
for payload in golden.glob("*.hex"):
    lines = payload.read_text().splitlines()
    (seeds / payload.stem).write_bytes(bytes.fromhex("".join(line.split("#")[0] for line in lines)))
