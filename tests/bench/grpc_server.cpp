// gRPC's side of the comparison, serving `add` through the callback API (its maintainers' recommendation).
#include <grpcpp/grpcpp.h>

#include "add.grpc.pb.h"
#include "measure.hpp"

namespace {

using namespace zerosuite;

class Adder final : public bench::Math::CallbackService {
  grpc::ServerUnaryReactor* Add(grpc::CallbackServerContext* context, const bench::AddRequest* request,
                                bench::AddReply* reply) override {
    reply->set_sum(request->a() + request->b());
    grpc::ServerUnaryReactor* const reactor = context->DefaultReactor();
    reactor->Finish(grpc::Status::OK);
    return reactor;
  }
};

void serve(const bench::Flags&) {
  Adder adder;
  int port = 0;
  grpc::ServerBuilder builder;
  builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(), &port);
  builder.RegisterService(&adder);
  const std::unique_ptr<grpc::Server> server = builder.BuildAndStart();
  if (!server) throw std::runtime_error("the gRPC server did not start");
  bench::announce("127.0.0.1:" + std::to_string(port));
  server->Wait();
}

}  // namespace

int main(int argc, char** argv) { return bench::run_program(argc, argv, serve); }
