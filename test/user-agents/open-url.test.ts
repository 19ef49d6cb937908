import { describe, expect, it, vi } from 'vitest';
import { FailureError } from '../../src/failure.ts';
import { openInBrowser } from '../../src/user-agents/open-url.ts';
import { urlToOpen } from '../../src/user-agents/url-to-open.ts';

const systemOpen = vi.hoisted(() => vi.fn(async () => undefined));
vi.mock('open', () => ({ default: systemOpen }));

const DANGEROUS = [
  'javascript:alert(1)',
  'file:///bin/sh',
  'data:text/html,x',
  'vscode://extension/run',
  'ms-msdt:/id PCWDiagnostic',
  'smb://host/share',
  'calc.exe',
  '--help',
  '$(touch /tmp/x)',
  'http:\n//',
  '',
  'https://bank.example@evil.example/',
  'https://user:password@as.example/',
];

describe('the URL given to the operating system', () => {
  it.each(DANGEROUS)('is refused: %j (SEC-06)', async (value) => {
    expect(() => urlToOpen(value)).toThrow(FailureError);
    await expect(openInBrowser(value)).rejects.toMatchObject({ failure: { code: 'url_refused' } });
    expect(systemOpen).not.toHaveBeenCalled();
  });

  it.each([
    ['HTTPS://AS.example:443/a/../authorize', 'https://as.example/authorize'],
    ['https://as.example/a b"c`d\'e|f\\g', 'https://as.example/a%20b%22c%60d%27e%7Cf/g'],
    ["https://as.example/?x=`id`&y='&z=|^{}\\", 'https://as.example/?x=%60id%60&y=%27&z=%7C%5E%7B%7D%5C'],
    ['https://as.example/?q=‘’', 'https://as.example/?q=%E2%80%98%E2%80%99'],
    ['https://as.example/\r\nx', 'https://as.example/x'],
    ['http://127.0.0.1:9000/authorize?a=1&b=2#c', 'http://127.0.0.1:9000/authorize?a=1&b=2#c'],
  ])('is written anew: %j (SEC-06)', (value, written) => {
    expect(urlToOpen(value)).toBe(written);
  });

  it('is the only thing given: no application, no arguments (SEC-06)', async () => {
    await openInBrowser('https://as.example/authorize?state=s');
    expect(systemOpen.mock.calls).toEqual([['https://as.example/authorize?state=s']]);
  });

  it('says nothing of the URL in the failure, which may hold anything (SEC-06)', () => {
    const error = (() => {
      try {
        return urlToOpen('javascript:marked()');
      } catch (thrown) {
        return thrown;
      }
    })();
    expect(JSON.stringify((error as FailureError).failure)).not.toContain('marked');
  });
});
