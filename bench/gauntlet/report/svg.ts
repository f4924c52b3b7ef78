/** A picture that explains itself to whoever cannot see it by its title. */
export function svg(width: number, height: number, title: string, marks: readonly string[]): string {
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" font-family="system-ui, sans-serif" font-size="12" role="img">
<title>${escaped(title)}</title>
<rect width="${width}" height="${height}" fill="#fff"/>
${marks.filter((mark) => mark !== '').join('\n')}
</svg>
`;
}

export function text(x: number, y: number, content: string, attributes: string): string {
  return `<text x="${x}" y="${y}" ${attributes}>${escaped(content)}</text>`;
}

/** From pale to dark blue as the ratio goes from 0 to 1. */
export function fill(ratio: number): string {
  const share = Math.max(0, Math.min(1, ratio));
  return `hsl(210 60% ${Math.round(94 - 60 * share * share)}%)`;
}

function escaped(content: string): string {
  return content.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
}
