"""Several endpoints lead to the same services: two proxies, or a proxy and the service's own."""

import zerosuite

with zerosuite.Client("tcp://127.0.0.1:4243", "tcp://127.0.0.1:4253") as client:
    print(client.math.add(88, 77))  # by the first that is up
    client.lock.info("report", idempotent=True)  # may be executed twice, so it is repeated when a reply was lost
