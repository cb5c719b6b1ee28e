"""Ids that are fetched ahead and handed out by the million."""

import itertools

import zerosuite

with zerosuite.Client("tcp://127.0.0.1:4243") as client:
    ids = zerosuite.ids.Ids(client)

    snowflake = ids.snowflake()
    print(snowflake, ids.decode(snowflake).time)
    print(ids.uuid7(), ids.uuid7(3), ids.ulid())
    print(ids.seq("invoices"), ids.daily("INV-"))  # strict: one call each

    if not any(tag["tag"] == "orders" for tag in client.id.tags("orders")["tags"]):
        client.id.tag_create("orders")
    for order_id in itertools.islice(ids.segments("orders"), 3):
        print(order_id)

    million = ids.snowflakes().take(1_000_000)
    print(len(set(million)))
