// Socket options as one table: what each is called, what it takes, and on which sockets of which system it means
// something. What a system's headers call them stands in options_linux.cc, options_darwin.cc or options_posix.cc.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

namespace nearwire {

// In the order of the table.
enum class OptionId : uint8_t {
  kSendBufferSize,
  kRecvBufferSize,
  kSendTimeout,
  kRecvTimeout,
  kKeepAlive,
  kKeepAliveIdle,
  kKeepAliveInterval,
  kKeepAliveCount,
  kNoDelay,
  kQuickAck,
  kUserTimeout,
  kNotSentLowAt,
  kLingerSeconds,
  kMark,
  kPriority,
  kBusyPoll,
  kIncomingCpu,
  kPassCredentials,
};
constexpr size_t kOptionCount = 18;

// Kinds of sockets, as bits of a set. Others than these: the kernel judges what an option means for them.
constexpr unsigned kUnixConnection = 1;
constexpr unsigned kUnixListener = 2;
constexpr unsigned kTcpConnection = 4;
constexpr unsigned kTcpListener = 8;
constexpr unsigned kOtherSocket = 16;

// The set of kinds with this descriptor's alone, or a negative errno; -ENOTSOCK for other files.
int socket_kind(int fd);

enum class ValueType : uint8_t { kBoolean, kNumber, kNumberOrOff };

// What a number of kNumberOrOff stands for beside its range.
constexpr double kOff = -1;

// On one system.
struct OptionSupport {
  // Kinds of sockets on which reading, and on which setting it means something. A listener's are what the connections
  // that it accepts have from then on. None: the system has no such option.
  unsigned readable = 0;
  unsigned settable = 0;
  double lowest = 0;
  double highest = 0;
};

struct OptionRow {
  OptionId id;
  const char* name;
  ValueType type;
  const char* unit;
  // Without meaning while the descriptor is non-blocking.
  bool blocking_only;
  OptionSupport on_linux;
  OptionSupport on_darwin;
  OptionSupport on_posix;
};

const std::array<OptionRow, kOptionCount>& option_table();

// The form in which the kernel takes a value.
enum class OptionForm : uint8_t {
  kInt,
  kBoolean,
  // A buffer's bytes: what is more than the system allows, less is asked for.
  kBytes,
  // Milliseconds in a timeval.
  kTimeval,
  // Milliseconds, rounded up, in seconds.
  kSeconds,
  // Seconds in a struct linger.
  kLinger,
};

struct OptionBinding {
  OptionId id;
  OptionForm form;
  int level;
  int name;
};

// --- one file per platform ---

// The system's column of the table.
extern OptionSupport OptionRow::*const kSupportHere;
// Of those options that the system has.
std::span<const OptionBinding> option_bindings();
// What made the value that is in effect differ from the one asked for; nullptr: nothing, or nothing known.
const char* option_clamp(OptionId id, double requested, double effective);

// --- shared by all ---

int read_option(int fd, OptionId id, double* value);
// Sets an option and reads back what came of it.
int write_option(int fd, OptionId id, double requested, double* effective, const char** clamped_by);

// Asks for the buffer's bytes, and where the system refuses so many for less, until it takes some.
int set_buffer_bytes(int fd, int name, int bytes);

}  // namespace nearwire
