import { registerHooks } from 'node:module';
import type { Switch } from './switches.ts';

const SCRIPT = /^store\/redis\/(\w+)\.lua$/;

/**
 * Takes a rule away from what is loaded from now on: from core's sources as Node reads them.
 *
 * @returns the same for the text of each script, which stand built in one module
 */
export function takeAway({ file, find, replace }: Switch): (script: string, text: string) => string {
  const change = (text: string) => {
    if (text.split(find).length !== 2) throw new Error(`${file} does not have exactly once: ${find}`);
    return text.replace(find, () => replace);
  };
  const [, changed] = SCRIPT.exec(file) ?? [];
  if (changed === undefined) changeSource(`/packages/core/src/${file}`, change);
  return (script, text) => {
    const isShared = changed === 'record' && script !== 'primary';
    return isShared || script === changed ? change(text) : text;
  };
}

function changeSource(path: string, change: (text: string) => string): void {
  registerHooks({
    load(url, context, nextLoad) {
      const loaded = nextLoad(url, context);
      if (!url.endsWith(path)) return loaded;
      return { ...loaded, source: change(String(loaded.source)) };
    },
  });
}
