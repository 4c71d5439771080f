/** Whether the globals of the fetch API are nearwire's: see global-objects.ts. */
let isReplaced = false;

export function areGlobalsReplaced(): boolean {
  return isReplaced;
}

export function noteReplaced(): void {
  isReplaced = true;
}
