/** nginx as Debian configures it, with one worker and no access log: the front of most stacks. */
import { writeFileSync } from 'node:fs';

import { freePort } from '../free-port.js';
import type { Hop, Target } from '../model.js';
import type { Parts } from './parts.js';

/** As many as connections of a load, and some more: fewer would be closed after their request. */
const KEPT_CONNECTIONS = 128;
const TEMPORARY = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'];

export interface FrontOptions {
  /** Directives of the http block, besides Debian's. */
  readonly http?: readonly string[];
  /** Directives of the server block. */
  readonly server: readonly string[];
}

export interface FrontPlace {
  readonly folder: string;
  readonly errorLog: string;
  /** What follows `listen`. */
  readonly listen: string;
  /** Whether it is run as root, if only of a user namespace. Default: whether we are. */
  readonly isRoot?: boolean;
}

/** The text of its configuration file. */
export function nginxConfiguration(
  { folder, errorLog, listen, isRoot = process.getuid?.() === 0 }: FrontPlace,
  { http = [], server }: FrontOptions,
): string {
  // The workers stay root: an app server's socket is then reachable whatever its mode.
  return `${isRoot ? 'user root;' : ''}
worker_processes 1;
daemon off;
pid ${folder}/nginx.pid;
error_log ${errorLog};
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
${TEMPORARY.map((name) => `  ${name}_temp_path ${folder}/${name}_temp;`).join('\n')}
${http.map((line) => `  ${line}`).join('\n')}
  server {
    listen ${listen};
    server_name localhost;
${server.map((line) => `    ${line}`).join('\n')}
  }
}
`;
}

/** Starts it, and answers where it listens. It may not serve yet. */
export async function launchNginx(parts: Parts, options: FrontOptions): Promise<Target> {
  const port = await freePort();
  const { folder } = parts.place;
  const [config, errorLog] = [parts.file('nginx.conf'), parts.file('nginx-error.log')];
  writeFileSync(config, nginxConfiguration({ folder, errorLog, listen: `127.0.0.1:${String(port)}` }, options));
  parts.logs.push(errorLog);
  await parts.launch({
    name: 'nginx',
    role: 'front',
    command: parts.program('nginx'),
    args: ['-p', folder, '-c', config, '-e', errorLog],
  });
  return { host: '127.0.0.1', port };
}

/** What has it pass requests on by HTTP. Each way is spelt out, as nginx 1.29.7 changed the default. */
export function proxyOptions(upstream: Target, connections: Hop['connections']): FrontOptions {
  if (connections === 'close') {
    return {
      http: [`upstream app { server ${addressOf(upstream)}; }`],
      server: ['location / { proxy_pass http://app; proxy_http_version 1.0; proxy_set_header Connection close; }'],
    };
  }
  return {
    http: [`upstream app { server ${addressOf(upstream)}; keepalive ${String(KEPT_CONNECTIONS)}; }`],
    server: ['location / { proxy_pass http://app; proxy_http_version 1.1; proxy_set_header Connection ""; }'],
  };
}

/** As `uwsgi_params`, which Debian has in /etc/nginx and others elsewhere. */
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

/** What has it pass requests on by the uwsgi protocol, which has a connection for each. */
export function uwsgiOptions(upstream: Target): FrontOptions {
  const params = UWSGI_PARAMS.map((param) => `uwsgi_param ${param};`).join(' ');
  return {
    http: [`upstream app { server ${addressOf(upstream)}; }`],
    server: [`location / { ${params} uwsgi_pass app; }`],
  };
}

/** As an upstream names it. */
export function addressOf(target: Target): string {
  return 'path' in target ? `unix:${target.path}` : `${target.host}:${String(target.port)}`;
}
