/** `listenQueue` where there is no queue to tell of, or the system does not tell it: which error says so. */
import { execFileSync } from 'node:child_process';
import { chmodSync, writeFileSync } from 'node:fs';
import { constants } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { transportStatus } from 'nearwire';
import { listenQueue, type ListenTarget } from 'nearwire/tune';
import { heard } from '../support/children.js';
import { hasDiagnosis, otherServer, startProgram } from '../support/listeners.js';
import { requireOrSkip, withOverlay } from '../support/requirements.js';
import { listen, pair, socketPath, temporaryDirectory } from '../support/sockets.js';
import { reference } from '../support/subjects.js';

const python = requireOrSkip('python');
const unshare = requireOrSkip('unshare');
const refuseNetlink = fileURLToPath(new URL('../support/refuse-netlink.py', import.meta.url));
const tune = fileURLToPath(new URL('../../dist/bundle/tune.js', import.meta.url));

function failureOf(target: unknown): NodeJS.ErrnoException & { listening?: boolean } {
  try {
    listenQueue(target as ListenTarget);
  } catch (error) {
    return error as NodeJS.ErrnoException;
  }
  throw new Error('it told a queue');
}

/** What `listenQueue` says in another process, which `wrap` starts. */
function queueSeenBy(wrap: readonly string[], target: ListenTarget, env: NodeJS.ProcessEnv = {}): unknown {
  const code = `
    const { listenQueue } = await import(${JSON.stringify(tune)});
    let result;
    try { result = listenQueue(${JSON.stringify(target)}); }
    catch ({ code, message, listening, cause }) { result = { code, message, listening, cause: cause?.code }; }
    console.log(JSON.stringify(result));`;
  const [program, ...words] = [...wrap, process.execPath, '--input-type=module', '-e', code];
  return JSON.parse(execFileSync(program, words, { encoding: 'utf8', env: { ...process.env, ...env } }));
}

/** Binds a socket with Python, which unlike node can leave it at that. */
async function bindOnly(path: string, type: 'SOCK_STREAM' | 'SOCK_DGRAM'): Promise<void> {
  const code = `import socket, sys
s = socket.socket(socket.AF_UNIX, socket.${type}); s.bind(sys.argv[1]); print('true', flush=True); sys.stdin.read()`;
  await heard(startProgram([python ?? '', '-c', code, path]));
}

describe('what can be no listener', () => {
  it.each([
    [undefined, 'ERR_INVALID_ARG_TYPE'],
    [null, 'ERR_INVALID_ARG_TYPE'],
    [{}, 'ERR_INVALID_ARG_TYPE'],
    [-1, 'ERR_OUT_OF_RANGE'],
    [1.5, 'ERR_OUT_OF_RANGE'],
    ['', 'ERR_INVALID_ARG_VALUE'],
    ['\0', 'ERR_INVALID_ARG_VALUE'],
    ['/tmp/a\0b', 'ERR_INVALID_ARG_VALUE'],
    [{ port: 65_536 }, 'ERR_SOCKET_BAD_PORT'],
    [{ port: 'x' }, 'ERR_SOCKET_BAD_PORT'],
    [{ port: 80, host: 'localhost' }, 'ERR_INVALID_ARG_VALUE'],
    [{ port: 80, host: 5 }, 'ERR_INVALID_ARG_TYPE'],
  ])('%j', (target, code) => {
    expect(failureOf(target).code).toBe(code);
  });

  it('a socket that is connected', async () => {
    const { client } = await pair(reference, 'unix');
    const { code, message } = failureOf(client);
    expect({ code, message }).toEqual({ code: 'ERR_NEARWIRE_NO_LISTENER', message: 'The socket does not listen' });
  });
});

