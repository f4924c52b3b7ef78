import type { Answer } from '../world/attempt.ts';

/** What clients that throw make of a status from 400 on. */
class HttpError extends Error {
  readonly status: number;

  constructor(status: number) {
    super(`status ${status}`);
    this.status = status;
  }
}

/** The answer, or an error in its place, as the examples of libraries that count errors have it. */
export async function orThrow(sending: Promise<Answer>): Promise<Answer> {
  const answer = await sending;
  if (answer.status >= 400) throw new HttpError(answer.status);
  return answer;
}
