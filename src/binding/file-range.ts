import type { NativePage } from './addon.js';

/** A range of a file that the engine has open, or of a page: represents its bytes in a write by reference. */
export class FileRange {
  /** The engine's number for the file (see NativeEngine.openFile), or the page's memory. */
  readonly file: number | NativePage;
  /** Bytes from the start of the file. */
  readonly offset: number;
  /** In bytes, as in a Uint8Array. */
  readonly length: number;

  constructor(file: number | NativePage, offset: number, length: number) {
    this.file = file;
    this.offset = offset;
    this.length = length;
  }
}

/** A part of a write. */
export type WritePart = Uint8Array | FileRange;
