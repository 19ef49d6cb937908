import { describe, expect, it } from 'vitest';
import { resourceParameter } from '../../src/protocol/resource-parameter.ts';

const resource = 'https://mcp.example.com/mcp';

describe('the resource parameter', () => {
  it.each([
    [true, '2025-03-26', resource],
    [true, '2026-07-28', resource],
    [false, '2025-06-18', resource],
    [false, '2026-07-28', resource],
    [false, '2025-03-26', undefined],
    [false, '2024-11-05', undefined],
  ])('with resource metadata %s and revision %s it is %s (AUT-02)', (hasResourceMetadata, protocolVersion, expected) => {
    expect(resourceParameter({ resource, hasResourceMetadata, protocolVersion })).toBe(expected);
  });

  it('is left out for an issuer that rejects it (AUT-02)', () => {
    expect(
      resourceParameter({ resource, hasResourceMetadata: true, protocolVersion: '2026-07-28', policy: { resourceParameter: false } }),
    ).toBeUndefined();
  });

  it('is sent verbatim where the issuer knows the resource by another name (AUT-02)', () => {
    const policy = { resourceParameter: 'api://mcp-server/' };
    for (const protocolVersion of ['2025-03-26', '2026-07-28']) {
      expect(resourceParameter({ resource, hasResourceMetadata: false, protocolVersion, policy })).toBe('api://mcp-server/');
    }
  });

  it('follows the revision where the policy of the issuer is about other things (AUT-02)', () => {
    expect(resourceParameter({ resource, hasResourceMetadata: true, protocolVersion: '2026-07-28', policy: { assumePkce: true } })).toBe(
      resource,
    );
  });
});
