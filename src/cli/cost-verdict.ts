/** `nearwire cost verdict`: the layers of a request, and whether the hop is the bottleneck. */
import { Command } from 'commander';

import type { LayersResult } from '../../bench/cost/layers/index.js';
import { choiceOf, type CostWords } from './cost-words.js';
import { measure, type Reports } from './measuring.js';

type Words = Pick<CostWords, 'stack' | 'app' | 'wsgi' | 'path' | 'appMs'> & {
  readonly json?: string;
  readonly html?: string;
};

const MORE_HELP = `
All processes of a server share one processor with the load generator, so that the time a request takes is the work of
all of them. Linux only. Takes three minutes, and tells its first verdict after one.`;

export function verdictCommand(): Command {
  return new Command('verdict')
    .description('how much of a request the hop is, in three minutes: one verdict, layer by layer')
    .option('--stack <a,b>', 'the first of these in layers, and the others against it (names: nearwire cost --help)')
    .option('--app <file.js>', 'with your own Node application: a module that exports a request listener')
    .option('--wsgi <file:callable>', 'with your own WSGI application, behind uWSGI')
    .option('--path <path>', 'what is asked of it (default /)')
    .option('--app-ms <n>', 'with an application that takes so many milliseconds, as in 2.5')
    .option('--json <file>', 'write all figures to a file')
    .option('--html <file>', 'write a page with a plot')
    .addHelpText('after', MORE_HELP)
    .action(verdict);
}

async function verdict(words: Words): Promise<void> {
  const { app, wsgi, appMs, ownPath = '/', stacks: known } = choiceOf(words);
  const stacks = words.stack?.split(',').flatMap((name) => known.find((stack) => stack.name === name.trim()) ?? []);
  const { measureLayers } = await import('../../bench/cost/layers/index.js');
  await measure(words, (control) => measureLayers({ stacks, app, wsgi, appMs, ownPath, ...control }), REPORTS);
}

const REPORTS: Reports<LayersResult> = {
  text: async (result) => (await import('../../bench/cost/layers/verdict-text.js')).renderLayersResult(result),
  html: async (result) => (await import('../../bench/cost/layers/verdict-page.js')).verdictPageOf(result),
  json: async (result) => (await import('../../bench/cost/layers/index.js')).layersJsonOf(result),
};
