import { healingInterceptor } from '@healix/undici';
import { Agent, fetch, request } from 'undici';

/** A way to send requests. */
export interface Client {
  readonly name: string;
  /** @returns what sends one GET and reads its whole answer */
  open(healed: boolean, url: string): () => Promise<unknown>;
}

function agent(healed: boolean) {
  const bare = new Agent();
  return healed ? bare.compose(healingInterceptor()) : bare;
}

const undiciRequest: Client = {
  name: 'undici request',
  open(healed, url) {
    const dispatcher = agent(healed);
    return async () => (await request(url, { dispatcher })).body.text();
  },
};

const undiciFetch: Client = {
  name: 'undici fetch',
  open(healed, url) {
    const dispatcher = agent(healed);
    return async () => (await fetch(url, { dispatcher })).text();
  },
};

export const CLIENTS: readonly Client[] = [undiciRequest, undiciFetch];
