/** docs/tuning.md has the table of socket options as the addon has it, and as each platform's source names them. */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import type { NativeOptionRow, NativeOptionSupport } from '../../src/binding/addon.js';
import { requireOrSkip } from '../support/requirements.js';
import { optionRows } from '../support/socket-options.js';

const KINDS: readonly [bit: number, name: string][] = [
  [1, 'UNIX'],
  [2, 'UNIX listener'],
  [4, 'TCP'],
  [8, 'TCP listener'],
  [16, 'others'],
];

function read(path: string): string {
  return readFileSync(fileURLToPath(new URL(`../../${path}`, import.meta.url)), 'utf8');
}

/** `sendBufferSize` to `SO_SNDBUF`, by the bindings of a platform's source. */
function kernelNames(platform: string): Map<string, string> {
  const bindings = read(`native/options_${platform}.cc`).matchAll(/\{OptionId::k(\w+), OptionForm::\w+, \w+, (\w+)\}/g);
  return new Map([...bindings].map(([, id = '', name = '']) => [id.charAt(0).toLowerCase() + id.slice(1), name]));
}

function list(kinds: number): string {
  return KINDS.filter(([bit]) => (kinds & bit) !== 0)
    .map(([, name]) => name)
    .join(', ');
}

function cell(row: NativeOptionRow, support: NativeOptionSupport | undefined, name: string | undefined): string {
  if (support === undefined) return name === undefined ? '-' : 'the source has a name for what the table has not';
  const { readable, settable, lowest, highest } = support;
  const alsoRead = readable & ~settable;
  const reading = alsoRead === 0 ? '' : `; read only: ${list(alsoRead)}`;
  const range = row.type === 'boolean' ? '' : `; ${String(lowest)} to ${String(highest)}`;
  return `\`${String(name)}\`: ${list(settable)}${reading}${range}`;
}

/** The cells of the table that begins with this head. */
function tableOf(document: string, head: string): string[][] {
  const lines = document.split('\n');
  const start = lines.findIndex((line) => line.replace(/ +/g, ' ').startsWith(`| ${head} |`));
  const rest = lines.slice(start + 2);
  const end = rest.findIndex((line) => !line.startsWith('|'));
  return rest.slice(0, end).map((line) =>
    line
      .split('|')
      .slice(1, -1)
      .map((text) => text.trim()),
  );
}

describe.skipIf(requireOrSkip('addon') === undefined)('docs/tuning.md', () => {
  it('has every socket option with its platforms, kinds of sockets and range', () => {
    const [linux, darwin] = [kernelNames('linux'), kernelNames('darwin')];
    const expected = optionRows().map((row) => [
      `\`${row.name}\``,
      row.unit === '' ? row.type : row.type === 'number or false' ? `${row.unit}, or false` : row.unit,
      cell(row, row.linux, linux.get(row.name)),
      cell(row, row.darwin, darwin.get(row.name)),
    ]);
    expect(tableOf(read('docs/tuning.md'), 'option')).toEqual(expected);
  });
});
