/** Servers of others, each an instance of its own: a temporary directory, a UNIX socket there, and a free port. */
import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, chownSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { freePort } from '../../../bench/cost/free-port.js';
import type { Family } from '../subjects.js';
import type { Address } from './seam.js';

/** Where to reach it, and how to be rid of it. */
export class Daemon {
  private output = '';

  private constructor(
    private readonly child: ChildProcess,
    private readonly directory: string,
    private readonly addresses: Readonly<Record<Family, Address>>,
    private readonly stopSignal: NodeJS.Signals,
  ) {}

  /** Starts `command` and waits until it has said `ready`. */
  static async start(place: Place, plan: Plan): Promise<Daemon> {
    const { command, words, ready, owner, stopSignal = 'SIGTERM' } = plan;
    const child = spawn(command, words, { cwd: place.directory, stdio: ['ignore', 'pipe', 'pipe'], ...owner });
    const addresses = { unix: { path: place.path }, tcp: { host: HOST, port: place.port } };
    const daemon = new Daemon(child, place.directory, addresses, stopSignal);
    await daemon.said(ready, command);
    return daemon;
  }

  address(family: Family): Address {
    return this.addresses[family];
  }

  private said(ready: string, command: string): Promise<void> {
    return new Promise((resolve, reject) => {
      const onData = (chunk: Buffer): void => {
        this.output += chunk.toString();
        if (this.output.includes(ready)) resolve();
      };
      this.child.stdout?.on('data', onData);
      this.child.stderr?.on('data', onData);
      this.child.once('error', reject);
      this.child.once('exit', (code) => {
        reject(new Error(`${command} ended with ${String(code)}: ${this.output}`));
      });
    });
  }

  async stop(): Promise<void> {
    if (this.child.exitCode === null && this.child.signalCode === null) {
      const gone = once(this.child, 'exit');
      this.child.kill(this.stopSignal);
      await gone;
    }
    rmSync(this.directory, { recursive: true, force: true });
  }
}

const HOST = '127.0.0.1';

/** Where an instance lives. */
interface Place {
  readonly directory: string;
  readonly path: string;
  readonly port: number;
}

interface Plan {
  readonly command: string;
  readonly words: readonly string[];
  /** What it writes when it takes connections. */
  readonly ready: string;
  readonly owner?: Owner;
  /** Default: SIGTERM. */
  readonly stopSignal?: NodeJS.Signals;
}

interface Owner {
  readonly uid?: number;
  readonly gid?: number;
}

async function newPlace(name: string, owner: Owner = {}): Promise<Place> {
  const directory = mkdtempSync(join(tmpdir(), `nearwire-${name}-`));
  if (owner.uid !== undefined && owner.gid !== undefined) chownSync(directory, owner.uid, owner.gid);
  return { directory, path: join(directory, `${name}.sock`), port: await freePort() };
}

/** The account of this name, for a server that refuses to be root; nothing where we are somebody else already. */
function ownerFor(name: string): Owner {
  if (process.getuid?.() !== 0) return {};
  const entry = readFileSync('/etc/passwd', 'utf8')
    .split('\n')
    .map((line) => line.split(':'))
    .find(([account]) => account === name);
  if (entry === undefined) throw new Error(`there is no account "${name}"`);
  return { uid: Number(entry[2]), gid: Number(entry[3]) };
}

export async function startPostgres(command: string): Promise<Daemon> {
  const owner = ownerFor('postgres');
  const place = await newPlace('pg', owner);
  const data = join(place.directory, 'data');
  const make = ['-D', data, '-A', 'trust', '-U', 'postgres', '--no-sync'];
  execFileSync(join(dirname(command), 'initdb'), make, { ...owner, cwd: place.directory, stdio: 'ignore' });
  const settings = [`listen_addresses=${HOST}`, `port=${String(place.port)}`, 'fsync=off'];
  const words = ['-D', data, '-k', place.directory, ...settings.flatMap((setting) => ['-c', setting])];
  const ready = 'database system is ready to accept connections';
  // It names its socket by itself.
  const named = { ...place, path: join(place.directory, `.s.PGSQL.${String(place.port)}`) };
  // At once: clients that are still there would hold it up.
  return Daemon.start(named, { command, words, ready, owner, stopSignal: 'SIGQUIT' });
}

export async function startRedis(command: string): Promise<Daemon> {
  const place = await newPlace('redis');
  const { directory, path, port } = place;
  const words = ['--port', String(port), '--bind', HOST, '--unixsocket', path, '--dir', directory, '--save', ''];
  return Daemon.start(place, { command, words, ready: 'Ready to accept connections unix' });
}

