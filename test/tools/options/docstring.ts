/** A documentation comment as text for people: paragraphs and tags, without what is for developers of authchart only. */

export interface Docstring {
  /** Blocks of Markdown. */
  readonly blocks: readonly string[];
  readonly tags: readonly { readonly name: string; readonly text: string }[];
}

/** Ids of requirements say where a rule comes from, and nothing to whoever reads what an option does. */
const REQUIREMENTS = /\s*\((?:[A-Z]{3}-\d\d(?:, )?)+\)/g;

/** The text without them. */
export const forUsers = (text: string): string => text.replaceAll(REQUIREMENTS, '');

/** @param comment what stands between the marks of a block comment */
export function readDocstring(comment: string): Docstring {
  const lines = comment.replace(/^\*/, '').split('\n');
  const written = lines.map((line) => line.replace(/^\s*\* ?/, '').trimEnd()).join('\n');
  const text = forUsers(written.replaceAll(/\{@link (\w+)\}/g, '`$1`')).replace(/^\n+/, '');
  const [before = '', ...tags] = text.split(/^@/m);
  return { blocks: blocksOf(before), tags: tags.map(tagOf) };
}

function tagOf(written: string): { readonly name: string; readonly text: string } {
  const [, name = '', text = ''] = /^(\w+)\s*([\s\S]*)$/.exec(written) ?? [];
  return { name, text: oneLine(text) };
}

/** Paragraphs are one line each; tables and code stay as they are. */
function blocksOf(text: string): readonly string[] {
  return text
    .split(/\n{2,}/)
    .map((block) => (/^( {4}|\||```)/.test(block) ? block : oneLine(block)))
    .filter((block) => block !== '');
}

const oneLine = (text: string): string => text.replaceAll(/\s+/g, ' ').trim();

/** What an option does, and what holds without it: the sentence that begins with `Default` or `Left out`. */
export function parted(docstring: Docstring): { readonly does: string; readonly otherwise: string | undefined } {
  const sentences = docstring.blocks.join(' ').split(/(?<=[.!?]) (?=[A-Z`])/);
  const isOtherwise = (sentence: string): boolean => /^(?:Default|Left out)\b/.test(sentence);
  const told = sentences.find(isOtherwise);
  return {
    does: sentences.filter((sentence) => sentence !== told).join(' '),
    otherwise: told?.replace(/^(?:Default|Left out)[:,]? /, '').replace(/\.$/, ''),
  };
}
