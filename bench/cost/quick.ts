/**
 * The rows of `--quick`: nothing but nearwire has to be installed. Its own small proxy stands in for nginx, and says so.
 * What a hop costs and what changes with it is seen as well there; what nginx itself costs is not.
 */
import { behindProxy, PROXY, PROXY_TITLE } from './front.js';
import { launchProxy } from './proxy/launch.js';
import type { Stack } from './model.js';
import { launchNode, NGINX_NODE, NODE_ALONE } from './stacks/node.js';
import { startParts } from './stacks/parts.js';
import { answerOf, workNamed } from './works.js';

const PROXY_ALONE: Stack = {
  name: PROXY.name,
  title: `${PROXY_TITLE} alone`,
  language: 'none',
  hop: undefined,
  needs: ['floor'],
  works: ['hello', 'download', 'upload'],
  start: (place) =>
    startParts(place, async (parts) => {
      const target = await launchProxy(parts, undefined);
      const hello = workNamed('hello');
      await parts.untilServing(target, hello.path, answerOf(hello));
      return { target, hopTarget: undefined };
    }),
};

/** The same row with our proxy where nginx is. */
function withProxy(stack: Stack): Stack[] {
  const { hop } = stack;
  if (hop?.protocol !== 'http') return [];
  const server = stack.name.includes('-nearwire-') ? 'nearwire/http' : 'node:http';
  return [
    {
      ...stack,
      name: behindProxy(stack.name),
      title: stack.title.replace(/^nginx\b/, PROXY_TITLE),
      needs: ['floor'],
      start: (place) =>
        startParts(place, async (parts) => {
          const hopTarget = await launchNode(parts, server, hop.family);
          const target = await launchProxy(parts, { target: hopTarget, connections: hop.connections });
          await parts.untilAppServes(target, place.app !== undefined);
          return { target, hopTarget };
        }),
    },
  ];
}

export const QUICK_STACKS: readonly Stack[] = [...NGINX_NODE.flatMap(withProxy), ...NODE_ALONE, PROXY_ALONE];
