/** A live heap of 100 MB, as that of an app that has run for a while. */
export function growHeap() {
  globalThis.heap = Array.from({ length: 800_000 }, (_, i) => ({ number: i, text: `entry ${i}`, list: [i, i + 1] }));
}