export async function startMariadb(command: string): Promise<Daemon> {
  const owner = ownerFor('mysql');
  const place = await newPlace('mysql', owner);
  const { directory, path, port } = place;
  const data = join(directory, 'data');
  const make = ['--no-defaults', `--datadir=${data}`, '--auth-root-authentication-method=normal', '--skip-test-db'];
  execFileSync('mariadb-install-db', make, { ...owner, cwd: directory, stdio: 'ignore' });
  const where = [`--datadir=${data}`, `--socket=${path}`, `--port=${String(port)}`, `--bind-address=${HOST}`];
  const words = ['--no-defaults', ...where, `--pid-file=${join(directory, 'pid')}`];
  return Daemon.start(place, { command, words, ready: 'ready for connections', owner });
}

/** The options of nginx's upstream that make it stream, and hang up with its client. */
const NGINX_PROXY = `
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_buffering off;
      proxy_request_buffering off;`;

/** Connections that a proxy keeps to the program. */
const KEPT = 32;

export async function startNginx(command: string, upstream: Address): Promise<Daemon> {
  const place = await newPlace('nginx');
  const server = 'path' in upstream ? `unix:${upstream.path}` : `${upstream.host}:${String(upstream.port)}`;
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'];
  const config = `
  ${process.getuid?.() === 0 ? 'user root;' : ''}
  daemon off;
  worker_processes 1;
  pid ${place.directory}/pid;
  error_log stderr notice;
  events { worker_connections 1024; }
  http {
    access_log off;
    client_max_body_size 0;
    keepalive_requests 1000000;
    ${temporary.map((name) => `${name}_temp_path ${place.directory}/${name};`).join('\n    ')}
    upstream program { server ${server}; keepalive ${String(KEPT)}; keepalive_requests 1000000; }
    server {
      listen unix:${place.path};
      listen ${HOST}:${String(place.port)};
      location / { proxy_pass http://program;${NGINX_PROXY}
      }
    }
  }`;
  const file = join(place.directory, 'nginx.conf');
  writeFileSync(file, config);
  return Daemon.start(place, { command, words: ['-c', file, '-e', 'stderr'], ready: 'start worker process ' });
}

export async function startHaproxy(command: string, upstream: Address): Promise<Daemon> {
  const place = await newPlace('haproxy');
  const server = 'path' in upstream ? `unix@${upstream.path}` : `${upstream.host}:${String(upstream.port)}`;
  const config = `
global
  maxconn 2000
defaults
  mode http
  timeout connect 10s
  timeout client 60s
  timeout server 60s
  option abortonclose
  http-reuse always
frontend clients
  bind unix@${place.path}
  bind ${HOST}:${String(place.port)}
  default_backend program
backend program
  server program ${server} pool-max-conn ${String(KEPT)}
`;
  const file = join(place.directory, 'haproxy.cfg');
  writeFileSync(file, config);
  return Daemon.start(place, { command, words: ['-W', '-db', '-f', file], ready: 'Loading success' });
}

/** Its workers have an account of their own. */
function openTo(path: string): void {
  chmodSync(dirname(path), 0o755);
  chmodSync(path, 0o777);
}

/** The modules of Debian's Apache, and of others'. */
const APACHE_MODULES = ['/usr/lib/apache2/modules', '/usr/lib64/httpd/modules', '/opt/homebrew/lib/httpd/modules'];

export async function startApache(command: string, upstream: Address): Promise<Daemon> {
  const place = await newPlace('apache');
  const program =
    'path' in upstream ? `unix:${upstream.path}|http://program` : `http://${upstream.host}:${String(upstream.port)}`;
  const folder = APACHE_MODULES.find((path) => existsSync(path)) ?? '';
  if ('path' in upstream) openTo(upstream.path);
  const modules = ['mpm_event', 'authz_core', 'proxy', 'proxy_http'];
  // It listens on ports only.
  const config = `
${modules.map((name) => `LoadModule ${name}_module ${folder}/mod_${name}.so`).join('\n')}
ServerName localhost
ServerRoot ${place.directory}
DefaultRuntimeDir ${place.directory}
PidFile ${place.directory}/pid
ErrorLog "|/bin/cat"
LogLevel notice
Listen ${HOST}:${String(place.port)}
ProxyPass / ${program}/
${process.getuid?.() === 0 ? 'User www-data\nGroup www-data' : ''}
`;
  const file = join(place.directory, 'apache.conf');
  writeFileSync(file, config);
  return Daemon.start(place, { command, words: ['-D', 'FOREGROUND', '-f', file], ready: 'resuming normal operations' });
}
