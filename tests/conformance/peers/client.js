// A stock Node client driven line by line; the lines are described in support/peer.py.
"use strict";

const msgpack = require("msgpack-lite");
const readline = require("readline");
const zerorpc = require("./stock.js");

const [endpoint, heartbeatMs] = process.argv.slice(2);
const client = new zerorpc.Client({ heartbeatInterval: Number(heartbeatMs) || undefined });
client.on("error", (error) => console.error("client error:", String(error)));
client.connect(endpoint);

function describe(error) {
  return { name: error.name, message: error.message, traceback: error.traceback };
}

function invoke(request, onResult) {
  client.invoke({ timeout: request.timeout }, request.method, ...request.args, onResult);
}

function call(request, answer) {
  invoke(request, (error, value) => answer(error ? { error: describe(error) } : { value }));
}

function stream(request, answer) {
  const items = [];
  invoke(request, (error, item, more) => {
    if (error) return answer({ items, error: describe(error) });
    if (item !== undefined) items.push(item);
    // Stock Node clients have no way to end a stream: what comes after the items wanted is passed over.
    if (!more || items.length === request.take) answer({ items });
  });
}

function burst(request, answer) {
  const values = [];
  const errors = [];
  for (let i = 0; i < request.count; i++) {
    invoke(request, (error, value) => {
      if (error) errors.push(error.name);
      else values.push(value);
      if (values.length + errors.length === request.count) answer({ values, errors });
    });
  }
}

const operations = { call, stream, burst };
readline
  .createInterface({ input: process.stdin })
  .on("line", (line) => {
    const request = msgpack.decode(Buffer.from(line, "hex"));
    const begun = process.hrtime.bigint();
    operations[request.op](request, (result) => {
      const seconds = Number(process.hrtime.bigint() - begun) / 1e9;
      process.stdout.write(msgpack.encode({ n: request.n, seconds, ...result }).toString("hex") + "\n");
    });
  })
  .on("close", () => process.exit(0));
