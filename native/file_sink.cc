#include "file_sink.h"

#include <algorithm>
#include <cerrno>
#include <utility>

#include "connection.h"
#include "engine.h"
#include "sys.h"

namespace nearwire {

namespace {

// The maximum that one job writes: the capacity of a pipe.
constexpr size_t kJobBytes = PipePool::kPipeBytes;

std::shared_ptr<const int> owned_descriptor(int fd) {
  return {new int(fd), [](const int* owned) {
            sys::close_descriptor(*owned);
            delete owned;
          }};
}

}  // namespace

// Bytes on their way to the file. While in the pool, only the pool's thread uses it; it outlives its sink if that is
// stopped.
struct FileSink::Job {
  explicit Job(Engine* of) : engine(of) {}

  size_t held() const { return pipe_bytes + memory_bytes; }
  // Runs in the pool.
  void write();
  void write_memory(const char* from, size_t length);
  void release_pipe();

  uv_work_t work{};
  Engine* const engine;
  // nullptr: the sink has been stopped, and `write_end` must be called, adding the bytes that were in the file before.
  FileSink* sink = nullptr;
  WriteEnd write_end;
  uint64_t written_before = 0;
  std::shared_ptr<const int> file;
  int64_t offset = kAtPosition;
  Pipe pipe;
  size_t pipe_bytes = 0;
  std::unique_ptr<char[]> memory;
  size_t memory_bytes = 0;
  size_t written = 0;
  // 0 or a negative errno.
  int status = 0;
};

void FileSink::Job::release_pipe() {
  if (!pipe.is_open()) return;
  if (pipe_bytes == 0) {
    engine->pipes().give_back(std::move(pipe));
  } else {
    engine->pipes().throw_away(std::move(pipe));
  }
}

void FileSink::Job::write_memory(const char* from, size_t length) {
  while (length > 0 && status == 0) {
    const ssize_t done = sys::write_at(*file, from, length, offset);
    if (done <= 0) {
      status = done == 0 ? -EIO : static_cast<int>(done);
      return;
    }
    const auto size = static_cast<size_t>(done);
    if (offset != kAtPosition) offset += done;
    from += size;
    length -= size;
    written += size;
  }
}

void FileSink::Job::write() {
  bool splices = true;
  while (pipe_bytes > 0 && status == 0) {
    ssize_t moved = -ENOSYS;
    if (splices) {
      moved = sys::move_bytes(pipe.read_end(), *file, offset == kAtPosition ? nullptr : &offset, pipe_bytes);
    }
    if (moved > 0) {
      written += static_cast<size_t>(moved);
      pipe_bytes -= static_cast<size_t>(moved);
      continue;
    }
    // The file is open for appending, or the file system or sandbox does not support splice: copy through memory. If it
    // was another failure, the copy meets it again.
    splices = false;
    if (!memory) memory.reset(new char[kJobBytes]);
    const ssize_t length = sys::read_bytes(pipe.read_end(), memory.get(), pipe_bytes);
    if (length <= 0) {
      status = length == 0 ? -EIO : static_cast<int>(length);
      return;
    }
    pipe_bytes -= static_cast<size_t>(length);
    write_memory(memory.get(), static_cast<size_t>(length));
  }
  if (memory_bytes > 0 && status == 0) write_memory(memory.get(), std::exchange(memory_bytes, 0));
}

FileSink::FileSink(Engine* engine, Connection* source, int file, int64_t offset, uint64_t limit, WriteEnd write_end)
    : Sink(limit),
      engine_(engine),
      source_(source),
      file_(owned_descriptor(file)),
      offset_(offset),
      write_end_(std::move(write_end)) {}

FileSink::~FileSink() {
  if (job_ == nullptr) return;
  job_->sink = nullptr;
  job_->write_end = std::move(write_end_);
  job_->written_before = written_;
}

void FileSink::run() {
  if (over_ || job_ != nullptr) return;
  auto job = std::make_unique<Job>(engine_);
  while (fill(job.get())) {
  }
  if (job->held() > 0) {
    write_out(std::move(job));
  } else {
    job->release_pipe();
    if (source_end_ <= 0) tell(0);
  }
  source_->update_interest();
}

// Returns true if there may be more for this job.
bool FileSink::fill(Job* job) {
  if (left() == 0 || source_end_ <= 0 || job->held() >= kJobBytes) return false;
  const ssize_t length = take(job);
  if (length == -EAGAIN) {
    source_->count_taken(length);
    return false;
  }
  if (length <= 0) {
    source_end_ = length;
    return false;
  }
  source_->count_taken(length);
  moved_ += static_cast<uint64_t>(length);
  touch();
  return true;
}

ssize_t FileSink::take(Job* job) {
  const size_t most = static_cast<size_t>(std::min<uint64_t>(left(), kJobBytes - job->held()));
  if (splices_ && job->memory_bytes == 0 && (job->pipe.is_open() || engine_->pipes().take(&job->pipe) == 0)) {
    const ssize_t length = sys::move_bytes(source_->fd(), job->pipe.write_end(), nullptr, most);
    if (length > 0) job->pipe_bytes += static_cast<size_t>(length);
    if (!is_splice_refusal(length)) return length;
    splices_ = false;
  }
  // Bytes in the pipe go first: no memory may be written before them.
  if (job->pipe_bytes > 0) return -EAGAIN;
  if (!job->memory) job->memory.reset(new char[kJobBytes]);
  const ssize_t length = sys::receive(source_->fd(), job->memory.get() + job->memory_bytes, most);
  if (length > 0) job->memory_bytes += static_cast<size_t>(length);
  return length;
}

void FileSink::write_out(std::unique_ptr<Job> job) {
  job->sink = this;
  job->file = file_;
  job->offset = offset_;
  job->work.data = job.get();
  const int error = uv_queue_work(
      engine_->loop().uv(), &job->work, [](uv_work_t* work) { static_cast<Job*>(work->data)->write(); },
      [](uv_work_t* work, int) { on_done(std::unique_ptr<Job>(static_cast<Job*>(work->data))); });
  if (error < 0) {
    job->release_pipe();
    tell(error);
    return;
  }
  // The environment's teardown waits for it, as for an open handle.
  engine_->loop().handle_opened();
  job_ = job.release();
}

void FileSink::on_done(std::unique_ptr<Job> job) {
  Engine* const engine = job->engine;
  if (job->sink != nullptr) {
    job->sink->on_written(*job);
  } else if (!engine->closed()) {
    job->write_end(job->written_before + job->written, job->status);
  }
  job->release_pipe();
  job.reset();
  // Must come last: if the engine is waiting for this job, the call may delete it.
  engine->loop().handle_closed();
}

void FileSink::on_written(const Job& job) {
  job_ = nullptr;
  written_ += job.written;
  if (offset_ != kAtPosition) offset_ += static_cast<int64_t>(job.written);
  touch();
  if (job.status < 0) {
    tell(job.status);
  } else if (source_end_ <= 0 || left() == 0) {
    tell(0);
  } else if (finishing_) {
    tell(-ECANCELED);
  }
  source_->update_interest();
}

// It is over. A failure of the file is reported before the end of the source; without a failure, the source's end is
// the end of the file.
void FileSink::tell(int status) {
  over_ = true;
  if (status < 0) engine_->turn().report({source_->id(), Event::kTaken, status, 0});
  if (source_end_ <= 0) source_->count_taken(source_end_);
  if (status == 0) engine_->turn().report({source_->id(), Event::kTaken, 0, 0});
}

void FileSink::finish() {
  finishing_ = true;
  if (job_ == nullptr && !over_) tell(-ECANCELED);
}

void FileSink::return_end() {
  if (!over_ && source_end_ <= 0) source_->count_taken(source_end_);
}

void FileSink::stop() { over_ = true; }

}  // namespace nearwire
