/** docs/configuration.md has the environment variables and error codes that the code has, and no others. */
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';

const root = fileURLToPath(new URL('../../', import.meta.url));
const page = readFileSync(`${root}docs/configuration.md`, 'utf8');

/** Set by nearwire for processes that it starts, and nobody else's business. */
const INTERNAL = ['NEARWIRE_CLUSTER_PRIMARY', 'NEARWIRE_COST_RUN'];

function quotedIn(folders: readonly string[], name: RegExp): string[] {
  const found = folders.flatMap((folder) =>
    readdirSync(root + folder, { recursive: true, encoding: 'utf8' })
      .filter((file) => file.endsWith('.ts'))
      .flatMap((file) =>
        [...readFileSync(`${root}${folder}/${file}`, 'utf8').matchAll(name)].map(([, word]) => word ?? ''),
      ),
  );
  return [...new Set(found)].sort();
}

function toldOn(name: RegExp): string[] {
  return [...new Set([...page.matchAll(name)].map(([, word]) => word ?? ''))].sort();
}

it('has each environment variable, and the codes of warnings', () => {
  const read = quotedIn(['src', 'bench'], /'(NEARWIRE_[A-Z0-9_]+)'/g);
  const documented = read.filter((name) => !INTERNAL.includes(name));
  expect(toldOn(/`(NEARWIRE_[A-Z0-9_]+)`/g)).toEqual(documented);
});

it('has each error code of our own', () => {
  expect(toldOn(/^\| `(ERR_NEARWIRE_[A-Z0-9_]+)`/gm)).toEqual(quotedIn(['src'], /'(ERR_NEARWIRE_[A-Z0-9_]+)'/g));
});
