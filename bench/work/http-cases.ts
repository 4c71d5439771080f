const HTTP_CASES = ['http', 'http-close', 'http-body', 'http-same', 'load', 'file', 'page', 'crowd'];

/** Whether this case's server is one of node:http. */
export function isHttp(benchCase: string): boolean {
  return HTTP_CASES.includes(benchCase);
}
