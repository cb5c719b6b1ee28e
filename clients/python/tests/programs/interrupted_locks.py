"""Ctrl-C again and again while the main thread takes and gives back locks: argument 1 is the endpoint, 2 the seconds.
Prints what came of it as JSON."""

import json
import signal
import sys
import time

import zerosuite

endpoint, seconds = sys.argv[1], float(sys.argv[2])
client = zerosuite.Client(endpoint)
end = time.monotonic() + seconds
names = entered = interrupts = 0
armed = False


def interrupt(*_):
    global armed, interrupts
    if armed:
        armed = False
        interrupts += 1
        raise KeyboardInterrupt


client("lock.health")
signal.signal(signal.SIGALRM, interrupt)
signal.setitimer(signal.ITIMER_REAL, 0.003, 0.0023)
while time.monotonic() < end:
    names += 1
    lock = zerosuite.Lock(client, f"interrupted {names}", lease=600)
    try:
        armed = True
        lock.acquire(timeout=5)
        armed = False
        entered += 1
    except KeyboardInterrupt:
        pass
    if lock._holds:  # interrupted after it was held, or not at all
        lock.release()
signal.setitimer(signal.ITIMER_REAL, 0)
print(json.dumps({"names": names, "entered": entered, "interrupts": interrupts}), flush=True)
sys.stdin.read()  # stays, so that nothing is released because the client is gone
client.close()
