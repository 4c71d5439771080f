/** All checks of the doctor, in groups. */
import { readdirSync } from 'node:fs';
import { addonStatus } from '../binding/addon.js';
import type { Account } from './account.js';
import { checkContainer } from './container.js';
import { worstOf, type Finding, type Level } from './finding.js';
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
  /**
   * What keeps nginx from connecting to the path, so that it responds 502. The first cause that the given log confirms,
   * or else the first.
   */
  cause?: Finding;
  /**
   * The given log has failures of the path, but none of this cause: nginx may run as another user than the one checked.
   */
  causeIsUnlogged?: true;
  worst: Level;
}

export interface Questions {
  /** A socket to be examined; a leading NUL is an abstract name. */
  path?: string;
  /** The account that connects to it. */
  account?: Account;
  /** The text of one of nginx's error logs. */
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
  const logged = nginxLog === undefined ? [] : checkNginxLog(nginxLog, path);
  let verdict: Pick<Diagnosis, 'cause' | 'causeIsUnlogged'> = {};
  if (path !== undefined) {
    const findings = await examineSocket(path, account);
    verdict = verdictOf(findings, logged);
    groups.push({ title: path.replace('\0', '@'), findings });
  }
  if (nginxLog !== undefined) groups.push({ title: "nginx's error log", findings: logged });
  const all = groups.flatMap(({ findings }) => findings);
  return { groups, ...verdict, worst: worstOf(all) };
}

/** The findings are in the order of the kernel's own checks. */
function verdictOf(
  findings: readonly Finding[],
  logged: readonly Finding[],
): Pick<Diagnosis, 'cause' | 'causeIsUnlogged'> {
  const causes = findings.filter(({ nginx }) => nginx !== undefined);
  const words = new Set(logged.map(({ nginx }) => nginx).filter((nginx) => nginx !== undefined));
  const agreed = causes.find(({ nginx = '' }) => words.has(nginx));
  const cause = agreed ?? causes[0];
  if (cause === undefined) return {};
  return agreed === undefined && words.size > 0 ? { cause, causeIsUnlogged: true } : { cause };
}

function ownLimits(): ReturnType<typeof openFileLimits> {
  const text = readText('/proc/self/limits');
  return text === undefined ? undefined : openFileLimits(text, readdirSync('/proc/self/fd').length);
}

async function examineSocket(path: string, account: Account | undefined): Promise<Finding[]> {
  const form = checkForm(path);
  // An invalid name needs no further checks.
  if (form.some(({ check }) => check === 'path.overlong')) return form;
  if (path.startsWith('\0')) return [...form, ...checkFronts(path), ...(await checkListener(path))];
  const walk = walkPath(path, account);
  const findings = [...form, ...walk.findings, ...checkFronts(path)];
  return walk.isSocket ? [...findings, ...(await checkListener(path))] : findings;
}
