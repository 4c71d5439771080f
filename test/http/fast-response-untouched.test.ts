/** FastResponse before any has been made. In a file of its own: the first one of a process changes it. */
import { expect, it } from 'vitest';
import { FastResponse, serve } from 'nearwire/http';

const Genuine = globalThis.Response;

it('has the static methods that make responses', () => {
  expect(FastResponse.error().type).toBe('error');
  expect(FastResponse.redirect('http://x/', 307).status).toBe(307);
});

it('is derived from the genuine class when it takes its place', () => {
  serve({ fetch: () => new Response('x'), overrideGlobalObjects: true });
  expect(Object.getPrototypeOf(globalThis.Response)).toBe(Genuine);
  expect(Object.getPrototypeOf(globalThis.Response.prototype)).toBe(Genuine.prototype);
});
