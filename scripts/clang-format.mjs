// Formats the C and C++ sources, or with --check fails if any is not formatted.
import { execFileSync, spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const files = execFileSync('git', ['ls-files', '-co', '--exclude-standard', 'native', 'bench/floor'], {
  cwd: root,
  encoding: 'utf8',
})
  .split('\n')
  .filter((file) => /\.(cc|c|h)$/.test(file));
const check = process.argv.includes('--check');
const { status, error } = spawnSync('clang-format', check ? ['--dry-run', '--Werror', ...files] : ['-i', ...files], {
  cwd: root,
  stdio: 'inherit',
});
if (error) {
  console.error(`clang-format is needed to ${check ? 'check' : 'format'} C++: apt-get install clang-format`);
  process.exit(1);
}
process.exit(status ?? 1);
