import type { HostSet } from './hosts/host-set.ts';
import { newTicket, type Permit, RELEASED } from './permit.ts';

/** The host that a permit's call goes to: chosen when it is first asked for, and booked with the permit's release. */
export function hostOf(hosts: HostSet, permit: Permit, repeatable: boolean, now: number): string | undefined {
  const { hold } = permit;
  if (hold === RELEASED) return undefined;
  if (hold?.released) return hold.host?.host.name;
  const ticket = hold ?? newTicket(permit);
  permit.hold = ticket;
  ticket.host ??= hosts.choose(now, repeatable, ticket.hostBefore);
  return ticket.host.host.name;
}

/** Has the attempt of `next` go to another host than the one before it. */
export function sendElsewhere(next: Permit, { hold }: Permit): void {
  if (hold === undefined || hold === RELEASED || hold.host === undefined) return;
  const ticket = next.hold ?? newTicket(next);
  if (ticket === RELEASED) return;
  ticket.hostBefore = hold.host;
  next.hold = ticket;
}
