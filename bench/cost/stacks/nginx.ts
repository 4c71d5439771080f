/**
 * nginx as Debian configures it, with one worker and no access log: as the reverse proxy of most stacks, and by itself.
 */
import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';

import type { Hop, Target, Work } from '../model.js';
import { answerOf, HELLO } from '../works.js';
import { addressOf, type Command } from './parts.js';

/** More than a load has connections: otherwise some would be closed after their request. */
const KEPT_CONNECTIONS = 128;
/** Folders that it creates at startup, by the modules that it may have been built without. */
const TEMPORARY = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'];
/** nginx limits an argument in its configuration to 4 KiB; longer responses are files. */
const LONGEST_WORD = 2048;

/** Directives, by the block that contains them. */
export interface Directives {
  readonly http?: readonly string[];
  readonly server: readonly string[];
}

/** It logs to stderr. `listen`: the arguments of that directive. */
export function nginxCommand(program: string, folder: string, listen: string, directives: Directives): Command {
  const { stderr: built } = spawnSync(program, ['-V'], { encoding: 'utf8' });
  const temporary = TEMPORARY.filter((name) => !built.includes(`--without-http_${name}_module`));
  const file = `${folder}/nginx.conf`;
  writeFileSync(
    file,
    // The workers stay root: an app server's socket is then reachable whatever its mode. Other users get a warning.
    `user root;
worker_processes 1;
daemon off;
pid ${folder}/nginx.pid;
error_log stderr;
# More than Debian's 768: it is not nginx whose connections are to run out.
events { worker_connections 4096; }
worker_rlimit_nofile 16384;
http {
  # Debian's nginx.conf
  sendfile on;
  tcp_nopush on;
  types_hash_max_size 2048;
  server_tokens off;
  types { text/html html; }
  default_type application/octet-stream;
  gzip on;
  # a measurement's
  access_log off;
  ${temporary.map((name) => `${name}_temp_path ${folder}/${name}_temp;`).join('\n  ')}
  ${(directives.http ?? []).join('\n  ')}
  server {
    listen ${listen};
    server_name localhost;
    ${directives.server.join('\n    ')}
  }
}
`,
  );
  return { name: 'nginx', command: program, args: ['-p', folder, '-c', file, '-e', 'stderr'], roleOf: () => 'front' };
}

/** An app server under the name `app`. */
export function upstreamOf(target: Target, more = ''): string {
  return `upstream app { server ${'path' in target ? 'unix:' : ''}${addressOf(target)}; ${more} }`;
}

/** The directives that make it forward requests. Each way is explicit, as nginx 1.29.7 changed the default. */
export function passingOn(
  { protocol, connections }: Pick<Hop, 'protocol' | 'connections'>,
  target: Target,
): Directives {
  if (protocol === 'uwsgi') {
    const params = UWSGI_PARAMS.map((param) => `uwsgi_param ${param};`).join(' ');
    return { http: [upstreamOf(target)], server: [`location / { ${params} uwsgi_pass app; }`] };
  }
  const isKept = connections === 'keep-alive';
  const [version, connection] = isKept ? ['1.1', '""'] : ['1.0', 'close'];
  return {
    http: [upstreamOf(target, isKept ? `keepalive ${String(KEPT_CONNECTIONS)};` : '')],
    server: [
      `location / { proxy_pass http://app; proxy_http_version ${version}; proxy_set_header Connection ${connection}; }`,
    ],
  };
}

/** A copy of `uwsgi_params`, which Debian has in /etc/nginx and others elsewhere. */
const UWSGI_PARAMS = [
  'QUERY_STRING $query_string',
  'REQUEST_METHOD $request_method',
  'CONTENT_TYPE $content_type',
  'CONTENT_LENGTH $content_length',
  'REQUEST_URI $request_uri',
  'PATH_INFO $document_uri',
  'DOCUMENT_ROOT $document_root',
  'SERVER_PROTOCOL $server_protocol',
  'REQUEST_SCHEME $scheme',
  'HTTPS $https if_not_empty',
  'REMOTE_ADDR $remote_addr',
  'REMOTE_PORT $remote_port',
  'SERVER_PORT $server_port',
  'SERVER_NAME $server_name',
];

/** The directives that make it respond by itself: with hello world, and with another work whose body is known. */
export function answering(folder: string, work: Work): Directives {
  const locations = [...new Set([HELLO, work])].map((each) => {
    const body = answerOf(each) ?? '';
    const file = `${folder}/answer`;
    const isWord = body.length <= LONGEST_WORD;
    if (!isWord) writeFileSync(file, body);
    const answer = isWord ? `return 200 "${body.replace('\n', '\\n')}";` : `alias ${file}; open_file_cache max=1;`;
    return `location = ${each.path.replace(/\?.*/, '')} { default_type text/plain; ${answer} }`;
  });
  return { server: locations };
}
