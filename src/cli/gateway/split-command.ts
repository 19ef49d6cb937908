/** A command in one text, as program and arguments. No shell reads it. */

/**
 * Words are parted by white space. `"…"` and `'…'` keep what is between them together, also inside of a word; there are
 * no escapes, variables or patterns.
 *
 * @returns undefined where a quote does not end, or there is no word
 */
export function splitCommand(text: string): readonly string[] | undefined {
  const words: string[] = [];
  let rest = text.trim();
  while (rest !== '') {
    const [word = ''] = /^(?:[^\s"']|"[^"]*"|'[^']*')+/.exec(rest) ?? [];
    if (word === '') return undefined;
    words.push(word.replace(/"([^"]*)"|'([^']*)'/g, (_, double: string | undefined, single: string | undefined) => double ?? single ?? ''));
    const after = rest.slice(word.length);
    if (after !== '' && !/^\s/.test(after)) return undefined;
    rest = after.trimStart();
  }
  return words[0] === undefined || words[0] === '' ? undefined : words;
}
