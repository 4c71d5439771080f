/** nginx before an application, with as much of its configuration as a demonstration is about. */
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import type { Target } from '../model.js';

/** Directories that it makes at its start, by the modules that it may have been built without. */
const TEMPORARY = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'];
/** Groups of user root, which is the only one in a user namespace. */
const ROOT_GROUP = process.platform === 'darwin' ? 'wheel' : 'root';

/** Kept answers of HTTP/1.1; without a pool to keep connections in it is nginx that closes. */
export const NGINX_CLOSES = ['proxy_http_version 1.1;', 'proxy_set_header Connection "";'];
/** nginx's own settings up to 1.29.6: it is the application that closes. */
export const LEFT_TO_APP = ['proxy_http_version 1.0;', 'proxy_set_header Connection close;'];

/** Lines of the configuration. */
export interface FrontSettings {
  /** Of its `location`: what is done with a request. */
  readonly location?: readonly string[] | undefined;
  /** Of its `upstream`. */
  readonly upstream?: readonly string[] | undefined;
}

export interface ConfiguredFront {
  readonly args: readonly string[];
  /** Its socket: over TCP its users would take ports too. */
  readonly path: string;
  /** The file that it logs errors and warnings to. */
  readonly log: string;
}

export function configureFront(
  program: string,
  folder: string,
  upstream: Target,
  settings: FrontSettings,
): ConfiguredFront {
  const [path, log, file] = [join(folder, 'front.sock'), join(folder, 'error.log'), join(folder, 'nginx.conf')];
  const { stderr: built } = spawnSync(program, ['-V'], { encoding: 'utf8' });
  const temporary = TEMPORARY.filter((name) => !built.includes(`--without-http_${name}_module`));
  writeFileSync(
    file,
    `${process.getuid?.() === 0 ? `user root ${ROOT_GROUP};` : ''}
daemon off;
worker_processes 1;
pid "${folder}/pid";
error_log "${log}" warn;
events { worker_connections 16384; }
http {
  access_log off;
  keepalive_timeout 1h;
  keepalive_requests 1000000000;
  ${temporary.map((name) => `${name}_temp_path "${folder}/${name}";`).join('\n  ')}
  upstream app {
    server ${'path' in upstream ? `unix:${upstream.path}` : `${upstream.host}:${String(upstream.port)}`} max_fails=0;
    ${(settings.upstream ?? []).join('\n    ')}
  }
  server {
    listen "unix:${path}" backlog=4096;
    location / {
      proxy_pass http://app;
      ${(settings.location ?? []).join('\n      ')}
    }
  }
}
`,
  );
  return { args: ['-p', folder, '-c', file, '-e', log], path, log };
}

/** A log that is read as it grows. */
export class Log {
  private read = 0;

  constructor(private readonly file: string) {}

  /** The lines that have come since the last call, without what is of the moment: date, process, connection. */
  newLines(): string[] {
    const text = existsSync(this.file) ? readFileSync(this.file, 'utf8') : '';
    const lines = text.slice(this.read).split('\n').filter(Boolean);
    this.read = text.length;
    return lines.map((line) => line.replace(/^\S+ \S+ (\[\w+\]) \d+#\d+: (\*\d+ )?/, '$1 '));
  }
}
