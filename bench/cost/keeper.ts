/**
 * The process that outlives a run: when its stdin ends, as it does whatever has ended the run, all that the run has started
 * is killed and its folder removed. `node keeper.js FOLDER`; each line on stdin has the servers that there are by then.
 */
import { createInterface } from 'node:readline';

import { endRun } from './ending.js';

const [folder = ''] = process.argv.slice(2);
let leaders: number[] = [];
for await (const line of createInterface({ input: process.stdin })) leaders = JSON.parse(line) as number[];
await endRun(leaders, folder);
