function readStack(error: Error): string | undefined {
  return error.stack;
}

/** Gives an error node's `code` and the name in its stack: `TypeError [ERR_X]: message`. */
export function coded<E extends Error>(error: E, code: string): E & { code: string } {
  const plainName = error.name;
  error.name = `${plainName} [${code}]`;
  // The stack is made when first read; node's own errors have the code in it and the plain name afterwards.
  readStack(error);
  Reflect.deleteProperty(error, 'name');
  return Object.assign(error, { code });
}
