"""A stock pusher or publisher driven line by line; the lines are described in support/peer.py."""

import sys

import msgpack
import zerorpc

kind = {"pusher": zerorpc.Pusher, "publisher": zerorpc.Publisher}[sys.argv[1]]
sender = kind()
sender.connect(sys.argv[2])
for line in sys.stdin:
    request = msgpack.unpackb(bytes.fromhex(line.strip()))
    sender(request["method"], *request["args"])
    sys.stdout.write(msgpack.packb({"n": request["n"], "sent": True}).hex() + "\n")
    sys.stdout.flush()
