/** An `http.Server` whose plain requests are read without node's parser, as its connections see it. */
import type { RequestClass, ResponseClass } from '../exchange/contracts.js';
import { ServerHost } from '../exchange/host.js';
import {
  dropsEmptyBodies,
  listensFirst,
  requestClassOf,
  responseClassOf,
  type ServerWithFields,
} from '../node/http-server.js';
import { nodeHttp } from '../runtime/http.js';

export class HttpHost extends ServerHost {
  constructor(server: ServerWithFields) {
    super(server, {
      request: requestClassOf(server) as RequestClass,
      response: responseClassOf(server) as ResponseClass,
    });
  }

  /** The longest header block in bytes. */
  get longestHead(): number {
    return this.emitter.maxHeaderSize ?? nodeHttp.maxHeaderSize;
  }

  /** Whether node's own code may be spared: with these options it treats plain requests in a way of its own. */
  get servesPlain(): boolean {
    const { emitter: server } = this;
    return (
      listensFirst(server) &&
      !server.insecureHTTPParser &&
      server.httpValidation === undefined &&
      !server.maxHeadersCount &&
      !(server.maxRequestsPerSocket as number) &&
      !dropsEmptyBodies(server)
    );
  }
}
