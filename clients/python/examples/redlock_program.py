"""A program written for redlock-py, with one import changed."""

from zerosuite import Redlock

dlm = Redlock(["tcp://127.0.0.1:4243"])
lock = dlm.lock("resource", 1000)
if lock:
    print("held for", lock.validity, "ms")
    dlm.unlock(lock)
dlm.close()
