// The only place for socket system calls, for those on files that are sent, and for the scheduler's. All functions
// return 0 or more, or a negative errno; none returns EINTR.
#pragma once

#include <sys/socket.h>
#include <sys/types.h>
#include <sys/uio.h>

#include <cstddef>
#include <cstdint>

namespace nearwire::sys {

// The platform file that is compiled in: "linux", "darwin" or "posix".
extern const char* const kName;
// Names that begin with NUL are outside the file system.
extern const bool kAbstractNames;
// For UNIX sockets: Linux gives accepted ones the system's default buffers; elsewhere they inherit the listener's.
extern const bool kAcceptedInheritBuffers;
// SO_SNDBUF reads back as twice what was set.
extern const bool kDoublesBuffers;
// Whether send_file() is worth trying.
extern const bool kSendsFiles;
// connect_to() a UNIX listener whose queue is full returns ECONNREFUSED, as if no process listened; Linux returns
// EAGAIN.
extern const bool kRefusesWhenFull;
// If no descriptor is free, accept_stream() takes the connection off the queue and closes it.
extern const bool kAcceptDropsAtLimit;
// The largest backlog that listen() accepts.
extern const int kLargestBacklog;
// Open flags of files that cannot be read at any offset into any memory.
extern const int kUnreadableFlags;

// --- one file per platform ---

// A new stream socket: non-blocking, close-on-exec, no SIGPIPE.
int open_stream(int family);
// The next connection, with the same flags, or -EAGAIN.
int accept_stream(int listener);
// Two connected UNIX sockets with the same flags.
int open_pair(int ends[2]);
// Sets the same flags on an existing descriptor; leaves it open if that fails.
int prepare_stream(int fd);
// Sends as many bytes of the parts as the kernel takes now; -EAGAIN if it has no room or no memory. `more`: others
// follow at once, so TCP need not send a small packet.
ssize_t send_parts(int fd, const iovec* parts, size_t count, bool more);
// Sends as many bytes of the file as the socket takes now, by reference; 0: the file ends before `offset`. -ENOSYS if
// there is no such call.
ssize_t send_file(int socket, int file, uint64_t offset, size_t length);
// Whether the range can be read without waiting for a disk. 1: as far as can be seen; 0: not all of it; -ENOSYS:
// unknown.
int residency(int file, uint64_t offset, size_t length);
// Reads what can be read without waiting for a disk, at `offset` or, if that is negative, at the file's own position,
// which then moves. 0: the file ends there. -EAGAIN: it has to be waited for; -ENOSYS: the system does not tell.
ssize_t read_resident(int file, void* into, size_t length, int64_t offset);
// 1: a listening socket; 0: not one, or the system does not report it.
int is_listening(int fd);
// Allows several listeners on one address, among which the system distributes connections; -ENOTSUP where it does not.
int set_reuse_port(int fd);
// Makes accept() skip connections of which no byte has arrived yet, for about a second; does nothing if unsupported.
void defer_accept(int fd);
// Opens a file for reading if that needs no disk access; -EAGAIN if it may need one.
int open_cached(const char* path);
// A pipe with both ends non-blocking and close-on-exec; ends[0] is the one to read. -ENOSYS where move_bytes is not
// supported.
int open_pipe(int ends[2]);
// Enlarges a pipe, as far as the system allows.
void set_pipe_size(int fd, size_t bytes);
// Moves up to `length` bytes without copying them out of the kernel. One of the two must be a pipe, which never blocks;
// whether the other blocks depends on its own flags. `offset` is the position in a file, and is advanced; nullptr: the
// file's own position.
ssize_t move_bytes(int from, int to, int64_t* offset, size_t length);

// --- shared by all (sys_common.cc) ---

// Receives without waiting, like all sends, even if another process that shares the socket has made it blocking.
ssize_t receive(int fd, void* into, size_t length);
ssize_t read_bytes(int fd, void* into, size_t length);
// With a negative offset, at the file's own position.
ssize_t write_at(int file, const void* bytes, size_t length, int64_t offset);
ssize_t receive_parts(int fd, const iovec* parts, size_t count);
// 0, -EINPROGRESS, or another negative errno. -EAGAIN: the queue of a UNIX listener is full.
int connect_to(int fd, const sockaddr* address, socklen_t length);
int bind_to(int fd, const sockaddr* address, socklen_t length);
int listen_on(int fd, int backlog);
// AF_UNIX, AF_INET or AF_INET6 for a stream socket. -ENOTSOCK for other files, -EINVAL for other sockets.
int stream_family(int fd);
// Another descriptor of the same open socket or file, close-on-exec.
int duplicate(int fd);
// Non-blocking and close-on-exec.
int set_flags(int fd);
int shutdown_write(int fd);
void close_descriptor(int fd);
ssize_t read_at(int file, void* into, size_t length, uint64_t offset);
// What identifies a regular file in this system; -ESPIPE: another kind of file.
int identify_file(int fd, uint64_t* device, uint64_t* inode);
// The size of a regular file that is open for reading, and its modification time in seconds since 1970; both are left
// unchanged for a block device. -EISDIR, -ESPIPE: another kind of file. -EBADF: not open for reading. -EINVAL: opened
// in a way that allows no plain reads.
int file_size(int fd, uint64_t* size, int64_t* modified);
// Closes so that TCP sends RST instead of FIN.
void close_with_reset(int fd);
// The outcome of a connect in progress: 0 or a negative errno; clears the socket's error.
int pending_error(int fd);
int set_mode(const char* path, unsigned mode);
// The file that a path leads to, without following a final symbolic link.
struct FileIdentity {
  uint64_t device = 0;
  uint64_t inode = 0;
};
int identify(const char* path, FileIdentity* found);
int remove_file(const char* path);
// The maximum number of descriptors of this process.
size_t descriptor_limit();
// A descriptor kept in reserve, to be closed when accept finds none left.
int open_spare();

int set_option(int fd, int level, int name, int value);
int get_option(int fd, int level, int name);
// Options that are not ints, or may be negative.
int set_option_bytes(int fd, int level, int name, const void* value, size_t size);
int get_option_bytes(int fd, int level, int name, void* value, size_t size);
// 1: blocking; 0: non-blocking.
int is_blocking(int fd);
int set_reuse_address(int fd);
int set_ipv6_only(int fd, bool on);
int set_no_delay(int fd, bool on);
int set_keep_alive(int fd, bool on, unsigned delay_seconds);

int socket_name(int fd, sockaddr_storage* name, socklen_t* length);
int peer_name(int fd, sockaddr_storage* name, socklen_t* length);

// Maps a file so that writes to the mapping are private.
int map_private(int fd, size_t length, void** at);
void unmap(void* at, size_t length);

// Lets other threads that wait for this core run first.
void yield_core();
// How often the kernel has preempted this thread (or the process, where it does not count per thread).
int64_t preemptions();
// Whether both directions are closed: the peer has closed, or each side has ended its own.
bool has_hung_up(int fd);
// Bytes that were received and not read, or a negative errno.
int unread_bytes(int fd);

// --- one file per platform: files in memory ---

// A sealable file in memory that disappears with its last descriptor. -ENOSYS: not supported.
int create_memory_file(const char* name);
// Makes a memory file's content and size immutable.
int seal(int fd);

}  // namespace nearwire::sys
