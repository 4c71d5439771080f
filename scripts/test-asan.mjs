// Runs the test suite on the addon built with AddressSanitizer and UBSan (build-variant.mjs asan): only the tests that
// use the addon, as `js` and node:net are the same as in the normal run. Fails if a test does, if a sanitizer reports
// an error in any process of the run, or if a leak has a frame of the addon. Node's own leaks at exit are ignored.
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const addon = `${root}build-variants/asan/build/Release/nearwire.node`;
if (!existsSync(addon)) {
  console.error('build it first: node scripts/build-variant.mjs asan');
  process.exit(2);
}

const runtime = (name) => execFileSync('g++', [`-print-file-name=${name}`], { encoding: 'utf8' }).trim();
const folder = mkdtempSync(join(tmpdir(), 'nearwire-asan-'));
const log = join(folder, 'report');
// The benchmark's tests are about its harness, and time their children: they do not belong here. Those of whole
// programs move gigabytes through other code, and would take hours.
const PROGRAMS = ['databases', 'fronts', 'http', 'messages', 'static'].map((name) => `test/programs/${name}.test.ts`);
const excluded = ['test/bench/**', 'test/cli/**', ...PROGRAMS].flatMap((files) => ['--exclude', files]);
const words = ['run', ...excluded, ...process.argv.slice(2)];
const { status } = spawnSync(process.execPath, ['node_modules/vitest/vitest.mjs', ...words], {
  cwd: root,
  stdio: 'inherit',
  env: {
    ...process.env,
    NEARWIRE_ADDON: addon,
    NEARWIRE_TEST_SUBJECTS: 'native',
    NEARWIRE_EXIT_MARKS: folder,
    NEARWIRE_TEST_FILES_AT_A_TIME: String(availableParallelism() + 1),
    // native/termination_gate.cc is part of this build.
    NEARWIRE_TERMINATION_GATE: process.platform === 'linux' ? '1' : '0',
    NODE_OPTIONS: `--require=${root}scripts/mark-exit.cjs`,
    LD_PRELOAD: `${runtime('libasan.so')} ${runtime('libubsan.so')}`,
    // A leak's stack is needed down to the addon's frames; leaks are judged below, not by the exit code.
    ASAN_OPTIONS: `detect_leaks=1:log_path=${log}:malloc_context_size=40:handle_segv=1:allocator_may_return_null=1`,
    LSAN_OPTIONS: `exitcode=0:log_path=${log}:use_unaligned=1`,
    UBSAN_OPTIONS: `halt_on_error=1:print_stacktrace=1:log_path=${log}`,
  },
});

// The stack from the allocation up to the next boundary with JavaScript: frames beyond it did not request the memory.
const ownFrames = (block) => {
  const frames = block.split('\n').filter((line) => /^\s+#\d+ /.test(line));
  // V8's own bookkeeping of its heap, which it frees only with the process.
  const asker = frames.find((line) => !/libasan|libubsan|libstdc\+\+/.test(line));
  // A function made of a template is named with its result's type.
  if (asker !== undefined && / in (?:\w+ )?v8::internal::/.test(asker)) return [];
  const border = frames.findIndex((line) => /Builtins_|napi_make_callback|v8::internal::Execution/.test(line));
  return border < 0 ? frames : frames.slice(0, border);
};

const problems = [];
let judged = 0;
for (const file of readdirSync(folder)) {
  if (!file.startsWith('report.')) continue;
  const text = readFileSync(join(folder, file), 'utf8');
  if (/ERROR: AddressSanitizer|runtime error:/.test(text)) problems.push(text);
  const pid = file.slice('report.'.length);
  if (existsSync(join(folder, `exit.${pid}`))) continue;
  judged++;
  // One block per leak: "Direct leak of N byte(s)" and its stack, up to an empty line.
  for (const block of text.split(/\n\n/)) {
    if (!/leak of \d+ byte/.test(block)) continue;
    if (ownFrames(block).some((frame) => /nearwire\.node|\/native\//.test(frame))) problems.push(block);
  }
}
rmSync(folder, { recursive: true });
for (const problem of problems) console.error(problem);
console.log(
  problems.length === 0
    ? `sanitizers: no error and no leak of the addon (${judged} processes that left by themselves leaked only node's own)`
    : `sanitizers: ${problems.length} problems`,
);
process.exit(status === 0 && problems.length === 0 ? 0 : 1);
