"""The stock zerorpc client suffices for calls, for a lock without renewal, and for ids one at a time."""

import zerorpc

client = zerorpc.Client("tcp://127.0.0.1:4243")
print(client("math.add", 88, 77))
grant = client("lock.acquire", "stock of item 7", "shop-1", 30000, 5000)  # a lease of 30 s; waits for up to 5 s
if grant["ok"]:
    client("lock.release", "stock of item 7", "shop-1", grant["token"])
print(client("id.snowflake"))
client.close()
