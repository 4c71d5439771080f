// The core of the suite: the transport and what stands on it, by what a program can see. It runs on every node that is
// supported, and on each way to build the addon.
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
