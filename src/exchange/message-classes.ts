/**
 * The classes of a server's messages.
 *
 * Express gives each request and response another prototype, `app.request` and `app.response`, before any code of the
 * program's sees them; changing the prototype of an object takes V8 as long as all of our own work on a request. Where
 * such an application is the server's only listener of 'request', its messages are made with these prototypes, and what
 * it does then changes nothing.
 */
import { requestListener, type ServerWithFields } from '../node/http-server.js';
import { nodeHttp } from '../runtime/http.js';
import type { MessageClasses, RequestClass, ResponseClass } from './contracts.js';

/** A listener that has the prototypes of its messages as properties. */
interface Application {
  readonly request?: unknown;
  readonly response?: unknown;
}

const { IncomingMessage, ServerResponse } = nodeHttp;

/** Whether it can be called for objects of other classes, too: an ES class cannot. */
function isFunction(Base: unknown): boolean {
  return !/^class\b/.test(Function.prototype.toString.call(Base));
}

const ARE_FUNCTIONS = isFunction(IncomingMessage) && isFunction(ServerResponse);

function isMade(prototype: unknown, Base: { readonly prototype: object }): prototype is object {
  return (
    typeof prototype === 'object' &&
    prototype !== null &&
    Object.prototype.isPrototypeOf.call(Base.prototype, prototype)
  );
}

/*
 * Node's own classes, with other prototypes. V8 gives their objects room for as many fields as the classes that they
 * inherit from declare. Node's constructors are called, because what `Reflect.construct` makes with such a function has
 * a shape of its own each time in Node 20: 40 us for a request and its response. The functions' names are in the stacks
 * of errors.
 */

type Initialize = (this: object, first: unknown, second?: unknown) => void;

const initializeRequest = IncomingMessage as unknown as Initialize;
const initializeResponse = ServerResponse as unknown as Initialize;

function withPrototype(Message: Initialize, Base: object, prototype: object): unknown {
  Message.prototype = prototype;
  return Object.setPrototypeOf(Message, Base);
}

function requestsLike(prototype: object): RequestClass {
  const Message = function IncomingMessage(this: object, socket: unknown): void {
    initializeRequest.call(this, socket);
  };
  return withPrototype(Message, IncomingMessage, prototype) as RequestClass;
}

function responsesLike(prototype: object): ResponseClass {
  const Message = function ServerResponse(this: object, request: unknown, options: unknown): void {
    initializeResponse.call(this, request, options);
  };
  return withPrototype(Message, ServerResponse, prototype) as ResponseClass;
}

export class MessageClassesOf {
  private readonly server: ServerWithFields;
  private readonly areNodes: boolean;
  private readonly own: MessageClasses;
  /** What `known` was found for. */
  private listener: unknown;
  private request: unknown;
  private response: unknown;
  private known: MessageClasses | undefined;

  /** `own`: node's, or those of the server's options. */
  constructor(server: ServerWithFields, own: MessageClasses) {
    this.server = server;
    this.own = own;
    this.areNodes = (own.request as unknown) === IncomingMessage && (own.response as unknown) === ServerResponse;
  }

  /** As they are now: a program may change its listeners, and an application its prototypes. */
  get current(): MessageClasses {
    const { server, known } = this;
    const listener = requestListener(server);
    const { request, response } = (typeof listener === 'function' ? listener : server) as Application;
    if (known !== undefined && listener === this.listener && request === this.request && response === this.response) {
      return known;
    }
    [this.listener, this.request, this.response] = [listener, request, response];
    return (this.known = this.find(listener, request, response));
  }

  private find(listener: unknown, request: unknown, response: unknown): MessageClasses {
    const isApplication =
      typeof listener === 'function' && isMade(request, IncomingMessage) && isMade(response, ServerResponse);
    if (!ARE_FUNCTIONS || !this.areNodes || !isApplication) return this.own;
    return { request: requestsLike(request), response: responsesLike(response) };
  }
}
