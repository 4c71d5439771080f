/** The fronts, whose names begin those of their stacks: nginx, and what stands in for it with `--quick`. */

/** What a reader is told wherever nginx would stand. */
export const PROXY_TITLE = "nearwire's proxy (not nginx)";

export interface Front {
  /** Of the stack in which it answers by itself; `NAME-` begins those in which it has an app. */
  readonly name: 'nginx' | 'proxy';
  readonly title: string;
}

export const NGINX: Front = { name: 'nginx', title: 'nginx' };
export const PROXY: Front = { name: 'proxy', title: PROXY_TITLE };

/** The front of a stack that has one. */
export function frontOf(stack: string): Front {
  return stack === PROXY.name || stack.startsWith(`${PROXY.name}-`) ? PROXY : NGINX;
}

/** The same stack with our proxy in nginx's place: `proxy-node-unix-close`. Others are what they were. */
export function behindProxy(stack: string): string {
  return stack.replace(/^nginx(?=-|$)/, PROXY.name);
}
