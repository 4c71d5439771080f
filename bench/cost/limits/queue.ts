/** The listen queue: an application that is at work accepts nothing, and what comes meanwhile stands in its queue. */
import type { Limit } from './model.js';
import { request } from './requests.js';
import type { Lab } from './servers.js';

/** More than the longer queue holds; all come while the application is paused, and none of them tries a second time. */
const BURST = { load: { kind: 'open', rate: 4000, seconds: 0.3 }, paused: 700 } as const;
const UNIX = { ...BURST, family: 'unix' } as const;
const TCP = { ...BURST, family: 'tcp' } as const;
const NOTHING = 'nothing set: node asks for a backlog of 511';

export async function driveUnixQueue(lab: Lab): Promise<Limit> {
  const longer = { ...UNIX, backlog: 1024 };
  const readings = [
    await request(lab, NOTHING, UNIX),
    await request(lab, 'server.listen({ path, backlog: 1024 })', longer),
  ];
  // It holds for a whole network, and so is set only in one of our own.
  if (lab.namespace.missing === undefined) {
    const cut = { ...longer, sysctls: { 'net.core.somaxconn': '256' } };
    readings.push(await request(lab, 'the same with sysctl net.core.somaxconn=256, which cuts it', cut));
  }
  return {
    name: 'queue-unix',
    title: 'The listen queue of an application on a UNIX socket',
    drive: 'The application accepts nothing for 0.7 s, as in a long computation; nginx connects for 1,200 requests.',
    ...{ unit: 'connections', readings, watch: 'ss -xl, nearwire doctor PATH' },
  };
}

export async function driveTcpQueue(lab: Lab): Promise<Limit> {
  const location = 'proxy_connect_timeout 500ms;';
  const readings = [
    await request(lab, NOTHING, TCP),
    await request(lab, 'server.listen({ port, backlog: 1024 })', { ...TCP, backlog: 1024 }),
    await request(lab, "nginx's proxy_connect_timeout 500ms, for an error instead of the wait", { ...TCP, location }),
  ];
  return {
    name: 'queue-tcp',
    title: 'The listen queue of an application on TCP',
    drive: 'The same. Who finds no room gets no error: the kernel drops the packet, and sends it again after a second.',
    ...{ unit: 'connections', readings, watch: 'ss -tl, nstat -az TcpExtListenOverflows' },
  };
}
