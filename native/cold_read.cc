#include "cold_read.h"

#include <uv.h>

#include <algorithm>
#include <cerrno>
#include <utility>

#include "sys.h"

namespace nearwire {

namespace {

// The read size if only the page cache is to be filled: the same memory is reused for the whole range.
constexpr size_t kScratchBytes = 64 * 1024;

// Reads the whole range, or what exists of it, into `memory`; with `again`, each piece to the same place.
ssize_t read_range(const FileRange& range, char* memory, size_t piece, bool again) {
  size_t done = 0;
  while (done < range.length) {
    const size_t length = std::min<size_t>(piece, range.length - done);
    const ssize_t got = sys::read_at(range.file->fd(), again ? memory : memory + done, length, range.offset + done);
    if (got < 0) return got;
    if (got == 0) break;
    done += static_cast<size_t>(got);
  }
  return static_cast<ssize_t>(done);
}

}  // namespace

struct ColdRead::Job {
  uv_work_t request{};
  Loop* loop = nullptr;
  // nullptr once abandoned. Used only on the loop's thread.
  ColdRead* owner = nullptr;
  Target* target = nullptr;
  FileRange range;
  bool keep = false;
  std::unique_ptr<char[]> bytes;
  ssize_t result = 0;

  // Runs on a pool thread.
  void run() {
    if (keep) {
      result = read_range(range, bytes.get(), range.length, false);
    } else if (sys::residency(range.file->fd(), range.offset, range.length) == 1) {
      // Another socket's job has read it in the meantime.
      result = static_cast<ssize_t>(range.length);
    } else {
      const std::unique_ptr<char[]> scratch(new char[kScratchBytes]);
      result = read_range(range, scratch.get(), kScratchBytes, true);
    }
  }

  // Runs on the loop's thread, also after a cancellation.
  void finish(int status) {
    std::unique_ptr<Job> self(this);
    Loop* const from = loop;
    if (owner != nullptr) {
      owner->job_ = nullptr;
      target->on_cold_read(status < 0 ? status : result, std::move(bytes));
    }
    self.reset();
    // Must come last: if the engine is waiting for this job, the call may delete it.
    from->handle_closed();
  }
};

int ColdRead::start(Loop& loop, Target* target, const FileRange& range, bool keep) {
  auto job = std::make_unique<Job>();
  job->loop = &loop;
  job->owner = this;
  job->target = target;
  job->range = range;
  job->keep = keep;
  if (keep) job->bytes.reset(new char[range.length]);
  job->request.data = job.get();
  const int error = uv_queue_work(
      loop.uv(), &job->request, [](uv_work_t* request) { static_cast<Job*>(request->data)->run(); },
      [](uv_work_t* request, int status) { static_cast<Job*>(request->data)->finish(status); });
  if (error < 0) return error;
  // The environment's teardown waits for it, as for an open handle.
  loop.handle_opened();
  job_ = job.release();
  return 0;
}

void ColdRead::abandon() {
  if (job_ == nullptr) return;
  job_->owner = nullptr;
  // Fails if it has begun: then it finishes by itself.
  uv_cancel(reinterpret_cast<uv_req_t*>(&job_->request));
  job_ = nullptr;
}

}  // namespace nearwire
