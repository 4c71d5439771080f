function readStack(error: Error): string | undefined {
  return error.stack;
}

/** Gives an error node's `code`, and puts it into the stack's first line: `TypeError [ERR_X]: message`. */
export function coded<E extends Error>(error: E, code: string): E & { code: string } {
  const plainName = error.name;
  error.name = `${plainName} [${code}]`;
  // V8 builds the stack on first access. Node's own errors have the code in the stack and the plain name afterwards.
  readStack(error);
  Reflect.deleteProperty(error, 'name');
  return Object.assign(error, { code });
}
