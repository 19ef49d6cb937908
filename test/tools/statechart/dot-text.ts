/** Text as Graphviz wants it. */

export const quoted = (text: string): string => `"${text.replace(/["\\]/g, '\\$&')}"`;

export const escaped = (text: string): string => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');

export const attributes = (values: Readonly<Record<string, string | number>>): string =>
  `[${Object.entries(values)
    .map(([name, value]) => `${name}=${typeof value === 'string' && value.startsWith('<<') ? value : quoted(String(value))}`)
    .join(' ')}]`;

/** Breaks text between words into lines of at most `width` characters, of about the same length. */
export function wrapped(text: string, width: number): readonly string[] {
  const even = Math.ceil(text.length / Math.ceil(text.length / width)) + 4;
  const lines: string[] = [];
  for (const word of text.split(' ')) {
    const line = lines.at(-1);
    if (line !== undefined && line.length + 1 + word.length <= Math.min(width, even)) lines[lines.length - 1] = `${line} ${word}`;
    else lines.push(word);
  }
  return lines;
}
