import type { Random } from '../time/random.ts';
import type { Host } from './host.ts';

/** Draws before a host is taken though its weight is small. */
const DRAWS = 8;

/**
 * The power of two choices (Mitzenmacher, 2001; as in Finagle and Envoy): of two hosts drawn at random the one with
 * fewer calls in flight. A slow host fills up and is passed by, and no host is stormed by all callers at once. A host
 * with a weight below 1 is drawn that much more rarely.
 *
 * @param hosts at least one
 */
export function pickHost(hosts: readonly Host[], now: number, slowStartMs: number, random: Random): Host {
  const { length } = hosts;
  const first = draw(hosts, now, slowStartMs, random);
  if (length === 1) return hosts[first] as Host;
  let second = draw(hosts, now, slowStartMs, random);
  if (second === first) {
    second = (first + 1 + Math.floor(random.next() * (length - 1))) % length;
    if (!isDrawn(hosts[second] as Host, now, slowStartMs, random)) second = first;
  }
  const one = hosts[first] as Host;
  const other = hosts[second] as Host;
  return other.inFlight < one.inFlight ? other : one;
}

function draw(hosts: readonly Host[], now: number, slowStartMs: number, random: Random): number {
  let drawn = 0;
  for (let times = 0; times < DRAWS; times++) {
    drawn = Math.floor(random.next() * hosts.length);
    if (isDrawn(hosts[drawn] as Host, now, slowStartMs, random)) break;
  }
  return drawn;
}

function isDrawn(host: Host, now: number, slowStartMs: number, random: Random): boolean {
  const weight = host.weightAt(now, slowStartMs);
  return weight >= 1 || random.next() < weight;
}
