/** `nearwire doctor`: what stands between a front and an application, and how to mend it. */
import { readFileSync } from 'node:fs';
import { Command } from 'commander';
import { UsageError } from './usage.js';

interface Words {
  readonly user?: string;
  readonly nginxLog?: string;
  readonly json?: boolean;
}

export function doctorCommand(): Command {
  return new Command('doctor')
    .description('examine this host, and a socket as a web server would meet it')
    .argument('[path]', 'a UNIX socket: a path, @NAME for an abstract one, or unix:PATH as nginx writes it')
    .option('--user <name>', 'who is to connect to it (default: www-data, nginx or nobody, which there is first)')
    .option('--nginx-log <file>', "an error log of nginx: names the causes of its 502s; with a path, that path's alone")
    .option('--json', 'print findings as JSON')
    .addHelpText('after', '\nExit codes: 0 nothing to mend, 1 warnings, 3 problems, 2 a wrong command line.')
    .action(doctor);
}

async function doctor(given: string | undefined, { user, nginxLog, json }: Words): Promise<void> {
  // Loaded here: the other commands do without it.
  const { examine } = await import('../doctor/examine.js');
  const { accountOf, frontAccount } = await import('../doctor/account.js');
  const { plainPath } = await import('../doctor/socket-path.js');
  if (given === '') throw new UsageError('the path is empty');
  const account = user === undefined ? frontAccount() : accountOf(user);
  if (user !== undefined && account === undefined) throw new UsageError(`--user ${user}: there is no such account`);
  const diagnosis = await examine({
    ...(given !== undefined && { path: plainPath(given) }),
    ...(account !== undefined && { account }),
    ...(nginxLog !== undefined && { nginxLog: readLog(nginxLog) }),
  });
  process.exitCode = diagnosis.exitCode;
  if (json === true) {
    process.stdout.write(`${JSON.stringify(diagnosis, null, 1)}\n`);
    return;
  }
  const { renderDiagnosis } = await import('../doctor/report.js');
  process.stdout.write(renderDiagnosis(diagnosis));
}

function readLog(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw new UsageError(`--nginx-log ${file}: ${(error as Error).message}`);
  }
}
