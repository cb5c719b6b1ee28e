"""Locks in all their forms."""

import zerosuite

client = zerosuite.Client("tcp://127.0.0.1:4243")

lock = zerosuite.Lock(client, "report", lease=30)
if lock.acquire(timeout=0.5):  # True only if it is held
    try:
        print("token", lock.token)
    finally:
        lock.release()
else:
    print("somebody else writes the report")

reentrant = zerosuite.RLock(client, "account 17")
with reentrant:
    with reentrant:
        print("the thread that holds it may enter again")

with zerosuite.Semaphore(client, "licences", limit=3, wait=10):
    print("one of three")

shelf = zerosuite.RWLock(client, "shelf", wait=10)
with shelf.read:
    print("one of many readers")
with shelf.write:
    print("the only writer")

with zerosuite.MultiLock(client, ["account 17", "account 4"], wait=10) as hold:  # both or none; no order to keep
    print("both, under token", hold.token)


@zerosuite.locked("stock-{item}", client, wait=5)
def sell(item: int) -> None:
    print("selling", item)


sell(7)
client.close()
