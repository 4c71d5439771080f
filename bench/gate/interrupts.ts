/** Ctrl-C ends what runs by the way of an error, so that nothing is left lying about. */
export function interrupts(): AbortController {
  const controller = new AbortController();
  process.once('SIGINT', () => {
    controller.abort(new Error('interrupted'));
  });
  return controller;
}
