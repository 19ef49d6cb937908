import { describe, expect, it } from 'vitest';
import { grantedScopes, missingScopes, parseScope, promptFor, scopeUnion, selectScopes } from '../../src/protocol/scopes.ts';

describe('scope selection', () => {
  const everySource = {
    override: 'override',
    challenge: ['challenge'],
    resourceMetadata: ['resource'],
    serverMetadata: ['server'],
    useServerScopes: true,
    clientMetadata: 'client',
  };

  it.each([
    ['the override of the embedder', {}, ['override']],
    ['the challenge', { override: undefined }, ['challenge']],
    ['the protected resource metadata', { override: undefined, challenge: undefined }, ['resource']],
    ['the authorization server metadata, by option', { override: undefined, challenge: [], resourceMetadata: [] }, ['server']],
    ['the client metadata', { override: undefined, challenge: [], resourceMetadata: undefined, useServerScopes: false }, ['client']],
  ] as const)('takes %s when nothing before it names scopes (SCO-01)', (_source, absent, expected) => {
    expect(selectScopes({ ...everySource, ...absent })).toEqual(expected);
  });

  it('asks for no scope when no source names one (SCO-01)', () => {
    expect(selectScopes({ serverMetadata: ['server'], clientMetadata: '  ' })).toBeUndefined();
  });

  it('asks for no scope when the override is empty, whatever the others name (SCO-01)', () => {
    expect(selectScopes({ ...everySource, override: [] })).toBeUndefined();
    expect(selectScopes({ ...everySource, override: ' ' })).toBeUndefined();
  });

  it('takes an override as text or as a list (SCO-01)', () => {
    expect(selectScopes({ override: ' b  a b ' })).toEqual(['b', 'a']);
    expect(selectScopes({ override: ['b', 'a', 'b'] })).toEqual(['b', 'a']);
  });

  it('adds offline_access when the authorization server advertises it and the client registers for refresh tokens (SCO-02)', () => {
    const selected = selectScopes({ resourceMetadata: ['mcp'], serverMetadata: ['mcp', 'offline_access'], offlineAccess: true });
    expect(selected).toEqual(['mcp', 'offline_access']);
    expect(promptFor(selected)).toBe('consent');
  });

  it.each([
    ['the authorization server does not advertise it', { serverMetadata: ['mcp'], offlineAccess: true }],
    ['the authorization server advertises no scopes', { offlineAccess: true }],
    ['the client does not register for refresh tokens', { serverMetadata: ['mcp', 'offline_access'], offlineAccess: false }],
  ] as const)('never adds offline_access when %s (SCO-02)', (_why, sources) => {
    const selected = selectScopes({ challenge: ['mcp'], ...sources });
    expect(selected).toEqual(['mcp']);
    expect(promptFor(selected)).toBeUndefined();
  });

  it('never asks for offline_access alone: it would replace the default scopes (SCO-02)', () => {
    expect(selectScopes({ serverMetadata: ['offline_access'], useServerScopes: true, offlineAccess: true })).toBeUndefined();
  });

  it('names offline_access once when the resource names it too (SCO-02)', () => {
    const selected = selectScopes({ challenge: ['offline_access', 'mcp'], serverMetadata: ['offline_access'], offlineAccess: true });
    expect(selected).toEqual(['offline_access', 'mcp']);
  });
});

describe('scopes of a token', () => {
  it('takes an omitted scope for the requested one, and in a refresh for the previous one (SCO-03)', () => {
    expect(grantedScopes(undefined, ['read', 'write'])).toEqual(['read', 'write']);
    expect(grantedScopes(undefined, undefined)).toEqual([]);
  });

  it('takes the scope of the response where there is one, even a smaller one (SCO-03)', () => {
    expect(grantedScopes(['read'], ['read', 'write'])).toEqual(['read']);
  });

  it('lists what a grant lacks in the order in which it was wanted', () => {
    expect(missingScopes(['c', 'a', 'b'], ['a'])).toEqual(['c', 'b']);
    expect(missingScopes(['a'], undefined)).toEqual(['a']);
    expect(missingScopes(undefined, ['a'])).toEqual([]);
  });
});

describe('the union of a step-up', () => {
  it('holds requested, granted and challenged scopes once each, in the order first seen (SCO-04)', () => {
    expect(scopeUnion(['write', 'read'], ['read', 'admin'], undefined, ['audit', 'write'])).toEqual(['write', 'read', 'admin', 'audit']);
  });

  it('keeps a scope that another one seems to include (SCO-04)', () => {
    expect(scopeUnion(['files'], ['files:read'])).toEqual(['files', 'files:read']);
  });

  it('gives the same list when it is built from its own result (SCO-04)', () => {
    const once = scopeUnion(['b', 'a'], ['c']);
    expect(scopeUnion(once, ['a', 'b'], ['c'])).toEqual(once);
  });
});

it('reads scope tokens over any white space', () => {
  expect(parseScope(' a\tb \n a  https://x.example/.default ')).toEqual(['a', 'b', 'https://x.example/.default']);
  expect(parseScope('')).toEqual([]);
});
