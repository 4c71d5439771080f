/** What the clients of cases send, on links that tell of room when they like. */
import { expect, it } from 'vitest';
import { bulk, type LinkEvents } from '../../bench/work/loads.js';

it('has one sender of bulk at a time, who ends with its phase', async () => {
  const events = { onDrain: () => undefined } as unknown as LinkEvents;
  let isBlocked = false;
  let written = 0;
  const drain = (): void => {
    isBlocked = false;
    events.onDrain();
  };
  const link = {
    write(): boolean {
      expect(isBlocked).toBe(false);
      written++;
      // Room is told of behind each write that has answered false, and, as channels do it, behind others.
      isBlocked = written % 3 === 0;
      if (isBlocked) setTimeout(drain, 1);
      else if (written % 5 === 0) setTimeout(drain);
      return !isBlocked;
    },
    destroy: () => undefined,
  };
  const phase = bulk({ link, events }, 1024 * 1024);
  for (let i = 0; i < 20; i++) {
    const { operations } = await phase(0.02);
    expect(operations).toBeGreaterThan(0);
  }
});
