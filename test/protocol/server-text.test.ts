import { describe, expect, it } from 'vitest';
import { serverText } from '../../src/protocol/server-text.ts';

describe('serverText', () => {
  it('makes one line of text that would forge log lines or steer a terminal (TOK-04)', () => {
    expect(serverText('denied\r\n2026-01-01 ERROR forged\u001b[2J\u0007 end\u2028x\u0085y')).toBe(
      'denied 2026-01-01 ERROR forged [2J end x y',
    );
  });

  it('removes bidirectional overrides, zero-width and tag characters and lone surrogates (TOK-04)', () => {
    expect(serverText('a\u202Eb\u2066c\u200Bd\uFEFFe\u{E0041}f\uD800g\u061Ch')).toBe('abcdefgh');
  });

  it('keeps what people write in (TOK-04)', () => {
    expect(serverText('Zugriff verweigert – доступ запрещён 拒否 🚫 "x" <b>')).toBe('Zugriff verweigert – доступ запрещён 拒否 🚫 "x" <b>');
  });

  it('cuts long text to its bound without halving a character (TOK-04)', () => {
    expect(serverText('x'.repeat(1_000_000))).toHaveLength(300);
    expect(serverText('😀😀😀', 4)).toBe('😀…');
    expect(serverText('😀😀😀', 6)).toBe('😀😀😀');
  });

  it('gives nothing for what is not text or shows nothing (TOK-04)', () => {
    for (const nothing of [undefined, null, 7, {}, ['x'], '', ' \n\t', '\u200B']) expect(serverText(nothing)).toBeUndefined();
  });
});
