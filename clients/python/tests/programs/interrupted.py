"""Ctrl-C again and again in the main thread, every other millisecond, while a second thread calls: argument 1 is the
endpoint, 2 the seconds. Prints what came of it as JSON."""

import json
import random
import signal
import sys
import threading
import time

import zerosuite

endpoint, seconds = sys.argv[1], float(sys.argv[2])
counts = {"interrupts": 0, "answers": 0, "wrong": 0, "beside": 0, "beside_wrong": 0}
client = zerosuite.Client(endpoint)
end = time.monotonic() + seconds


budget = 0  # how many interrupts the main thread takes before it has noticed the first


def interrupt(*_):
    global budget
    if budget:
        budget -= 1
        counts["interrupts"] += 1
        raise KeyboardInterrupt


def beside():
    number = 0
    while time.monotonic() < end:
        number += 1
        counts["beside_wrong"] += client.add(number, -1) != number - 1
        counts["beside"] += 1


def call(number):
    global budget
    try:
        budget = 2
        if number % 10:
            counts["wrong"] += client.add(number, number) != 2 * number
        else:
            length = random.randrange(5)
            counts["wrong"] += list(client.range(0, length)) != list(range(length))
        budget = 0
        counts["answers"] += 1
    except KeyboardInterrupt:
        budget = 0


thread = threading.Thread(target=beside)
thread.start()
client.add(1, 1)
signal.signal(signal.SIGALRM, interrupt)
signal.setitimer(signal.ITIMER_REAL, 0.002, 0.0015)
number = 0
while time.monotonic() < end:
    number += 1
    try:
        call(number)
    except KeyboardInterrupt:  # the second, while the first was being handled
        pass
signal.setitimer(signal.ITIMER_REAL, 0)
thread.join(20)
counts["stuck"] = thread.is_alive()
counts["still_works"] = client.add(1, 2) == 3
client.close()
print(json.dumps(counts))
