// The stock Node package, on the maintained zeromq: the one it names does not build on current Node.
"use strict";

const Module = require("module");

const load = Module._load;
Module._load = function (request, parent, isMain) {
  return request === "zeromq" ? require("zeromq/v5-compat") : load.call(this, request, parent, isMain);
};

module.exports = require("zerorpc");
