// The names of the socket options that POSIX defines.
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
    {OptionId::kNoDelay, OptionForm::kBoolean, IPPROTO_TCP, TCP_NODELAY},
    {OptionId::kLingerSeconds, OptionForm::kLinger, SOL_SOCKET, SO_LINGER},
};

}  // namespace

OptionSupport OptionRow::*const kSupportHere = &OptionRow::on_posix;

std::span<const OptionBinding> option_bindings() { return kBindings; }

const char* option_clamp(OptionId id, double requested, double effective) {
  const bool is_buffer = id == OptionId::kSendBufferSize || id == OptionId::kRecvBufferSize;
  return is_buffer && effective < requested ? "the system's limit" : nullptr;
}

}  // namespace nearwire
