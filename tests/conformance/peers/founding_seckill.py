"""The founding document's contending threads: each takes the lock, sells one of the goods, and gives the lock back.

usage: founding_seckill.py ENDPOINT [THREADS]; the last line says what was left and what went wrong
"""

import json
import sys
import threading
import time

import zerorpc

stock = 0
sold = []  # the identifier that each sale was made under
inside = 0
overlaps = 0
refused = 0  # releases that were answered with something else than True


def seckill(endpoint):
    """One buyer. A client belongs to its thread's event loop, and the counter of message ids to its context."""
    global stock, inside, overlaps, refused
    client = zerorpc.Client(context=zerorpc.Context(), timeout=60)
    client.connect(endpoint)
    identifier = client.acquire_lock("resource", 50)
    if identifier:
        inside += 1
        overlaps += inside != 1
        left = stock
        time.sleep(0.002)  # wide open to everybody else, were it not for the lock
        stock = left - 1
        sold.append(identifier)
        inside -= 1
        refused += client.release_lock("resource", identifier) is not True
    client.close()


def main():
    global stock
    endpoint = sys.argv[1]
    stock = count = int(sys.argv[2]) if len(sys.argv) > 2 else 50
    threads = [threading.Thread(target=seckill, args=(endpoint,)) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    print(json.dumps({"left": stock, "sold": len(sold), "identifiers": len(set(sold)), "overlaps": overlaps,
                      "refused": refused}))


if __name__ == "__main__":
    main()
