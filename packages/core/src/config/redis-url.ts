export const REDIS_URL = 'a URL such as redis://host:6379';

/** Whether it is a URL of a Redis server, or the path of its socket. */
export function isRedisUrl(text: string): boolean {
  if (text.startsWith('/')) return true;
  return /^(redis|rediss|unix):\/\//.test(text) && URL.canParse(text);
}
