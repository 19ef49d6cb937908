import { describe, expect, it } from 'vitest';
import { FailureError } from '../../src/failure.ts';
import { resourceMetadataUrls, serverMetadataUrls } from '../../src/protocol/well-known.ts';

describe('resourceMetadataUrls', () => {
  it('names the challenge, then the path inserted, then the root (PRM-01)', () => {
    expect(resourceMetadataUrls('https://h.example/a/mcp', 'https://meta.example/prm?x=1')).toEqual([
      'https://meta.example/prm?x=1',
      'https://h.example/.well-known/oauth-protected-resource/a/mcp',
      'https://h.example/.well-known/oauth-protected-resource',
    ]);
  });

  it('starts at the well-known URIs without a challenge, and names each URL once (PRM-01, CHA-03)', () => {
    expect(resourceMetadataUrls('https://h.example')).toEqual(['https://h.example/.well-known/oauth-protected-resource']);
    expect(resourceMetadataUrls('https://h.example/mcp', 'HTTPS://h.example:443/.well-known/oauth-protected-resource')).toEqual([
      'https://h.example/.well-known/oauth-protected-resource',
      'https://h.example/.well-known/oauth-protected-resource/mcp',
    ]);
  });

  it('inserts before path and query, and keeps neither at the root (PRM-06)', () => {
    expect(resourceMetadataUrls('https://h.example/mcp?tenant=1')).toEqual([
      'https://h.example/.well-known/oauth-protected-resource/mcp?tenant=1',
      'https://h.example/.well-known/oauth-protected-resource',
    ]);
    expect(resourceMetadataUrls('https://h.example?tenant=1')).toEqual([
      'https://h.example/.well-known/oauth-protected-resource?tenant=1',
      'https://h.example/.well-known/oauth-protected-resource',
    ]);
    expect(resourceMetadataUrls('https://h.example/mcp/')[0]).toBe('https://h.example/.well-known/oauth-protected-resource/mcp/');
  });

  it('keeps an unusable challenge URL as it is, so that its probe can say why (PRM-01)', () => {
    for (const bad of ['/.well-known/oauth-protected-resource', 'javascript:alert(1)', '//evil.example/x']) {
      expect(resourceMetadataUrls('https://h.example', bad)).toEqual([bad, 'https://h.example/.well-known/oauth-protected-resource']);
    }
  });
});

describe('serverMetadataUrls', () => {
  it('tries RFC 8414 inserted, OpenID Connect inserted, OpenID Connect appended for an issuer with a path (ASM-01)', () => {
    const urls = [
      'https://as.example/.well-known/oauth-authorization-server/tenant1',
      'https://as.example/.well-known/openid-configuration/tenant1',
      'https://as.example/tenant1/.well-known/openid-configuration',
    ];
    expect(serverMetadataUrls('https://as.example/tenant1')).toEqual(urls);
    expect(serverMetadataUrls('https://as.example/tenant1/')).toEqual(urls);
  });

  it('tries RFC 8414, then OpenID Connect for an issuer without a path (ASM-01)', () => {
    const urls = [
      'https://as.example:8443/.well-known/oauth-authorization-server',
      'https://as.example:8443/.well-known/openid-configuration',
    ];
    expect(serverMetadataUrls('https://as.example:8443')).toEqual(urls);
    expect(serverMetadataUrls('https://as.example:8443/')).toEqual(urls);
  });

  it.each([
    'https://as.example?x=1',
    'https://as.example#x',
    'https://as.example/?',
    'https://as.example/#',
    'http://as.example',
    'javascript:alert(1)',
    'as.example',
    '',
    'https://u:p@as.example',
    // Cyrillic letters that look like Latin ones; its host in ASCII is another name.
    'https://\u0430pple.com',
    'https://login.example.com/t\u00e9nant',
  ])('refuses the issuer %j (ASM-01)', (issuer) => {
    expect(() => serverMetadataUrls(issuer)).toThrow(FailureError);
    expect(() => serverMetadataUrls(issuer)).toThrow(
      expect.objectContaining({ failure: expect.objectContaining({ code: 'url_refused' }) }),
    );
  });
});
