/**
 * The scanner of plain requests against node's own parser, without connections: inputs made of the vectors by a seed and
 * a number. Whatever the scanner takes must mean the same to the parser; what it leaves is the parser's in any case.
 */
import { getEngine } from 'nearwire/internal';
import { RequestHead } from '../../src/binding/words.js';
import { HEADER_NAMES } from '../../src/http/header-names.js';
import { PLAIN_METHODS, studyParser, type NodeParser, type ParserFacts } from '../../src/node/http-parser.js';
import { httpServerFacts } from '../../src/node/http-server.js';
import { Mutator, ROOM } from './fuzz-mutate.js';

/** Stands for a body: the parser only counts its bytes, so that its pages are never touched. */
const FILLER = Buffer.alloc(16 * 1024 * 1024);

export interface Tally {
  inputs: number;
  /** Taken by the scanner, and so compared. */
  plain: number;
  bodies: number;
  /** Header names that JavaScript has. */
  knownNames: number;
}

/** What the parser has said of the last message. */
interface Told {
  heads: number;
  messages: number;
  major: number;
  minor: number;
  headers: readonly string[];
  method: number;
  target: string;
  upgrade: boolean;
  keepAlive: boolean;
}

/** A parser that goes on to the next message, as that of a kept connection. */
class Witness {
  readonly told: Told = {
    heads: 0,
    messages: 0,
    major: 0,
    minor: 0,
    headers: [],
    method: 0,
    target: '',
    upgrade: false,
    keepAlive: false,
  };
  private readonly parser: NodeParser;

  constructor(readonly facts: ParserFacts) {
    const { parserClass: made } = facts;
    this.parser = new made();
    this.renew();
    const { told } = this;
    this.parser[made.kOnHeadersComplete] = (...all: Parameters<NonNullable<HeadCallback>>) => {
      [told.major, told.minor, told.headers, told.method, told.target, , , told.upgrade, told.keepAlive] = all;
      told.heads++;
      return 0;
    };
    this.parser[made.kOnMessageComplete] = () => {
      told.messages++;
    };
  }

  renew(): void {
    this.parser.initialize(this.facts.parserClass.REQUEST, {});
  }

  private get messages(): number {
    return this.told.messages;
  }

  begin(): void {
    this.told.heads = this.told.messages = 0;
  }

  /** Whether all of it was taken. */
  takes(bytes: Buffer): boolean {
    return this.parser.execute(bytes) === bytes.length;
  }

  /** Whether the message ends with exactly the last of this many bytes of a body. */
  endsAfter(bodyLength: number): boolean {
    if (bodyLength === 0) return this.messages === 1;
    for (let left = bodyLength - 1; left > 0; left -= FILLER.length) {
      const piece = left < FILLER.length ? FILLER.subarray(0, left) : FILLER;
      if (this.messages > 0 || !this.takes(piece)) return false;
    }
    if (this.messages > 0) return false;
    return this.takes(FILLER.subarray(0, 1)) && this.messages === 1;
  }
}

type HeadCallback = (
  major: number,
  minor: number,
  headers: string[],
  method: number,
  target: string,
  status: undefined,
  message: undefined,
  upgrade: boolean,
  keepAlive: boolean,
) => unknown;

/** Break what is compared on purpose, to see that this is noticed. */
export type Sabotage = 'none' | 'length' | 'keepAlive' | 'header';

export class ScannerFuzz {
  readonly tally: Tally = { inputs: 0, plain: 0, bodies: 0, knownNames: 0 };
  private readonly memory = Buffer.alloc(ROOM);
  private readonly mutator: Mutator;
  private readonly witness: Witness;
  private readonly engine = getEngine();

  constructor(
    seed: number,
    private readonly sabotage: Sabotage = 'none',
  ) {
    const found = httpServerFacts()?.parserClass;
    const facts = found === undefined ? undefined : studyParser(found);
    if (facts === undefined || this.engine === undefined) throw new Error('no parser, or no addon');
    this.engine.native.setHeaderNames(HEADER_NAMES);
    this.witness = new Witness(facts);
    this.mutator = new Mutator(seed);
  }

  /** Tries inputs `first` up to `first + count`; answers what is wrong with one of them. */
  run(first: number, count: number): string | undefined {
    for (let number = first; number < first + count; number++) {
      const length = this.mutator.make(number, this.memory);
      const wrong = this.check(length);
      if (wrong !== undefined) return `input ${String(number)}: ${wrong}: ${this.text(0, length)}`;
    }
    return undefined;
  }

  private text(start: number, end: number): string {
    return JSON.stringify(this.memory.toString('latin1', start, end));
  }

  private check(end: number): string | undefined {
    const { tally, engine, witness } = this;
    tally.inputs++;
    if (engine === undefined) return 'no engine';
    const text = engine.native.scanRequest(this.memory, 0, end);
    if (text === undefined) return undefined;
    const { length } = text;
    if (text !== this.part(0, length)) return 'another text';
    tally.plain++;
    witness.begin();
    if (!witness.takes(this.memory.subarray(0, length))) {
      witness.renew();
      return 'refused by the parser';
    }
    return this.compare(engine.native.layout.requestHead);
  }

  private compare(words: Int32Array): string | undefined {
    const { witness, tally } = this;
    const { told, facts } = witness;
    const word = (at: number): number => words[at] as number;
    const { sabotage } = this;
    if (told.heads !== 1) return `${String(told.heads)} heads`;
    if (told.major !== 1 || told.minor !== word(RequestHead.MinorVersion)) return 'another version';
    if (told.upgrade) return 'an upgrade';
    if (told.keepAlive !== ((word(RequestHead.KeepsAlive) === 1) !== (sabotage === 'keepAlive'))) return 'keep-alive';
    if (told.method !== facts.methods[word(RequestHead.Method)]) return `not ${PLAIN_METHODS.join()}`;
    if (told.target !== this.part(word(RequestHead.TargetStart), word(RequestHead.TargetEnd))) return 'another target';
    const count = word(RequestHead.HeaderCount);
    if (told.headers.length !== 2 * count) return 'not as many headers';
    let hasHost = 0;
    for (let i = 0; i < 2 * count; i++) {
      const at = RequestHead.Headers + 2 * i;
      const [start, end] = [word(at), word(at + 1) - (sabotage === 'header' ? 1 : 0)];
      const part = start < 0 ? HEADER_NAMES[~start] : this.part(start, end);
      if (part === undefined) return 'a name of no known index';
      if (start < 0) tally.knownNames++;
      if (told.headers[i] !== part) return `another header ${String(i >> 1)}`;
      if (i % 2 === 0 && part.length === 4 && part.toLowerCase() === 'host') hasHost = 1;
    }
    if (hasHost !== word(RequestHead.HasHost)) return 'host';
    const bodyLength = Math.max(0, word(RequestHead.ContentLength)) + (sabotage === 'length' ? 1 : 0);
    if (bodyLength > 0) tally.bodies++;
    if (!witness.endsAfter(bodyLength)) return `a body of another length than ${String(bodyLength)}`;
    if (!told.keepAlive) witness.renew();
    return undefined;
  }

  private part(start: number, end: number): string {
    return this.memory.toString('latin1', start, end);
  }
}
