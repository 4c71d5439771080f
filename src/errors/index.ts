/** The errors of this package, in the shapes that `node:net` gives: class, `code`, message form and extra fields. */
import { coded } from './coded.js';
import { errnoError, type SystemCallError } from './system-calls.js';

export * from './arguments.js';
export * from './system-calls.js';

/** What an AbortSignal does, in node's shape. */
export function abortError(signal: AbortSignal): Error & { code: string } {
  const error = new Error('The operation was aborted', { cause: signal.reason });
  error.name = 'AbortError';
  return Object.assign(error, { code: 'ABORT_ERR' });
}

export function ipBlockedError(address: string): Error {
  return coded(new Error(`IP(${address}) is blocked by net.BlockList`), 'ERR_IP_BLOCKED');
}

/** There is no socket of the kernel's underneath. */
export function notOpenError(): Error {
  return coded(new Error('Not connected or listening'), 'ERR_NEARWIRE_NOT_OPEN');
}

/** Nobody listens there, and nobody else has the address either, as far as can be seen. */
export function noListenerError(message: string): Error & { code: string } {
  return coded(new Error(message), 'ERR_NEARWIRE_NO_LISTENER');
}

/** A socket file that no socket is bound to any more. */
export function staleSocketError(path: string): Error {
  const message = `Nobody listens on ${path}: the file is left over from a socket that is gone`;
  return Object.assign(coded(new Error(message), 'ERR_NEARWIRE_STALE_SOCKET'), { path });
}

/** A path that leads to something else than a socket. */
export function notSocketFileError(path: string): Error {
  return Object.assign(coded(new Error(`${path} is not a socket`), 'ERR_NEARWIRE_NOT_A_SOCKET'), { path });
}

/** There is such a socket, but not where this process could be told of it. */
export function otherNamespaceError(message: string): Error {
  return coded(new Error(message), 'ERR_NEARWIRE_OTHER_NAMESPACE');
}

/** More than one socket could be meant. */
export function ambiguousListenerError(message: string): Error {
  return coded(new Error(message), 'ERR_NEARWIRE_AMBIGUOUS');
}

/**
 * The kernel does not tell of sockets' queues. `listening` says whether somebody listens there, if at least that could be
 * found out; `cause` is what the kernel said.
 */
export function diagnosisRefusedError(errno: number, detail: string, listening?: boolean): Error {
  const cause = errnoError(errno, 'sock_diag');
  const message = `The system does not tell how long sockets' queues are (${cause.message})${detail}`;
  return Object.assign(coded(new Error(message, { cause }), 'ERR_NEARWIRE_DIAG_REFUSED'), { listening });
}

/** What the system of this platform has no means for. */
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

/** What a write meets after the other side has ended and this side has ended in turn. It names no system call. */
export function endedByPeerError(): Error {
  return Object.assign(new Error('This socket has been ended by the other party'), { code: 'EPIPE' });
}

/** A request that was not all there when its server's `requestTimeout` was over. */
export function requestTimeoutError(): Error {
  return coded(new Error('Request timeout'), 'ERR_HTTP_REQUEST_TIMEOUT');
}

/** `transport: 'native'` was asked for, and the addon is not there. `cause` tells why. */
export function noAddonError(cause: Error | undefined): Error {
  const reason = cause === undefined ? '' : `: ${cause.message}`;
  return coded(new Error(`The native transport is not available${reason}`, { cause }), 'ERR_NEARWIRE_NO_ADDON');
}

/** TLS works on a handle of node's, which a native socket has not got. */
export function tlsNeedsHandleError(): Error {
  const message = "TLS can't use this socket, which is native: give it nodeStream(socket), or call install() first";
  return coded(new Error(message), 'ERR_NEARWIRE_TLS_NEEDS_HANDLE');
}

/** `transport: 'native'` was asked for, for something that only node:net can do. */
export function notNativeError(what: string): Error {
  return coded(new Error(`The native transport cannot take ${what}`), 'ERR_NEARWIRE_NOT_NATIVE');
}

/** A stream ended before all bytes of a body had come. */
export function shortBodyError(bytes: number, missing?: number): Error & { code: string } {
  const rest = missing === undefined ? 'before the end' : `${String(missing)} before the end of what was expected`;
  const message = `The stream ended after ${String(bytes)} bytes, ${rest}`;
  return coded(new Error(message), 'ERR_NEARWIRE_SHORT_BODY');
}

/** Bytes are wanted of a stream that gives them to others already. */
export function streamInUseError(): Error {
  const message = 'The stream has listeners for its data, an encoding, or object mode';
  return coded(new Error(message), 'ERR_NEARWIRE_STREAM_IN_USE');
}

/** More bytes came one way than a relay may carry. */
export function relayLimitError(maxBytes: number): Error {
  return coded(new Error(`The relay may carry ${String(maxBytes)} bytes each way`), 'ERR_NEARWIRE_RELAY_LIMIT');
}

