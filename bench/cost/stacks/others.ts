/** 10. Servers of others behind the same nginx, over kept connections, for scale. */
import { join } from 'node:path';

import type { Stack, WorkName } from '../model.js';
import { launchNginx, proxyOptions } from './nginx.js';
import { APPS } from './node.js';
import { startParts, type Parts } from './parts.js';

const WORKS: readonly WorkName[] = ['hello', 'empty', 'json'];

function behindNginx(
  { name, title, needs }: Pick<Stack, 'name' | 'title' | 'needs'>,
  wordsOf: (parts: Parts, socket: string) => { command: string; args: readonly string[] },
): Stack {
  return {
    name,
    title,
    language: 'other',
    hop: { family: 'unix', protocol: 'http', connections: 'keep-alive' },
    needs,
    works: WORKS,
    start: (place) =>
      startParts(place, async (parts) => {
        const hopTarget = { path: parts.file('app.sock') };
        await parts.launch({ name: 'app', role: 'app', ...wordsOf(parts, hopTarget.path) });
        await parts.untilListening(hopTarget);
        const target = await launchNginx(parts, proxyOptions(hopTarget, 'keep-alive'));
        await parts.untilAppServes(target, false);
        return { target, hopTarget };
      }),
  };
}

export const OTHERS: readonly Stack[] = [
  behindNginx(
    {
      name: 'nginx-uws-unix',
      title: 'nginx -> uWebSockets.js, UNIX, kept connections',
      needs: ['nginx', 'uWebSockets.js'],
    },
    (parts, socket) => ({
      command: process.execPath,
      args: [join(APPS, 'uws-server.js'), parts.program('uWebSockets.js'), socket],
    }),
  ),
  behindNginx(
    { name: 'nginx-bun-unix', title: 'nginx -> Bun.serve, UNIX, kept connections', needs: ['nginx', 'bun'] },
    (parts, socket) => ({ command: parts.program('bun'), args: [join(APPS, 'bun-server.js'), socket] }),
  ),
];
