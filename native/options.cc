#include "options.h"

#include <sys/socket.h>
#include <sys/time.h>

#include <cerrno>
#include <cmath>

#include "sys.h"

namespace nearwire {

namespace {

constexpr unsigned kConnections = kUnixConnection | kTcpConnection;
constexpr unsigned kTcp = kTcpConnection | kTcpListener;
constexpr unsigned kUnix = kUnixConnection | kUnixListener;
constexpr unsigned kAll = kTcp | kUnix | kOtherSocket;
constexpr double kMaxInt = 2147483647;
constexpr double kMaxUnsigned = 4294967295;
constexpr OptionSupport kNowhere{};

constexpr OptionSupport both(unsigned kinds, double lowest, double highest) { return {kinds, kinds, lowest, highest}; }
constexpr OptionSupport flag(unsigned kinds) { return both(kinds, 0, 1); }

// Linux: connections of a UNIX listener do not inherit its buffers, and a UNIX connection's receive buffer has no
// effect (net/unix/af_unix.c, unix_stream_sendmsg). Ranges of keep-alive: include/net/tcp.h, MAX_TCP_KEEP*. An accepted
// TCP connection starts with priority 0 (inet_csk_clone_lock); quickAck is a mode that the kernel leaves by itself; a
// connection's incomingCpu is set by each packet.
//
// macOS: data sent on a UNIX connection is buffered in its peer's receive buffer, however small that is (uipc_send). A
// connection inherits its listener's buffers, keep-alive with interval and count, noDelay, notSentLowWaterMark and
// linger (sonewconn, and tcp_input where it leaves LISTEN), but not the idle time nor the connection drop time. Seconds
// are stored as milliseconds in 32 bits; linger as hundredths of seconds in 16 bits.
constexpr std::array<OptionRow, kOptionCount> kTable{{
    {OptionId::kSendBufferSize, "sendBufferSize", ValueType::kNumber, "bytes", false,
     both(kAll & ~kUnixListener, 1, kMaxInt), both(kAll, 1, kMaxInt), both(kAll & ~kUnixListener, 1, kMaxInt)},
    {OptionId::kRecvBufferSize, "recvBufferSize", ValueType::kNumber, "bytes", false, both(kAll & ~kUnix, 1, kMaxInt),
     both(kAll & ~kUnix, 1, kMaxInt), both(kAll & ~kUnix, 1, kMaxInt)},
    {OptionId::kSendTimeout, "sendTimeout", ValueType::kNumber, "milliseconds", true,
     both(kConnections | kOtherSocket, 0, kMaxInt), both(kConnections | kOtherSocket, 0, kMaxInt),
     both(kConnections | kOtherSocket, 0, kMaxInt)},
    {OptionId::kRecvTimeout, "recvTimeout", ValueType::kNumber, "milliseconds", true, both(kAll, 0, kMaxInt),
     both(kConnections | kOtherSocket, 0, kMaxInt), both(kConnections | kOtherSocket, 0, kMaxInt)},
    {OptionId::kKeepAlive, "keepAlive", ValueType::kBoolean, "", false, flag(kTcp), flag(kTcp), flag(kTcp)},
    {OptionId::kKeepAliveIdleSeconds, "keepAliveIdleSeconds", ValueType::kNumber, "seconds", false,
     both(kTcp, 1, 32767), both(kTcpConnection, 1, 4294967), kNowhere},
    {OptionId::kKeepAliveIntervalSeconds, "keepAliveIntervalSeconds", ValueType::kNumber, "seconds", false,
     both(kTcp, 1, 32767), both(kTcp, 1, 4294967), kNowhere},
    {OptionId::kKeepAliveCount, "keepAliveCount", ValueType::kNumber, "probes", false, both(kTcp, 1, 127),
     both(kTcp, 1, kMaxInt), kNowhere},
    {OptionId::kNoDelay, "noDelay", ValueType::kBoolean, "", false, flag(kTcp), flag(kTcp), flag(kTcp)},
    {OptionId::kQuickAck, "quickAck", ValueType::kBoolean, "", false, flag(kTcpConnection), kNowhere, kNowhere},
    {OptionId::kUserTimeout, "userTimeout", ValueType::kNumber, "milliseconds", false, both(kTcp, 0, kMaxInt),
     both(kTcpConnection, 0, kMaxInt), kNowhere},
    {OptionId::kNotSentLowWaterMark, "notSentLowWaterMark", ValueType::kNumber, "bytes", false, both(kTcp, 0, kMaxInt),
     both(kTcp, 0, kMaxInt), kNowhere},
    {OptionId::kLingerSeconds, "lingerSeconds", ValueType::kNumberOrOff, "seconds", false, both(kTcp, 0, kMaxInt),
     both(kTcp, 0, 327), both(kTcp, 0, kMaxInt)},
    {OptionId::kMark, "mark", ValueType::kNumber, "", false, both(kTcp | kOtherSocket, 0, kMaxUnsigned), kNowhere,
     kNowhere},
    {OptionId::kPriority, "priority", ValueType::kNumber, "", false, both(kTcpConnection | kOtherSocket, 0, kMaxInt),
     kNowhere, kNowhere},
    {OptionId::kBusyPollMicroseconds, "busyPollMicroseconds", ValueType::kNumber, "microseconds", false,
     both(kTcp | kOtherSocket, 0, kMaxInt), kNowhere, kNowhere},
    {OptionId::kIncomingCpu,
     "incomingCpu",
     ValueType::kNumber,
     "",
     false,
     {kTcp | kOtherSocket, kTcpListener | kOtherSocket, -1, kMaxInt},
     kNowhere,
     kNowhere},
    {OptionId::kPassCredentials, "passCredentials", ValueType::kBoolean, "", false, flag(kUnix | kOtherSocket),
     kNowhere, kNowhere},
}};

constexpr bool is_in_order() {
  for (size_t i = 0; i < kTable.size(); ++i) {
    if (static_cast<size_t>(kTable[i].id) != i) return false;
  }
  return true;
}
static_assert(is_in_order(), "the table is indexed by OptionId");

const OptionBinding* binding_of(OptionId id) {
  for (const OptionBinding& binding : option_bindings()) {
    if (binding.id == id) return &binding;
  }
  return nullptr;
}

constexpr double kMillisPerSecond = 1000;
constexpr double kMicrosPerMilli = 1000;

int read_timeval(int fd, const OptionBinding& option, double* value) {
  timeval time{};
  const int error = sys::get_option_bytes(fd, option.level, option.name, &time, sizeof time);
  if (error < 0) return error;
  *value = static_cast<double>(time.tv_sec) * kMillisPerSecond + static_cast<double>(time.tv_usec) / kMicrosPerMilli;
  return 0;
}

int write_timeval(int fd, const OptionBinding& option, double value) {
  timeval time{};
  const double seconds = std::floor(value / kMillisPerSecond);
  time.tv_sec = static_cast<decltype(time.tv_sec)>(seconds);
  time.tv_usec = static_cast<decltype(time.tv_usec)>((value - seconds * kMillisPerSecond) * kMicrosPerMilli);
  return sys::set_option_bytes(fd, option.level, option.name, &time, sizeof time);
}

int read_linger(int fd, const OptionBinding& option, double* value) {
  linger found{};
  const int error = sys::get_option_bytes(fd, option.level, option.name, &found, sizeof found);
  if (error < 0) return error;
  *value = found.l_onoff != 0 ? found.l_linger : kOff;
  return 0;
}

int write_linger(int fd, const OptionBinding& option, double value) {
  const linger wanted{value == kOff ? 0 : 1, value == kOff ? 0 : static_cast<int>(value)};
  return sys::set_option_bytes(fd, option.level, option.name, &wanted, sizeof wanted);
}

int write_value(int fd, const OptionBinding& option, double value) {
  switch (option.form) {
    case OptionForm::kBytes:
      return set_buffer_bytes(fd, option.name, static_cast<int>(value));
    case OptionForm::kTimeval:
      return write_timeval(fd, option, value);
    case OptionForm::kLinger:
      return write_linger(fd, option, value);
    case OptionForm::kSeconds:
      return sys::set_option(fd, option.level, option.name, static_cast<int>(std::ceil(value / kMillisPerSecond)));
    case OptionForm::kInt:
    case OptionForm::kBoolean:
      break;
  }
  // Unsigned 32-bit numbers are passed as the same bits.
  return sys::set_option(fd, option.level, option.name, static_cast<int>(static_cast<int64_t>(value)));
}

}  // namespace

const std::array<OptionRow, kOptionCount>& option_table() { return kTable; }

int socket_kind(int fd) {
  const int family = sys::stream_family(fd);
  if (family == -EINVAL) return static_cast<int>(kOtherSocket);
  if (family < 0) return family;
  const bool listens = sys::is_listening(fd) == 1;
  if (family == AF_UNIX) return static_cast<int>(listens ? kUnixListener : kUnixConnection);
  return static_cast<int>(listens ? kTcpListener : kTcpConnection);
}

int read_option(int fd, OptionId id, double* value) {
  const OptionBinding* option = binding_of(id);
  if (option == nullptr) return -ENOPROTOOPT;
  if (option->form == OptionForm::kTimeval) return read_timeval(fd, *option, value);
  if (option->form == OptionForm::kLinger) return read_linger(fd, *option, value);
  int32_t found = 0;
  const int error = sys::get_option_bytes(fd, option->level, option->name, &found, sizeof found);
  if (error < 0) return error;
  *value = found;
  // macOS returns the flag's bit of its internal word.
  if (option->form == OptionForm::kBoolean) *value = found != 0 ? 1 : 0;
  if (option->form == OptionForm::kSeconds) *value = found * kMillisPerSecond;
  if (id == OptionId::kMark) *value = static_cast<uint32_t>(found);
  return 0;
}

int write_option(int fd, OptionId id, double requested, double* effective, const char** clamped_by) {
  const OptionBinding* option = binding_of(id);
  if (option == nullptr) return -ENOPROTOOPT;
  int error = write_value(fd, *option, requested);
  if (error == 0) error = read_option(fd, id, effective);
  if (error < 0) return error;
  *clamped_by = option_clamp(id, requested, *effective);
  return 0;
}

int set_buffer_bytes(int fd, int name, int bytes) {
  for (;;) {
    const int error = sys::set_option(fd, SOL_SOCKET, name, bytes);
    // macOS returns ENOBUFS above its limit: older kernels accept 8/9 of kern.ipc.maxsockbuf.
    const int less = bytes - bytes / 8;
    if (error != -ENOBUFS || less == bytes) return error;
    bytes = less;
  }
}

}  // namespace nearwire
