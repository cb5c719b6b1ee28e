"""A program written for the acquire_lock() and release_lock() of the SETNX recipe."""

import os

from zerosuite import acquire_lock, default_client, release_lock

os.environ.setdefault("ZEROSUITE_ENDPOINT", "tcp://127.0.0.1:4243")

identifier = acquire_lock("resource", acquire_time=10, time_out=10)  # seconds
if identifier:
    print("ours")
    release_lock("resource", identifier)
default_client().close()
