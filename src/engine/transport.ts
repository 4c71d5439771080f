/** The choice between the native engine and `node:net`, and its status. */
import type { Engine } from './engine.js';
import { argValueError, noAddonError } from '../errors/index.js';
import { addonStatus } from '../binding/addon.js';
import { isTransportChoice, type TransportChoice, type TransportName } from '../config/options.js';
import { getEngine } from './thread-engine.js';

const VARIABLE = 'NEARWIRE_TRANSPORT';

/** The default transport of this process, and the reason for it. */
export interface TransportStatus {
  /** The transport to which `requested` resolves here. */
  transport: TransportName;
  /** The default choice: `NEARWIRE_TRANSPORT`, or `auto`. */
  requested: TransportChoice;
  /** The addon's file; undefined where it did not load. */
  addon: string | undefined;
  /** Why the addon did not load. */
  reason: Error | undefined;
}

/** The environment's choice. It is read each time: a program may set it before it makes its first server. */
function defaultChoice(): TransportChoice {
  const value = process.env[VARIABLE];
  if (value === undefined || value === '') return 'auto';
  if (!isTransportChoice(value)) throw argValueError(VARIABLE, value, "must be one of: 'auto', 'native', 'js'");
  return value;
}

/** The choice that applies with these options. */
export function requestedTransport(option: TransportChoice | undefined): TransportChoice {
  return option ?? defaultChoice();
}

/**
 * The engine for a choice; undefined means `js`. Throws ERR_NEARWIRE_NO_ADDON if `native` was requested and the addon
 * did not load. If `auto` falls back for that reason, a warning with the code `NEARWIRE_FALLBACK` is emitted once per
 * thread.
 */
export function engineFor(choice: TransportChoice): Engine | undefined {
  if (choice === 'js') return undefined;
  const engine = getEngine();
  if (engine !== undefined) return engine;
  const { reason } = addonStatus();
  if (choice === 'native') throw noAddonError(reason);
  warnOfFallback(reason);
  return undefined;
}

let warned = false;

/** The program did not ask for node:net, so it must learn that it runs slower than intended. */
function warnOfFallback(reason: Error | undefined): void {
  if (warned) return;
  warned = true;
  const [why = 'no reason given'] = (reason?.message ?? '').split('\n', 1);
  process.emitWarning(`nearwire's addon did not load, so node:net is used instead: ${why}`, {
    code: 'NEARWIRE_FALLBACK',
    detail:
      "Run nearwire doctor to find out how to fix it. With transport: 'js', or NEARWIRE_TRANSPORT=js, this is not reported.",
  });
}

/**
 * Returns the transport of servers and sockets made without a `transport` option, and the addon's file or why it did
 * not load. Throws ERR_INVALID_ARG_VALUE if `NEARWIRE_TRANSPORT` is invalid.
 */
export function transportStatus(): TransportStatus {
  const requested = defaultChoice();
  const { addon, file, reason } = addonStatus();
  return {
    transport: requested !== 'js' && addon !== undefined ? 'native' : 'js',
    requested,
    addon: addon === undefined ? undefined : file,
    reason,
  };
}
