/** The errors of this package, in the shape of node:net's: class, `code`, message and extra fields. */
import { coded } from './coded.js';
import { errnoError, type SystemCallError } from './system-calls.js';

export * from './arguments.js';
export * from './system-calls.js';

/** The error of an AbortSignal, in node's shape. */
export function abortError(signal: AbortSignal): Error & { code: string } {
  const error = new Error('The operation was aborted', { cause: signal.reason });
  error.name = 'AbortError';
  return Object.assign(error, { code: 'ABORT_ERR' });
}

export function ipBlockedError(address: string): Error {
  return coded(new Error(`IP(${address}) is blocked by net.BlockList`), 'ERR_IP_BLOCKED');
}

/** There is no kernel socket underneath. */
export function notOpenError(): Error {
  return coded(new Error('Not connected or listening'), 'ERR_NEARWIRE_NOT_OPEN');
}

/** No process listens there, and as far as can be seen no other process holds the address. */
export function noListenerError(message: string): Error & { code: string } {
  return coded(new Error(message), 'ERR_NEARWIRE_NO_LISTENER');
}

/** A socket file to which no socket is bound any more. */
export function staleSocketError(path: string): Error {
  const message = `No process listens on ${path}: the file was left behind by a closed socket`;
  return Object.assign(coded(new Error(message), 'ERR_NEARWIRE_STALE_SOCKET'), { path });
}

/** A path that is not a socket. */
export function notSocketFileError(path: string): Error {
  return Object.assign(coded(new Error(`${path} is not a socket`), 'ERR_NEARWIRE_NOT_A_SOCKET'), { path });
}

/** The socket exists, but in another network namespace than this process can query. */
export function otherNamespaceError(message: string): Error {
  return coded(new Error(message), 'ERR_NEARWIRE_OTHER_NAMESPACE');
}

/** More than one socket matches. */
export function ambiguousListenerError(message: string): Error {
  return coded(new Error(message), 'ERR_NEARWIRE_AMBIGUOUS');
}

/**
 * The kernel does not report socket queues. `listening`: whether a process listens there, if that much could be found
 * out. `cause`: the kernel's error.
 */
export function diagnosisRefusedError(errno: number, detail: string, listening?: boolean): Error {
  const cause = errnoError(errno, 'sock_diag');
  const message = `The system does not report the queues of sockets (${cause.message})${detail}`;
  return Object.assign(coded(new Error(message, { cause }), 'ERR_NEARWIRE_DIAG_REFUSED'), { listening });
}

/** This platform has no means for it. */
export function unsupportedError(what: string): Error {
  return coded(new Error(`${what} is not supported on ${process.platform}`), 'ERR_NEARWIRE_UNSUPPORTED');
}

export function socketClosedError(): Error {
  return coded(new Error('Socket is closed'), 'ERR_SOCKET_CLOSED');
}

export function closedBeforeConnectError(): Error {
  return coded(new Error('Socket closed before the connection was established'), 'ERR_SOCKET_CLOSED_BEFORE_CONNECTION');
}

export function connectTimeoutError(): Error {
  return coded(new Error('Socket connection timeout'), 'ERR_SOCKET_CONNECTION_TIMEOUT');
}

export function invalidHandleTypeError(): TypeError {
  return coded(new TypeError('This handle type cannot be sent'), 'ERR_INVALID_HANDLE_TYPE');
}

export function notListeningError(): Error {
  return coded(new Error('Server is not running.'), 'ERR_SERVER_NOT_RUNNING');
}

/** A write after the peer and then this side have ended. It names no system call. */
export function endedByPeerError(): Error {
  return Object.assign(new Error('This socket has been ended by the other party'), { code: 'EPIPE' });
}

/** A request that was incomplete when its server's `requestTimeout` expired. */
export function requestTimeoutError(): Error {
  return coded(new Error('Request timeout'), 'ERR_HTTP_REQUEST_TIMEOUT');
}

