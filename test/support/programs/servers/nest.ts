/** NestJS on its Express adapter. The decorators are called as the functions that they are. */
import 'reflect-metadata';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { Controller, Get, Module, Post, Query, Req, Res, StreamableFile } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { ExpressAdapter, type NestExpressApplication } from '@nestjs/platform-express';
import { bodyOf, LARGEST } from '../bodies.js';
import type { Observer, Stats, UploadResult } from '../observer.js';
import type { Address, Seam } from '../seam.js';

type RawRequest = IncomingMessage & { body?: unknown };

function controllerOf(observer: Observer): new () => object {
  class Programs {
    bytes(seed: string, length: string): StreamableFile {
      return new StreamableFile(bodyOf(Number(seed), Number(length)));
    }

    echo(request: RawRequest, response: ServerResponse): void {
      response.end(Buffer.isBuffer(request.body) ? request.body : undefined);
    }

    stream(length: string): StreamableFile {
      return new StreamableFile(observer.source(Number(length)), {});
    }

    upload(request: RawRequest, speed: string): Promise<UploadResult> {
      return observer.check(request, speed === 'slow');
    }

    stats(): Stats {
      return observer.stats();
    }
  }
  route(Programs, 'bytes', Get('bytes'), [Query('seed'), Query('length')]);
  route(Programs, 'echo', Post('echo'), [Req(), Res()]);
  route(Programs, 'stream', Get('stream'), [Query('length')]);
  route(Programs, 'upload', Post('upload'), [Req(), Query('speed')]);
  route(Programs, 'stats', Get('stats'), []);
  Controller()(Programs);
  return Programs;
}

function route(
  target: new () => object,
  name: string,
  method: MethodDecorator,
  parameters: readonly ParameterDecorator[],
): void {
  const prototype = target.prototype as object;
  parameters.forEach((decorate, index) => {
    decorate(prototype, name, index);
  });
  const descriptor = Object.getOwnPropertyDescriptor(prototype, name);
  if (descriptor !== undefined) method(prototype, name, descriptor);
}

export async function start(seam: Seam, address: Address, observer: Observer): Promise<Server> {
  class Programs {
    readonly name = 'programs';
  }
  Module({ controllers: [controllerOf(observer)] })(Programs);
  const app = await NestFactory.create<NestExpressApplication>(Programs, new ExpressAdapter(), {
    logger: false,
    bodyParser: false,
  });
  app.useBodyParser('raw', { limit: LARGEST, type: 'application/octet-stream' });
  const server = app.getHttpServer();
  seam.attach(server);
  if ('path' in address) await app.listen(address.path);
  else await app.listen(address.port, address.host);
  return server;
}
