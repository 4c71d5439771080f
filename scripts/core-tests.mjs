// The core of the suite: the transport and everything based on it, as seen by programs. It runs on every supported
// node, and on each variant of the addon.
export const CORE = [
  'binding/',
  'channel/',
  'cluster/',
  'engine/connect-',
  'engine/departure',
  'engine/descriptors',
  'entries/',
  'exchange/',
  'files/',
  'http/',
  'memory/',
  'net/',
  'parity/',
  'register/',
  'uwsgi/server',
].map((name) => `test/${name}`);
