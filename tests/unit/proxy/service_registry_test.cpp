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
                        registration(id, {.service = service, .methods = methods, .version = version}));
  }
  Finding finding(std::string_view name) const { return registry.look_up(name).finding; }
  // "math" for a method of that service, "" for none.
  std::string service_of(std::string_view name) const {
    const auto* const service = registry.look_up(name).service;
    return service == nullptr ? std::string() : service->name;
  }
  std::string names() const {
    std::string text;
    for (const auto& [name, description] : registry.methods()) text += show(name) + " ";
    return text;
  }

  proxy::ServiceRegistry registry;
};

TEST_CASE_FIXTURE(Book,
                  "a method is found behind its service's name, and by itself when one service has it") {
  add("m1", "math", {"add", "sub"});
  add("i1", "id", {"uuid"});
  for (const std::string name : {"add", "math.add", "sub", "math.sub"}) CHECK(service_of(name) == "math");
  for (const std::string name : {"uuid", "id.uuid"}) CHECK(service_of(name) == "id");
  CHECK(registry.look_up("math.add").method->name == "add");
}

TEST_CASE_FIXTURE(Book, "what nobody offers is no method of a service that is there, or of none that is") {
  add("m1", "math", {"add"});
  for (const std::string name : {"nosuch", "", "math.nosuch", "math.", "math.math.add"}) {
    CAPTURE(name);
    CHECK(finding(name) == Finding::kNoMethod);
  }
  for (const std::string name : {"nope.add", "maths.add", ".add", "mat.add", "Math.add"}) {
    CAPTURE(name);
    CHECK(finding(name) == Finding::kNoService);
  }
}

TEST_CASE_FIXTURE(Book,
                  "a bare name of several services is ambiguous, and the names that are not are known") {
  add("m1", "math", {"add", "sub"});
  add("s1", "sets", {"add"});
  add("l1", "log", {"add"});
  const auto& target = registry.look_up("add");
  CHECK(target.finding == Finding::kAmbiguous);
  CHECK(target.service == nullptr);
  CHECK(target.candidates == std::vector<std::string>{"log.add", "math.add", "sets.add"});
  CHECK(service_of("sets.add") == "sets");
  CHECK(service_of("math.add") == "math");
  CHECK(service_of("sub") == "math");
}

TEST_CASE_FIXTURE(Book, "two workers of one service do not make its methods ambiguous") {
  add("m1", "math", {"add"});
  add("m2", "math", {"add"});
  CHECK(service_of("add") == "math");
}

TEST_CASE_FIXTURE(Book, "a bare name with a dot in it is found, but hides no qualified one") {
  add("x1", "files", {"dir.list", "math.add", "math.old"});
  CHECK(service_of("dir.list") == "files");
  CHECK(service_of("files.dir.list") == "files");
  CHECK(service_of("math.add") == "files");
  add("m1", "math", {"add"});
  CHECK(service_of("math.add") == "math");
  CHECK(service_of("files.math.add") == "files");
  CHECK(service_of("math.old") == "files");
}

TEST_CASE_FIXTURE(Book, "a service offers what any of its workers does") {
  add("m1", "math", {"add", "old"});
  CHECK(registry.services().at("math")->uniform);
  proxy::Worker& newer = add("m2", "math", {"add", "new"});
  CHECK_FALSE(registry.services().at("math")->uniform);
  CHECK(service_of("math.old") == "math");
  CHECK(service_of("math.new") == "math");
  registry.remove(newer);
  CHECK(registry.services().at("math")->uniform);
  CHECK(finding("math.new") == Finding::kNoMethod);
  CHECK(service_of("math.old") == "math");
}

TEST_CASE_FIXTURE(Book, "a service and its methods are known after its last worker has gone") {
  proxy::Worker& last = add("m1", "math", {"add"});
  registry.remove(last);
  CHECK(registry.worker("m1") == nullptr);
  CHECK(service_of("add") == "math");
  CHECK(service_of("math.add") == "math");
  CHECK_FALSE(registry.services().at("math")->has_live_worker());
  CHECK(finding("math.nosuch") == Finding::kNoMethod);
}

TEST_CASE_FIXTURE(Book, "the first worker that comes back decides what its service offers") {
  registry.remove(add("m1", "math", {"add", "old"}));
  add("m2", "math", {"add", "new"});
  CHECK(finding("math.old") == Finding::kNoMethod);
  CHECK(service_of("math.new") == "math");
  CHECK(registry.services().at("math")->uniform);
}

