// Measures the cost of importing each entry of the package: the median of many processes, minus that of one that
// imports nothing.
//
//     node scripts/import-time.mjs [--runs N] [--node FILE]... [--root FOLDER] [ENTRY]...
//
// Processes of all entries take turns, so that other load on the machine affects all equally. `cpu` is user and system
// time of the process until it exits, `wall` the time from its start to its end, and `files` the number of modules and
// addons loaded. An ENTRY is a name such as `nearwire/http`, or a file.
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    runs: { type: 'string', default: '31' },
    node: { type: 'string', multiple: true, default: [process.execPath] },
    root: { type: 'string', default: fileURLToPath(new URL('..', import.meta.url)) },
  },
});
const runs = Number(values.runs);
if (!Number.isInteger(runs) || runs < 1) throw new RangeError(`--runs takes a number of processes, not ${values.runs}`);

const root = resolve(values.root);
const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));

/** The file of each public entry, from `exports`. */
const exported = new Map(
  Object.entries(manifest.exports)
    .filter(([, target]) => typeof target === 'object')
    .map(([name, target]) => [join(manifest.name, name), join(root, target.default)]),
);

function fileOf(entry) {
  const file = exported.get(entry) ?? resolve(entry);
  return pathToFileURL(file).href;
}

const entries = positionals.length > 0 ? positionals : [...exported.keys()];
const folder = mkdtempSync(join(tmpdir(), 'nearwire-import-'));
const REPORT =
  "process.on('exit', () => { const { user, system } = process.cpuUsage(); process.stdout.write(`${user + system}`); });\n";

function program(name, imports) {
  const file = join(folder, `${name}.mjs`);
  writeFileSync(file, `${imports}${REPORT}`);
  return file;
}

/** The time of one process, in milliseconds. */
function once(node, file) {
  const started = performance.now();
  const { status, stdout, stderr } = spawnSync(node, [file], { encoding: 'utf8' });
  const wall = performance.now() - started;
  if (status !== 0) throw new Error(`${node} ${file} failed: ${stderr}`);
  return { wall, cpu: Number(stdout) / 1000 };
}

const median = (numbers) => numbers.toSorted((a, b) => a - b)[numbers.length >> 1];

function measure(node) {
  const rows = [undefined, ...entries].map((entry, index) => ({
    entry: entry ?? 'nothing',
    file: program(String(index), entry === undefined ? '' : `import ${JSON.stringify(fileOf(entry))};\n`),
    samples: [],
  }));
  for (let run = -1; run < runs; run++) {
    // The first round fills the page cache.
    for (const { file, samples } of rows) {
      const sample = once(node, file);
      if (run >= 0) samples.push(sample);
    }
  }
  const [bare, ...rest] = rows.map(({ entry, samples }) => ({
    entry,
    cpu: median(samples.map(({ cpu }) => cpu)),
    wall: median(samples.map(({ wall }) => wall)),
  }));
  const table = Object.fromEntries([
    ['nothing', { 'cpu ms': bare.cpu.toFixed(1), 'wall ms': bare.wall.toFixed(1) }],
    ...rest.map(({ entry, cpu, wall }) => [
      entry,
      { 'cpu ms': `+${(cpu - bare.cpu).toFixed(1)}`, 'wall ms': `+${(wall - bare.wall).toFixed(1)}` },
    ]),
  ]);
  console.log(execFileSync(node, ['--version'], { encoding: 'utf8' }).trim());
  console.table(table);
}

try {
  for (const node of values.node) measure(node);
} finally {
  rmSync(folder, { recursive: true, force: true });
}
