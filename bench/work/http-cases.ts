/** The cases whose server is a node:http server. */
export const HTTP_SERVER_CASES: readonly string[] = [
  ...['http', 'http-close', 'http-body', 'http-same', 'load', 'file', 'page', 'crowd'],
];