TEST_CASE_FIXTURE(Book, "a worker is known by its id") {
  proxy::Worker& worker = add("m1", "math", {"add"});
  CHECK(registry.worker("m1") == &worker);
  CHECK(registry.worker("m") == nullptr);
  CHECK(worker.service->name == "math");
}

TEST_CASE_FIXTURE(Book, "a worker that drains or is gone is not a live one") {
  proxy::Worker& first = add("m1", "math", {"add"});
  proxy::Worker& second = add("m2", "math", {"add"});
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
  CHECK(show(wire::Value{book.registry.methods()}) ==
        R"({"id.uuid": {"doc": "uuid"}, "math.add": {"doc": "add"}, "math.sub": {"doc": "sub"}})");
}

TEST_CASE("the catalogue describes a method by its qualified name, and by its bare one unless ambiguous") {
  Book book;
  book.add("m1", "math", {"add", "sub"});
  book.add("s1", "sets", {"add"});
  for (const std::string name : {"math.add", "sets.add"})
    CHECK(show(*book.registry.find(name)) == R"({"doc": "add"})");
  CHECK(show(*book.registry.find("sub")) == R"({"doc": "sub"})");
  for (const std::string name : {"add", "nosuch", "math.nosuch", "nope.add"})
    CHECK_FALSE(book.registry.find(name));
}

TEST_CASE_FIXTURE(
    Book, "the proxy's own methods are in the catalogue as proxy.NAME, without those that are hidden") {
  rpc::Methods methods;
  methods.add("ping", "Pings.", [] { return 1; });
  methods.add("_hidden", "", [] { return 1; });
  const rpc::OwnMethods own(methods);
  registry.add_own(own);
  add("z1", "zebra", {"run"});
  add("m1", "math", {"add"});
  CHECK(names() == R"("math.add" "proxy.ping" "zebra.run" )");
  CHECK(show(*registry.find("proxy.ping")) == R"({"args": [], "doc": "Pings."})");
  for (const std::string name : {"ping", "proxy.nosuch", "proxy._hidden", "proxy."})
    CHECK_FALSE(registry.find(name));
}

TEST_CASE_FIXTURE(Book, "inspect counts each service's workers, those that take calls, and their versions") {
  add("m1", "math", {"add"}, "1.1");
  add("m2", "math", {"add"}, "1.0").load.draining = true;
  add("m3", "math", {"add"}, "1.1");
  proxy::Worker& last = add("i1", "id", {"uuid"}, "2");
  registry.remove(last);
  CHECK(show(wire::Value{registry.more()}) ==
        R"({"services": {"id": {"workers": 0, "ready": 0, "versions": []}, )"
        R"("math": {"workers": 3, "ready": 2, "versions": ["1.0", "1.1"]}}})");
}

TEST_CASE_FIXTURE(Book, "of a service that is expected and has told nothing yet, no name is unknown") {
  add("m1", "math", {"add"});
  registry.expect("legacy", {});
  for (const std::string name : {"legacy.add", "nosuch", "other.add"}) {
    CAPTURE(name);
    CHECK(finding(name) == Finding::kAwaited);
  }
  CHECK(service_of("add") == "math");
  CHECK(finding("math.nosuch") == Finding::kNoMethod);
  add("l1", "legacy", {"echo"});
  CHECK(finding("legacy.add") == Finding::kNoMethod);
  CHECK(finding("nosuch") == Finding::kNoMethod);
  CHECK(finding("other.add") == Finding::kNoService);
}

TEST_CASE_FIXTURE(
    Book, "an expected service whose methods are configured is known by them before its first worker comes") {
  rpc::OfferedMethod echo;
  echo.name = "echo";
  registry.expect("legacy", {echo});
  CHECK(service_of("echo") == "legacy");
  CHECK(service_of("legacy.echo") == "legacy");
  CHECK(finding("legacy.add") == Finding::kNoMethod);
  add("l1", "legacy", {"add"});
  registry.expect("legacy", {echo});  // of its second endpoint
  CHECK(service_of("legacy.add") == "legacy");
  CHECK(finding("legacy.echo") == Finding::kNoMethod);
}

}  // namespace zerosuite::test::directory_test
