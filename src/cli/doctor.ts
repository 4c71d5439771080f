/** `nearwire doctor`: finds what keeps a reverse proxy from an application, and how to fix it. */
import { readFileSync } from 'node:fs';

import { command, REPORT_OPTIONS } from './command.js';
import { EXIT_CODES } from './exit-codes.js';
import { jsonText, print } from './output-file.js';
import { UsageError } from './usage.js';

export const doctorCommand = command({
  name: 'doctor',
  summary: 'examine this host, and a socket as a web server would use it',
  operands: '[path|@name|unix:path]',
  mostOperands: 1,
  options: {
    user: {
      type: 'string',
      value: 'name',
      help: "user that connects to the socket (default: that of a running nginx's workers, else the first of www-data, nginx and nobody that exists)",
    },
    'nginx-log': {
      type: 'string',
      value: 'file',
      help: 'error log of nginx: names the causes of its 502 responses; with a path, only those of that path',
    },
    ...REPORT_OPTIONS,
  },
  more: 'Exit codes: 0 nothing to fix; 1 warnings or problems; 2 invalid arguments.',
  run: doctor,
});

interface Words {
  readonly user?: string;
  readonly 'nginx-log'?: string;
  readonly json?: boolean;
  readonly output?: string;
}

async function doctor(words: Words, [path]: readonly string[]): Promise<void> {
  const { user, 'nginx-log': nginxLog, json, output } = words;
  // Loaded here because --help does not need it.
  const { examine } = await import('../doctor/examine.js');
  const { accountOf, frontAccount } = await import('../doctor/account.js');
  const { plainPath } = await import('../doctor/socket-path.js');
  if (path === '') throw new UsageError('the path is empty');
  const account = user === undefined ? frontAccount() : accountOf(user);
  if (user !== undefined && account === undefined) throw new UsageError(`--user ${user}: there is no such account`);
  const diagnosis = await examine({
    ...(path !== undefined && { path: plainPath(path) }),
    ...(account !== undefined && { account }),
    ...(nginxLog !== undefined && { nginxLog: readLog(nginxLog) }),
  });
  if (diagnosis.worst === 'warning' || diagnosis.worst === 'problem') process.exitCode = EXIT_CODES.found;
  if (json === true) {
    print(jsonText({ schema: 1, ...diagnosis }), output);
    return;
  }
  const { renderDiagnosis } = await import('./doctor-text.js');
  print(renderDiagnosis(diagnosis), output);
}

function readLog(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw new UsageError(`--nginx-log ${file}: ${(error as Error).message}`);
  }
}
