/** All that the doctor looks at, in groups. */
import { readdirSync } from 'node:fs';
import { addonStatus } from '../native.js';
import type { Account } from './account.js';
import { checkContainer } from './container.js';
import { exitCodeOf, worstOf, type Finding, type Level } from './finding.js';
import { checkFronts } from './front.js';
import { checkLimits, openFileLimits } from './limits.js';
import { checkListener } from './listener.js';
import { checkNginxLog } from './nginx-log.js';
import { checkCalls, checkSandbox } from './sandbox.js';
import { checkForm, walkPath } from './socket-path.js';
import { readText } from './system-files.js';
import { checkTransport } from './transport.js';

export interface Group {
  title: string;
  findings: Finding[];
}

export interface Diagnosis {
  groups: Group[];
  /** The first of what stands in nginx's way to the path: what it answers 502 for, and logs. */
  cause?: Finding;
  worst: Level;
  exitCode: number;
}

export interface Questions {
  /** A socket to be examined; a leading NUL is an abstract name. */
  path?: string;
  /** Who is to connect to it. */
  account?: Account;
  /** The text of an error log of nginx. */
  nginxLog?: string;
}

export async function examine({ path, account, nginxLog }: Questions): Promise<Diagnosis> {
  const groups: Group[] = [
    { title: 'transport', findings: checkTransport() },
    { title: 'limits', findings: checkLimits(readText, ownLimits()) },
    {
      title: 'sandbox and calls',
      findings: [...checkSandbox(readText), ...checkCalls(addonStatus().addon !== undefined)],
    },
    { title: 'container', findings: checkContainer(readText) },
  ];
  let cause: Finding | undefined;
  if (path !== undefined) {
    const findings = await examineSocket(path, account);
    // They stand in the order in which the kernel looks.
    cause = findings.find(({ nginx }) => nginx !== undefined);
    groups.push({ title: path.replace('\0', '@'), findings });
  }
  if (nginxLog !== undefined) groups.push({ title: "nginx's error log", findings: checkNginxLog(nginxLog, path) });
  const all = groups.flatMap(({ findings }) => findings);
  return { groups, ...(cause && { cause }), worst: worstOf(all), exitCode: exitCodeOf(all) };
}

function ownLimits(): ReturnType<typeof openFileLimits> {
  const text = readText('/proc/self/limits');
  return text === undefined ? undefined : openFileLimits(text, readdirSync('/proc/self/fd').length);
}

async function examineSocket(path: string, account: Account | undefined): Promise<Finding[]> {
  const form = checkForm(path);
  // There is nothing to be found by a name that can't be one.
  if (form.some(({ check }) => check === 'path.overlong')) return form;
  if (path.startsWith('\0')) return [...form, ...checkFronts(path), ...(await checkListener(path))];
  const walk = walkPath(path, account);
  const findings = [...form, ...walk.findings, ...checkFronts(path)];
  return walk.isSocket ? [...findings, ...(await checkListener(path))] : findings;
}
