/** A diagnosis as a person reads it: every probe in a table, then the verdict in words. */
import { stripVTControlCharacters } from 'node:util';
import { type ColumnUserConfig, type TableUserConfig, table } from 'table';
import type { Diagnosis } from '../../diagnosis.ts';
import type { Probe } from '../../protocol/documents.ts';
import { factsTable, inColumns } from './facts-table.ts';
import type { Style } from './style.ts';
import { scopeList, shown } from './words.ts';

const DOCUMENTS: Readonly<Record<Probe['document'], string>> = {
  resource: 'Resource',
  'resource-metadata': 'Resource metadata',
  'server-metadata': 'Server metadata',
};

const REGISTRATIONS: Readonly<Record<NonNullable<Diagnosis['registration']>, string>> = {
  'metadata-document': 'client ID metadata document',
  dynamic: 'dynamic registration',
  'pre-registered': 'by hand (use --client-id)',
};

export function diagnosisText(diagnosis: Diagnosis, style: Style): string {
  return [probeTable(diagnosis, style), facts(diagnosis, style), findings(diagnosis, style), verdict(diagnosis, style)]
    .filter((part) => part !== '')
    .join('\n');
}

function probeTable({ probes, findings }: Diagnosis, style: Style): string {
  if (probes.length === 0) return '';
  const facts = probes.map((probe) => [
    DOCUMENTS[probe.document],
    probe.status === undefined ? style.dim('none') : String(probe.status),
    `${Math.round(probe.durationMs)} ms`,
    verdictOfProbe(probe, style),
  ]);
  const addresses = probes.map((probe) => addressOf(probe, findings, style));
  const widths = addresses.map((address) => address.split('\n').map((line) => stripVTControlCharacters(line).length));
  const longest = Math.max(...widths.flat());
  const isWide = style.columns === undefined || style.columns >= columnsOf(facts, 4) + Math.min(longest, WIDE_ENOUGH);
  // A file or a pipe has no width: an address stays in one piece for who copies it, and words are wrapped.
  const columns = style.columns ?? Math.max(PAGE, columnsOf(facts, 4) + Math.max(...widths.map(([address = 0]) => address)));
  const room = Math.min(longest, columns - columnsOf(facts, 4));
  const drawn = isWide ? inOneRow(facts, addresses, { style, room }) : inTwoRows(facts, addresses, style);
  return drawn.replace(/ +$/gm, '');
}

const FACT_TITLES = ['Document', 'Answer', 'Time', 'Verdict'];
/** Space after a column. */
const GAP = 2;
/** Columns for words where there is no terminal. */
const PAGE = 100;
/** An address of this many columns may be broken once without becoming hard to read. */
const WIDE_ENOUGH = 60;

const tableOf = ({ symbols }: Style): TableUserConfig => ({
  border: { joinBody: symbols.rule, joinLeft: '', joinRight: '', joinJoin: '' },
  columnDefault: { paddingLeft: 0, paddingRight: GAP, verticalAlignment: 'top', wrapWord: true },
  drawHorizontalLine: (index) => index === 1,
  drawVerticalLine: () => false,
});

/** What the first columns take, with the space after each. */
function columnsOf(facts: readonly string[][], count: number): number {
  const widths = FACT_TITLES.slice(0, count).map((title, column) =>
    Math.max(title.length, ...facts.map((row) => stripVTControlCharacters(row[column] ?? '').length)),
  );
  return widths.reduce((sum, width) => sum + width + GAP, 0);
}

const RIGHT: ColumnUserConfig = { alignment: 'right' };

function inOneRow(
  facts: readonly string[][],
  addresses: readonly string[],
  { style, room }: { readonly style: Style; readonly room: number },
): string {
  const rows = facts.map((row, index) => [...row, addresses[index] ?? '']);
  const titles = [...FACT_TITLES, 'Address'].map((title) => style.dim(title));
  return table([titles, ...rows], { ...tableOf(style), columns: { 1: RIGHT, 2: RIGHT, 4: { width: room, paddingRight: 0 } } });
}

