// Payloads of stock peers (tests/golden), byte for byte in both directions.
#include <doctest/doctest.h>

#include <algorithm>
#include <iterator>
#include <tuple>

#include "support/golden.hpp"
#include "wire/event.hpp"

namespace zerosuite::wire::vectors_test {

struct Vector {
  std::string file;
  std::string_view id, response_to, name;
  std::string args;  // hexadecimal
};

// In the order of their files.
const Vector kVectors[] = {
    {"node_call_add", "22b1768b-eebf-4904-81e0-000000000000", "", "add", "920304"},
    {"node_ok", "0e218345-e848-4da2-9de1-00000000020f", "bin1", "OK", "9103"},
    {"node_stream_done", "0e218345-e848-4da2-9de1-000000000008", "27848e77ee0f49aa96af0417d16072cf",
     "STREAM_DONE", "90"},
    {"python_call_add", "b77deda958d941a59b09e98b72ef0ff4", "", "add", "920304"},
    {"python_call_count", "b77dedab58d941a59b09e98b72ef0ff4", "", "count", "9102"},
    {"python_call_inspect", "b77dedb058d941a59b09e98b72ef0ff4", "", "_zerorpc_inspect", "90"},
    {"python_call_types", "1b4a7043a66a487684af3fe503688838", "", "add",
     "9992019102c40101a2c3a9c0cb3ff8000000000000d0dfcf000001000000000081a16bc4017690"},
    {"python_err", "fedcba9876543210fedcba9876543210", "0123456789abcdef0123456789abcdef", "ERR",
     "93a94e616d654572726f72a66e6f73756368b24e616d654572726f723a206e6f737563680a"},
    {"python_heartbeat_client", "c8c595a579ee4e898103943e11c0a971", "c8c595a479ee4e898103943e11c0a971",
     "_zpc_hb", "9100"},
    {"python_heartbeat_server", "87e09cf6f12e44e9b3f7149cc1636847", "c8c595a479ee4e898103943e11c0a971",
     "_zpc_hb", "9100"},
    {"python_inspect", "b77dedb158d941a59b09e98b72ef0ff4", "b77dedb058d941a59b09e98b72ef0ff4", "OK",
     "9182a46e616d65a44d617468a76d6574686f647383a361646482a4617267739381a46e616d65a473656c6681a46e616d"
     "65a16182a46e616d65a162a764656661756c7402a3646f63b04164642074776f206e756d626572732ea4626f6f6d82a4"
     "617267739181a46e616d65a473656c66a3646f63c0a5636f756e7482a4617267739281a46e616d65a473656c6681a46e"
     "616d65a16ea3646f63a9436f756e742075702e"},
    {"python_more_100", "b77dedae58d941a59b09e98b72ef0ff4", "b77dedab58d941a59b09e98b72ef0ff4", "_zpc_more",
     "9164"},
    {"python_more_51", "b77dedae58d941a59b09e98b72ef0ff4", "b77dedab58d941a59b09e98b72ef0ff4", "_zpc_more",
     "9133"},
    {"python_ok", "b77dedaa58d941a59b09e98b72ef0ff4", "b77deda958d941a59b09e98b72ef0ff4", "OK", "9107"},
    {"python_ok_to_node", "6c9b6dc64cea41ca9a20f36c52d8bb19", "22b1768b-eebf-4904-81e0-000000000000", "OK",
     "9107"},
    {"python_pong", "b77dedb358d941a59b09e98b72ef0ff4", "b77dedb258d941a59b09e98b72ef0ff4", "OK",
     "9192a4706f6e67a44d617468"},
    {"python_push", "71f6992e15fb473bbff243d9f37fa028", "", "lolita", "9201a162"},
    {"python_stream_0", "b77dedac58d941a59b09e98b72ef0ff4", "b77dedab58d941a59b09e98b72ef0ff4", "STREAM",
     "00"},
    {"python_stream_1", "b77dedad58d941a59b09e98b72ef0ff4", "b77dedab58d941a59b09e98b72ef0ff4", "STREAM",
     "01"},
    {"python_stream_done", "b77dedaf58d941a59b09e98b72ef0ff4", "b77dedab58d941a59b09e98b72ef0ff4",
     "STREAM_DONE", "c0"},
};

// A copy without a byte to spare, so that a sanitizer sees any step beyond.
struct Exact {
  explicit Exact(std::string_view text) : bytes(text.begin(), text.end()) {}
  std::string_view view() const { return {bytes.data(), bytes.size()}; }
  std::vector<char> bytes;
};

std::string encoded(const Head& head, std::string_view args) {
  Buffer out;
  begin_event(out, head);
  Packer packer(out);
  Reader in(args);
  pack_value(packer, read_value(in));
  return {out.data(), out.size()};
}

TEST_CASE("every payload of a stock peer is known to these tests") {
  std::vector<std::string> files;
  for (const Vector& vector : kVectors) files.push_back(vector.file);
  CHECK(files == test::golden_names());
}

TEST_CASE("payloads of stock peers are read field by field") {
  for (const Vector& vector : kVectors) {
    CAPTURE(vector.file);
    const std::string payload = test::golden(vector.file);
    const Event event = decode(payload, Limits{});
    REQUIRE(event.fault == Fault::kNone);
    CHECK(id_text(event.id) == vector.id);
    CHECK(id_text(event.response_to) == vector.response_to);
    CHECK(event.name == vector.name);
    CHECK(test::to_hex(event.args) == vector.args);
    CHECK(event.version == 3);
    CHECK_FALSE(event.timeout_ms);
    CHECK(event.answerable() == vector.response_to.empty());
  }
}

TEST_CASE("ids are kept as they were encoded, bin for Python's and str for Node's") {
  const std::string call = test::golden("node_call_add");
  CHECK(decode(call, Limits{}).id.substr(0, 2) == test::from_hex("d924"));
  const std::string answer = test::golden("python_ok_to_node");
  const Event event = decode(answer, Limits{});
  CHECK(event.id.substr(0, 2) == test::from_hex("c420"));
  CHECK(event.response_to == decode(call, Limits{}).id);
}

TEST_CASE("what we write is what stock Python writes, byte for byte") {
  for (const Vector& vector : kVectors) {
    if (vector.file.rfind("python_", 0) != 0) continue;
    CAPTURE(vector.file);
    const std::string payload = test::golden(vector.file);
    const Event event = decode(payload, Limits{});
    Context context;
    for (const std::string_view key : {"trace_id", "traceparent"})
      if (const auto text = header_text(event.header, key); !text.empty()) context.add(key, text);
    const Head head{event.id, event.response_to, event.name, &context};
    CHECK(test::to_hex(encoded(head, event.args)) == test::to_hex(payload));
  }
}

TEST_CASE("arguments of C++ types make the payload that Python makes") {
  const std::string id = test::from_hex("c420") + "b77deda958d941a59b09e98b72ef0ff4";
  Buffer out;
  begin_event(out, {.id = id, .response_to = {}, .name = "add"});
  Packer packer(out);
  pack(packer, std::tuple(3, 4));
  CHECK(std::string(out.data(), out.size()) == test::golden("python_call_add"));
}

TEST_CASE("bytes behind the event are ignored") {
  for (const Vector& vector : kVectors) {
    CAPTURE(vector.file);
    for (const std::string tail : {"00", "c1", "93828383", "ffffffffffffffff"}) {
      const std::string payload = test::golden(vector.file) + test::from_hex(tail);
      const Event event = decode(payload, Limits{});
      CHECK(event.fault == Fault::kNone);
      CHECK(test::to_hex(event.args) == vector.args);
    }
  }
}

TEST_CASE("a payload cut short anywhere is refused, and answerable once its id is whole") {
  for (const Vector& vector : kVectors) {
    const std::string payload = test::golden(vector.file);
    const Event whole = decode(payload, Limits{});
    const auto end_of = [&payload](std::string_view part) {
      return static_cast<std::size_t>(part.data() + part.size() - payload.data());
    };
    for (std::size_t size = 0; size < payload.size(); ++size) {
      CAPTURE(vector.file);
      CAPTURE(size);
      const Exact cut(std::string_view(payload).substr(0, size));
      const Event event = decode(cut.view(), Limits{});
      CHECK(event.fault != Fault::kNone);
      CHECK(event.args.empty());
      CHECK(event.id == (size >= end_of(whole.id) ? whole.id : ""));
      const bool belongs = !whole.response_to.empty() && size >= end_of(whole.response_to);
      CHECK(event.answerable() == (!event.id.empty() && !belongs));
    }
  }
}

TEST_CASE("a payload with any one byte changed is read or refused, within its bounds") {
  for (const Vector& vector : kVectors) {
    Exact payload(test::golden(vector.file));
    std::size_t read = 0;
    for (std::size_t at = 0; at < payload.bytes.size(); ++at) {
      const char original = payload.bytes[at];
      for (int value = 0; value < 256; ++value) {
        payload.bytes[at] = static_cast<char>(value);
        const Event event = decode(payload.view(), Limits{});
        read += event.fault == Fault::kNone;
        const bool inside = event.args.empty() || event.args.data() + event.args.size() <=
                                                      payload.bytes.data() + payload.bytes.size();
        if (!inside) FAIL_CHECK("args reach beyond the payload of " << vector.file << " at " << at);
      }
      payload.bytes[at] = original;
    }
    CHECK(read > payload.bytes.size());  // at least each byte's original
  }
}

}  // namespace zerosuite::wire::vectors_test
