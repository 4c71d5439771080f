/** Yaws, a web server in Erlang that runs the application itself. */
import { cpSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { PACKAGE_ROOT } from '../../package-root.js';
import { addressOf, type CommandOf } from './parts.js';

const OURS = join(PACKAGE_ROOT, 'cost', 'apps', 'erlang');

export const yaws: CommandOf = (parts, target) => {
  const { folder } = parts;
  const [source, documents, config] = [parts.file('src'), parts.file('documents'), parts.file('yaws.conf')];
  const [host, port] = addressOf(target).split(':');
  cpSync(OURS, source, { recursive: true });
  mkdirSync(documents);
  writeFileSync(
    config,
    `logdir = ${folder}
# compiled by Yaws when it starts
src_dir = ${source}
max_connections = nolimit
keepalive_maxuses = nolimit
keepalive_timeout = 30000
<server localhost>
  port = ${String(port)}
  listen = ${String(host)}
  docroot = ${documents}
  access_log = false
  auth_log = false
  appmods = </, nearwire_cost>
</server>
`,
  );
  return {
    name: 'yaws',
    command: parts.program('yaws'),
    // One scheduler, as the other servers have one worker. Without a node name, Erlang's port mapper, a daemon, is not
    // started.
    args: ['--conf', config, '--id', 'nearwire', '--erlarg', '-noinput +S 1:1'],
    // It keeps files of its own there.
    env: { HOME: folder },
  };
};
