#include "id/api/groups.hpp"

namespace zerosuite::id {
namespace {

using wire::Value;

const Value kNoContext("");
const std::string kIntFormat = "int";

}  // namespace

void bind_secrets(rpc::Server& server, const Secrets& secrets, const Formats& formats) {
  const auto open = [&](const char* name, auto undo, const char* doc) {
    server.query(
        name, {"text", {"ctx", kNoContext}}, doc,
        [&secrets, undo](std::string text, std::string context) { return (secrets.*undo)(text, context); });
  };
  const auto make = [&](const char* name, auto apply, const char* doc) {
    server.query(name, {"id", {"ctx", kNoContext}}, doc,
                 [&secrets, &formats, apply](const Value& id, std::string context) {
                   return (secrets.*apply)(formats.read(id, kIntFormat), context);
                 });
  };
  make("obf", &Secrets::obf,
       "An id as 12 characters that reveal neither order, time nor count, for one key and context.");
  open("deobf", &Secrets::deobf,
       "The id that obf() encoded as text in the same context; in another context, another id: see "
       "untoken().");
  make("token", &Secrets::token,
       "An id as 23 characters that cannot be forged or changed without the key, for one context.");
  open("untoken", &Secrets::untoken, "The id of a token; ERR BadToken if it has another key or context.");
  server.query("encode", {"id", "fmt"}, "An id as int, dec, b32, b36, b58, b62, hex, obf or token.",
               [&formats](const Value& id, const std::string& fmt) {
                 return formats.show(formats.read(id, kIntFormat), fmt);
               });
  server.query("decode", {"text", "fmt"}, "The id that encode() encoded as text; no other text is accepted.",
               [&formats](const Value& text, const std::string& fmt) { return formats.read(text, fmt); });
}

}  // namespace zerosuite::id
