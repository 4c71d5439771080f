/**
 * The supervisor process, which outlives a run. When its stdin ends, which happens however the run ends, it kills
 * everything that the run has started and removes its folder. `node keeper.js FOLDER`; each line on stdin lists the
 * current servers.
 */
import { createInterface } from 'node:readline';

import { endRun } from './ending.js';

const [folder = ''] = process.argv.slice(2);
let leaders: number[] = [];
for await (const line of createInterface({ input: process.stdin })) leaders = JSON.parse(line) as number[];
await endRun(leaders, folder);
