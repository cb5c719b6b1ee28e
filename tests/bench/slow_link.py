"""A way to a server (`--to HOST:PORT`) that is far: each answer arrives `--delay_ms` later than it was sent."""

import argparse
import queue
import socket
import sys
import threading
import time

MOST = 1 << 16


def pipe(source, target, delay):
    """Carries what `source` says until it has nothing more to say."""
    waiting = queue.SimpleQueue()

    def deliver():
        while said := waiting.get():
            due, data = said
            time.sleep(max(0.0, due - time.monotonic()))
            target.sendall(data)
        target.shutdown(socket.SHUT_WR)

    threading.Thread(target=deliver, daemon=True).start()
    while data := source.recv(MOST):
        waiting.put((time.monotonic() + delay, data))
    waiting.put(None)


def main():
    flags = argparse.ArgumentParser(description=__doc__)
    flags.add_argument("--to", required=True)
    flags.add_argument("--delay_ms", type=float, required=True)
    flags = flags.parse_args()
    host, _, port = flags.to.rpartition(":")
    listener = socket.create_server(("127.0.0.1", 0))
    print(f"listening endpoint=127.0.0.1:{listener.getsockname()[1]}", file=sys.stderr, flush=True)
    while True:
        client, _ = listener.accept()
        server = socket.create_connection((host, int(port)))
        for side in (client, server):
            side.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for ends in ((client, server, 0), (server, client, flags.delay_ms / 1000)):
            threading.Thread(target=pipe, args=ends, daemon=True).start()


if __name__ == "__main__":
    main()
