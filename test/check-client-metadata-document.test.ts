import { describe, expect, it } from 'vitest';
import { checkClientMetadataDocument } from '../src/check-client-metadata-document.ts';
import { clientMetadataDocument } from '../src/protocol/client-metadata-document.ts';

const URL_OF_DOCUMENT = 'https://app.example.com/client.json';
const METADATA = { client_name: 'Example', redirect_uris: ['http://127.0.0.1/callback'] };

const hosting = (document: unknown) => () => Promise.resolve(Response.json(document));

describe('a hosted client ID metadata document', () => {
  it('that the helper made is found good (REG-02)', async () => {
    const document = clientMetadataDocument(URL_OF_DOCUMENT, METADATA);
    expect(await checkClientMetadataDocument({ url: URL_OF_DOCUMENT, clientMetadata: METADATA, fetch: hosting(document) })).toEqual([]);
  });

  it('of another client is found wanting, each problem a sentence (REG-02)', async () => {
    const document = { ...clientMetadataDocument(URL_OF_DOCUMENT, METADATA), client_id: 'https://evil.example.com/client.json' };
    const problems = await checkClientMetadataDocument({ url: URL_OF_DOCUMENT, clientMetadata: METADATA, fetch: hosting(document) });
    expect(problems).toHaveLength(1);
    expect(problems[0]).toContain('client_id');
  });

  it('that cannot be reached is a problem and not an exception (REG-02)', async () => {
    const unreachable = () => Promise.reject(new TypeError('fetch failed'));
    const problems = await checkClientMetadataDocument({ url: URL_OF_DOCUMENT, clientMetadata: METADATA, fetch: unreachable });
    expect(problems).toEqual(['A server could not be reached.']);
  });
});
