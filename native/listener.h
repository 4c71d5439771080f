// A listening socket that accepts in batches.
//
//   watching --(no memory, or no descriptor, not even the spare one)--> resting --(timer)--> watching
//   watching --(another process that shares the socket should accept next)--> looking away --(timer)--> watching
#pragma once

#include <memory>
#include <string>

#include "address.h"
#include "balance.h"
#include "connection.h"
#include "loop.h"
#include "source.h"
#include "sys.h"
#include "watcher.h"

namespace nearwire {

struct ListenOptions {
  ConnectionOptions connection;
  int backlog = 511;
  // chmod bits for a socket file; -1 keeps those from the umask.
  int mode = -1;
  bool reuse_port = false;
  bool defer_accept = false;  // TCP, if supported: a peer that has sent nothing yet stays in the kernel
  bool ipv6_only = false;
};

class Listener final : public Source, private Watcher::Target {
 public:
  Listener(Engine* engine, int32_t id) : Source(engine, id) {}
  ~Listener() { close(); }

  Kind kind() const override { return Kind::kListener; }

  static constexpr int kNoLimit = -1;

  int open(const Address& address, const std::string& path, const ListenOptions& options);
  // Listens on an existing socket. 0, or a negative errno; then the descriptor still belongs to the caller.
  int adopt(int fd, int family, const ListenOptions& options);
  void close();
  // Removes the file of the path that it is bound to, if it is still the same file. JavaScript does so for a server
  // that it closes; this is for an environment that is torn down.
  void remove_file();
  void set_ref(bool ref);
  // How many connections to accept from here on; others wait in the queue, for another process that shares it.
  int set_limit(int limit);
  // From here on, accepts only its share of the connections, by this place among the processes that share the socket.
  // -EINVAL: there is no such place, or it already has one.
  int share(std::shared_ptr<Balance> balance, int32_t place);
  // What happened to the connections accepted since then: see Seat.
  void count(uint32_t handed, uint32_t open);
  int fd() const override { return fd_; }
  bool is_free() const { return fd_ < 0; }

 private:
  void on_ready(bool readable, bool writable) override;
  int bind_and_listen(int fd, const Address& address, const std::string& path, const ListenOptions& options);
  // Watches for connections. On failure the descriptor still belongs to the caller.
  int start(int fd, int family, const ListenOptions& options);
  int accept_batch();
  int accept_one();
  int shed_one();
  int update_interest();
  bool is_to_take();
  void rest();
  void look_away();
  bool start_timer(uint64_t millis);
  void resume();
  void note_depth(int taken);
  void remember_file(const std::string& path);

  Watcher watcher_;
  LoopHandle<uv_timer_t> rest_timer_;
  bool resting_ = false;
  bool looking_away_ = false;
  bool ref_ = true;
  int fd_ = -1;
  int family_ = 0;
  ConnectionOptions options_;
  int limit_ = kNoLimit;
  // nullptr: no other process is known to accept from the socket.
  std::unique_ptr<Seat> seat_;
  // The last batch was full, so the queue was not empty after it.
  bool flooded_ = false;
  // Absolute, because the working directory may change; empty if there is no file.
  std::string file_path_;
  sys::FileIdentity file_;
};

}  // namespace nearwire
