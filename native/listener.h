// A listening socket: accepts in batches.
//
//   watching --(no memory, or no descriptor, not even the spare one)--> resting --(timer)--> watching
//   watching --(others that share the socket are to take the next)--> looking away --(timer)--> watching
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
  // chmod bits for a socket file; -1 leaves what the umask made.
  int mode = -1;
  bool reuse_port = false;
  bool defer_accept = false;  // of TCP, where the system can: a peer that has said nothing yet stays with the kernel
  bool ipv6_only = false;
};

class Listener final : public Source, private Watcher::Target {
 public:
  Listener(Engine* engine, int32_t id) : Source(engine, id) {}
  ~Listener() { close(); }

  Kind kind() const override { return Kind::kListener; }

  static constexpr int kNoLimit = -1;

  int open(const Address& address, const std::string& path, const ListenOptions& options);
  // Listens on a socket from elsewhere. 0, or a negative errno: the descriptor is not taken then.
  int adopt(int fd, int family, const ListenOptions& options);
  void close();
  // Removes the file of the path that it has been bound to, if that is still the same. JS does so for a server that it
  // closes; this is for an environment that ends.
  void remove_file();
  void set_ref(bool ref);
  // How many connections to accept from here on; what is beyond waits in the queue, for another process that shares it.
  int set_limit(int limit);
  // Takes its part of the connections only, from here on, by this place among those who share the socket. -EINVAL: no
  // such place, or it has one.
  int share(std::shared_ptr<Balance> balance, int32_t place);
  // What has become of the connections accepted since then: see Seat.
  void count(uint32_t handed, uint32_t open);
  int fd() const override { return fd_; }
  bool is_free() const { return fd_ < 0; }

 private:
  void on_ready(bool readable, bool writable) override;
  int bind_and_listen(int fd, const Address& address, const std::string& path, const ListenOptions& options);
  // Watches for connections. On failure the descriptor is still the caller's.
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
  // nullptr: nobody else is known to accept from the socket.
  std::unique_ptr<Seat> seat_;
  // The last batch was as large as may be: the queue was not empty after it.
  bool flooded_ = false;
  // Absolute, as the working directory may change; empty where there is no file.
  std::string file_path_;
  sys::FileIdentity file_;
};

}  // namespace nearwire
