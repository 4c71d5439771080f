/** 9. nginx that answers by itself: all that a front does for a request of its own. */
import { writeFileSync } from 'node:fs';

import type { RunningStack, Stack, StackPlace, Work } from '../model.js';
import { answerOf, HELLO } from '../works.js';
import { launchNginx } from './nginx.js';
import { startParts } from './parts.js';

/** nginx takes a word of its configuration of no more than 4 KiB; longer answers are files. */
const LONGEST_WORD = 2048;

/** Answers the one work, whose body is known. */
export function startNginxAlone(place: StackPlace, work: Work): Promise<RunningStack> {
  return startParts(place, async (parts) => {
    const body = answerOf(work) ?? '';
    const [path = ''] = work.path.split('?');
    const file = parts.file('answer');
    const isWord = body.length <= LONGEST_WORD;
    if (!isWord) writeFileSync(file, body);
    const answer = isWord ? `return 200 "${body.replace('\n', '\\n')}";` : `alias ${file}; open_file_cache max=1;`;
    const target = await launchNginx(parts, {
      server: [`location = ${path} { default_type text/plain; ${answer} }`],
    });
    await parts.untilServing(target, work.path, body);
    return { target, hopTarget: undefined };
  });
}

export const NGINX_ALONE: Stack = {
  name: 'nginx',
  title: 'nginx alone',
  language: 'none',
  hop: undefined,
  needs: ['nginx'],
  works: ['hello'],
  start: (place) => startNginxAlone(place, HELLO),
};
