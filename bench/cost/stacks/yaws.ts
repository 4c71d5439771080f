/** 5. Yaws, a web server in Erlang that runs the application itself. */
import { copyFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { PACKAGE_ROOT } from '../../package-root.js';
import { freePort } from '../free-port.js';
import type { Stack } from '../model.js';
import { answerOf, HELLO, jsonWork } from '../works.js';
import { startParts } from './parts.js';

const MODULE = 'nearwire_cost';
const SOURCE = join(PACKAGE_ROOT, 'bench', 'cost', 'apps', 'erlang', `${MODULE}.erl`);

export const YAWS: Stack = {
  name: 'yaws',
  title: 'Yaws (Erlang) alone',
  language: 'erlang',
  hop: undefined,
  needs: ['yaws'],
  works: ['hello', 'empty', 'json'],
  start: (place) =>
    startParts(place, async (parts) => {
      const port = await freePort();
      const [source, documents, config] = [parts.file('src'), parts.file('documents'), parts.file('yaws.conf')];
      mkdirSync(source);
      mkdirSync(documents);
      copyFileSync(SOURCE, join(source, `${MODULE}.erl`));
      writeFileSync(
        config,
        `logdir = ${place.folder}
# compiled by Yaws when it starts
src_dir = ${source}
max_connections = nolimit
keepalive_maxuses = nolimit
keepalive_timeout = 30000
<server localhost>
  port = ${String(port)}
  listen = 127.0.0.1
  docroot = ${documents}
  access_log = false
  auth_log = false
  appmods = </, ${MODULE}>
</server>
`,
      );
      await parts.launch({
        name: 'yaws',
        role: 'app',
        command: parts.program('yaws'),
        // One scheduler, as the other servers have one worker. No name: Erlang's port mapper, a daemon, stays out.
        args: ['--conf', config, '--id', 'nearwire', '--erlarg', '-noinput +S 1:1'],
        // It keeps files of its own there.
        env: { HOME: place.folder },
      });
      parts.logs.push(parts.file('report.log'));
      const target = { host: '127.0.0.1', port };
      // It finds out how long its steps take when it is first asked for some.
      await parts.untilServing(target, jsonWork(1).path, undefined);
      await parts.untilServing(target, HELLO.path, answerOf(HELLO));
      return { target, hopTarget: undefined };
    }),
};
