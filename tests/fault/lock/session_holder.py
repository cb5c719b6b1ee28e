"""An owner with an open session, in a process of its own. It says what it is told, a line of JSON each.

usage: session_holder.py ENDPOINT OWNER; the lines that it reads are commands:
  ["acquire", NAME, LEASE_MS, "session" or "lease"]    ["spin", SECONDS]: computes, and lets nothing else run
"""

import json
import sys
import time

import gevent
import gevent.fileobject
import zerorpc


class Holder:
    def __init__(self, endpoint, owner):
        self.owner = owner
        self.client = zerorpc.Client(heartbeat=1)
        self.client.connect(endpoint)
        self.session = None

    def listen(self):
        try:
            for event in self.client.session_open(self.owner, 30_000):
                self.session = event.get("session", self.session) if event["event"] == "open" else self.session
                say(**event)
        except (zerorpc.RemoteError, zerorpc.LostRemote) as error:
            say(event="ended", by=type(error).__name__)

    def acquire(self, name, lease_ms, bind):
        options = {"bind": "session", "session": self.session} if bind == "session" else {}
        say(acquired=name, token=self.client.acquire(name, self.owner, lease_ms, 0, options)["token"])

    def spin(self, seconds):
        say(spins=seconds)
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            pass
        say(spun=seconds)


def say(**what):
    print(json.dumps(what), file=sys.stderr, flush=True)


def main():
    holder = Holder(*sys.argv[1:])
    gevent.spawn(holder.listen)
    for line in gevent.fileobject.FileObject(sys.stdin.buffer, "rb"):
        command, *arguments = json.loads(line)
        getattr(holder, command)(*arguments)


if __name__ == "__main__":
    main()
