/** How long an application's answer is: all that it is held against answers as much. */
import * as http from 'node:http';

import { StackError } from './processes.js';
import type { Stack, Target } from './model.js';
import { startStack, type StackContext } from './stacks/index.js';

/** Starts the stack and asks it once. Throws StackError where it does not answer with 200. */
export async function answerBytes(stack: Stack, path: string, context: StackContext): Promise<number> {
  const running = await startStack(stack, context);
  try {
    return await bodyBytes(running.target, path);
  } finally {
    await running.stop();
  }
}

function bodyBytes(target: Target, path: string): Promise<number> {
  const where = 'path' in target ? { socketPath: target.path } : target;
  return new Promise((resolve, reject) => {
    const request = http.get({ ...where, path }, (response) => {
      let bytes = 0;
      response.on('data', (chunk: Buffer) => (bytes += chunk.length));
      response.on('error', reject);
      response.on('end', () => {
        if (response.statusCode === 200) resolve(bytes);
        else reject(new StackError(`GET ${path} is answered ${String(response.statusCode)}`));
      });
    });
    request.on('error', reject);
  });
}
