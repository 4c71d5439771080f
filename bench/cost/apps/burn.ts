/** Burns CPU, as an application that computes does. */

/** Between two readings of the clock, which are system calls: about 20 us. */
const STEPS = 20_000;

interface CpuUsage {
  readonly user: number;
  readonly system: number;
}

/** Node 23.9 has the thread's own; before it the process's, whose other threads stand still meanwhile. */
const { threadCpuUsage = process.cpuUsage } = process as { threadCpuUsage?: () => CpuUsage };

let sink = 0;

/** So many milliseconds of this thread's CPU time. */
export function burn(ms: number): void {
  if (!(ms > 0)) return;
  const until = micros() + ms * 1e3;
  while (micros() < until) {
    for (let i = 0; i < STEPS; i++) sink = (sink + i) | 0;
  }
}

function micros(): number {
  const { user, system } = threadCpuUsage.call(process);
  return user + system;
}
