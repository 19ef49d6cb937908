import { describe, expect, it } from 'vitest';
import { decodeCheckpoint, encodeCheckpoint } from '../../src/durable/checkpoint.ts';

const checkpoint = {
  value: { working: { loggingIn: 'awaitingUser' } },
  context: { resource: 'https://mcp.example.com', grant: { scopes: ['a'], deadlineEpochMs: 1 }, nothing: null },
  writtenAtEpochMs: 1_800_000_000_000,
};
const encoded = JSON.parse(JSON.stringify(encodeCheckpoint(checkpoint)));

describe('checkpoint', () => {
  it('is plain JSON with a version, and comes back as it was (RES-01)', () => {
    expect(encoded).toEqual({ version: 1, ...checkpoint });
    expect(decodeCheckpoint(encoded)).toEqual({ version: 1, ...checkpoint });
    expect(decodeCheckpoint({ ...encoded, value: 'idle' }).value).toBe('idle');
  });

  it.each([
    ['nothing', undefined],
    ['null', null],
    ['a text', 'idle'],
    ['a list', []],
    ['no version', { ...encoded, version: undefined }],
    ['a version of text', { ...encoded, version: '1' }],
    ['version 0', { ...encoded, version: 0 }],
    ['version 1.5', { ...encoded, version: 1.5 }],
    ['no state', { ...encoded, value: undefined }],
    ['an empty state', { ...encoded, value: '' }],
    ['a state that is a number', { ...encoded, value: { working: 5 } }],
    ['a state that is a list', { ...encoded, value: ['idle'] }],
    ['no context', { ...encoded, context: undefined }],
    ['a context of text', { ...encoded, context: 'planted-secret' }],
    ['no time', { ...encoded, writtenAtEpochMs: undefined }],
    ['a time of text', { ...encoded, writtenAtEpochMs: 'now' }],
  ])('is refused with %s, without quoting it', (_what, json) => {
    const refusal = refusalOf(json);
    expect(refusal).toMatchObject({ failure: { code: 'record_unreadable', phase: 'storage' } });
    expect(`${refusal}`).not.toContain('planted-secret');
  });

  it('of a newer version is refused, naming both versions (STO-05)', () => {
    expect(refusalOf({ ...encoded, version: 2 })).toMatchObject({
      failure: { code: 'record_unreadable', details: { reason: expect.stringMatching(/version 2.*up to 1/) } },
    });
  });
});

function refusalOf(json: unknown): unknown {
  try {
    return decodeCheckpoint(json);
  } catch (thrown) {
    return thrown;
  }
}
