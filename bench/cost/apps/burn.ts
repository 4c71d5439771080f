/** Burns CPU, as an application that computes does. */

/** Between two readings of the clock, which are system calls: about 20 us. */
const STEPS = 20_000;

let sink = 0;

/**
 * So many milliseconds of CPU time. It is the process's, whose other threads stand still meanwhile: the thread's own
 * (`process.threadCpuUsage`) moves with the kernel's ticks only, every 4 ms.
 */
export function burn(ms: number): void {
  if (!(ms > 0)) return;
  const until = micros() + ms * 1e3;
  while (micros() < until) {
    let sum = sink;
    for (let i = 0; i < STEPS; i++) sum = (sum + i) | 0;
    sink = sum;
  }
}

function micros(): number {
  const { user, system } = process.cpuUsage();
  return user + system;
}
