// A stock Node server with the methods our client's tests call.
"use strict";

const zerorpc = require("./stock.js");

// zerorpc reads parameter names out of the source text and knows only the keyword `function`.
const server = new zerorpc.Server({
  add: function (a, b, reply) {
    reply(null, a + b);
  },
  echo: function (value, reply) {
    reply(null, value);
  },
  slow_async: function (ms, reply) {
    setTimeout(() => reply(null, "slept"), ms);
  },
  boom: function (name, message, reply) {
    reply(Object.assign(new Error(message), { name }));
  },
  count: function (n, reply) {
    for (let i = 0; i < n; i++) reply(null, i, true);
    reply(null, undefined, false);
  },
  fail_after: function (n, reply) {
    for (let i = 0; i < n; i++) reply(null, i, true);
    reply(Object.assign(new Error(`no more after ${n}`), { name: "ValueError" }));
  },
});
server.on("error", (error) => console.error("server error:", String(error)));
server.bind("tcp://127.0.0.1:*");
process.on("SIGTERM", () => process.exit(0));
console.error(`listening endpoint=${server._socket._zmqSocket.last_endpoint}`);
