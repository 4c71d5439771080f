// Tests the package as a user gets it: packs it with its prebuilt addon, installs it into an empty folder with no
// compiler on PATH, and serves over a UNIX socket natively, through its functions and through register; then also
// installs nearwire-bench, and runs it and measures a stack.
import { execFileSync, spawnSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'nearwire-packed-'));
/** `nearwire cost` binds processes with taskset, which it tries on `true`. */
const COMMANDS = ['node', 'npm', 'npx', 'sh', 'env', 'taskset', 'true'];
/** node-gyp-build finds the addon; node-addon-api is needed only to build it. */
const DEPENDENCIES = 2;
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

/**
 * Names of the installed packages. npm 12 does not run install scripts, so none may have one, nor a binding.gyp, for
 * which npm would run node-gyp.
 */
function installed(home) {
  const { packages } = JSON.parse(readFileSync(join(home, 'package-lock.json'), 'utf8'));
  const names = Object.keys(packages).filter((name) => name !== '');
  for (const name of names) {
    if (packages[name].hasInstallScript || existsSync(join(home, name, 'binding.gyp'))) {
      throw new Error(`to install it runs a script of ${name}`);
    }
  }
  return names;
}

try {
  const pack = (words) =>
    JSON.parse(
      execFileSync('npm', ['pack', '--json', '--ignore-scripts', '--pack-destination', folder, ...words], {
        cwd: root,
      }),
    )[0];
  const [packed, bench] = [pack([]), pack(['--workspace', 'bench'])];
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
  const install = (...words) => run('npm', ['install', '--no-audit', '--no-fund', ...words]);
  install(join(folder, packed.filename));
  const names = installed(home);
  if (names.length > DEPENDENCIES + 1) throw new Error(`it brings ${names.join()}`);

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

  const { status, stderr } = spawnSync(join(bin, 'npx'), ['nearwire', 'bench'], { cwd: home, env, encoding: 'utf8' });
  if (status !== 3 || !stderr.includes('npm install --save-dev nearwire-bench@')) {
    throw new Error(`without nearwire-bench it ended with ${status}: ${stderr}`);
  }
  install('--save-dev', join(folder, bench.filename));
  installed(home);
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
  run('npx', ['nearwire', 'cost', '--stacks', 'node-unix,nearwire-unix']);
  const leftovers = readdirSync(home).filter((name) => name.endsWith('.sock'));
  if (leftovers.length > 0) throw new Error(`left behind: ${leftovers.join()}`);
  for (const { filename, files, size } of [packed, bench]) {
    console.log(`packed form: ${filename}, ${files.length} files, ${size} bytes`);
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}
