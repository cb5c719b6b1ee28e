"""Forks under load: four threads call, the main thread forks, and each child calls, takes a lock and ids by the objects
that it has inherited. Arguments: the endpoint of the suite, how many forks. Prints what came of it as JSON."""

import json
import os
import sys
import threading
import traceback

import zerosuite

endpoint, forks = sys.argv[1], int(sys.argv[2])
client = zerosuite.Client(endpoint)
ids = zerosuite.ids.Ids(client)
stop = threading.Event()
failures = []


def load():
    number = 0
    try:
        while not stop.is_set():
            number += 1
            assert client.math.add(number, 1) == number + 1
            if number % 7 == 0:
                assert list(client.math.range(0, 20)) == list(range(20))
            ids.snowflake()
    except BaseException as failure:
        failures.append(repr(failure))


def child(writer, held, stream):
    for number in range(200):
        assert client.math.add(number, 5) == number + 5
    threads = [threading.Thread(target=lambda: client.math.add(1, 2)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
        assert not thread.is_alive()
    try:
        list(stream)
        raise AssertionError("the parent's stream went on in the child")
    except zerosuite.LostRemote:
        pass
    try:
        held.release()
        raise AssertionError("the child released the parent's lock")
    except zerosuite.NotHeld:
        pass
    assert held.acquire(blocking=False) is False
    with zerosuite.Lock(client, f"child {os.getpid()}", wait=10):
        pass
    mine = ids.snowflakes().take(2000)
    client.close()
    os.write(writer, json.dumps(mine).encode() + b"\n")


held = zerosuite.Lock(client, "the parent's")
assert held.acquire(timeout=10)
stream = client.math.range(0, 10**9)
next(stream)
threads = [threading.Thread(target=load) for _ in range(4)]
for thread in threads:
    thread.start()
ids.snowflakes().take(3000)
taken, statuses = [], []
for _ in range(forks):
    reader, writer = os.pipe()
    process = os.fork()
    if process == 0:
        status = 1
        try:
            child(writer, held, stream)
            status = 0
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(status)
    os.close(writer)
    with os.fdopen(reader) as told:
        line = told.read()
    taken.append(json.loads(line) if line else [])
    statuses.append(os.waitpid(process, 0)[1])
stop.set()
for thread in threads:
    thread.join(20)
taken.append(ids.snowflakes().take(5000))
held.check()
assert zerosuite.Lock(client, "the parent's").locked()
held.release()
assert next(stream) == 1
stream.close()
client.close()
every = [each for some in taken for each in some]
print(json.dumps({"statuses": statuses, "ids": len(every), "different": len(set(every)), "failures": failures}))
