/** Answers that are larger than what they go through, to readers that do not read. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { hasDiagnosis } from './support/listeners.js';
import { driven, moveOf } from './support/overloads.js';
import { requireOrSkip } from './support/requirements.js';

const nginx = requireOrSkip('nginx');
const MIB = 1024 * 1024;
/** As docs/tuning.md tells of both; where the system allows so much. */
const hasRoom = process.platform === 'linux' && Number(readFileSync('/proc/sys/net/core/wmem_max', 'utf8')) >= 4 * MIB;

describe.skipIf(!hasDiagnosis || !hasRoom)('a send buffer', () => {
  it('of a UNIX socket has the application keep what is larger, until it is made larger', async () => {
    const { overloads, failures } = await driven('buffers-unix');
    expect(failures).toEqual([]);
    const [buffers] = overloads;
    expect(buffers).toMatchObject({ name: 'buffers', family: 'unix' });
    const { value = 0, limit = 0 } = buffers?.depth ?? {};
    expect(value).toBeGreaterThanOrEqual(limit);
    const at = buffers?.at.value ?? 0;
    expect(at).toBeGreaterThan(limit / 2);
    expect(at).toBeLessThan(limit * 2);
    expect(buffers?.error).toContain('it keeps 20,971,520 bytes');
    const larger = moveOf(buffers, 'sendBuffer: 1048576');
    expect(larger.at?.value).toBeGreaterThan(MIB);
    expect(larger.seen).toMatch(/it keeps 0 bytes, with one that reads slowly it keeps some for \d+ ms, in 0 waits/);
    expect(buffers?.drive).toContain('macOS would give 8,192 bytes');
  });

  it('of TCP grows by itself, and is larger where it is told to be', async () => {
    const { overloads, failures } = await driven('buffers-tcp');
    expect(failures).toEqual([]);
    const [buffers] = overloads;
    expect(buffers).toMatchObject({ name: 'buffers', family: 'tcp' });
    expect(moveOf(buffers, 'sendBuffer: 4194304').at?.value).toBeGreaterThan(buffers?.at.value ?? Infinity);
  });
});

describe.skipIf(nginx === undefined)('the buffers of nginx', () => {
  it('overflow into a file, later if there are more of them, and not if there may be none', async () => {
    const { overloads, failures } = await driven('buffers-front');
    expect(failures).toEqual([]);
    const [buffers] = overloads;
    expect(buffers?.error).toMatch(
      /nginx: \[warn\] an upstream response is buffered to a temporary file \S+ while reading upstream/,
    );
    const at = buffers?.at.value ?? 0;
    // Sixty-four buffers of 32 KiB where there were eight of a page.
    expect((moveOf(buffers, 'proxy_buffers 64 32k').at?.value ?? 0) - at).toBeGreaterThan(MIB);
    expect(moveOf(buffers, 'proxy_max_temp_file_size 0').seen).toContain('no file');
  });
});
