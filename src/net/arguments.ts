/** The argument forms of `connect`. */

type Listener = () => void;

function isPort(value: unknown): boolean {
  return Number(value) >= 0;
}

/** node marks its own arrays; a caller's is an options object without options. */
function isNormalized(value: readonly unknown[]): boolean {
  return Object.getOwnPropertySymbols(value).some(({ description }) => description === 'normalizedArgs');
}

/**
 * `(options, listener?)`, `(path, ..., listener?)` and `(port, host?, ..., listener?)` as an options object and the
 * listener.
 */
export function normalizeArguments<Options extends object>(args: readonly unknown[]): [Options, Listener | undefined] {
  const first = args[0];
  // node's own code passes what it has already brought into this form.
  if (Array.isArray(first) && isNormalized(first))
    return [first[0] as Options, (first[1] ?? undefined) as Listener | undefined];
  const last = args.at(-1);
  const listener = typeof last === 'function' ? (last as Listener) : undefined;
  if (typeof first === 'object' && first !== null) return [first as Options, listener];
  const options: { path?: string; port?: unknown; host?: string } = {};
  if (typeof first === 'string' && !isPort(first)) {
    options.path = first;
  } else if (args.length > 0) {
    options.port = first;
    if (typeof args[1] === 'string') options.host = args[1];
  }
  return [options as Options, listener];
}
