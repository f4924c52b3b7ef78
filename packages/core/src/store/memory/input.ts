/** Beyond it, a number from outside means nothing. */
const GREATEST = 1e14;

// What callers bring is not believed: what is no number, or out of range, counts as 0; what is no text as none.

export function number(value: unknown): number {
  return typeof value === 'number' && value >= 0 && value <= GREATEST ? value : 0;
}

export function whole(value: unknown): number {
  return Math.floor(number(value));
}

export function text(value: unknown): string {
  return typeof value === 'string' ? value : '';
}
