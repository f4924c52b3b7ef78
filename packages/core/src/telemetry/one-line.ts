const LONGEST = 500;
const CONTROLS = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu;

/** A text for a line of a log. What a client may have put into it can neither begin a line nor steer a terminal. */
export function oneLine(text: string): string {
  const short = text.length > LONGEST ? `${text.slice(0, LONGEST)}…` : text;
  return short.replace(CONTROLS, (char) => `\\u{${char.codePointAt(0)?.toString(16)}}`);
}
