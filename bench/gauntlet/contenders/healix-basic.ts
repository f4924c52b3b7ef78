import { healix } from './healix.ts';

export const healixBasic = healix('healix, basic', "healix's basic tier with its defaults.", {
  defaults: { tier: 'basic' },
});
