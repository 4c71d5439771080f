/** The live view of a listener on a terminal. */
import { stripVTControlCharacters } from 'node:util';

import type { ListenerReport } from '../inspection/report.js';
import { paint } from './colours.js';
import { connectionLines, countText, headLines, printable, printableName } from './inspect-text.js';
import { sparkline } from './sparkline.js';

export interface View {
  /** `error`: why there is no report. */
  show(report: ListenerReport | undefined, error: NodeJS.ErrnoException | undefined): void;
  close(): void;
}

/** Control sequences of xterm, which all current terminals support. */
const ENTER = '\x1b[?1049h\x1b[?25l';
const LEAVE = '\x1b[?25h\x1b[?1049l';
const HOME = '\x1b[H';
const CLEAR_LINE = '\x1b[K';
const CLEAR_BELOW = '\x1b[J';

/** The assumed size of a terminal that does not report its own. */
const COLUMNS = 80;
const ROWS = 24;
/** Samples kept in the history: more than any terminal is wide. */
const HISTORY = 1000;
const GAUGE = 24;
/** Lines shown regardless of the number of connections. */
const LINES_AROUND = 12;
const LABEL = 15;
/** The share of the backlog from which on the gauge warns. */
const CROWDED = 0.5;

export class LiveView implements View {
  private readonly maxQueued: number | undefined;
  private readonly interval: number;
  private readonly depths: (number | undefined)[] = [];
  private last: [ListenerReport | undefined, NodeJS.ErrnoException | undefined] | undefined;
  private open = true;
  private highest = 0;
  private looks = 0;

  constructor(maxQueued: number | undefined, interval: number) {
    this.maxQueued = maxQueued;
    this.interval = interval;
    process.stdout.write(ENTER);
    // Restores the terminal however the process ends.
    process.on('exit', this.restore);
    process.stdout.on('resize', this.redraw);
  }

  show(report: ListenerReport | undefined, error: NodeJS.ErrnoException | undefined): void {
    const queued = report?.queue?.queued;
    this.depths.push(queued);
    if (this.depths.length > HISTORY) this.depths.shift();
    this.highest = Math.max(this.highest, queued ?? 0);
    this.looks++;
    this.last = [report, error];
    this.redraw();
  }

  /** Returns to the original screen, and leaves a line that sums up what has been seen. */
  close(): void {
    if (!this.open) return;
    this.restore();
    process.off('exit', this.restore);
    process.stdout.off('resize', this.redraw);
    const high = this.depths.some((depth) => depth !== undefined) ? countText(this.highest) : 'unknown';
    process.stdout.write(`${countText(this.looks)} samples, high water ${high}\n`);
  }

  private readonly restore = (): void => {
    if (this.open) process.stdout.write(LEAVE);
    this.open = false;
  };

  private readonly redraw = (): void => {
    if (this.last === undefined || !this.open) return;
    // 0: a terminal that does not know its size.
    const columns = process.stdout.columns || COLUMNS;
    const rows = process.stdout.rows || ROWS;
    const lines = this.picture(...this.last, columns, rows).slice(0, rows - 1);
    const drawn = lines.map((text) => `${cut(text, columns)}${CLEAR_LINE}`).join('\n');
    process.stdout.write(`${HOME}${drawn}\n${CLEAR_BELOW}`);
  };

  private picture(
    report: ListenerReport | undefined,
    error: NodeJS.ErrnoException | undefined,
    columns: number,
    rows: number,
  ): string[] {
    const every = `every ${String(this.interval / 1000)} s, Ctrl-C ends`;
    const history = label('history', sparkline(this.depths, columns - LABEL - 1));
    if (report === undefined) {
      return [paint('red', printable(error?.message ?? '')), '', history, '', paint('dim', every)];
    }
    const title = `${paint('bold', printableName(report.name))}  ${paint('dim', `${timeOf(report.at)}  ${every}`)}`;
    return [
      title,
      '',
      ...headLines(report),
      label('', this.gauge(report)),
      history,
      '',
      ...connectionLines(report, Math.max(1, rows - LINES_AROUND)),
    ];
  }

  private gauge({ queue }: ListenerReport): string {
    if (queue === undefined) return '';
    const { queued, backlog, full } = queue;
    const share = backlog === 0 ? Number(full) : Math.min(1, queued / backlog);
    const filled = queued === 0 ? 0 : Math.max(1, Math.round(share * GAUGE));
    const bar = '█'.repeat(filled);
    const crowded = full || (this.maxQueued !== undefined && queued > this.maxQueued);
    const colour = crowded ? 'red' : share >= CROWDED ? 'yellow' : 'green';
    const limit = this.maxQueued === undefined ? '' : `  limit ${countText(this.maxQueued)}`;
    const over = crowded && !full ? paint('red', ' EXCEEDED') : '';
    return `${paint(colour, bar)}${paint('dim', '░'.repeat(GAUGE - filled))}${limit}${over}`;
  }
}

function label(text: string, value: string): string {
  return `  ${paint('dim', text.padEnd(LABEL - 3))} ${value}`;
}

/** Local time of day. */
function timeOf(at: string): string {
  return new Date(at).toTimeString().slice(0, 'hh:mm:ss'.length);
}

/** No line may wrap: that would shift the rest of the screen. A line that is cut loses its colors. */
function cut(text: string, columns: number): string {
  const plain = stripVTControlCharacters(text);
  return plain.length <= columns ? text : `${plain.slice(0, Math.max(0, columns - 1))}…`;
}
