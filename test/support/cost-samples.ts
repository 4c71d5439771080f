/** Made-up measurements for the arithmetic of `nearwire cost`. */
import { CROWD } from '../../bench/cost/measure.js';
import type {
  ApplicationSample,
  Cpu,
  CrossCheckSample,
  Hop,
  HopSample,
  Sample,
  Stack,
  WorkName,
} from '../../bench/cost/model.js';
import { Samples, type Measured } from '../../bench/cost/samples.js';
import { workNamed } from '../../bench/cost/works.js';

export const UWSGI_UNIX: Hop = { family: 'unix', protocol: 'uwsgi', connections: 'close' };
export const UWSGI_TCP: Hop = { family: 'tcp', protocol: 'uwsgi', connections: 'close' };

type Row = Measured['stacks'][number];

export const row = (name: string, language: Stack['language'], hop?: Hop): Row => ({
  name,
  title: name,
  language,
  hop,
});

/** Microseconds a request: a lone request's time, and the CPU of the roles with many at a time. */
export interface Values {
  readonly time: number;
  readonly front?: Cpu;
  readonly app?: Cpu;
  /** Default HOST_SPEED. */
  readonly hostSpeed?: number;
}

export const HOST_SPEED = 500;

function sampleOf(
  stack: string,
  work: WorkName,
  round: number,
  connections: number,
  { time, front, app, hostSpeed = HOST_SPEED }: Values,
): Sample {
  return {
    ...{ stack, work, round, load: { kind: 'closed', connections, seconds: 1 } },
    ...{ rate: (1e6 * connections) / time, p50: time, p99: 2 * time, errors: 0, requests: 1000 },
    ...{ cpu: { ...(front && { front }), ...(app && { app }) }, hostSpeed, generatorShare: 0.5 },
  };
}

export class MadeUp {
  private readonly rounds: number;
  private readonly stacks: Row[] = [];
  private readonly works = new Set<WorkName>();
  private readonly measurements: Sample[] = [];
  private readonly hops: HopSample[] = [];
  private readonly crossChecks: CrossCheckSample[] = [];
  private readonly applications: ApplicationSample[] = [];

  constructor(rounds = 3) {
    this.rounds = rounds;
  }

  /** `values` of a round; the same in all of them, if it does not look at the round. */
  stack(stack: Row, work: WorkName, values: (round: number) => Values): this {
    if (!this.stacks.some(({ name }) => name === stack.name)) this.stacks.push(stack);
    this.works.add(work);
    this.each((round) => {
      for (const connections of [1, CROWD]) {
        this.measurements.push(sampleOf(stack.name, work, round, connections, values(round)));
      }
    });
    return this;
  }

  hop(hop: Hop, work: WorkName, time: (round: number) => number): this {
    this.each((round) => this.hops.push({ hop, work, round, time: time(round), hostSpeed: HOST_SPEED }));
    return this;
  }

  crossCheck(
    { name: stack }: Row,
    work: WorkName,
    values: (round: number) => Pick<CrossCheckSample, 'time' | 'cpu'>,
  ): this {
    this.each((round) => this.crossChecks.push({ stack, work, round, ...values(round) }));
    return this;
  }

  application(language: ApplicationSample['language'], work: WorkName, time: number): this {
    this.each((round) => this.applications.push({ language, work, round, time, cpu: time, hostSpeed: HOST_SPEED }));
    return this;
  }

  samples(): Samples {
    const { stacks, measurements, hops, crossChecks, applications } = this;
    const measured = { measurements, hops, crossChecks, applications };
    return new Samples({ stacks, works: [...this.works].map(workNamed), ...measured });
  }

  private each(action: (round: number) => unknown): void {
    for (let round = 0; round < this.rounds; round++) action(round);
  }
}
