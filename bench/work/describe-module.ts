/** `describe-module.js URL` tells which of a subject's functions a module has, or what it throws at its import. */
import { tell } from './control.js';
import { importSubject, SUBJECT_FUNCTIONS } from './subject-module.js';

const [, , url = ''] = process.argv;

/** A module may hold what keeps a process running. */
function end(message: object): never {
  tell(message);
  process.exit(0);
}

const found = await importSubject(url).catch((error: unknown) =>
  end({ error: error instanceof Error ? (error.stack ?? error.message) : String(error) }),
);
end({ functions: SUBJECT_FUNCTIONS.filter((name) => typeof found[name] === 'function') });
