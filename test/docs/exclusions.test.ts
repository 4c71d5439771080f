/** docs/compatibility.md names the tests of node's that may fail, with the reasons of test/conformance/exclusions.json. */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';

interface Exclusion {
  name: string;
  reason: string;
  modes: string[];
  nodes?: number[];
}

const root = fileURLToPath(new URL('../../', import.meta.url));
const exclusions = JSON.parse(readFileSync(`${root}test/conformance/exclusions.json`, 'utf8')) as Exclusion[];
const section = /^### Excluded$([\s\S]*?)^###? /m.exec(readFileSync(`${root}docs/compatibility.md`, 'utf8'))?.[1] ?? '';

/** The versions of node that the table of results has. */
const TRIED = [20, 22, 24, 26];

function where({ modes, nodes = TRIED }: Exclusion): string {
  const named = modes.map((mode) => `\`${mode}\``).join(' and ');
  const oldest = nodes[0];
  if (oldest === undefined || nodes.length === TRIED.length) return named;
  const isOpen = nodes.length > 1 && nodes.join() === TRIED.slice(-nodes.length).join();
  return `${named} on Node ${isOpen ? `${String(oldest)} and later` : nodes.join(', ')}`;
}

it('has each with its modes and its reason, and no others', () => {
  const rows = [...section.matchAll(/^\| `(.+?)` *\| (.+?) *\| (.+?) *\|$/gm)].map(([, ...cells]) => cells);
  const expected = exclusions.map((one) => [one.name.replace(/^(parallel|sequential)\//, ''), where(one), one.reason]);
  expect(rows).toEqual(expected);
});
