/** A page of options and calls: sections of tables and words, all of them taken from the code. */
import { anchorOf } from '../markdown-check.ts';
import { type Declaration, type Member, readDeclarations } from './declarations.ts';
import { type Docstring, parted } from './docstring.ts';

/** A declaration: the file, and the name in it. */
export type From = readonly [path: string, name: string];

export interface Section {
  readonly heading: string;
  /** Of what a reader looks for; default 3, for what belongs to the section before. */
  readonly level?: 2;
  /** Before all else: what no docstring says. */
  readonly text?: string;
  /** The docstring of a function or a type. */
  readonly words?: From;
  /** Each with its default: an option without one is a mistake. */
  readonly options?: From;
  /** Defaults that are values, by option. */
  readonly defaults?: Readonly<Record<string, number>>;
  readonly calls?: From;
  /** What is handed to the caller. */
  readonly facts?: From;
  /** The declarations themselves. */
  readonly shapes?: readonly From[];
}

export interface Page {
  readonly title: string;
  readonly introduction: string;
  readonly sections: readonly Section[];
}

const files = new Map<string, ReadonlyMap<string, Declaration>>();

function declared([path, name]: From): Declaration {
  const declarations = files.get(path) ?? readDeclarations(path);
  files.set(path, declarations);
  const found = declarations.get(name);
  if (found === undefined) throw new Error(`${path} exports no ${name}: see test/tools/options/pages.ts.`);
  return found;
}

/** What the sections of a page are about, with the place on the page. */
export function namesOn({ sections }: Page): ReadonlyMap<string, string> {
  return new Map(
    sections.flatMap(({ heading, words, options, calls, facts, shapes = [] }) =>
      [words, options, calls, facts, ...shapes].flatMap((from) =>
        from === undefined ? [] : [[from[1], `#${anchorOf(heading)}`] as const],
      ),
    ),
  );
}

export function pageText(page: Page): string {
  const names = namesOn(page);
  const sections = page.sections.map((section) => sectionText(section, names));
  return [`# ${page.title}`, page.introduction, ...sections].join('\n\n').concat('\n');
}

function sectionText(section: Section, names: ReadonlyMap<string, string>): string {
  const { heading, level = 3, text, words, options, calls, facts, shapes = [] } = section;
  const blocks = [
    `${'#'.repeat(level)} ${heading}`,
    text,
    words && prose(declared(words).docstring),
    options && optionsTable(section, options, names),
    calls && toldTable(['call', 'returns', 'does'], calls, names),
    facts && toldTable(['', 'type', 'is'], facts, names),
    ...shapes.map((shape) => `\`\`\`typescript\n${declared(shape).source}\n\`\`\``),
  ];
  return blocks.filter((block) => block !== undefined && block !== '').join('\n\n');
}

function membersOf(from: From): readonly Member[] {
  const { members } = declared(from);
  if (members.length === 0) throw new Error(`${from[1]} of ${from[0]} has no members.`);
  return members;
}

function optionsTable({ defaults }: Section, from: From, names: ReadonlyMap<string, string>): string {
  const rows = membersOf(from).map((member) => {
    const { does, otherwise } = parted(member.docstring);
    const value = defaults?.[member.name];
    const told = value === undefined ? otherwise : valueText(member.name, value);
    if (does === '') throw new Error(`The docstring of ${named(member, from)} does not say what it does.`);
    if (member.isOptional && told === undefined)
      throw new Error(
        `The docstring of ${named(member, from)} does not say, beginning with "Default" or "Left out", what holds without it.`,
      );
    return [`\`${member.name}\``, typeCell(member.type, names), cell(told ?? 'required'), cell(does)];
  });
  return table(['option', 'type', 'default', 'what it does'], rows);
}

function toldTable(head: readonly string[], from: From, names: ReadonlyMap<string, string>): string {
  const rows = membersOf(from).map((member) => {
    const told = all(member.docstring);
    if (told === '') throw new Error(`${named(member, from)} has no docstring.`);
    return [`\`${member.name}${member.isOptional ? '?' : ''}\``, typeCell(member.type, names), cell(told)];
  });
  return table(head, rows);
}

const named = ({ name }: Member, [path, type]: From): string => `\`${name}\` of ${type} (${path})`;

const table = (head: readonly string[], rows: readonly (readonly string[])[]): string =>
  [head, head.map(() => '---'), ...rows].map((row) => `| ${row.join(' | ')} |`).join('\n');

/** Leads to the place on the page where one of its names is told. */
function typeCell(type: string, names: ReadonlyMap<string, string>): string {
  const place = (type.match(/[A-Z]\w+/g) ?? []).map((name) => names.get(name)).find((anchor) => anchor !== undefined);
  const shown = cell(code(type));
  return place === undefined ? shown : `[${shown}](${place})`;
}

/** Vertical bars would end the cell. */
const cell = (text: string): string => text.replaceAll('|', '\\|').replaceAll('\n', ' ');

const code = (text: string): string => (text.includes('`') ? `\`\` ${text} \`\`` : `\`${text}\``);

function tagSentences({ tags }: Docstring): readonly string[] {
  return tags.map(({ name, text }) => {
    const sentence = name === 'param' ? text.replace(/^\w+/, '`$&`:') : `${VERBS[name]} ${text.replace(/^AuthorizationError/, '`$&`')}`;
    return /[.!?]$/.test(sentence) ? sentence : `${sentence}.`;
  });
}

const VERBS: Readonly<Record<string, string>> = { returns: 'Returns', throws: 'Throws' };

const all = (docstring: Docstring): string => [...docstring.blocks, ...tagSentences(docstring)].join(' ');

const prose = (docstring: Docstring): string => [...docstring.blocks, ...tagSentences(docstring)].join('\n\n');

/** By the unit in the name. */
function valueText(name: string, value: number): string {
  if (name.endsWith('Ms')) return durationText(value / 1000);
  if (name.endsWith('Seconds')) return durationText(value);
  if (name.endsWith('Bytes')) return value >= 1024 ** 2 ? `${value / 1024 ** 2} MiB` : `${value / 1024} KiB`;
  return value.toLocaleString('en');
}

function durationText(seconds: number): string {
  if (seconds < 1) return `${seconds * 1000} ms`;
  if (seconds < 120) return `${seconds} s`;
  return seconds < 86_400 ? `${seconds / 60} minutes` : `${seconds / 86_400} days`;
}
