/**
 * `nearwire/internal`: what nearwire-bench of the same version uses in addition to the public API. It is not part of
 * that API: any release may change it.
 */
export {
  addonStatus,
  Completion,
  Shared,
  SUBMISSION_WORDS,
  TURN_BEGAN_OFFSET,
  type NativeEngine,
} from './binding/addon.js';
export { connectNative } from './channel/native-connect.js';
export type { CommandOutline } from './cli/command.js';
export { EXIT_CODES } from './cli/exit-codes.js';
export { checkWritable, jsonText, makeFolder } from './cli/output-file.js';
export { abortOnSignals } from './cli/signals.js';
export { nearest, parseByteList, parseDecimal, parseList, parseWhole, parseWord, UsageError } from './cli/usage.js';
export { Engine } from './engine/engine.js';
export { getEngine } from './engine/thread-engine.js';
export type { Incoming, ResponseClass } from './exchange/contracts.js';
export { makeResponse } from './exchange/response.js';
export { storeHeader } from './http/response-head.js';
export { scanHead } from './http/plain-request.js';
export { socketHolders } from './inspection/processes.js';
export { ListenerReporter } from './inspection/report.js';
export { acceptDelegateOf, type AcceptingListener } from './net/accept-delegate.js';
export { socketScope } from './net/async-scopes.js';
export { SocketConnection } from './net/socket-connection.js';
export { acceptedOptions, connectionOptions, socketSettings } from './net/socket-options.js';
export { NativeSocket } from './net/socket.js';
export { studyParser, type NodeParser, type ParserFacts } from './node/http-parser.js';
export { runTicks } from './node/run-ticks.js';
export { encodePacket } from './uwsgi/encode.js';
