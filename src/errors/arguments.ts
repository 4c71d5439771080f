/** Errors for invalid arguments, worded as node words them. */
import { inspect } from 'node:util';
import { BUFFER_IS_AN_UNKNOWN_ENCODING } from '../runtime/version.js';
import { coded } from './coded.js';

function describeReceived(value: unknown): string {
  if (value === null || value === undefined) return `Received ${String(value)}`;
  if (typeof value === 'function') return `Received function ${value.name}`;
  if (typeof value === 'object') {
    const name = (value as { constructor?: { name?: string } }).constructor?.name;
    return name ? `Received an instance of ${name}` : `Received ${inspect(value, { depth: -1 })}`;
  }
  const text = inspect(value, { colors: false });
  return `Received type ${typeof value} (${text.length > 28 ? `${text.slice(0, 25)}...` : text})`;
}

function kindOfName(name: string): string {
  return name.includes('.') ? 'property' : 'argument';
}

/** ERR_INVALID_ARG_TYPE. `expected` as node phrases it: "of type number", "an instance of Object". */
export function argTypeError(name: string, expected: string, value: unknown): TypeError {
  const message = `The "${name}" ${kindOfName(name)} must be ${expected}. ${describeReceived(value)}`;
  return coded(new TypeError(message), 'ERR_INVALID_ARG_TYPE');
}

export function argValueError(name: string, value: unknown, reason = 'is invalid'): TypeError {
  const text = inspect(value);
  const shown = text.length > 128 ? `${text.slice(0, 128)}...` : text;
  return coded(
    new TypeError(`The ${kindOfName(name)} '${name}' ${reason}. Received ${shown}`),
    'ERR_INVALID_ARG_VALUE',
  );
}

export function outOfRangeError(name: string, range: string, value: unknown): RangeError {
  const message = `The value of "${name}" is out of range. It must be ${range}. Received ${inspect(value)}`;
  return coded(new RangeError(message), 'ERR_OUT_OF_RANGE');
}

export function badPortError(name: string, value: unknown): RangeError {
  const message = `${name} should be >= 0 and < 65536. ${describeReceived(value)}.`;
  return coded(new RangeError(message), 'ERR_SOCKET_BAD_PORT');
}

export function missingArgsError(message: string): TypeError {
  return coded(new TypeError(message), 'ERR_MISSING_ARGS');
}

export function invalidIpError(address: unknown): TypeError {
  return coded(new TypeError(`Invalid IP address: ${String(address)}`), 'ERR_INVALID_IP_ADDRESS');
}

export function invalidFamilyError(family: unknown, host: unknown, port: unknown): RangeError {
  const message = `Invalid address family: ${String(family)} ${String(host)}:${String(port)}`;
  return Object.assign(coded(new RangeError(message), 'ERR_INVALID_ADDRESS_FAMILY'), { host, port });
}

/** The error that node's handles throw for `write('text', 'buffer')`. */
export function stringAsBufferError(): TypeError {
  if (BUFFER_IS_AN_UNKNOWN_ENCODING) return unknownEncodingError('buffer');
  return coded(new TypeError('Second argument must be a buffer'), 'ERR_INVALID_ARG_TYPE');
}

export function unknownEncodingError(encoding: unknown): TypeError {
  return coded(new TypeError(`Unknown encoding: ${String(encoding)}`), 'ERR_UNKNOWN_ENCODING');
}

export function nullValuesError(): TypeError {
  return coded(new TypeError('May not write null values to stream'), 'ERR_STREAM_NULL_VALUES');
}

/** A header or variable whose value cannot be sent, worded as node words it. */
export function invalidCharError(name: string): TypeError {
  return coded(new TypeError(`Invalid character in header content ["${name}"]`), 'ERR_INVALID_CHAR');
}
