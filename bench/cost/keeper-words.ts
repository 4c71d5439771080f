/** What a run and its keeper say to each other, by node's IPC. */

export interface LaunchOrder {
  readonly command: string;
  readonly args: readonly string[];
  /** Besides those of the run itself. */
  readonly env: Readonly<Record<string, string>>;
  readonly folder: string;
  /** What it writes to stdout and stderr is appended to this file. */
  readonly log: string;
}

/** To the keeper. `id` comes back with the answer. */
export type Order =
  | { readonly id: number; readonly launch: LaunchOrder }
  /** Ends a group: in order, or at once. */
  | { readonly id: number; readonly end: number; readonly atOnce: boolean }
  | { readonly id: number; readonly removeFolder: string }
  /** Ends all groups, removes the run's folder, exits. */
  | { readonly id: number; readonly finish: true };

/** From the keeper. */
export type Report =
  | { readonly folder: string; readonly mark: string }
  | { readonly id: number; readonly pid?: number; readonly error?: string }
  /** What was launched by the order with this id has ended. */
  | { readonly exited: number; readonly how: string };

export function isReport(value: unknown): value is Report {
  return typeof value === 'object' && value !== null && ('folder' in value || 'id' in value || 'exited' in value);
}

export function isOrder(value: unknown): value is Order {
  return typeof value === 'object' && value !== null && 'id' in value;
}