/** For narrow terminals: the address stands under its facts, so that it is seldom broken. */
function inTwoRows(facts: readonly string[][], addresses: readonly string[], style: Style): string {
  const rows = facts.flatMap((row, index) => [row, [`${addresses[index] ?? ''}${index < facts.length - 1 ? '\n' : ''}`, '', '', '']]);
  const titles = FACT_TITLES.map((title) => style.dim(title));
  return table([titles, ...rows], {
    ...tableOf(style),
    columns: { 1: RIGHT, 2: RIGHT, 3: { width: Math.max(14, (style.columns ?? 80) - columnsOf(facts, 3)), paddingRight: 0 } },
    spanningCells: addresses.map((_address, index) => ({ row: 2 + index * 2, col: 0, colSpan: 4, wrapWord: true })),
  });
}

function verdictOfProbe({ verdict: word }: Probe, { green, red, yellow, dim, symbols }: Style): string {
  switch (word) {
    case 'found':
      return green(`${symbols.done} found`);
    case 'cached':
      return green(`${symbols.done} cached`);
    case 'absent':
      return dim(`${symbols.information} absent`);
    case 'invalid':
      return red(`${symbols.failed} invalid`);
    case 'refused':
      return red(`${symbols.failed} refused`);
    case 'unavailable':
      return yellow(`${symbols.warning} unavailable`);
  }
}

function addressOf({ url, reason }: Probe, findings: Diagnosis['findings'], { dim, symbols }: Style): string {
  const isToldBelow = reason !== undefined && findings.some(({ text }) => text.includes(reason) && text.includes(url));
  const why = isToldBelow ? undefined : shown(reason);
  return why === undefined ? (shown(url) ?? '') : `${shown(url) ?? ''}\n${dim(`${symbols.under} ${why}`)}`;
}

function facts({ issuer, registration, challenge, resourceMetadata, serverMetadata }: Diagnosis, style: Style): string {
  const known = [
    ['Issuer', shown(issuer)],
    ['Client', registration === undefined ? undefined : REGISTRATIONS[registration]],
    ['Challenge', challenge === undefined ? undefined : (challenge.scheme ?? 'without a scheme')],
    ['Scopes', scopeList(challenge?.scopes ?? resourceMetadata?.scopes_supported)],
    ['Grants', scopeList(serverMetadata?.grant_types_supported)],
  ] as const;
  return known.every(([, value]) => value === undefined) ? '' : factsTable(known, style);
}

function findings({ findings: all }: Diagnosis, style: Style): string {
  if (all.length === 0) return '';
  const rows = all.map(({ level, rule, text }) => [mark(level, style), `${shown(text)} ${style.dim(`[${rule}]`)}`]);
  return inColumns(rows, style);
}

function mark(level: Diagnosis['findings'][number]['level'], { red, yellow, cyan, symbols }: Style): string {
  if (level === 'error') return red(symbols.failed);
  return level === 'warning' ? yellow(symbols.warning) : cyan(symbols.information);
}

/** The summary begins with the verdict itself; that of `broken` repeats a finding, which stands above here. */
function verdict({ verdict: word, summary, findings: all }: Diagnosis, { bold, green, yellow, red, symbols }: Style): string {
  const marks: Record<Diagnosis['verdict'], string> = {
    ready: green(symbols.done),
    usable: yellow(symbols.warning),
    open: green(symbols.done),
    broken: red(symbols.failed),
    unavailable: yellow(symbols.warning),
  };
  const errors = all.filter(({ level }) => level === 'error').length;
  const inWords =
    word === 'broken' ? `Broken: clients cannot sign in, for the reason${errors === 1 ? '' : 's'} above.` : (shown(summary) ?? word);
  return `${marks[word]} ${bold(inWords)}\n`;
}
