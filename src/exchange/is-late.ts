/**
 * Whether a message that began so many milliseconds ago should have arrived by now, as node's server sees it. 0 means no
 * limit; `headersTimeout` is the shorter one if there are two.
 */
export function isLate(age: number, hasHead: boolean, headersTimeout: number, requestTimeout: number): boolean {
  const limit = hasHead ? requestTimeout : headersTimeout || requestTimeout;
  return limit > 0 && age >= limit;
}
