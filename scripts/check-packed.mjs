// What a user gets: packs the package with its prebuilt addon, installs it into an empty folder with no compiler on PATH,
// has it serve over a UNIX socket natively, by its functions and by register, run its benchmark and measure a stack.
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'nearwire-packed-'));
/** `nearwire cost` binds processes by taskset, which it tries on `true`. */
const COMMANDS = ['node', 'npm', 'npx', 'sh', 'env', 'taskset', 'true'];
const COMPILERS = ['cc', 'gcc', 'g++', 'c++', 'clang', 'clang++', 'make', 'python3'];

const find = (command, path) =>
  path
    .split(delimiter)
    .map((part) => join(part, command))
    .find((file) => {
      try {
        execFileSync('test', ['-x', file]);
        return true;
      } catch {
        return false;
      }
    });

try {
  const [packed] = JSON.parse(
    execFileSync('npm', ['pack', '--json', '--ignore-scripts', '--pack-destination', folder], { cwd: root }).toString(),
  );
  const bin = join(folder, 'bin');
  mkdirSync(bin);
  for (const command of COMMANDS) {
    const file = find(command, process.env.PATH);
    if (file === undefined) throw new Error(`${command} is not on PATH`);
    symlinkSync(file, join(bin, command));
  }
  for (const compiler of COMPILERS) {
    if (find(compiler, bin) !== undefined) throw new Error(`${compiler} is on the bare PATH`);
  }
  const home = join(folder, 'app');
  mkdirSync(home);
  const env = { ...process.env, PATH: bin };
  const run = (command, words) => execFileSync(join(bin, command), words, { cwd: home, env, encoding: 'utf8' });
  writeFileSync(join(home, 'package.json'), '{ "name": "app", "private": true, "type": "module" }\n');
  run('npm', ['install', '--no-audit', '--no-fund', join(folder, packed.filename)]);

  writeFileSync(
    join(home, 'app.js'),
    `import http from 'node:http';
     import { createServer } from 'nearwire/http';
     import { transportStatus } from 'nearwire';
     const server = createServer({ transport: 'native' }, (request, response) => response.end('served ' + request.url));
     server.listen('./app.sock', () => {
       http.get({ socketPath: './app.sock', path: '/natively' }, (response) => {
         response.setEncoding('utf8');
         response.on('data', (text) => console.log(transportStatus().transport, server.transport, text));
         response.on('end', () => server.close());
       });
     });`,
  );
  const said = run('node', ['app.js']).trim();
  if (said !== 'native native served /natively') throw new Error(`the installed package said: ${said}`);

  writeFileSync(
    join(home, 'plain.cjs'),
    `const net = require('node:net');
     const server = net.createServer((socket) => socket.end()).listen('./plain.sock', () => {
       net.connect('./plain.sock').resume().on('close', () => server.close());
       console.log(server.transport);
     });`,
  );
  const registered = run('node', ['--require', 'nearwire/register', 'plain.cjs']).trim();
  if (registered !== 'native') throw new Error(`under register the installed package said: ${registered}`);

  const version = run('npx', ['nearwire', '--version']).trim();
  if (version !== packed.version) throw new Error(`nearwire --version said ${version}`);
  const unbundled = packed.files.filter(({ path }) => /^dist\/src\/.*\.js$/.test(path));
  if (unbundled.length > 0) throw new Error(`shipped beside their bundle: ${unbundled.map(({ path }) => path).join()}`);

  run('npx', [
    'nearwire',
    'bench',
    '--cases',
    'rtt',
    '--subjects',
    'c,native,node:net',
    '--rounds',
    '1',
    '--quick',
    '--json',
    'rtt.json',
  ]);
  run('npx', ['nearwire', 'cost', '--stack', 'node-unix,nearwire-unix']);
  const leftovers = readdirSync(home).filter((name) => name.endsWith('.sock'));
  if (leftovers.length > 0) throw new Error(`left behind: ${leftovers.join()}`);
  console.log(`packed form: ${packed.filename}, ${packed.files.length} files, ${packed.size} bytes: ${said}`);
} finally {
  rmSync(folder, { recursive: true, force: true });
}
