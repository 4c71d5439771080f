/**
 * Files on systems that lack what they are sent with: strace has the kernel refuse calls, from the first or from some later
 * one on, as an old kernel or a sandbox does. What is sent must not change.
 */
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { childResult, type ChildResult } from '../support/children.js';
import { chill, testFile } from '../support/files.js';
import { requireOrSkip } from '../support/requirements.js';
import { cleanup, socketPath } from '../support/sockets.js';
import { sendsByReference } from '../support/subjects.js';

const library = fileURLToPath(new URL('../../dist/bundle/index.js', import.meta.url));
const strace = requireOrSkip('strace') ?? '';

const CODE = `
const { createHash } = await import('node:crypto');
const { readFileSync } = await import('node:fs');
const { connect, createServer } = await import(${JSON.stringify(library)});
const [path, file] = process.argv.slice(1);
const bytes = readFileSync(file);
if (process.env.CHILL) (await import('node:child_process')).execFileSync('dd', ['if=' + file, 'iflag=nocache', 'count=0'], { stdio: 'ignore' });
const expected = [Buffer.from('<'), bytes, Buffer.from('='), bytes.subarray(3, 500000), Buffer.from('>')];
const digest = (...parts) => parts.reduce((hash, part) => hash.update(part), createHash('sha256')).digest('hex');
const say = (value) => process.stdout.write(JSON.stringify(value) + '\\n');
const server = createServer({ transport: 'native' }, (socket) => {
  socket.on('error', (error) => say(error.code));
  socket.write('<');
  const sent = [socket.sendFile(file)];
  socket.write('=');
  sent.push(socket.sendFile(file, { start: 3, end: 499999 }));
  socket.end('>');
  Promise.all(sent).then(() => say('sent'), (error) => say(error.code));
});
server.listen(process.env.TCP ? { port: 0, host: '127.0.0.1' } : { path }, async () => {
  const client = connect(process.env.TCP ? { port: server.address().port } : { path });
  const received = [];
  for await (const chunk of client) received.push(chunk);
  say(digest(...received) === digest(...expected));
  server.close();
});
`;

/** Runs the exchange under strace with these injections. */
function under(injections: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<ChildResult> {
  const { path } = testFile(3_000_001);
  chill(path);
  const words = injections.flatMap((injection) => ['-e', `inject=${injection}`]);
  const calls = injections.map((injection) => injection.slice(0, injection.indexOf(':'))).join(',');
  const child = spawn(
    strace,
    ['-f', '-qq', '-o', '/dev/null', '-e', `trace=${calls}`, ...words]
      .concat([process.execPath, '--input-type=module', '-e', CODE])
      .concat([socketPath(), path]),
    { env: { ...process.env, ...env } },
  );
  cleanup(() => child.kill('SIGKILL'));
  return childResult(child);
}

const LACKS: [what: string, injections: string[]][] = [
  ['sendfile', ['sendfile:error=EINVAL']],
  ['sendfile, by a sandbox', ['sendfile:error=EPERM']],
  ['sendfile from its second call on', ['sendfile:error=ENOSYS:when=2+']],
  ['sendfile from its fourth call on', ['sendfile:error=EOPNOTSUPP:when=4+']],
  ['cachestat', ['cachestat:error=EPERM']],
  ['all that tells of residency', ['cachestat:error=ENOSYS', 'preadv2:error=EOPNOTSUPP']],
  ['opening of cached names', ['openat2:error=ENOSYS']],
  ['everything', ['sendfile:error=ENOSYS', 'cachestat:error=ENOSYS', 'preadv2:error=ENOSYS', 'openat2:error=EINVAL']],
];

describe.skipIf(strace === '' || !sendsByReference())('a system without', () => {
  describe.each(LACKS)('%s', (_, injections) => {
    it.each([
      ['unix, from memory', {}],
      ['unix, from the disk', { CHILL: '1' }],
      ['tcp, from the disk', { CHILL: '1', TCP: '1' }],
    ])('sends the same over %s', async (_family, env) => {
      const { code, said, stderr } = await under(injections, env);
      expect({ code, said: said.sort(), stderr }).toEqual({ code: 0, said: ['sent', true].sort(), stderr: '' });
    });
  });

  it('a disk that fails ends the connection with its error', async () => {
    const { code, said } = await under(['sendfile:error=EIO:when=2+']);
    expect({ code, said: said.map(String).sort() }).toEqual({ code: 0, said: ['EIO', 'EIO', 'false'].sort() });
  });
});
