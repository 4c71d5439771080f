/** The limits of the control group, which a container consists of: memory, CPU, processes. */
import { dirname, join } from 'node:path';
import { bytesInWords, readNumber, type ReadText } from './system-files.js';
import type { Finding } from './finding.js';

const ROOT = '/sys/fs/cgroup';
/**
 * Version 1 expresses "no limit" of memory as a number of about 2^63, and elsewhere as -1, which is not parsed as a
 * number here.
 */
const NO_LIMIT = 2 ** 60;
/** Socket memory in the kernel counts too, and grows with a peer that does not read. */
const NEARLY_FULL = 0.9;
const FEW_PROCESSES = 64;

interface Limits {
  /** Bytes. */
  memory: number | undefined;
  memoryUsed: number | undefined;
  /** In cores. */
  cpu: number | undefined;
  processes: number | undefined;
}

/** The directories from a group up to the root: all their limits apply. */
function upwards(root: string, group: string): string[] {
  const directories = [join(root, group)];
  for (let at = group; at !== '/' && at !== '.'; at = dirname(at)) directories.push(join(root, dirname(at)));
  return directories;
}

function least(values: readonly (number | undefined)[]): number | undefined {
  const known = values.filter((value): value is number => value !== undefined && value < NO_LIMIT);
  return known.length === 0 ? undefined : Math.min(...known);
}

function ofVersion2(read: ReadText, group: string): Limits {
  const directories = upwards(ROOT, group);
  const all = (name: string): (number | undefined)[] => directories.map((at) => readNumber(read, join(at, name)));
  const quotas = directories.map((at) => {
    const [quota, period] = (read(join(at, 'cpu.max')) ?? '').split(' ').map(Number);
    return quota !== undefined && quota >= 0 && period ? quota / period : undefined;
  });
  return {
    memory: least(all('memory.max')),
    memoryUsed: all('memory.current')[0],
    cpu: least(quotas),
    processes: least(all('pids.max')),
  };
}

function ofVersion1(read: ReadText, groups: ReadonlyMap<string, string>): Limits {
  // A container sees its own group as the root of each hierarchy, whatever its name is outside.
  const of = (controller: string, name: string): number | undefined => {
    const group = groups.get(controller);
    if (group === undefined) return undefined;
    return least(upwards(join(ROOT, controller), group).map((at) => readNumber(read, join(at, name))));
  };
  const quota = of('cpu', 'cpu.cfs_quota_us');
  const period = of('cpu', 'cpu.cfs_period_us');
  return {
    memory: of('memory', 'memory.limit_in_bytes'),
    memoryUsed: of('memory', 'memory.usage_in_bytes'),
    cpu: quota !== undefined && period ? quota / period : undefined,
    processes: of('pids', 'pids.max'),
  };
}

export function containerLimits(read: ReadText): Limits {
  const lines = (read('/proc/self/cgroup') ?? '').split('\n');
  const groups = new Map<string, string>();
  for (const line of lines) {
    const [, controllers = '', ...rest] = line.split(':');
    for (const controller of controllers.split(',')) groups.set(controller, rest.join(':'));
  }
  const unified = groups.get('');
  if (groups.has('memory') || unified === undefined) return ofVersion1(read, groups);
  return ofVersion2(read, unified);
}

export function checkContainer(read: ReadText): Finding[] {
  const { memory, memoryUsed, cpu, processes } = containerLimits(read);
  const findings: Finding[] = [];
  if (memory !== undefined) findings.push(memoryFinding(memory, memoryUsed));
  if (cpu !== undefined) findings.push(cpuFinding(cpu));
  if (processes !== undefined) findings.push(processFinding(processes));
  if (findings.length > 0) return findings;
  return [{ check: 'container', level: 'ok', message: 'no control group limits memory, CPU or processes' }];
}

function memoryFinding(limit: number, used: number | undefined): Finding {
  const share = used === undefined ? '' : `, of which ${bytesInWords(used)} are used`;
  const message = `the control group may use ${bytesInWords(limit)} of memory${share}`;
  if (used === undefined || used < limit * NEARLY_FULL) return { check: 'container.memory', level: 'ok', message };
  return {
    check: 'container.memory',
    level: 'warning',
    message,
    explanation:
      'The kernel counts socket buffers and pages too, and kills a process of the group when the limit is reached.',
    remedies: ['docker update --memory 2g CONTAINER', 'NEARWIRE_PAGE_LIMIT=BYTES  # for pages only'],
  };
}

function cpuFinding(cores: number): Finding {
  const message = `the control group may use ${String(Math.round(cores * 100) / 100)} cores`;
  if (cores >= 1) return { check: 'container.cpu', level: 'ok', message };
  return {
    check: 'container.cpu',
    level: 'note',
    message,
    explanation:
      'When the share is used up, the event loop stops for the rest of each period; meanwhile connections queue up.',
    remedies: ['docker update --cpus 1 CONTAINER'],
  };
}

function processFinding(processes: number): Finding {
  const message = `the control group may have ${String(processes)} processes and threads`;
  if (processes >= FEW_PROCESSES) return { check: 'container.pids', level: 'ok', message };
  return {
    check: 'container.pids',
    level: 'warning',
    message,
    explanation: 'A node process alone has about 11 threads; beyond the limit workers fail to start (EAGAIN).',
    remedies: ['docker update --pids-limit 512 CONTAINER'],
  };
}
