// The names of socket options on macOS: <sys/socket.h>, <netinet/tcp.h> of its SDK. The kernel's implementation is in
// XNU's bsd/kern/uipc_socket.c (sosetoptlock, sogetoptlock) and bsd/netinet/tcp_usrreq.c (tcp_ctloutput).
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
    // The name of the idle time here.
    {OptionId::kKeepAliveIdleSeconds, OptionForm::kInt, IPPROTO_TCP, TCP_KEEPALIVE},
    {OptionId::kKeepAliveIntervalSeconds, OptionForm::kInt, IPPROTO_TCP, TCP_KEEPINTVL},
    {OptionId::kKeepAliveCount, OptionForm::kInt, IPPROTO_TCP, TCP_KEEPCNT},
    {OptionId::kNoDelay, OptionForm::kBoolean, IPPROTO_TCP, TCP_NODELAY},
    // Linux's TCP_USER_TIMEOUT under another name, in seconds: how long bytes are retransmitted before the connection
    // is dropped.
    {OptionId::kUserTimeout, OptionForm::kSeconds, IPPROTO_TCP, TCP_RXT_CONNDROPTIME},
    {OptionId::kNotSentLowWaterMark, OptionForm::kInt, IPPROTO_TCP, TCP_NOTSENT_LOWAT},
    // SO_LINGER counts in ticks here, unless strict POSIX is requested.
    {OptionId::kLingerSeconds, OptionForm::kLinger, SOL_SOCKET, SO_LINGER_SEC},
};

}  // namespace

OptionSupport OptionRow::*const kSupportHere = &OptionRow::on_darwin;

std::span<const OptionBinding> option_bindings() { return kBindings; }

const char* option_clamp(OptionId id, double requested, double effective) {
  const bool is_buffer = id == OptionId::kSendBufferSize || id == OptionId::kRecvBufferSize;
  // Nothing is doubled. The value may exceed the request while bytes are on their way to a UNIX peer.
  if (is_buffer && effective < requested) return "kern.ipc.maxsockbuf";
  return id == OptionId::kUserTimeout && effective != requested ? "whole seconds" : nullptr;
}

}  // namespace nearwire
