/** Clusters as small programs: one text for the primary, one for its workers. */
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { childResult, type ChildResult } from './children.js';
import { cleanup } from './sockets.js';

export const built = (file: string): string => fileURLToPath(new URL(`../../dist/bundle/${file}.js`, import.meta.url));

export interface ClusterStart {
  transport?: 'auto' | 'native' | 'js';
  tcp?: boolean;
  registered?: boolean;
  environment?: Record<string, string>;
}

const HEAD = `
const cluster = require('node:cluster'); const http = require('node:http'); const net = require('node:net');
const { once } = require('node:events');
const say = (value) => process.stdout.write(JSON.stringify(value) + '\\n');
const at = process.argv.at(-1);
const path = at.includes('/') ? at : undefined;
const where = () => path === undefined ? { port: Number(process.env.PORT), host: '127.0.0.1' } : { path };
const ask = (agent) => new Promise((resolve) => {
  const target = path === undefined ? { port: where().port, host: '127.0.0.1' } : { socketPath: path };
  const request = http.get({ ...target, agent }, (response) => {
    let text = '';
    response.setEncoding('utf8').on('data', (data) => (text += data)).on('end', () => resolve(text));
    response.on('error', (error) => resolve(error.code));
  });
  request.on('error', (error) => resolve(error.code));
});
const listening = async (worker) => { const [address] = await once(worker, 'listening'); return address; };
`;

/** Runs `primary` in the primary and `worker` in what it forks. */
export function runCluster(
  primary: string,
  worker: string,
  at: string,
  start: ClusterStart = {},
): Promise<ChildResult> {
  const { transport = 'auto', tcp = false, registered = true, environment = {} } = start;
  const flags = registered ? ['--require', built('register')] : [];
  const code = `${HEAD} (async () => { if (cluster.isPrimary) { ${primary} } else { ${worker} } })();`;
  const child = spawn(process.execPath, [...flags, '-e', code, '--', at], {
    env: {
      ...process.env,
      NEARWIRE_TRANSPORT: transport,
      NEARWIRE_TCP: tcp ? '1' : '',
      LIBRARY: built('index'),
      ...environment,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  cleanup(() => child.kill('SIGKILL'));
  return childResult(child);
}
