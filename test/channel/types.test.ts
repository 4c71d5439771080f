/** The types of the channel API: `npx tsc --noEmit` checks what is expected here. */
import { expectTypeOf, it } from 'vitest';
import { Channel, ChannelServer, type ChannelHandlers, type ChannelServerHandlers } from 'nearwire/channel';

interface Account {
  user: string;
  received: number;
}

const target = { path: '/run/types.sock' };

it('types data in the handlers', () => {
  expectTypeOf<Parameters<typeof ChannelServer.listen<Account>>[1]>().toEqualTypeOf<ChannelServerHandlers<Account>>();
  expectTypeOf<Parameters<typeof Channel.connect<Account>>[1]>().toEqualTypeOf<ChannelHandlers<Account>>();
  expectTypeOf<Channel<Account>['data']>().toEqualTypeOf<Account>();

  const handlers: ChannelServerHandlers<Account> = {
    onConnection(channel) {
      expectTypeOf(channel).toEqualTypeOf<Channel<Account>>();
      channel.data = { user: 'anybody', received: 0 };
      // @ts-expect-error: it is not a Account
      channel.data = { user: 1 };
    },
    onData(channel, data, start, end) {
      expectTypeOf(channel.data).toEqualTypeOf<Account>();
      expectTypeOf(data).toEqualTypeOf<Buffer>();
      channel.data.received += end - start;
    },
    onDrain: ({ data }) => {
      expectTypeOf(data.received).toBeNumber();
    },
    onEnd: ({ data }) => {
      expectTypeOf(data.user).toBeString();
    },
    onTimeout: ({ data }) => {
      expectTypeOf(data).toEqualTypeOf<Account>();
    },
    onError: ({ data }, error) => {
      expectTypeOf(data).toEqualTypeOf<Account>();
      expectTypeOf(error).toEqualTypeOf<NodeJS.ErrnoException>();
    },
    onClose: ({ data }, hadError) => {
      expectTypeOf(data).toEqualTypeOf<Account>();
      expectTypeOf(hadError).toBeBoolean();
    },
    onListening(server) {
      expectTypeOf(server).toEqualTypeOf<ChannelServer>();
    },
  };
  expectTypeOf(ChannelServer.listen<Account>).toBeCallableWith(target, handlers);
});

it('takes the type from the handlers, and gives it to the channel', () => {
  const connect = (handlers: ChannelHandlers<Account>) => Channel.connect(target, handlers);
  expectTypeOf(connect).returns.toEqualTypeOf<Channel<Account>>();
  expectTypeOf(connect).returns.toHaveProperty('unref').returns.toEqualTypeOf<Channel<Account>>();
});

it('has data of unknown type without one', () => {
  expectTypeOf<Channel['data']>().toBeUnknown();
  expectTypeOf<Parameters<NonNullable<ChannelHandlers['onData']>>[0]>().toEqualTypeOf<Channel>();
  // What takes any channel takes one with data.
  expectTypeOf<Channel<Account>>().toExtend<Channel>();
  expectTypeOf<Channel>().not.toExtend<Channel<Account>>();
});

it('has a server that `await using` takes', () => {
  expectTypeOf<ChannelServer>().toExtend<AsyncDisposable>();
});
