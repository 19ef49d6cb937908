import { describe, expect, it } from 'vitest';
import { createGateway } from '../../src/gateway/oauth/create-gateway.ts';
import { authorizeUrl, REDIRECT_URI, RESOURCE } from '../helpers/gateway-scene.ts';

const upstream = { issuer: 'https://login.example.com', clientId: 'gateway' };

describe('a client ID metadata document', () => {
  const URL_OF_CLIENT = 'https://client.example.com/oauth/client.json';
  const DOCUMENT = { client_id: URL_OF_CLIENT, client_name: 'Agent by document', redirect_uris: [REDIRECT_URI] };

  const asked: string[] = [];
  const statusOf = async (
    document: unknown,
    {
      clientId = URL_OF_CLIENT,
      addresses = ['93.184.215.14'],
      status = 200,
    }: { clientId?: string; addresses?: readonly string[]; status?: number } = {},
  ): Promise<readonly [number, string]> => {
    asked.length = 0;
    const gateway = createGateway({
      resource: RESOURCE,
      upstream,
      clientMetadataDocuments: { resolve: () => Promise.resolve(addresses) },
      fetch: async (input, init) => {
        asked.push(new Request(input, init).url);
        const headers = { 'content-type': 'application/json', ...(status === 302 && { location: '/elsewhere.json' }) };
        return new Response(typeof document === 'string' ? document : JSON.stringify(document), { status, headers });
      },
    });
    const response = await gateway.fetch(new Request(authorizeUrl(clientId)));
    return [response.status, await response.text()];
  };

  it('is read, and its client shown with the address of the document (GWY-05)', async () => {
    const [status, html] = await statusOf(DOCUMENT);
    expect(status).toBe(200);
    expect(html).toContain('Agent by document');
    expect(html).toContain(`<code>${URL_OF_CLIENT}</code>`);
  });

  it.each<[string, unknown, Parameters<typeof statusOf>[1]?]>([
    ['that names another client', { ...DOCUMENT, client_id: `${URL_OF_CLIENT}?` }],
    ['that is not JSON', '<html>'],
    ['that is larger than 5 kB', { ...DOCUMENT, x: 'x'.repeat(5_200) }],
    ['that is not there', DOCUMENT, { status: 404 }],
    ['that leads elsewhere', DOCUMENT, { status: 302 }],
    ['with a secret', { ...DOCUMENT, client_secret: 'x' }],
    ['of a confidential client', { ...DOCUMENT, token_endpoint_auth_method: 'client_secret_basic' }],
    ['with an unsafe redirect URI', { ...DOCUMENT, redirect_uris: [REDIRECT_URI, 'javascript:1'] }],
  ])('%s is refused (GWY-05)', async (_, document, how) => {
    const [status, html] = await statusOf(document, how);
    expect(status).toBe(400);
    expect(html).not.toContain('<form');
    expect(asked).toHaveLength(1);
  });

  it.each([
    ['https://127.0.0.1/client.json'],
    ['https://169.254.169.254/latest/meta-data'],
    ['https://[::1]/client.json'],
    ['https://10.0.0.1/client.json'],
    ['https://localhost/client.json'],
    ['https://client.example.com/'],
    ['https://user@client.example.com/client.json'],
    ['https://client.example.com/a/../client.json'],
    [`https://client.example.com/${'x'.repeat(512)}`],
  ])('at %s is not asked for (GWY-05)', async (clientId) => {
    const [status] = await statusOf({ ...DOCUMENT, client_id: clientId }, { clientId });
    expect([status, asked]).toEqual([400, []]);
  });

  it.each([['127.0.0.1'], ['10.1.2.3'], ['169.254.169.254'], ['::1'], ['fd00::1']])(
    'whose name leads to %s is not asked for (GWY-05)',
    async (address) => {
      const [status, html] = await statusOf(DOCUMENT, { addresses: ['93.184.215.14', address] });
      expect([status, asked]).toEqual([400, []]);
      // What is in our network is nobody's business.
      expect(html).not.toContain(address);
    },
  );

  it('is not read where documents are switched off (GWY-05)', async () => {
    const gateway = createGateway({
      resource: RESOURCE,
      upstream,
      clientMetadataDocuments: false,
      fetch: () => Promise.reject(new Error('asked')),
    });
    const response = await gateway.fetch(new Request(authorizeUrl(URL_OF_CLIENT)));
    expect(response.status).toBe(400);
    expect(await response.text()).toContain('not registered');
  });
});
