/** A block of TypeScript in a Markdown file, and what the reader is spared. */
export interface Snippet {
  /** The line that the block begins at. */
  readonly line: number;
  readonly code: string;
}

/**
 * The ```ts blocks of a Markdown text. An HTML comment `<!-- given … -->` right before a block is code that stands
 * in front of it.
 */
export function snippetsIn(markdown: string): Snippet[] {
  const pattern = /(?:<!-- given\n(?<given>[\s\S]*?)-->\n)?^```ts\n(?<code>[\s\S]*?)^```$/gm;
  return [...markdown.matchAll(pattern)].map(({ index, groups }) => ({
    line: markdown.slice(0, index).split('\n').length,
    code: `${groups?.given ?? ''}${groups?.code}\nexport {};\n`,
  }));
}
