// The names of socket options on Linux: <asm-generic/socket.h>, <linux/tcp.h>.
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include "options.h"

namespace nearwire {

namespace {

constexpr OptionBinding kBindings[] = {
    {OptionId::kSendBufferSize, OptionForm::kBytes, SOL_SOCKET, SO_SNDBUF},
    {OptionId::kRecvBufferSize, OptionForm::kBytes, SOL_SOCKET, SO_RCVBUF},
    {OptionId::kSendTimeout, OptionForm::kTimeval, SOL_SOCKET, SO_SNDTIMEO},
    {OptionId::kRecvTimeout, OptionForm::kTimeval, SOL_SOCKET, SO_RCVTIMEO},
    {OptionId::kKeepAlive, OptionForm::kBoolean, SOL_SOCKET, SO_KEEPALIVE},
    {OptionId::kKeepAliveIdleSeconds, OptionForm::kInt, IPPROTO_TCP, TCP_KEEPIDLE},
    {OptionId::kKeepAliveIntervalSeconds, OptionForm::kInt, IPPROTO_TCP, TCP_KEEPINTVL},
    {OptionId::kKeepAliveCount, OptionForm::kInt, IPPROTO_TCP, TCP_KEEPCNT},
    {OptionId::kNoDelay, OptionForm::kBoolean, IPPROTO_TCP, TCP_NODELAY},
    {OptionId::kQuickAck, OptionForm::kBoolean, IPPROTO_TCP, TCP_QUICKACK},
    {OptionId::kUserTimeout, OptionForm::kInt, IPPROTO_TCP, TCP_USER_TIMEOUT},
    {OptionId::kNotSentLowWaterMark, OptionForm::kInt, IPPROTO_TCP, TCP_NOTSENT_LOWAT},
    {OptionId::kLingerSeconds, OptionForm::kLinger, SOL_SOCKET, SO_LINGER},
    {OptionId::kMark, OptionForm::kInt, SOL_SOCKET, SO_MARK},
    {OptionId::kPriority, OptionForm::kInt, SOL_SOCKET, SO_PRIORITY},
    {OptionId::kBusyPollMicroseconds, OptionForm::kInt, SOL_SOCKET, SO_BUSY_POLL},
    {OptionId::kIncomingCpu, OptionForm::kInt, SOL_SOCKET, SO_INCOMING_CPU},
    {OptionId::kPassCredentials, OptionForm::kBoolean, SOL_SOCKET, SO_PASSCRED},
};

// The request is capped, then doubled, then raised to the kernel's minimum (net/core/sock.c, __sock_set_*buf).
const char* buffer_clamp(double requested, double effective, const char* most, const char* least) {
  if (effective < 2 * requested) return most;
  return effective > 2 * requested ? least : nullptr;
}

}  // namespace

OptionSupport OptionRow::*const kSupportHere = &OptionRow::on_linux;

std::span<const OptionBinding> option_bindings() { return kBindings; }

const char* option_clamp(OptionId id, double requested, double effective) {
  if (id == OptionId::kSendBufferSize)
    return buffer_clamp(requested, effective, "net.core.wmem_max", "SOCK_MIN_SNDBUF");
  if (id == OptionId::kRecvBufferSize)
    return buffer_clamp(requested, effective, "net.core.rmem_max", "SOCK_MIN_RCVBUF");
  if (effective == requested) return nullptr;
  // Times are stored in ticks of the kernel's clock.
  return id == OptionId::kSendTimeout || id == OptionId::kRecvTimeout ? "CONFIG_HZ" : nullptr;
}

}  // namespace nearwire
