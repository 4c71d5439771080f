/** Ports of connections that are open: as many requests under way as there are ports, whoever closes first. */
import type { Overload, OverloadMove } from '../model.js';
import { StackError } from '../processes.js';
import type { Burst } from './burst.js';
import { LEFT_TO_APP } from './front.js';
import type { PortDrive, PortLab, PortsSeen } from './port-lab.js';
import { count, failuresOf, settingsOf } from './words.js';

/** For as long a request is under way: much longer than they are sent for. */
const WAIT_MS = 2000;
const SENT_WITHIN = 0.5;
/** All of 127.0.0.0/8 is this host. */
const SECOND_SERVER = 'server 127.0.0.2:8080 max_fails=0;';

export async function underWay(portLab: PortLab, ports: number): Promise<Overload> {
  const rate = (ports * 2) / SENT_WITHIN;
  const drive: PortDrive = {
    label: `${count(ports * 2)} requests under way`,
    ...{ ports, wait: WAIT_MS, settings: { location: LEFT_TO_APP } },
  };
  const over = await asked(portLab, drive, rate);
  const moves = [
    await moved(portLab, rate, 'a second address of the application in the upstream (server 127.0.0.2:8080)', {
      ...drive,
      ...{ label: 'to two addresses', anyAddress: true },
      settings: { location: LEFT_TO_APP, upstream: [SECOND_SERVER] },
    }),
    await moved(portLab, rate, 'proxy_pass http://unix:PATH', {
      ...drive,
      ...{ label: 'over a UNIX socket', family: 'unix' },
    }),
  ];
  const failed = failuresOf(over);
  return {
    name: 'ports',
    family: 'tcp',
    title: 'ports run out: requests under way, whoever closes',
    drive:
      `nginx -> node:http over TCP with nginx's own settings, answers after ${count(WAIT_MS)} ms, ` +
      `${count(over.sent)} requests within ${String(SENT_WITHIN)} s, ${count(ports)} ports`,
    at: { value: over.served, unit: 'requests under way' },
    depth: { value: over.ends.clients.all, limit: ports, unit: 'ports in use' },
    error: failed === '' ? 'none' : `${failed}; nginx: ${over.line ?? 'nothing logged'}`,
    setting: settingsOf(moves),
    moves,
  };
}

/** A host that is too busy to send more than there are ports shows nothing. */
async function asked(portLab: PortLab, drive: PortDrive, rate: number): Promise<Burst & PortsSeen> {
  const seen = await portLab.atRate(drive, rate, SENT_WITHIN);
  if (seen.sent > drive.ports) return seen;
  throw new StackError(`only ${count(seen.sent)} requests were sent within ${String(SENT_WITHIN)} s`);
}

async function moved(portLab: PortLab, rate: number, setting: string, drive: PortDrive): Promise<OverloadMove> {
  const { served, sent, ends } = await asked(portLab, drive, rate);
  return {
    setting,
    at: served === sent ? undefined : { value: served, unit: 'requests under way' },
    seen: `200 for ${count(served)} of ${count(sent)} requests, with ${count(ends.clients.all)} connections over TCP`,
  };
}
