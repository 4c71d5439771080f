/** What addons with dialogs of their own do: they turn the event loop from inside a listener. */
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { temporaryDirectory } from './sockets.js';

/** The declarations stand here, so that no header has to be found: both interfaces are stable. */
const SOURCE = `
#include <stddef.h>
int napi_get_uv_event_loop(void* env, void** loop);
int napi_create_function(void* env, const char* name, size_t length, void* (*call)(void*, void*), void* data, void** made);
int uv_run(void* loop, int mode);

static void* turn(void* env, void* info) {
  void* loop = NULL;
  (void)info;
  /* UV_RUN_NOWAIT */
  if (napi_get_uv_event_loop(env, &loop) == 0) uv_run(loop, 2);
  return NULL;
}

void* napi_register_module_v1(void* env, void* exports) {
  void* made = NULL;
  (void)exports;
  napi_create_function(env, NULL, 0, turn, NULL, &made);
  return made;
}
`;

/** A function that turns the loop once, without waiting; undefined where there is no compiler. */
export function loopTurner(): (() => void) | undefined {
  const directory = temporaryDirectory();
  const source = join(directory, 'turner.c');
  const addon = join(directory, 'turner.node');
  writeFileSync(source, SOURCE);
  const lookup = process.platform === 'darwin' ? ['-undefined', 'dynamic_lookup'] : [];
  try {
    execFileSync('cc', ['-shared', '-fPIC', ...lookup, source, '-o', addon], { stdio: 'ignore' });
  } catch {
    return undefined;
  }
  return createRequire(import.meta.url)(addon) as () => void;
}
