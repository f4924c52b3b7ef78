import type { RawRequest } from '@healix/core/adapter';

/** The parsed body of a request with JSON; undefined of any other, whose body is left unread. */
export async function readJson(req: RawRequest): Promise<unknown> {
  if (!req.headers['content-type']?.startsWith('application/json')) return undefined;
  const chunks: Buffer[] = [];
  for await (const chunk of req) chunks.push(chunk);
  return JSON.parse(Buffer.concat(chunks).toString());
}