describe.skipIf(!hasDiagnosis)('where nobody listens', () => {
  it('a path that is not there, or no socket', () => {
    const file = join(temporaryDirectory(), 'file');
    expect(failureOf(file)).toMatchObject({ code: 'ENOENT', syscall: 'stat', path: file });
    writeFileSync(file, '');
    expect(failureOf(file)).toMatchObject({ code: 'ERR_NEARWIRE_NOT_A_SOCKET', path: file });
    expect(failureOf(join(file, 'x'))).toMatchObject({ code: 'ENOTDIR' });
    expect(failureOf(temporaryDirectory()).code).toBe('ERR_NEARWIRE_NOT_A_SOCKET');
  });

  it('a file that a server left behind', async () => {
    const path = socketPath();
    const server = await otherServer({ path });
    expect(listenQueue(path).queued).toBe(0);
    const gone = new Promise((resolve) => server.once('exit', resolve));
    server.kill('SIGKILL');
    await gone;
    expect(failureOf(path)).toMatchObject({ code: 'ERR_NEARWIRE_STALE_SOCKET', path });
  });

  it.skipIf(python === undefined)('a socket that is bound, or takes datagrams', async () => {
    const path = socketPath();
    for (const type of ['SOCK_STREAM', 'SOCK_DGRAM'] as const) {
      await bindOnly(`${path}${type}`, type);
      const { code, message } = failureOf(`${path}${type}`);
      expect(code).toBe('ERR_NEARWIRE_NO_LISTENER');
      expect(message).toContain('a socket is bound to it');
    }
  });

  it('an abstract name and a port', async () => {
    expect(failureOf('\0nearwire-nobody')).toMatchObject({
      code: 'ERR_NEARWIRE_NO_LISTENER',
      message: expect.stringContaining('@nearwire-nobody') as string,
    });
    const server = reference.createServer();
    const { port = 0 } = await listen(server, 'tcp');
    await new Promise((resolve) => server.close(resolve));
    expect(failureOf({ port }).code).toBe('ERR_NEARWIRE_NO_LISTENER');
  });
});

describe.skipIf(!hasDiagnosis || unshare === undefined)('a listener in another network namespace', () => {
  const apart = [unshare ?? '', '--map-root-user', '--net'];

  it('is told from one that is gone', async () => {
    const path = socketPath();
    await otherServer({ path }, { wrap: apart });
    const { code, message } = failureOf(path);
    expect(code).toBe('ERR_NEARWIRE_OTHER_NAMESPACE');
    expect(message).toContain(path);
  });

  it('is out of reach by an abstract name, and seen from within', async () => {
    const path = `\0nearwire-apart-${String(process.pid)}`;
    await otherServer({ path }, { wrap: apart });
    expect(failureOf(path).code).toBe('ERR_NEARWIRE_NO_LISTENER');
    const own = socketPath();
    await otherServer({ path: own, backlog: 77 });
    expect(listenQueue(own).backlog).toBe(77);
    expect(queueSeenBy(apart, own)).toMatchObject({ code: 'ERR_NEARWIRE_OTHER_NAMESPACE' });
  });
});

describe.skipIf(!hasDiagnosis || python === undefined)('where netlink is refused', () => {
  it.each(['EPERM', 'EPROTONOSUPPORT', 'EAFNOSUPPORT'] as const)('with %s', async (name) => {
    const wrap = [python ?? '', refuseNetlink, String(constants.errno[name])];
    const refused = { code: 'ERR_NEARWIRE_DIAG_REFUSED', cause: name };
    const path = socketPath();
    await otherServer({ path });
    const seen = queueSeenBy(wrap, path);
    expect(seen).toMatchObject({ ...refused, listening: true });
    expect((seen as Error).message).toContain(`a process listens on ${path}`);
    const abstract = `\0nearwire-refused-${String(process.pid)}-${name}`;
    await otherServer({ path: abstract });
    expect(queueSeenBy(wrap, abstract)).toMatchObject({ ...refused, listening: true });
    expect(queueSeenBy(wrap, '\0nearwire-nobody')).toMatchObject({ ...refused, listening: false });
    expect(queueSeenBy(wrap, { port: 1 })).toMatchObject(refused);
    expect(queueSeenBy(wrap, `${path}.missing`)).toMatchObject({ code: 'ENOENT' });
  });
});

