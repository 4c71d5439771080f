/** node:http over node:net and over nearwire, behind nginx and by itself. */
import { join } from 'node:path';

import { PACKAGE_ROOT } from '../../package-root.js';
import type { NodeServerName, NodeServerWords } from '../apps/node-server.js';
import type { Hop, Stack, Target, WorkName } from '../model.js';
import { launchNginx, proxyOptions, uwsgiOptions } from './nginx.js';
import { startParts, type Parts } from './parts.js';
import { makeTarget } from './where.js';

/** Where a server's own program is, compiled. */
export const APPS = join(PACKAGE_ROOT, 'dist', 'bench', 'cost', 'apps');

const NODE_WORKS: readonly WorkName[] = ['hello', 'empty', 'json', 'own'];

const FAMILIES = ['unix', 'tcp'] as const;
const SERVERS = [
  { server: 'node:http', short: 'node', title: 'node:http over node:net' },
  { server: 'nearwire/http', short: 'nearwire', title: 'node:http over nearwire' },
] as const;
const FAMILY_TITLES = { unix: 'UNIX', tcp: 'TCP' } as const;
const CONNECTIONS = [
  { connections: 'close', short: 'close', title: 'a connection per request' },
  { connections: 'keep-alive', short: 'keep', title: 'kept connections' },
] as const;

export const NODE_ALONE: readonly Stack[] = SERVERS.flatMap(({ server, short, title }) =>
  FAMILIES.map((family) => ({
    name: `${short}-${family}`,
    title: `${title}, ${FAMILY_TITLES[family]}`,
    language: 'node' as const,
    hop: undefined,
    needs: [],
    works: NODE_WORKS,
    start: (place) =>
      startParts(place, async (parts) => {
        const target = await launchNode(parts, server, family);
        await parts.untilAppServes(target, place.app !== undefined);
        return { target, hopTarget: undefined };
      }),
  })),
);

export const NGINX_NODE: readonly Stack[] = SERVERS.flatMap((server) =>
  FAMILIES.flatMap((family) => CONNECTIONS.map((connections) => nginxNode(server, family, connections))),
);

function nginxNode(
  { server, short, title }: (typeof SERVERS)[number],
  family: Hop['family'],
  kind: (typeof CONNECTIONS)[number],
): Stack {
  return {
    name: `nginx-${short}-${family}-${kind.short}`,
    title: `nginx -> ${title}, ${FAMILY_TITLES[family]}, ${kind.title}`,
    language: 'node',
    hop: { family, protocol: 'http', connections: kind.connections },
    needs: ['nginx'],
    works: NODE_WORKS,
    start: (place) =>
      startParts(place, async (parts) => {
        const hopTarget = await launchNode(parts, server, family);
        const target = await launchNginx(parts, proxyOptions(hopTarget, kind.connections));
        await parts.untilAppServes(target, place.app !== undefined);
        return { target, hopTarget };
      }),
  };
}

/** 8. The same application by the uwsgi protocol. */
export const NGINX_NEARWIRE_UWSGI: readonly Stack[] = FAMILIES.map((family) => ({
  name: `nginx-nearwireuwsgi-${family}`,
  title: `nginx -> nearwire/uwsgi, ${FAMILY_TITLES[family]}`,
  language: 'node',
  hop: { family, protocol: 'uwsgi', connections: 'close' },
  needs: ['nginx'],
  works: NODE_WORKS,
  start: (place) =>
    startParts(place, async (parts) => {
      const hopTarget = await launchNode(parts, 'nearwire/uwsgi', family);
      const target = await launchNginx(parts, uwsgiOptions(hopTarget));
      await parts.untilAppServes(target, place.app !== undefined);
      return { target, hopTarget };
    }),
}));

/** Starts it, and is through when it listens. */
async function launchNode(parts: Parts, server: NodeServerName, family: Hop['family']): Promise<Target> {
  const target = await makeTarget(parts, family);
  const { app } = parts.place;
  const words: NodeServerWords = { server, listen: target, app };
  await parts.launch({
    name: 'node',
    role: 'app',
    command: process.execPath,
    args: [join(APPS, 'node-server.js'), JSON.stringify(words)],
    // A user's reads its files from where the user is, as if started by hand.
    ...(app !== undefined && { folder: process.cwd() }),
  });
  await parts.untilListening(target);
  return target;
}
