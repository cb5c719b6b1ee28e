// gRPC's load: `--window` asynchronous `add` calls open on one channel, completed through one queue on one
// thread, like the other clients.
#include <grpcpp/grpcpp.h>

#include <memory>

#include "add.grpc.pb.h"
#include "measure.hpp"

namespace {

using namespace zerosuite;

/// One call in flight; a gRPC context serves one call only.
struct Call {
  grpc::ClientContext context;
  bench::AddReply reply;
  grpc::Status status;
  bench::TimePoint started;
  std::unique_ptr<grpc::ClientAsyncResponseReader<bench::AddReply>> reader;
};

class Load {
 public:
  explicit Load(const std::string& endpoint)
      : stub_(bench::Math::NewStub(grpc::CreateChannel(endpoint, grpc::InsecureChannelCredentials()))) {
    request_.set_a(3);
    request_.set_b(4);
  }

  void call() {
    auto call = std::make_unique<Call>();
    call->started = bench::Clock::now();
    call->reader = stub_->AsyncAdd(&call->context, request_, &queue_);
    Call* const tag = call.release();  // the completion queue carries it; take() owns it again
    tag->reader->Finish(&tag->reply, &tag->status, tag);
    ++open_;
  }

  /// Waits for the next reply. Throws std::runtime_error when it is not the answer.
  void take(bench::Run& run) {
    void* tag = nullptr;
    bool delivered = false;
    if (!queue_.Next(&tag, &delivered)) throw std::runtime_error("the completion queue ended");
    const std::unique_ptr<Call> call(static_cast<Call*>(tag));
    if (!delivered || !call->status.ok() || call->reply.sum() != 7) {
      throw std::runtime_error("not the expected reply: " + call->status.error_message());
    }
    run.answered(call->started, bench::Clock::now());
    --open_;
  }

  std::size_t open() const { return open_; }

 private:
  std::unique_ptr<bench::Math::Stub> stub_;
  grpc::CompletionQueue queue_;
  bench::AddRequest request_;
  std::size_t open_ = 0;
};

void drive(const bench::Flags& flags) {
  Load load(flags.text("--endpoint"));
  bench::keep_open(load, flags);
}

}  // namespace

int main(int argc, char** argv) { return bench::run_program(argc, argv, drive); }
