/** nearwire's own small HTTP proxy (bench/floor/serve_proxy.c), the front where no nginx is to be needed. */
import { freePort } from '../free-port.js';
import { addressOf } from '../load.js';
import type { Hop, Target } from '../model.js';
import type { Parts } from '../stacks/parts.js';

export interface ProxyUpstream {
  readonly target: Target;
  readonly connections: Hop['connections'];
}

/** Starts it, and is through when it listens. Without an upstream it answers by itself. */
export async function launchProxy(parts: Parts, upstream: ProxyUpstream | undefined): Promise<Target> {
  const target = { host: '127.0.0.1', port: await freePort() };
  await parts.launch({
    name: 'proxy',
    role: 'front',
    command: parts.program('floor'),
    args: [
      ...['serve', '--case', 'proxy', '--supervised', '1', '--family', 'tcp', '--address', addressOf(target)],
      ...(upstream === undefined ? [] : upstreamWords(upstream)),
    ],
  });
  await parts.untilListening(target);
  return target;
}

function upstreamWords({ target, connections }: ProxyUpstream): string[] {
  const family = 'path' in target ? 'unix' : 'tcp';
  const keeps = connections === 'keep-alive' ? '1' : '0';
  return ['--upstream-family', family, '--upstream', addressOf(target), '--keep-alive', keeps];
}