/** A connection that ended within a message: the error of node's parser. */
export function endWithinMessageError(): Error {
  const reason = 'Invalid EOF state';
  const error = coded(new Error(`Parse Error: ${reason}`), 'HPE_INVALID_EOF_STATE');
  return Object.assign(error, { bytesParsed: 0, reason });
}

/** `transport: 'native'` was requested and the addon did not load; `cause` says why. */
export function noAddonError(cause: Error | undefined): Error {
  const reason = cause === undefined ? '' : `: ${cause.message}`;
  return coded(new Error(`The native transport is not available${reason}`, { cause }), 'ERR_NEARWIRE_NO_ADDON');
}

/** TLS needs one of node's handles, and a native socket has none. */
export function tlsNeedsHandleError(): Error {
  const message = 'TLS cannot use this native socket: pass it nodeStream(socket), or call install() first';
  return coded(new Error(message), 'ERR_NEARWIRE_TLS_NEEDS_HANDLE');
}

/** `transport: 'native'` was requested for something that only node:net can do. */
export function notNativeError(what: string): Error {
  return coded(new Error(`The native transport cannot use ${what}`), 'ERR_NEARWIRE_NOT_NATIVE');
}

/** A stream ended before the whole body had arrived. */
export function shortBodyError(bytes: number, missing?: number): Error & { code: string } {
  const rest = missing === undefined ? 'too early' : `${String(missing)} fewer than expected`;
  const message = `The stream ended after ${String(bytes)} bytes, ${rest}`;
  return coded(new Error(message), 'ERR_NEARWIRE_SHORT_BODY');
}

/** The stream already delivers its bytes to another reader. */
export function streamInUseError(): Error {
  const message = 'The stream already has listeners for its data, or has an encoding, or is in object mode';
  return coded(new Error(message), 'ERR_NEARWIRE_STREAM_IN_USE');
}

/** More bytes in one direction than the relay's limit. */
export function relayLimitError(maxBytes: number): Error {
  return coded(
    new Error(`The relay exceeded its limit of ${String(maxBytes)} bytes in one direction`),
    'ERR_NEARWIRE_RELAY_LIMIT',
  );
}

/** The relay was idle for longer than its timeout. */
export function relayTimeoutError(milliseconds: number): Error {
  const message = `The relay has been idle for ${String(milliseconds)} ms`;
  return coded(new Error(message), 'ERR_NEARWIRE_RELAY_TIMEOUT');
}

/** A TCP connection that was not established in time. */
export function connectSlowError(address: string, port: number, waited: number): SystemCallError {
  const message = `connect to ${address}:${String(port)}: no connection after ${String(waited)} ms`;
  const error = coded(new Error(message), 'ERR_NEARWIRE_CONNECT_TIMEOUT');
  return Object.assign(error, { syscall: 'connect', address, port, waited });
}

/** The variables exceed what the two-byte size of a uwsgi packet can express, or one of them is too long. */
export function variablesTooLargeError(bytes: number, limit: number, name?: string): Error & { code: string } {
  const what = name === undefined ? 'The variables of the request are' : `The variable ${name} is`;
  const message = `${what} ${String(bytes)} bytes long; the uwsgi protocol allows ${String(limit)}`;
  return coded(new Error(message), 'ERR_NEARWIRE_UWSGI_VARIABLES_TOO_LARGE');
}

/** The server closed before it had sent complete response headers: it crashed, or it rejects requests of this size. */
export function noAnswerError(bytes: number, cause?: unknown): Error & { code: string } {
  const message = `The server closed the connection after ${String(bytes)} bytes, before complete response headers`;
  return coded(new Error(message, cause === undefined ? undefined : { cause }), 'ERR_NEARWIRE_UWSGI_NO_RESPONSE');
}

/** The bytes received are not an HTTP or CGI response. */
export function badAnswerError(reason: string): Error & { code: string } {
  return coded(new Error(`Invalid response from the server: ${reason}`), 'ERR_NEARWIRE_UWSGI_BAD_RESPONSE');
}

