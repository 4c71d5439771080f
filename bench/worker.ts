/**
 * The Node process of a cell: a server or a client of one case on one subject, or work inside one process. cell.ts
 * starts it with the same arguments as the C program. It loads only what its subject needs, so that node:net is
 * measured in a process without nearwire.
 */
import { tell } from './work/control.js';
import { isHttp } from './work/http-cases.js';
import { importSubject, subjectOf } from './work/subject-module.js';
import { parseWords, targetOf } from './work/words.js';

const words = parseWords(process.argv.slice(2));
const target = targetOf(words);

switch (words.role) {
  case 'serve':
    await serve();
    break;
  case 'load':
    await load();
    break;
  case 'micro': {
    const { timeOperation } = await import('./micro/main.js');
    tell({ result: timeOperation(words) });
    break;
  }
  case 'describe': {
    const entries = Object.entries(await importSubject(words.module));
    tell({ functions: entries.filter(([, value]) => typeof value === 'function').map(([name]) => name) });
    // The module may keep the process running.
    process.exit(0);
    break;
  }
  default:
    throw new TypeError(`no role ${words.role}`);
}

async function serve(): Promise<void> {
  if (words.subject === 'nginx') {
    await (await import('./work/nginx.js')).serveNginx(words, target);
  } else if (words.subject === 'channel') {
    (await import('./work/channel.js')).serveChannel(words, target);
  } else {
    const subject = await subjectOf(words);
    if (isHttp(words.case)) (await import('./work/http.js')).serveHttp(subject, words, target);
    else (await import('./work/stream.js')).serveStream(subject, words, target);
  }
}

async function load(): Promise<void> {
  const loads = await import('./work/loads.js');
  const connect =
    words.subject === 'channel'
      ? (await import('./work/channel.js')).connectChannel(target)
      : (await import('./work/stream.js')).connectStream(await subjectOf(words), target);
  await loads.load(connect, words);
}
