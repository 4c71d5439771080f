// Socket options as one table: the name of each, its values, and the sockets and systems to which it applies.
// options_linux.cc, options_darwin.cc and options_posix.cc have the constants of the systems' headers.
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
  kKeepAliveIdleSeconds,
  kKeepAliveIntervalSeconds,
  kKeepAliveCount,
  kNoDelay,
  kQuickAck,
  kUserTimeout,
  kNotSentLowWaterMark,
  kLingerSeconds,
  kMark,
  kPriority,
  kBusyPollMicroseconds,
  kIncomingCpu,
  kPassCredentials,
};
constexpr size_t kOptionCount = 18;

// Kinds of sockets, as bits of a set. For kOtherSocket, the kernel decides which options apply.
constexpr unsigned kUnixConnection = 1;
constexpr unsigned kUnixListener = 2;
constexpr unsigned kTcpConnection = 4;
constexpr unsigned kTcpListener = 8;
constexpr unsigned kOtherSocket = 16;

// The kind of this descriptor as a set of one, or a negative errno; -ENOTSOCK for other files.
int socket_kind(int fd);

enum class ValueType : uint8_t { kBoolean, kNumber, kNumberOrOff };

// The encoding of "off" in kNumberOrOff, outside its range.
constexpr double kOff = -1;

// Support on one system.
struct OptionSupport {
  // Kinds of sockets on which reading, and on which setting it has an effect. Connections inherit the values of their
  // listener when they are accepted. None: the system does not have the option.
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
  // Has no effect while the descriptor is non-blocking.
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
  // The bytes of a buffer: reduced if the system does not allow as many.
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
// The options that the system has.
std::span<const OptionBinding> option_bindings();
// The reason why the effective value differs from the requested one; nullptr: it does not, or the reason is unknown.
const char* option_clamp(OptionId id, double requested, double effective);

// --- shared by all ---

int read_option(int fd, OptionId id, double* value);
// Sets an option and reads back the effective value.
int write_option(int fd, OptionId id, double requested, double* effective, const char** clamped_by);

// Requests this many bytes for the buffer, and fewer if the system refuses, until it accepts.
int set_buffer_bytes(int fd, int name, int bytes);

}  // namespace nearwire
