/** `nearwire status`: native or not, and why. */
import { describe, expect, it } from 'vitest';
import { runCli } from '../support/cli.js';
import { childResult, startChild } from '../support/children.js';
import { requireOrSkip } from '../support/requirements.js';

const MISSING = { NEARWIRE_ADDON: '/nowhere/nearwire.node' };

async function status(env: Record<string, string>): Promise<{ code: number | null; found: Record<string, unknown> }> {
  const { code, stdout } = await runCli(['status', '--json'], env);
  return { code, found: JSON.parse(stdout) as Record<string, unknown> };
}

describe('nearwire status', () => {
  it.skipIf(requireOrSkip('addon') === undefined)('says that the addon carries the bytes', async () => {
    const { code, found } = await status({ NEARWIRE_TRANSPORT: 'auto' });
    expect(code).toBe(0);
    expect(found).toMatchObject({
      schema: 1,
      transport: 'native',
      requested: 'auto',
      reason: null,
    });
    expect(found['addon']).toMatch(/\.node$/);
    expect(found['environment']).toMatchObject({ NEARWIRE_TRANSPORT: 'auto' });
  });

  it('says that node does, and why', async () => {
    const { code, found } = await status({ ...MISSING, NEARWIRE_TRANSPORT: 'auto' });
    expect(code).toBe(0);
    expect(found).toMatchObject({ transport: 'js', requested: 'auto', addon: null });
    expect(found['reason']).toContain('/nowhere/nearwire.node');
  });

  it('has an exit code for what would be an error in a program', async () => {
    const { code, found } = await status({ ...MISSING, NEARWIRE_TRANSPORT: 'native' });
    expect([code, found['transport']]).toEqual([3, 'none']);
    const wrong = await runCli(['status'], { NEARWIRE_TRANSPORT: 'fast' });
    expect([wrong.code, wrong.stderr]).toEqual([2, expect.stringContaining('NEARWIRE_TRANSPORT')]);
  });

  it('prints lines for people', async () => {
    const { stdout } = await runCli(['status'], { ...MISSING, NEARWIRE_TRANSPORT: 'js' });
    expect(stdout).toMatch(/^transport +js: node:net$/m);
    expect(stdout).toMatch(/^addon +not loaded: .*nowhere/m);
  });
});

describe('a program without the addon', () => {
  async function warnings(transport: string): Promise<unknown[]> {
    const before = process.env['NEARWIRE_ADDON'];
    Object.assign(process.env, MISSING);
    const child = startChild(
      'native',
      `process.on('warning', ({ code, message }) => say([code, message]));
       const transport = '${transport}';
       createServer({ transport });
       createServer({ transport });
       connect({ path: '/nowhere', transport }).on('error', () => {});`,
    );
    if (before === undefined) delete process.env['NEARWIRE_ADDON'];
    else process.env['NEARWIRE_ADDON'] = before;
    return (await childResult(child)).said;
  }

  it('is warned of the fallback once', async () => {
    expect(await warnings('auto')).toEqual([['NEARWIRE_FALLBACK', expect.stringContaining('/nowhere/nearwire.node')]]);
  });

  it('is not, where it has asked for node', async () => {
    expect(await warnings('js')).toEqual([]);
  });
});
