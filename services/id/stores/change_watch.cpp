#include "id/stores/change_watch.hpp"

#include <algorithm>
#include <utility>

namespace zerosuite::id {
namespace {

constexpr core::milliseconds kSoon{10};

}  // namespace

ChangeWatch::ChangeWatch(net::Timers& timers, Store& store, const ChangeWatchOptions& options,
                         Changed changed, WorkerId worker)
    : timers_(timers),
      store_(store),
      options_(options),
      changed_(std::move(changed)),
      worker_(std::move(worker)),
      again_(timers, [this] { look(); }) {}

void ChangeWatch::start() {
  if (store_.traits().shared && !looking_ && !again_.armed()) look();
}

void ChangeWatch::spread(Then then) {
  if (stopped_ || !store_.traits().shared) return then();
  waiting_.push_back({std::move(then), timers_.now() + options_.wait, 0, false});
  if (!looking_) look();
}

void ChangeWatch::stop() {
  stopped_ = true;
  again_.cancel();
  for (Waiting& waiting : std::exchange(waiting_, {})) waiting.then();
}

void ChangeWatch::look() {
  if (stopped_) return;
  looking_ = true;
  for (Waiting& waiting : waiting_) waiting.asked = true;
  store_.look({followed_, worker_()}, [this, life = std::weak_ptr(life_)](const core::Result<Changes>& news) {
    if (!life.expired()) answered(news);
  });
}

void ChangeWatch::answered(const core::Result<Changes>& news) {
  looking_ = false;
  if (stopped_) return;
  bool more = false;
  if (news) {
    for (const std::string& tag : news->tags) changed_(tag);
    more = !news->tags.empty();  // other issuers wait until these changes are reported as applied
    followed_ = news->revision;
    for (Waiting& waiting : waiting_)
      if (waiting.asked && waiting.revision == 0) waiting.revision = news->revision;
  } else if (news.error().name == core::kStoreRegressed.name) {
    followed_ = 0;  // revisions start over
  }
  release(news ? news->followed : 0);
  const core::milliseconds calm = waiting_.empty() ? options_.every : std::min(kSoon, options_.every);
  if (!stopped_) again_.after(more ? core::milliseconds(0) : calm);
}

void ChangeWatch::release(std::int64_t followed) {
  const auto waits = [&](const Waiting& waiting) {
    const bool done = waiting.revision != 0 && waiting.revision <= followed;
    return !done && timers_.now() < waiting.until;
  };
  const auto first_done = std::stable_partition(waiting_.begin(), waiting_.end(), waits);
  std::vector<Waiting> done(std::make_move_iterator(first_done), std::make_move_iterator(waiting_.end()));
  waiting_.erase(first_done, waiting_.end());
  for (Waiting& waiting : done) waiting.then();
}

}  // namespace zerosuite::id