export function answerHeadTooLargeError(limit: number): Error & { code: string } {
  const message = `The response headers are longer than ${String(limit)} bytes`;
  return coded(new Error(message), 'ERR_NEARWIRE_UWSGI_HEADERS_TOO_LARGE');
}

/** The server made no progress for this many milliseconds. */
export function answerTimeoutError(waitedFor: 'headers' | 'body', milliseconds: number): Error & { code: string } {
  const what = waitedFor === 'headers' ? 'The server has sent no headers' : 'The server has sent nothing of the body';
  const code = waitedFor === 'headers' ? 'ERR_NEARWIRE_HEADERS_TIMEOUT' : 'ERR_NEARWIRE_BODY_TIMEOUT';
  return coded(new Error(`${what} for ${String(milliseconds)} ms`), code);
}

/** A body that is longer or shorter than its Content-Length. */
export function contentLengthMismatchError(bytes: number, said: number): Error & { code: string } {
  const message = `The body has ${String(bytes)} bytes, but its Content-Length is ${String(said)}`;
  return coded(new Error(message), 'ERR_HTTP_CONTENT_LENGTH_MISMATCH');
}

/** An error about a socket option; it names the option. */
function optionError(code: string, message: string, option: string, platform: string, socketKind: string): Error {
  return Object.assign(coded(new Error(message), code), { option, platform, socketKind });
}

/** No platform has an option of this name. */
export function unknownOptionError(option: string, platform: string, socketKind: string): Error {
  const message = `There is no socket option "${option}", on ${platform} for ${socketKind}`;
  return optionError('ERR_NEARWIRE_UNKNOWN_OPTION', message, option, platform, socketKind);
}

/** The platform has no such option, or the option does not apply to such a socket. */
export function optionNotSupportedError(option: string, platform: string, socketKind: string): Error {
  const message = `The socket option "${option}" cannot be set on ${platform} for ${socketKind}`;
  return optionError('ERR_NEARWIRE_OPTION_NOT_SUPPORTED', message, option, platform, socketKind);
}

/** A write to a channel that has been ended. */
export function writeAfterEndError(): Error {
  return coded(new Error('write after end'), 'ERR_STREAM_WRITE_AFTER_END');
}

/** A write whose stream was closed before it was sent. */
export function writeDestroyedError(): Error {
  return coded(new Error('Cannot call write after a stream was destroyed'), 'ERR_STREAM_DESTROYED');
}

/** The page would exceed the memory limit of all pages together. */
export function pageLimitError(bytes: number, living: number, limit: number): Error {
  const message = `A page of ${String(bytes)} bytes exceeds the limit: live pages use ${String(living)} of ${String(limit)}`;
  return coded(new Error(message), 'ERR_NEARWIRE_PAGE_LIMIT');
}

/** Thrown by `new` for a class that has another way to make instances. */
export function illegalConstructorError(): TypeError {
  return coded(new TypeError('Illegal constructor'), 'ERR_ILLEGAL_CONSTRUCTOR');
}

/** The error of node's streams for one that closed before it had finished. */
export function prematureCloseError(cause?: unknown): Error {
  return coded(new Error('Premature close', cause === undefined ? undefined : { cause }), 'ERR_STREAM_PREMATURE_CLOSE');
}

/** The response has already begun or ended. */
export function headersSentError(): Error {
  return coded(new Error('Cannot send a file after headers are sent to the client'), 'ERR_HTTP_HEADERS_SENT');
}

/** The peer was gone before its request was answered: node's own words. */
export function abortedError(): Error {
  return Object.assign(new Error('aborted'), { code: 'ECONNRESET' });
}

export function bodyTooLargeError(limit: number): Error {
  return coded(new Error(`The body is longer than ${String(limit)} bytes`), 'ERR_NEARWIRE_BODY_TOO_LARGE');
}
