/** Exceptions that nobody catches, kept from the test's runner. */
import { cleanup } from './sockets.js';

/** Told of each from now on, until the test is over. */
export function onUncaught(listener: (error: Error) => void): void {
  const before = process.listeners('uncaughtException');
  process.removeAllListeners('uncaughtException');
  process.on('uncaughtException', listener);
  cleanup(() => {
    process.removeAllListeners('uncaughtException');
    for (const one of before) process.on('uncaughtException', one);
  });
}
