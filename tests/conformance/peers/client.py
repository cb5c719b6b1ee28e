"""A stock zerorpc client driven line by line; the lines are described in support/peer.py."""

import argparse
import os
import sys
import time

import gevent
import gevent.fileobject
import msgpack
import zerorpc


def arguments():
    parser = argparse.ArgumentParser()
    parser.add_argument("endpoint")
    parser.add_argument("--heartbeat", type=float, default=5, help="seconds; 0 for none")
    parser.add_argument("--passive", action="store_true")
    parser.add_argument("--timeout", type=float, default=30)
    return parser.parse_args()


def outcome(function):
    """What `function` adds to the answer, with how it failed if it did."""
    begun = time.monotonic()
    answer = {}
    try:
        function(answer)
    except zerorpc.RemoteError as error:
        answer["error"] = {"name": error.name, "message": error.msg, "traceback": error.traceback}
    except Exception as error:  # every local failure is a result the test wants to see
        answer["error"] = {"name": type(error).__name__, "message": str(error)}
    answer["seconds"] = time.monotonic() - begun
    return answer


class Driver:
    def __init__(self, connect):
        self.connect = connect
        self.client = connect()

    def options(self, request):
        return {key: request[key] for key in ("timeout", "slots") if key in request}

    def call(self, request, client=None):
        def run(answer):
            answer["value"] = (client or self.client)(request["method"], *request["args"], **self.options(request))

        return outcome(run)

    def stream(self, request):
        """Reads a stream, at most `take` items, with a pause of `pause` seconds after each of the first ones."""
        take, pause, items = request.get("take"), request.get("pause", 0), []

        def run(answer):
            answer["items"] = items
            for item in self.client(request["method"], *request["args"], **self.options(request)):
                items.append(item)
                gevent.sleep(pause)
                if len(items) == take:
                    break

        return outcome(run)

    def burst(self, request):
        """`count` calls at once; answers the values and the errors."""
        def one():
            return self.call(request)

        tasks = [gevent.spawn(one) for _ in range(request["count"])]
        gevent.joinall(tasks)
        answers = [task.value for task in tasks]
        return {"values": [answer["value"] for answer in answers if "value" in answer],
                "errors": [answer["error"]["name"] for answer in answers if "error" in answer]}


    def loop(self, request):
        """`count` clients of their own, each calling again and again until `seconds` have passed: how many calls were
        answered with `expect`, how many with something else, and how many failed by which name."""
        end = time.monotonic() + request["seconds"]
        told = {"answered": 0, "wrong": 0, "errors": {}}

        def turns():
            client = self.connect()
            while time.monotonic() < end:
                answer = self.call(request, client)
                if "error" in answer:
                    name = answer["error"]["name"]
                    told["errors"][name] = told["errors"].get(name, 0) + 1
                else:
                    told["answered" if answer["value"] == request["expect"] else "wrong"] += 1

        gevent.joinall([gevent.spawn(turns) for _ in range(request["count"])])
        return told


def main():
    options = arguments()

    def connect():
        client = zerorpc.Client(timeout=options.timeout, heartbeat=options.heartbeat or None,
                                passive_heartbeat=options.passive)
        client.connect(options.endpoint)
        return client

    driver = Driver(connect)

    def serve(request):
        answer = getattr(driver, request["op"])(request)
        line = msgpack.packb({"n": request["n"], **answer}).hex()
        sys.stdout.write(line + "\n")
        sys.stdout.flush()

    for line in gevent.fileobject.FileObject(sys.stdin.buffer, "rb"):
        gevent.spawn(serve, msgpack.unpackb(bytes.fromhex(line.decode().strip()), strict_map_key=False))
    # Calls may be under way, and the libraries would wait for them; the test has gone.
    os._exit(0)


if __name__ == "__main__":
    main()
