// The core of the suite: the transport and what stands on it, by what a program can see. It runs on every node that is
// supported, and on each way to build the addon.
export const CORE = [
  'border',
  'buffers',
  'channel',
  'cluster',
  'connect-',
  'departure',
  'engine-descriptors',
  'exchange-',
  'http-',
  'lifecycle',
  'net-',
  'own-memory',
  'page',
  'parity-',
  'receive-file',
  'register',
  'relay',
  'send-file',
  'uwsgi-server',
  'write-',
].map((name) => `test/${name}`);