/** The account `nobody`, for what root may and others may not. */
const NOBODY = 65_534;
const isRoot = process.getuid?.() === 0;

describe.skipIf(!hasDiagnosis || !isRoot)('for a user without privilege', () => {
  const asNobody = ['setpriv', `--reuid=${String(NOBODY)}`, `--regid=${String(NOBODY)}`, '--clear-groups'];

  it("root's listener is told of, and one in a directory that may not be searched by its name", async () => {
    const directory = temporaryDirectory();
    const path = join(directory, 'app.sock');
    await otherServer({ path, backlog: 41 });
    chmodSync(directory, 0o755);
    expect(queueSeenBy(asNobody, path)).toMatchObject({ queued: 0, backlog: 41 });
    chmodSync(directory, 0o700);
    expect(queueSeenBy(asNobody, path)).toMatchObject({ queued: 0, backlog: 41 });
    expect(queueSeenBy(asNobody, join(directory, 'other.sock'))).toMatchObject({ code: 'EACCES' });
  });

  it.skipIf(unshare === undefined)(
    'whether somebody of another namespace listens takes the right to connect',
    async () => {
      const path = socketPath();
      chmodSync(join(path, '..'), 0o755);
      await otherServer({ path }, { wrap: [unshare ?? '', '--net'] });
      chmodSync(path, 0o600);
      const seen = queueSeenBy(asNobody, path) as Error & { code: string };
      expect(seen.code).toBe('ERR_NEARWIRE_NO_LISTENER');
      expect(seen.message).toContain('denies finding out');
      chmodSync(path, 0o666);
      expect(queueSeenBy(asNobody, path)).toMatchObject({ code: 'ERR_NEARWIRE_OTHER_NAMESPACE' });
    },
  );
});

const overlay = requireOrSkip('overlay');

describe.skipIf(!hasDiagnosis || overlay === undefined)(
  'on an overlay file system, whose device numbers differ',
  () => {
    it('a path is found by its name and inode, and else is told to be uncertain', () => {
      const directory = temporaryDirectory();
      const code = `
      const { listenQueue } = await import(${JSON.stringify(tune)});
      const { createServer } = await import('node:net');
      const { renameSync, symlinkSync } = await import('node:fs');
      const [path, link, moved] = ['app.sock', 'link.sock', 'moved.sock'].map((name) => process.argv[1] + '/' + name);
      createServer().listen({ path, backlog: 51 }, () => {
        symlinkSync(path, link);
        const seen = [path, link].map((name) => listenQueue(name).backlog);
        renameSync(path, moved);
        try { listenQueue(moved); } catch ({ code }) { seen.push(code); }
        console.log(JSON.stringify(seen));
        process.exit();
      });`;
      const [program = '', ...words] = withOverlay(overlay ?? '', directory);
      const node = [process.execPath, '--input-type=module', '-e', code, directory];
      const said = execFileSync(program, [...words, ...node], { encoding: 'utf8' });
      expect(JSON.parse(said)).toEqual([51, 51, 'ERR_NEARWIRE_AMBIGUOUS']);
    });
  },
);

describe('without the means', () => {
  it('there is an error that says what is missing', () => {
    const without = { NEARWIRE_ADDON: join(temporaryDirectory(), 'none') };
    expect(queueSeenBy([], '/tmp/x.sock', without)).toMatchObject({
      code: expect.stringMatching(/ENOENT|NO_ADDON/) as string,
    });
    expect(queueSeenBy([], { port: 1 }, without)).toMatchObject({ code: 'ERR_NEARWIRE_NO_ADDON' });
  });

  it.skipIf(hasDiagnosis || transportStatus().addon === undefined)('so where the platform has none', async () => {
    const server = reference.createServer();
    await listen(server, 'unix');
    expect(failureOf({ port: 1 }).code).toBe('ERR_NEARWIRE_UNSUPPORTED');
    expect(failureOf(server).code).toBe('ERR_NEARWIRE_UNSUPPORTED');
  });
});
