/** The README's programs and its nginx configuration, as they stand there but for the paths, with clients that go away. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { request } from '../support/http.js';
import { runNginx } from '../support/nginx.js';
import { requireOrSkip } from '../support/requirements.js';
import { cleanup, nextTurn, temporaryDirectory } from '../support/sockets.js';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const README = readFileSync(join(ROOT, 'README.md'), 'utf8');
/** Of the README's programs. */
const SOCKET = '/run/app/app.sock';

function blocksOf(language: string): string[] {
  return [...README.matchAll(new RegExp(`^\`\`\`${language}\n([\\s\\S]*?)^\`\`\`$`, 'gm'))].map(
    ([, code = '']) => code,
  );
}

/** A folder in which the package is installed, and whatever the programs import besides. */
function application(): { readonly folder: string; readonly socket: string } {
  const folder = temporaryDirectory();
  mkdirSync(join(folder, 'node_modules'));
  symlinkSync(ROOT, join(folder, 'node_modules', 'nearwire'));
  symlinkSync(join(ROOT, 'node_modules', 'express'), join(folder, 'node_modules', 'express'));
  // nginx's workers are of another user.
  chmodSync(folder, 0o755);
  return { folder, socket: join(folder, 'app.sock') };
}

/** The file is there before the socket listens. */
async function untilListening(socket: string, isOver: () => boolean): Promise<void> {
  while (!isOver()) {
    const attempt = connect(socket);
    const found = await Promise.race([
      once(attempt, 'connect').then(() => true),
      once(attempt, 'close').then(() => false),
    ]).catch(() => false);
    attempt.destroy();
    if (found) return;
    await nextTurn();
  }
}

async function started(folder: string, socket: string, words: readonly string[]): Promise<ChildProcess> {
  const child = spawn(process.execPath, words, { cwd: folder, stdio: ['ignore', 'pipe', 'inherit'] });
  const gone = once(child, 'exit');
  cleanup(async () => {
    child.kill('SIGKILL');
    await gone;
  });
  const failed = gone.then(() => {
    throw new Error(`${words.join(' ')} ended before it listened`);
  });
  await Promise.race([untilListening(socket, () => child.exitCode !== null), failed]);
  failed.catch(() => undefined);
  return child;
}

/** Asks, and is gone before the response has come. */
async function goAway(path: string): Promise<void> {
  const socket = connect(path);
  await once(socket, 'connect');
  socket.write('GET / HTTP/1.1\r\nHost: localhost\r\n\r\nGET / HTTP/1.1\r\n');
  socket.destroy();
  await once(socket, 'close');
}

async function answers(child: ChildProcess, socket: string): Promise<void> {
  for (let i = 0; i < 3; i++) {
    await goAway(socket);
    const { status, body } = await request({ socketPath: socket, path: '/' });
    expect([status, body.toString()]).toEqual([200, 'hello']);
  }
  expect(child.exitCode).toBeNull();
}

describe.skipIf(requireOrSkip('addon') === undefined)('the README', () => {
  it('has programs and a configuration', () => {
    expect(blocksOf('js')).toHaveLength(3);
    expect(blocksOf('nginx')).toHaveLength(1);
    for (const code of [...blocksOf('js'), ...blocksOf('nginx')]) expect(code).toContain(SOCKET);
  });

  it.each(blocksOf('js').map((code, i) => [i + 1, code] as const))('has program %i', async (_, code) => {
    const { folder, socket } = application();
    writeFileSync(join(folder, 'server.mjs'), code.replaceAll(SOCKET, socket));
    await answers(await started(folder, socket, ['server.mjs']), socket);
  });

  it('has an unchanged program carried natively', async () => {
    const words = /^ {4}node (--require nearwire\/register server\.js)$/m.exec(README)?.[1]?.split(' ') ?? [];
    const { folder, socket } = application();
    writeFileSync(
      join(folder, 'server.js'),
      `require('node:http')
         .createServer(({ socket }, response) => response.end(socket.transport === 'native' ? 'hello' : 'by node'))
         .listen(${JSON.stringify(socket)});`,
    );
    await answers(await started(folder, socket, words), socket);
  });

  it.skipIf(requireOrSkip('nginx') === undefined)('has a configuration of nginx that serves it', async () => {
    const [code = ''] = blocksOf('js');
    const [configuration = ''] = blocksOf('nginx');
    const { folder, socket } = application();
    writeFileSync(join(folder, 'server.mjs'), code.replaceAll(SOCKET, socket));
    const child = await started(folder, socket, ['server.mjs']);
    const front = join(folder, 'front.sock');
    const http = /^http \{\n([\s\S]*)^\}$/m.exec(configuration)?.[1] ?? '';
    const lines = http.replaceAll(SOCKET, socket).replace('listen 8080;', `listen unix:${front};`);
    await runNginx(requireOrSkip('nginx') ?? '', folder, 'www-data', [lines]);
    await answers(child, front);
  });
});
