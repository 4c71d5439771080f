/** Relays and uploads where the kernel refuses splice, or has no pipe to give: nothing is lost. */
import { spawn, spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { childResult } from '../support/children.js';
import { requireOrSkip } from '../support/requirements.js';
import { cleanup, temporaryDirectory } from '../support/sockets.js';
import { sendsByReference } from '../support/subjects.js';

const strace = requireOrSkip('strace');
const library = new URL('../../dist/bundle/index.js', import.meta.url).href;

/** Relays 8 MiB each way, then receives 4 MiB into a file; says what became of them. */
const PROGRAM = `
import { createServer, connect, relay } from ${JSON.stringify(library)};
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { open, readFile } from 'node:fs/promises';
const directory = process.argv[1];
const hash = (bytes) => createHash('sha1').update(bytes).digest('hex');
const all = async (socket) => { const chunks = []; for await (const chunk of socket) chunks.push(chunk); return Buffer.concat(chunks); };
let paths = 0;
async function pair() {
  const server = createServer({ allowHalfOpen: true, transport: 'native' });
  const path = directory + '/' + paths++;
  server.listen(path);
  await once(server, 'listening');
  const client = connect({ path, allowHalfOpen: true, transport: 'native' });
  const [peer] = await once(server, 'connection');
  server.close();
  return [client, peer];
}
const [client, a] = await pair();
const [b, far] = await pair();
const outcome = relay(a, b);
const [there, back] = [randomBytes(8 << 20), randomBytes(8 << 20)];
client.end(there);
far.end(back);
const [atFar, atClient] = await Promise.all([all(far), all(client)]);
const { bytesAtoB, bytesBtoA } = await outcome;
const [sender, receiver] = await pair();
const body = randomBytes(4 << 20);
sender.end(body);
const file = await open(directory + '/file', 'w');
const received = await receiver.receiveFile(file);
await file.close();
receiver.destroy();
const content = await readFile(directory + '/file');
process.stdout.write(JSON.stringify({
  relayed: hash(atFar) === hash(there) && hash(atClient) === hash(back), bytesAtoB, bytesBtoA,
  received, stored: hash(content) === hash(body),
}) + '\\n');
`;

const EXPECTED = { relayed: true, bytesAtoB: 8 << 20, bytesBtoA: 8 << 20, received: 4 << 20, stored: true };

/** How many pipes a program opens that does nothing: it would not start without them. */
function pipesOfNode(): number {
  if (strace === undefined) return 0;
  const words = ['-f', '-e', 'trace=pipe2', process.execPath, '--input-type=module', '-e', '0'];
  const { stderr } = spawnSync(strace, words, { encoding: 'utf8' });
  return stderr.match(/pipe2\(/g)?.length ?? 0;
}

describe.skipIf(strace === undefined)('where the system refuses', () => {
  it.each([
    ['nothing', []],
    ['splice from the start', ['-e', 'inject=splice:error=EINVAL']],
    ['splice, as seccomp does', ['-e', 'inject=splice:error=EPERM']],
    ['splice, as an old kernel', ['-e', 'inject=splice:error=ENOSYS']],
    ['every second splice', ['-e', 'inject=splice:error=EINVAL:when=2+2']],
    ['the first splice to a sink', ['-e', 'inject=splice:error=EINVAL:when=2']],
    ['splices from the tenth on', ['-e', 'inject=splice:error=EINVAL:when=10+']],
    ['pipes', ['-e', `inject=pipe2:error=EMFILE:when=${String(pipesOfNode() + 1)}+`]],
    ['larger pipes', ['-e', 'inject=fcntl:error=EPERM:when=1+']],
  ])('%s', async (_, inject) => {
    const directory = temporaryDirectory();
    const log = join(directory, 'strace.log');
    const child = spawn(
      strace ?? 'strace',
      [
        '-f',
        '-o',
        log,
        '-e',
        'trace=splice,pipe2',
        ...inject,
        process.execPath,
        '--input-type=module',
        '-e',
        PROGRAM,
        directory,
      ],
      { stdio: ['ignore', 'pipe', 'pipe'] },
    );
    cleanup(() => child.kill('SIGKILL'));
    const { said, code, stderr } = await childResult(child);
    expect({ said, code, stderr: stderr.slice(0, 500) }).toEqual({ said: [EXPECTED], code: 0, stderr: '' });
    // The portable layer has no splice to be refused: there the same bytes take the same road each time.
    if (!sendsByReference()) return;
    const calls = readFileSync(log, 'latin1');
    if (inject.length === 0) expect(calls).toMatch(/splice\(.*\) = \d+/);
    else if (inject[1]?.includes('splice')) expect(calls).toMatch(/splice\(.*\(INJECTED\)/);
  });
});
