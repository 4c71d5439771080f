import { readFileSync } from 'node:fs';

export function packageVersion(): string {
  // dist/src/cli/package-version.js -> the package's root.
  const manifest = readFileSync(new URL('../../../package.json', import.meta.url), 'utf8');
  return (JSON.parse(manifest) as { version: string }).version;
}
