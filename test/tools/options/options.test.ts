import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { undocumentedOptions } from './exported-options.ts';
import { type Page, pageText } from './page.ts';

/** A page of one section, about what a file with this code declares. */
function pageOf(code: string): Page {
  const folder = mkdtempSync(join(tmpdir(), 'options-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const path = join(folder, 'example.ts');
  writeFileSync(path, code);
  return { title: 'Title', introduction: 'Words.', sections: [{ heading: '`example`', options: [path, 'ExampleOptions'] }] };
}

const rowsOf = (page: Page): readonly string[] => pageText(page).trimEnd().split('\n').slice(-1);

describe('the pages of options', () => {
  it('say of each its type in short, what holds without it, and what it does, and no ids of requirements', () => {
    const code = `export interface ExampleOptions {
  /**
   * Asked before anything is sent (SEC-03, FET-02); RFC 9207 wants it. Default: nobody
   * is asked. It may throw.
   */
  readonly allow?: (url: URL, more: { readonly why?: string; readonly who: string }) => false | ExampleOptions;
}`;
    expect(rowsOf(pageOf(code))).toEqual([
      '| `allow` | [`(url, more) => false \\| ExampleOptions`](#example) | nobody is asked | Asked before anything is sent; RFC 9207 wants it. It may throw. |',
    ]);
  });

  it('show defaults that are values by the unit in the name', () => {
    const page = pageOf('export interface ExampleOptions { /** How long. */ readonly waitMs: number; }');
    const sections = page.sections.map((section) => ({ ...section, defaults: { waitMs: 600_000 } }));
    expect(rowsOf({ ...page, sections })).toEqual(['| `waitMs` | `number` | 10 minutes | How long. |']);
  });

  it('are not made where a docstring does not say what an option does, or what holds without it', () => {
    expect(() => pageText(pageOf('export interface ExampleOptions { readonly allow: boolean; }'))).toThrow('does not say what it does');
    expect(() => pageText(pageOf('export interface ExampleOptions { /** Lets it. */ readonly allow?: boolean; }'))).toThrow(
      'what holds without it',
    );
  });

  it('are compared with what the package exports', () => {
    expect(undocumentedOptions([])).toContain('AuthorizationClientOptions');
  });
});
