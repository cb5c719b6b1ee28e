"""The lines that everybody copies."""

import zerosuite

with zerosuite.Client("tcp://127.0.0.1:4243") as client:
    print(client.math.add(88, 77))  # 165
    for number in client.math.range(0, 3):  # a stream: 0, 1, 2
        print(number)

    with zerosuite.Lock(client, "stock of item 7", lease=30, wait=5) as hold:  # NotAcquired after 5 s
        print("held with token", hold.token)

    ids = zerosuite.ids.Ids(client)
    print(ids.snowflake(), ids.uuid7())
