/** All variables of Debian's uwsgi_params, as nginx sends them for a GET of `/`. */
import { encodePacket } from 'nearwire/internal';

export function uwsgiPacket(): Buffer {
  const variables = {
    ...{ CONTENT_TYPE: '', CONTENT_LENGTH: '', DOCUMENT_ROOT: '/usr/share/nginx/html' },
    ...{ REMOTE_ADDR: '127.0.0.1', REMOTE_PORT: '40000' },
  };
  const plan = { method: 'GET', url: '/', contentLength: undefined, headers: [], modifier1: 0, modifier2: 0 };
  return encodePacket({ ...plan, variables });
}
