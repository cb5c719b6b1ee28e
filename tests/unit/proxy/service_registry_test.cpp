#include "proxy/service_registry.hpp"

#include <doctest/doctest.h>

#include "rpc/server/builtins.hpp"
#include "support/events.hpp"
#include "support/router_rig.hpp"

namespace zerosuite::test::directory_test {

using Finding = proxy::ServiceRegistry::Finding;

struct Book {
  proxy::Worker& add(const std::string& id, const std::string& service,
                     const std::vector<std::string>& methods, const std::string& version = {}) {
    auto worker = std::make_unique<proxy::Worker>();
    worker->id = id;
    worker->version = version;
    return registry.add(std::move(worker),
                        test::registration(id, {.service = service, .methods = methods, .version = version}));
  }
  Finding finding(std::string_view name) const { return registry.look_up(name).finding; }
  // "math" for a method of that service, "" for none.
  std::string service_of(std::string_view name) const {
    const auto* const service = registry.look_up(name).service;
    return service == nullptr ? std::string() : service->name;
  }
  std::string names() const {
    std::string text;
    for (const auto& [name, description] : registry.methods()) text += test::show(name) + " ";
    return text;
  }

  proxy::ServiceRegistry registry;
};

TEST_CASE("a method is found behind its service's name, and by itself when one service has it") {
  Book book;
  book.add("m1", "math", {"add", "sub"});
  book.add("i1", "id", {"uuid"});
  for (const std::string name : {"add", "math.add", "sub", "math.sub"})
    CHECK(book.service_of(name) == "math");
  for (const std::string name : {"uuid", "id.uuid"}) CHECK(book.service_of(name) == "id");
  CHECK(book.registry.look_up("math.add").method->name == "add");
}

TEST_CASE("what nobody offers is no method of a service that is there, or of none that is") {
  Book book;
  book.add("m1", "math", {"add"});
  for (const std::string name : {"nosuch", "", "math.nosuch", "math.", "math.math.add"}) {
    CAPTURE(name);
    CHECK(book.finding(name) == Finding::kNoMethod);
  }
  for (const std::string name : {"nope.add", "maths.add", ".add", "mat.add", "Math.add"}) {
    CAPTURE(name);
    CHECK(book.finding(name) == Finding::kNoService);
  }
}

TEST_CASE("a bare name of several services is ambiguous, and the names that are not are known") {
  Book book;
  book.add("m1", "math", {"add", "sub"});
  book.add("s1", "sets", {"add"});
  book.add("l1", "log", {"add"});
  const auto& target = book.registry.look_up("add");
  CHECK(target.finding == Finding::kAmbiguous);
  CHECK(target.service == nullptr);
  CHECK(target.candidates == std::vector<std::string>{"log.add", "math.add", "sets.add"});
  CHECK(book.service_of("sets.add") == "sets");
  CHECK(book.service_of("math.add") == "math");
  CHECK(book.service_of("sub") == "math");
}

TEST_CASE("two workers of one service do not make its methods ambiguous") {
  Book book;
  book.add("m1", "math", {"add"});
  book.add("m2", "math", {"add"});
  CHECK(book.service_of("add") == "math");
}

TEST_CASE("a bare name with a dot in it is found, but hides no qualified one") {
  Book book;
  book.add("x1", "files", {"dir.list", "math.add", "math.old"});
  CHECK(book.service_of("dir.list") == "files");
  CHECK(book.service_of("files.dir.list") == "files");
  CHECK(book.service_of("math.add") == "files");
  book.add("m1", "math", {"add"});
  CHECK(book.service_of("math.add") == "math");
  CHECK(book.service_of("files.math.add") == "files");
  CHECK(book.service_of("math.old") == "files");
}

TEST_CASE("a service offers what any of its workers does") {
  Book book;
  book.add("m1", "math", {"add", "old"});
  CHECK(book.registry.services().at("math")->uniform);
  proxy::Worker& newer = book.add("m2", "math", {"add", "new"});
  CHECK_FALSE(book.registry.services().at("math")->uniform);
  CHECK(book.service_of("math.old") == "math");
  CHECK(book.service_of("math.new") == "math");
  book.registry.remove(newer);
  CHECK(book.registry.services().at("math")->uniform);
  CHECK(book.finding("math.new") == Finding::kNoMethod);
  CHECK(book.service_of("math.old") == "math");
}

TEST_CASE("a service and its methods are known after its last worker has gone") {
  Book book;
  proxy::Worker& last = book.add("m1", "math", {"add"});
  book.registry.remove(last);
  CHECK(book.registry.worker("m1") == nullptr);
  CHECK(book.service_of("add") == "math");
  CHECK(book.service_of("math.add") == "math");
  CHECK_FALSE(book.registry.services().at("math")->has_live_worker());
  CHECK(book.finding("math.nosuch") == Finding::kNoMethod);
}

TEST_CASE("the first worker that comes back decides what its service offers") {
  Book book;
  book.registry.remove(book.add("m1", "math", {"add", "old"}));
  book.add("m2", "math", {"add", "new"});
  CHECK(book.finding("math.old") == Finding::kNoMethod);
  CHECK(book.service_of("math.new") == "math");
  CHECK(book.registry.services().at("math")->uniform);
}

TEST_CASE("a worker is known by its id") {
  Book book;
  proxy::Worker& worker = book.add("m1", "math", {"add"});
  CHECK(book.registry.worker("m1") == &worker);
  CHECK(book.registry.worker("m") == nullptr);
  CHECK(worker.service->name == "math");
}

TEST_CASE("a worker that drains or is gone is not a live one") {
  Book book;
  proxy::Worker& first = book.add("m1", "math", {"add"});
  proxy::Worker& second = book.add("m2", "math", {"add"});
  const proxy::Service& math = *first.service;
  first.load.draining = true;
  CHECK(math.has_live_worker());
  second.load.gone = true;
  CHECK_FALSE(math.has_live_worker());
}

TEST_CASE("the catalogue lists the methods of all services, sorted and with the service in front") {
  Book book;
  book.add("m1", "math", {"sub", "add"});
  book.add("i1", "id", {"uuid"});
  CHECK(book.names() == R"("id.uuid" "math.add" "math.sub" )");
  CHECK(test::show(wire::Value{book.registry.methods()}) ==
        R"({"id.uuid": {"doc": "uuid"}, "math.add": {"doc": "add"}, "math.sub": {"doc": "sub"}})");
}

TEST_CASE("the catalogue describes a method by its qualified name, and by its bare one unless ambiguous") {
  Book book;
  book.add("m1", "math", {"add", "sub"});
  book.add("s1", "sets", {"add"});
  for (const std::string name : {"math.add", "sets.add"})
    CHECK(test::show(*book.registry.find(name)) == R"({"doc": "add"})");
  CHECK(test::show(*book.registry.find("sub")) == R"({"doc": "sub"})");
  for (const std::string name : {"add", "nosuch", "math.nosuch", "nope.add"})
    CHECK_FALSE(book.registry.find(name));
}

TEST_CASE("the proxy's own methods are in the catalogue as proxy.NAME, without those that are hidden") {
  Book book;
  rpc::Methods methods;
  methods.add("ping", "Pings.", [] { return 1; });
  methods.add("_hidden", "", [] { return 1; });
  const rpc::OwnMethods own(methods);
  book.registry.add_own(own);
  book.add("z1", "zebra", {"run"});
  book.add("m1", "math", {"add"});
  CHECK(book.names() == R"("math.add" "proxy.ping" "zebra.run" )");
  CHECK(test::show(*book.registry.find("proxy.ping")) == R"({"args": [], "doc": "Pings."})");
  for (const std::string name : {"ping", "proxy.nosuch", "proxy._hidden", "proxy."})
    CHECK_FALSE(book.registry.find(name));
}

TEST_CASE("inspect counts each service's workers, those that take calls, and their versions") {
  Book book;
  book.add("m1", "math", {"add"}, "1.1");
  book.add("m2", "math", {"add"}, "1.0").load.draining = true;
  book.add("m3", "math", {"add"}, "1.1");
  proxy::Worker& last = book.add("i1", "id", {"uuid"}, "2");
  book.registry.remove(last);
  CHECK(test::show(wire::Value{book.registry.more()}) ==
        R"({"services": {"id": {"workers": 0, "ready": 0, "versions": []}, )"
        R"("math": {"workers": 3, "ready": 2, "versions": ["1.0", "1.1"]}}})");
}

TEST_CASE("of a service that is expected and has told nothing yet, no name is unknown") {
  Book book;
  book.add("m1", "math", {"add"});
  book.registry.expect("legacy", {});
  for (const std::string name : {"legacy.add", "nosuch", "other.add"}) {
    CAPTURE(name);
    CHECK(book.finding(name) == Finding::kAwaited);
  }
  CHECK(book.service_of("add") == "math");
  CHECK(book.finding("math.nosuch") == Finding::kNoMethod);
  book.add("l1", "legacy", {"echo"});
  CHECK(book.finding("legacy.add") == Finding::kNoMethod);
  CHECK(book.finding("nosuch") == Finding::kNoMethod);
  CHECK(book.finding("other.add") == Finding::kNoService);
}

TEST_CASE("an expected service whose methods are configured is known by them before its first worker comes") {
  Book book;
  rpc::OfferedMethod echo;
  echo.name = "echo";
  book.registry.expect("legacy", {echo});
  CHECK(book.service_of("echo") == "legacy");
  CHECK(book.service_of("legacy.echo") == "legacy");
  CHECK(book.finding("legacy.add") == Finding::kNoMethod);
  book.add("l1", "legacy", {"add"});
  book.registry.expect("legacy", {echo});  // of its second endpoint
  CHECK(book.service_of("legacy.add") == "legacy");
  CHECK(book.finding("legacy.echo") == Finding::kNoMethod);
}

}  // namespace zerosuite::test::directory_test
