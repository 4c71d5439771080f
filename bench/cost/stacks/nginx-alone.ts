/** 9. nginx that answers by itself: the ceiling of the load generator. */
import { writeFileSync } from 'node:fs';

import type { Stack } from '../model.js';
import { answerOf, workNamed } from '../works.js';
import { launchNginx } from './nginx.js';
import { startParts } from './parts.js';

export const NGINX_ALONE: Stack = {
  name: 'nginx',
  title: 'nginx alone',
  language: 'none',
  hop: undefined,
  needs: ['nginx'],
  works: ['hello', 'download', 'upload'],
  start: (place) =>
    startParts(place, async (parts) => {
      const [hello, download, upload] = [workNamed('hello'), workNamed('download'), workNamed('upload')];
      const body = answerOf(hello) ?? '';
      const file = parts.file('download');
      writeFileSync(file, answerOf(download) ?? '');
      const target = await launchNginx(parts, {
        server: [
          `location = ${hello.path} { default_type text/plain; return 200 "${body.replace('\n', '\\n')}"; }`,
          `location = ${download.path} { alias ${file}; }`,
          // `return` would answer before the body is read. A mirror reads it; then a POST for a file is refused (405),
          // and that is made the answer.
          `location = ${upload.path} { mirror /read; alias ${file}; error_page 405 =200 @read; }`,
          'location = /read { internal; return 204; }',
          'location @read { default_type text/plain; return 200 "$content_length\\n"; }',
        ],
      });
      await parts.untilServing(target, hello.path, body);
      return { target, hopTarget: undefined };
    }),
};