/** Nothing has passed through a relay for so long. */
export function relayTimeoutError(milliseconds: number): Error {
  const message = `Nothing has passed through the relay for ${String(milliseconds)} ms`;
  return coded(new Error(message), 'ERR_NEARWIRE_RELAY_TIMEOUT');
}

/** A connection over TCP that did not come about in time. */
export function connectSlowError(address: string, port: number, waited: number): SystemCallError {
  const message = `connect to ${address}:${String(port)}: no connection after ${String(waited)} ms`;
  const error = coded(new Error(message), 'ERR_NEARWIRE_CONNECT_TIMEOUT');
  return Object.assign(error, { syscall: 'connect', address, port, waited });
}

/** More variables than the two bytes of a uwsgi packet that say their size can count, or one that is too long. */
export function variablesTooLargeError(bytes: number, limit: number, name?: string): Error & { code: string } {
  const what = name === undefined ? 'The variables of the request are' : `The variable ${name} is`;
  const message = `${what} ${String(bytes)} bytes long; uwsgi has room for ${String(limit)}`;
  return coded(new Error(message), 'ERR_NEARWIRE_UWSGI_VARIABLES_TOO_LARGE');
}

/** The server has closed before the head of its answer was there: it crashed, or the request was more than it takes. */
export function noAnswerError(bytes: number, cause?: unknown): Error & { code: string } {
  const message = `The server closed the connection after ${String(bytes)} bytes, before the end of an answer's head`;
  return coded(new Error(message, cause === undefined ? undefined : { cause }), 'ERR_NEARWIRE_UWSGI_NO_RESPONSE');
}

/** What came is no answer of HTTP or CGI. */
export function badAnswerError(reason: string): Error & { code: string } {
  return coded(new Error(`The server's answer can't be read: ${reason}`), 'ERR_NEARWIRE_UWSGI_BAD_RESPONSE');
}

export function answerHeadTooLargeError(limit: number): Error & { code: string } {
  const message = `The head of the server's answer is longer than ${String(limit)} bytes`;
  return coded(new Error(message), 'ERR_NEARWIRE_UWSGI_HEADERS_TOO_LARGE');
}

/** The server did not go on for so long. */
export function answerTimeoutError(waitedFor: 'headers' | 'body', milliseconds: number): Error & { code: string } {
  const what = waitedFor === 'headers' ? 'The server has not answered' : 'Nothing has come of the body';
  const code = waitedFor === 'headers' ? 'ERR_NEARWIRE_HEADERS_TIMEOUT' : 'ERR_NEARWIRE_BODY_TIMEOUT';
  return coded(new Error(`${what} for ${String(milliseconds)} ms`), code);
}

/** A body that is longer or shorter than its Content-Length says. */
export function contentLengthMismatchError(bytes: number, said: number): Error & { code: string } {
  const message = `The body has ${String(bytes)} bytes, and its content-length is ${String(said)}`;
  return coded(new Error(message), 'ERR_HTTP_CONTENT_LENGTH_MISMATCH');
}

/** An error about a socket option, which it names. */
function optionError(code: string, message: string, option: string, platform: string, socketKind: string): Error {
  return Object.assign(coded(new Error(message), code), { option, platform, socketKind });
}

/** No system has an option of this name. */
export function unknownOptionError(option: string, platform: string, socketKind: string): Error {
  const message = `There is no socket option "${option}", on ${platform} for ${socketKind}`;
  return optionError('ERR_NEARWIRE_UNKNOWN_OPTION', message, option, platform, socketKind);
}

/** The system has no such option, or it means nothing there on such a socket. */
export function optionNotSupportedError(option: string, platform: string, socketKind: string): Error {
  const message = `The socket option "${option}" can't be set on ${platform} for ${socketKind}`;
  return optionError('ERR_NEARWIRE_OPTION_NOT_SUPPORTED', message, option, platform, socketKind);
}

/** A write to a channel that has been ended. */
export function writeAfterEndError(): Error {
  return coded(new Error('write after end'), 'ERR_STREAM_WRITE_AFTER_END');
}

/** What was to be written, and its stream was closed before. */
export function writeDestroyedError(): Error {
  return coded(new Error('Cannot call write after a stream was destroyed'), 'ERR_STREAM_DESTROYED');
}

/** A page would take more memory than all pages together may have. */
export function pageLimitError(bytes: number, living: number, limit: number): Error {
  const message = `A page of ${String(bytes)} bytes does not fit: the living pages have ${String(living)} of ${String(limit)}`;
  return coded(new Error(message), 'ERR_NEARWIRE_PAGE_LIMIT');
}

/** What `new` answers for a class whose instances are made otherwise. */
export function illegalConstructorError(): TypeError {
  return coded(new TypeError('Illegal constructor'), 'ERR_ILLEGAL_CONSTRUCTOR');
}

/** What node's streams say of one that closed before it was through. */
export function prematureCloseError(cause?: unknown): Error {
  return coded(new Error('Premature close', cause === undefined ? undefined : { cause }), 'ERR_STREAM_PREMATURE_CLOSE');
}

/** An answer that has begun, or is over, where one was to be made. */
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
