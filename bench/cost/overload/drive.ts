/** The process of a demonstration: drives one limit and tells, in JSON lines, what it does and what it has seen. */
import { setMaxListeners } from 'node:events';

import { Control, tell } from '../../work/control.js';
import type { Overload } from '../model.js';
import { Processes, StackError } from '../processes.js';
import { driveBuffers } from './buffers.js';
import { Lab, type LabWords } from './lab.js';
import { drivePorts } from './ports.js';
import { NODE, UWSGI } from './queue-subjects.js';
import { driveQueue } from './queue.js';
import { driveSpool } from './spool.js';

const DRIVES = {
  'queue-unix': (lab: Lab) => driveQueue(lab, NODE.unix),
  'queue-tcp': (lab: Lab) => driveQueue(lab, NODE.tcp),
  'queue-uwsgi': (lab: Lab) => driveQueue(lab, UWSGI),
  ports: drivePorts,
  'buffers-unix': (lab: Lab) => driveBuffers(lab, 'unix'),
  'buffers-tcp': (lab: Lab) => driveBuffers(lab, 'tcp'),
  'buffers-front': driveSpool,
} satisfies Record<string, (lab: Lab) => Promise<Overload[]>>;

export type DriveName = keyof typeof DRIVES;

async function main(name: DriveName, words: LabWords): Promise<void> {
  const abort = new AbortController();
  // Each request that is under way listens.
  setMaxListeners(0, abort.signal);
  const processes = await Processes.start(abort.signal);
  // At the end of stdin: what was started ends before this process does, and its files are removed.
  new Control(async () => {
    abort.abort(new Error('stopped'));
    await processes.end();
  });
  const lab = new Lab(words, processes, abort.signal, (step) => {
    tell({ told: { step } });
  });
  try {
    tell({ told: { overloads: await DRIVES[name](lab) } });
  } catch (error) {
    // What it comes to then is that it was stopped.
    if (abort.signal.aborted) return;
    // What went wrong out there, in words; of a fault of our own, where it is.
    const failed = error instanceof StackError ? error.message : error instanceof Error ? error.stack : String(error);
    tell({ told: { failed: failed ?? 'unknown' } });
  }
}

const [name = '', words = ''] = process.argv.slice(2);
if (!(name in DRIVES)) throw new TypeError(`no demonstration ${name}`);
await main(name as DriveName, JSON.parse(words) as LabWords);
