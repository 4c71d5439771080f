/** The process of a demonstration: drives one limit and tells, in JSON lines, what it does and what it has seen. */
import { rmSync } from 'node:fs';

import { Control, tell } from '../../work/control.js';
import type { Overload } from '../model.js';
import { driveBuffers } from './buffers.js';
import { Lab, type LabWords } from './lab.js';
import { drivePorts } from './ports.js';
import { driveQueue } from './queue.js';
import { driveSpool } from './spool.js';

export const DRIVES = {
  'queue-unix': (lab: Lab) => driveQueue(lab, 'unix'),
  'queue-tcp': (lab: Lab) => driveQueue(lab, 'tcp'),
  ports: drivePorts,
  'buffers-unix': (lab: Lab) => driveBuffers(lab, 'unix'),
  'buffers-tcp': (lab: Lab) => driveBuffers(lab, 'tcp'),
  'buffers-front': driveSpool,
} satisfies Record<string, (lab: Lab) => Promise<Overload[]>>;

export type DriveName = keyof typeof DRIVES;

async function main(name: DriveName, words: LabWords): Promise<void> {
  const abort = new AbortController();
  const lab = new Lab(words, abort.signal, (step) => {
    tell({ told: { step } });
  });
  // However this process ends, and whoever else has gone before it.
  process.on('exit', () => {
    rmSync(words.folder, { recursive: true, force: true });
  });
  // At the end of stdin: what was started ends with this process.
  new Control(async () => {
    abort.abort(new Error('stopped'));
    await lab.close();
  });
  try {
    tell({ told: { overloads: await DRIVES[name](lab) } });
  } finally {
    await lab.close();
  }
}

const [name = '', words = ''] = process.argv.slice(2);
if (!(name in DRIVES)) throw new TypeError(`no demonstration ${name}`);
await main(name as DriveName, JSON.parse(words) as LabWords);
