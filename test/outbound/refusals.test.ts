import { AsyncLocalStorage } from 'node:async_hooks';
import { PassThrough, Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { isHealixError } from '@healix/core';
import { beforeEach, describe, expect, it } from 'vitest';
import { MAJORS, useLab } from './lab.ts';

const isRefusal = (error: unknown) => isHealixError(error, 'HEALIX_CIRCUIT_OPEN');

describe.each(MAJORS)('a refusal, undici $major, $through', ({ undici, through }) => {
  const lab = useLab(through);
  const agent = () => lab.keep(new undici.Agent());
  beforeEach(() => lab.runtime.target(`upstream:${lab.server.origin}`).force('open'));

  it.each(['POST', 'GET'])('reaches a stream.pipeline around undici.pipeline, %s', async (method) => {
    const dispatcher = lab.healed(agent());
    const piped = pipeline(
      Readable.from(['x']),
      undici.pipeline(lab.url('ok'), { method, dispatcher } as never, ({ body }) => body),
      new PassThrough(),
    );
    await expect(piped).rejects.toSatisfy(isRefusal);
  });

  it('is told after the dispatch, in the async context of the caller', async () => {
    const dispatcher = lab.healed(agent());
    const storage = new AsyncLocalStorage<string>();
    const told: unknown[] = [];
    const ended = new Promise<void>((resolve) => {
      const { origin, pathname, search } = new URL(lab.url('ok'));
      const accepted = storage.run('mine', () =>
        dispatcher.dispatch(
          { origin, path: pathname + search, method: 'GET' },
          {
            onRequestStart: () => void told.push('start'),
            onResponseError(_controller, error) {
              told.push(isRefusal(error), storage.getStore());
              resolve();
            },
          },
        ),
      );
      told.push(accepted);
    });
    await ended;
    expect(told).toEqual([true, true, 'mine']);
  });

  it('gives way to an abort of the caller that came before it', async () => {
    const dispatcher = lab.healed(agent());
    const controller = new AbortController();
    const asked = undici.request(lab.url('ok'), { dispatcher, signal: controller.signal });
    controller.abort(new Error('enough'));
    await expect(asked).rejects.toThrow('enough');
  });

  it('is nothing to a pipeline that was destroyed before it', async () => {
    const dispatcher = lab.healed(agent());
    const errors: unknown[] = [];
    const duplex = undici.pipeline(lab.url('ok'), { method: 'GET', dispatcher }, ({ body }) => body);
    duplex.on('error', (error) => errors.push(error));
    duplex.destroy(new Error('enough'));
    await new Promise((resolve) => duplex.on('close', resolve));
    expect(errors).toMatchObject([{ message: 'enough' }]);
  });
});
