import { describe, expect, test } from 'vitest';
import { openView, viewOf } from '../../../../test/fleet/harness/scripted-store.ts';
import {
  checkClaim,
  checkForce,
  checkHeartbeat,
  checkNews,
  checkSnapshot,
  checkVerdict,
  checkViews,
} from './replies.ts';

const checkView = (view: unknown) => checkViews(1)([view as never]);

describe('a view', () => {
  test.each([
    ['closed', viewOf('t')],
    ['of no record', viewOf('t', { epoch: 0 })],
    ['of the last epoch', viewOf('t', { epoch: 2 ** 40 - 1, epochId: 'i'.repeat(64) })],
    [
      'open for a day',
      openView('t', { remainingMs: 0.5, openMs: 86_400_000, openings: 30, reporters: 1_000 }),
    ],
    ['forced', openView('t', { forced: 'closed', forcedVersion: 3, forcedToken: 'me' })],
    ['of a long name', viewOf('t'.repeat(2_048), { epochId: 'e' })],
  ])('may be %s', (_name, view) => {
    expect(() => checkView(view)).not.toThrow();
  });

  test.each<[string, unknown[]]>([
    ['target', ['', 7, undefined, 't'.repeat(2_049)]],
    ['epoch', [-1, 1.5, 2 ** 40, '1', Number.NaN, undefined]],
    ['epochId', ['', 7, 'i'.repeat(65), undefined]],
    ['state', ['half-open', '', null]],
    ['remainingMs', [-1, 86_400_001, Number.NaN, Number.POSITIVE_INFINITY, '5', undefined]],
    ['openMs', [-1, 86_400_001, Number.NaN, null]],
    ['openings', [-1, 1_000, 0.5, undefined]],
    ['forced', ['', 'yes', undefined]],
    ['forcedVersion', [-1, 2 ** 40, 0.5, '0']],
    ['forcedToken', [null, 't'.repeat(65)]],
    ['reporters', [-1, 1e9, undefined]],
  ])('with a wrong %s is none', (field, wrong) => {
    for (const value of wrong) {
      expect(() => checkView({ ...viewOf('t'), [field]: value }), String(value)).toThrow(field);
    }
  });

  test.each([null, undefined, 'view', 7])('is not %j', (view) => {
    expect(() => checkView(view)).toThrow('a view');
  });
});

test('there are as many views as reports', () => {
  const views = [viewOf('a'), viewOf('b')];
  expect(() => checkViews(2)(views)).not.toThrow();
  expect(() => checkViews(0)([])).not.toThrow();
  for (const expected of [1, 3]) expect(() => checkViews(expected)(views)).toThrow(`${expected} views`);
  expect(() => checkViews(2)({ length: 2 } as never)).toThrow('2 views');
});

const view = openView('t');
const NO_VIEW = { ...view, epochId: '' };

describe('a reply', () => {
  test.each<[string, (reply: never) => void, unknown[]]>([
    [
      'claim',
      checkClaim,
      [
        { leaseMs: 0, view },
        { leaseMs: undefined, view },
      ],
    ],
    ['verdict', checkVerdict, [{ counted: false, view }]],
    ['force', checkForce, [{ accepted: true, view }]],
    [
      'heartbeat',
      checkHeartbeat,
      [
        { live: 3, cursor: '5-1', unsettled: [] },
        { live: 1, cursor: '', unsettled: [{ target: 't', epoch: 4 }] },
      ],
    ],
    [
      'snapshot',
      checkSnapshot,
      [
        { cursor: '5-1', views: [] },
        { cursor: '5-1', views: [view] },
      ],
    ],
    [
      'news',
      checkNews,
      [
        {
          cursor: '5-1',
          entries: [
            { kind: 'view', view },
            { kind: 'ask', targets: ['t'] },
          ],
        },
      ],
    ],
  ])('to a %s is believed', (_name, check, replies) => {
    for (const reply of replies) expect(() => check(reply as never)).not.toThrow();
  });

  test.each<[string, (reply: never) => void, unknown[]]>([
    [
      'claim',
      checkClaim,
      [{ leaseMs: -1, view }, { leaseMs: null, view }, { leaseMs: 1, view: NO_VIEW }, null],
    ],
    ['verdict', checkVerdict, [{ counted: 'yes', view }, { counted: true, view: NO_VIEW }, undefined]],
    [
      'force',
      checkForce,
      [
        { accepted: 1, view },
        { accepted: true, view: NO_VIEW },
      ],
    ],
    [
      'heartbeat',
      checkHeartbeat,
      [
        { live: 0.5, cursor: '5-1', unsettled: [] },
        { live: 1, cursor: 5, unsettled: [] },
        { live: 1, cursor: '5-1', unsettled: {} },
        { live: 1, cursor: '5-1', unsettled: [null] },
        { live: 1, cursor: '5-1', unsettled: [{ target: 7, epoch: 1 }] },
        { live: 1, cursor: '5-1', unsettled: [{ target: 't', epoch: -1 }] },
      ],
    ],
    [
      'snapshot',
      checkSnapshot,
      [
        { cursor: null, views: [] },
        { cursor: '5-1', views: [NO_VIEW] },
        { cursor: '5-1', views: 'none' },
      ],
    ],
    [
      'news',
      checkNews,
      [
        { cursor: 'c'.repeat(65), entries: [] },
        { cursor: '5-1', entries: null },
        { cursor: '5-1', entries: [{ kind: 'view', view: NO_VIEW }] },
        { cursor: '5-1', entries: [{ kind: 'ask', targets: [7] }] },
        { cursor: '5-1', entries: [{ kind: 'ask' }] },
        { cursor: '5-1', entries: [{ kind: 'gossip', targets: [] }] },
        { cursor: '5-1', entries: [null] },
      ],
    ],
  ])('to a %s is not believed where something is wrong', (_name, check, replies) => {
    for (const reply of replies) expect(() => check(reply as never), JSON.stringify(reply)).toThrow();
  });
});
