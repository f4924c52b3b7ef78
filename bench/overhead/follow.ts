import type { ServerResponse } from 'node:http';

const FOLLOWED = Symbol('followed');
type Followed = ServerResponse & { [FOLLOWED]?: { ended: boolean; readonly end: ServerResponse['end'] } };

const followed = { begun: 0, failed: 0 };

/** The least that anything must do that books what requests come to. */
export function follow(res: ServerResponse): void {
  followed.begun++;
  (res as Followed)[FOLLOWED] = { ended: false, end: res.end };
  res.end = end as ServerResponse['end'];
}

function end(this: Followed, ...args: Parameters<ServerResponse['end']>): ServerResponse {
  const note = this[FOLLOWED]!;
  note.end.apply(this, args);
  if (!note.ended && this.statusCode >= 500) followed.failed++;
  note.ended = true;
  return this;
}
