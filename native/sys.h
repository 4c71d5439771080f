// The only door to socket system calls, to those on files that are sent, and to the scheduler's. Everything returns 0
// or more, or a negative errno; EINTR never gets out.
#pragma once

#include <sys/socket.h>
#include <sys/types.h>
#include <sys/uio.h>

#include <cstddef>
#include <cstdint>

namespace nearwire::sys {

// Which platform file is compiled in: "linux", "darwin" or "posix".
extern const char* const kName;
// Names that begin with NUL live outside the file system.
extern const bool kAbstractNames;
// Of UNIX sockets: Linux gives accepted ones the system's buffers; elsewhere they inherit the listener's.
extern const bool kAcceptedInheritBuffers;
// SO_SNDBUF reads back as twice what was set.
extern const bool kDoublesBuffers;
// send_file() is worth trying.
extern const bool kSendsFiles;
// connect_to() a UNIX listener whose queue is full is told ECONNREFUSED, as if nobody listened; Linux says EAGAIN.
extern const bool kRefusesWhenFull;
// accept_stream() that finds no descriptor free has taken the connection off the queue and closed it.
extern const bool kAcceptDropsAtLimit;
// What listen() takes at the most for a backlog.
extern const int kLargestBacklog;
// Open flags of files that can't be read at any offset into any memory.
extern const int kUnreadableFlags;

// --- one file per platform ---

// A new stream socket: non-blocking, close-on-exec, silent on a broken pipe.
int open_stream(int family);
// The next connection in the same state, or -EAGAIN.
int accept_stream(int listener);
// Two connected UNIX sockets in the same state.
int open_pair(int ends[2]);
// Brings a descriptor from elsewhere into the same state; leaves it open if that fails.
int prepare_stream(int fd);
// As many bytes of the parts as the kernel takes now; -EAGAIN if it has no room or no memory. `more`: others follow at
// once, TCP need not send a small packet.
ssize_t send_parts(int fd, const iovec* parts, size_t count, bool more);
// As many bytes of the file as the socket takes now, by reference; 0: the file ends before `offset`. -ENOSYS where
// there is no such call.
ssize_t send_file(int socket, int file, uint64_t offset, size_t length);
// Whether the range can be read without waiting for a disk. 1: as far as can be seen; 0: not all of it; -ENOSYS: nobody
// knows.
int residency(int file, uint64_t offset, size_t length);
// 1: a listening socket; 0: none, or the system does not tell.
int is_listening(int fd);
// Several listeners of one address, among which the system spreads connections; -ENOTSUP where it does not.
int set_reuse_port(int fd);
// Has accept() leave out connections of which no byte has come yet, for a second or so; nothing where the system can't.
void defer_accept(int fd);
// Opens a file for reading if that needs no disk; -EAGAIN where it may need one.
int open_cached(const char* path);
// A pipe, both ends non-blocking and close-on-exec; ends[0] is the one to read. -ENOSYS where move_bytes is not there.
int open_pipe(int ends[2]);
// Has a pipe hold more, as far as the system allows.
void set_pipe_size(int fd, size_t bytes);
// Moves up to `length` bytes without copying them out of the kernel; one of the two is a pipe, and the other's waiting
// is its own affair. `offset` is where they go in a file, and moves on; nullptr: its position.
ssize_t move_bytes(int from, int to, int64_t* offset, size_t length);

// --- shared by all (sys_common.cc) ---

// What has come; neither this nor a send waits, though another process that has the socket may have made it blocking.
ssize_t receive(int fd, void* into, size_t length);
ssize_t read_bytes(int fd, void* into, size_t length);
// At a negative offset: at the file's own position.
ssize_t write_at(int file, const void* bytes, size_t length, int64_t offset);
ssize_t receive_parts(int fd, const iovec* parts, size_t count);
// 0, -EINPROGRESS, or why not. -EAGAIN: the queue of a UNIX listener is full.
int connect_to(int fd, const sockaddr* address, socklen_t length);
int bind_to(int fd, const sockaddr* address, socklen_t length);
int listen_on(int fd, int backlog);
// AF_UNIX, AF_INET or AF_INET6 of a stream socket. -ENOTSOCK for other files, -EINVAL for other sockets.
int stream_family(int fd);
// Another descriptor of the same open socket or file, close-on-exec.
int duplicate(int fd);
// Non-blocking and close-on-exec.
int set_flags(int fd);
int shutdown_write(int fd);
void close_descriptor(int fd);
ssize_t read_at(int file, void* into, size_t length, uint64_t offset);
// Of a regular file that is open for reading, with the seconds since 1970 at which it was last written to; both left as
// they are for a block device. -EISDIR, -ESPIPE: another kind of file.
// -EBADF: not open for reading. -EINVAL: open in a way that allows no plain reads.
int file_size(int fd, uint64_t* size, int64_t* modified);
// Closes so that TCP sends RST instead of FIN.
void close_with_reset(int fd);
// What became of a connect in progress: 0 or a negative errno; takes the error off the socket.
int pending_error(int fd);
int set_mode(const char* path, unsigned mode);
// Which file a path leads to, a symbolic link itself.
struct FileIdentity {
  uint64_t device = 0;
  uint64_t inode = 0;
};
int identify(const char* path, FileIdentity* found);
int remove_file(const char* path);
// How many descriptors this process may have.
size_t descriptor_limit();
// A descriptor kept in reserve, to be given up when accept finds none left.
int open_spare();

int set_option(int fd, int level, int name, int value);
int get_option(int fd, int level, int name);
// Options that are no int, or may be negative.
int set_option_bytes(int fd, int level, int name, const void* value, size_t size);
int get_option_bytes(int fd, int level, int name, void* value, size_t size);
// 1: calls on the descriptor wait; 0: they do not.
int is_blocking(int fd);
int set_reuse_address(int fd);
int set_ipv6_only(int fd, bool on);
int set_no_delay(int fd, bool on);
int set_keep_alive(int fd, bool on, unsigned delay_seconds);

int socket_name(int fd, sockaddr_storage* name, socklen_t* length);
int peer_name(int fd, sockaddr_storage* name, socklen_t* length);

// Maps a file so that writes to the mapping are its own.
int map_private(int fd, size_t length, void** at);
void unmap(void* at, size_t length);

// Lets others that wait for this core go first.
void yield_core();
// How often the kernel has taken the processor from this thread (where it tells only of the process, from that).
int64_t preemptions();
// Neither direction is open any more: the peer has closed, or each side has ended its own.
bool has_hung_up(int fd);
// Bytes that have come and have not been read, or a negative errno.
int unread_bytes(int fd);

// --- one file per platform: files in memory ---

// A file that lies in memory, can be sealed, and goes with its last descriptor. -ENOSYS: this system has none.
int create_memory_file(const char* name);
// Makes a memory file's bytes and size unchangeable, for good.
int seal(int fd);

}  // namespace nearwire::sys
