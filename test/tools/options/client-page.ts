/** docs/options.md: what the client, the host, user agents and stores can be told, and what can be asked of them. */
import { DEFAULT_LIMITS } from '../../../src/limits.ts';
import type { Page } from './page.ts';

const OPTIONS = 'src/options.ts';
const CLIENT = 'src/client.ts';
const HOST_OPTIONS = 'src/host/host-options.ts';
const DOCUMENTS = 'src/protocol/documents.ts';

export const CLIENT_PAGE: Page = {
  title: 'Options and calls of the client',
  introduction: [
    'Generated from the docstrings by `npm run docs`. What a gateway can be told is in [gateway-options.md](gateway-options.md), and the',
    'options of the command in [command-line.md](command-line.md).',
  ].join('\n'),
  sections: [
    {
      heading: '`createAuthorizationClient(options)`',
      level: 2,
      text: "`import { createAuthorizationClient } from 'authchart'`",
      words: [CLIENT, 'createAuthorizationClient'],
      options: [OPTIONS, 'AuthorizationClientOptions'],
    },
    {
      heading: '`clientMetadata`',
      text: '`redirect_uris` have to fit the user agent: `http://127.0.0.1/callback`, which stands for any port, for `loopback()`; a page of the application for `pageRedirect()` and `popup()`.',
      words: [DOCUMENTS, 'ClientMetadata'],
      shapes: [[DOCUMENTS, 'ClientMetadata']],
    },
    { heading: '`preregistered`', words: [OPTIONS, 'PreregisteredClient'], options: [OPTIONS, 'PreregisteredClient'] },
    {
      heading: '`authenticateClient`',
      words: [OPTIONS, 'ClientAuthenticator'],
      shapes: [[OPTIONS, 'ClientAuthenticator']],
    },
    {
      heading: '`issuers`',
      text: "`issuers: { 'https://login.example.com': { assumePkce: true } }`",
      words: [OPTIONS, 'IssuerPolicy'],
      options: [OPTIONS, 'IssuerPolicy'],
    },
    {
      heading: '`serverUrls`',
      text: 'Why, and what it does not cover: [security.md](security.md#where-servers-may-send-the-flow).',
      words: [OPTIONS, 'ServerUrlRule'],
      options: [OPTIONS, 'ServerUrlExceptions'],
      shapes: [[OPTIONS, 'UrlPurpose']],
    },
    { heading: '`serverMetadata`', words: [DOCUMENTS, 'ServerMetadata'], shapes: [[DOCUMENTS, 'ServerMetadata']] },
    { heading: '`logger`', words: [OPTIONS, 'LogRecord'], shapes: [[OPTIONS, 'LogRecord']] },
    { heading: '`limits`', options: ['src/limits.ts', 'Limits'], defaults: { ...DEFAULT_LIMITS } },
    { heading: 'The client', level: 2, calls: [CLIENT, 'AuthorizationClient'] },
    { heading: '`authorize`', options: [CLIENT, 'AuthorizeOptions'] },
    { heading: '`accessToken`', shapes: [[CLIENT, 'IssuedAccessToken']] },
    {
      heading: '`completeAuthorization`',
      text: [
        'In any process: this one only completes a login that another has begun, whether that one still runs or not. It takes the same',
        'options, the store above all, and needs no user agent.',
        '',
        '```ts',
        "import { createAuthorizationClient } from 'authchart';",
        "import { fileStore } from 'authchart/node';",
        '',
        "const [, , callbackUrl = ''] = process.argv;",
        'const authorization = createAuthorizationClient({',
        "  resource: 'https://mcp.example.com/mcp',",
        '  // As where it began. `userAgent: loopback({ openUrl: false })` in its place will do, too.',
        "  clientMetadata: { redirect_uris: ['http://127.0.0.1/callback'] },",
        '  store: fileStore(),',
        '});',
        "console.log((await authorization.completeAuthorization(callbackUrl)).step); // 'authorized'",
        'await authorization.close();',
        '```',
      ].join('\n'),
    },
    {
      heading: '`provideClient`',
      words: ['src/provided-client.ts', 'ProvidedClient'],
      shapes: [['src/provided-client.ts', 'ProvidedClient']],
    },
    { heading: '`cancel`', options: [CLIENT, 'CancelOptions'] },
    { heading: '`signOut`', options: ['src/flow.ts', 'SignOutOptions'] },
    {
      heading: 'Status',
      level: 2,
      text: '`step` tells which of these it is; every one of them has the facts as well.',
      shapes: [
        ['src/status.ts', 'AuthorizationStatus'],
        ['src/status.ts', 'StatusFacts'],
        ['src/status.ts', 'Progress'],
      ],
    },
    {
      heading: '`AuthorizationError`',
      level: 2,
      text: 'The codes, with what to do: [errors.md](errors.md). Of `failure`:',
      words: ['src/errors.ts', 'AuthorizationError'],
      facts: ['src/failure.ts', 'Failure'],
    },
    {
      heading: '`details`',
      words: ['src/failure.ts', 'FailureDetails'],
      shapes: [
        ['src/failure.ts', 'FailureDetails'],
        ['src/failure.ts', 'Phase'],
        ['src/failure.ts', 'NextAction'],
      ],
    },
    {
      heading: '`createAuthorizationHost(options)`',
      level: 2,
      text: "`import { createAuthorizationHost } from 'authchart'`; how it is used: [hosting.md](hosting.md). It takes these options, and those of a client but `resource`, `account` and `userAgent`.",
      words: ['src/host.ts', 'createAuthorizationHost'],
      options: [HOST_OPTIONS, 'AuthorizationHostOptions'],
    },
    {
      heading: '`configure`',
      text: 'It returns options of a client, but none of `resource`, `account`, `store`, `vault`, `userAgent`, `clientMetadata`, `clock`, `random`, `limits` and `logger`.',
      words: [HOST_OPTIONS, 'HostedClientOptions'],
    },
    { heading: '`onUserNeeded`', words: [HOST_OPTIONS, 'UserNeeded'], shapes: [[HOST_OPTIONS, 'UserNeeded']] },
    { heading: 'The host', calls: ['src/host.ts', 'AuthorizationHost'] },
    {
      heading: 'A client of a host',
      text: 'It has `fetch`, `authorize`, `restore`, `accessToken`, `status`, `progress`, `subscribe`, `completeAuthorization`, `provideClient` and `signOut` as [any client](#the-client), and:',
      words: ['src/host/hosted-client.ts', 'HostedClient'],
      calls: ['src/host/hosted-client.ts', 'HostedClient'],
    },
    {
      heading: 'User agents',
      level: 2,
      text: "`import { loopback, manual } from 'authchart/node'`, `import { pageRedirect, popup } from 'authchart/browser'` ([browser.md](browser.md)).",
    },
    {
      heading: '`loopback(options?)`',
      words: ['src/user-agents/loopback.ts', 'loopback'],
      options: ['src/user-agents/loopback.ts', 'LoopbackOptions'],
    },
    {
      heading: '`manual(options?)`',
      words: ['src/user-agents/manual.ts', 'manual'],
      options: ['src/user-agents/manual.ts', 'ManualOptions'],
    },
    {
      heading: '`pageRedirect(options?)`',
      words: ['src/user-agents/page-redirect.ts', 'pageRedirect'],
      options: ['src/user-agents/page-redirect.ts', 'PageRedirectOptions'],
    },
    {
      heading: '`popup(options?)`',
      words: ['src/user-agents/popup.ts', 'popup'],
      options: ['src/user-agents/popup.ts', 'PopupOptions'],
      calls: ['src/user-agents/popup.ts', 'PopupUserAgent'],
    },
    { heading: '`completeFromPage(client)`', words: ['src/complete-from-page.ts', 'completeFromPage'] },
    { heading: '`completeFromPopup(client)`', words: ['src/complete-from-page.ts', 'completeFromPopup'] },
    {
      heading: 'One of your own',
      shapes: [
        ['src/user-agents/contract.ts', 'UserAgent'],
        ['src/user-agents/contract.ts', 'RedirectRequest'],
        ['src/user-agents/contract.ts', 'RedirectTarget'],
        ['src/user-agents/contract.ts', 'CallbackOutcome'],
      ],
    },
    { heading: 'Stores', level: 2, text: 'Which one for what: [storage.md](storage.md).' },
    { heading: '`memoryStore({ clock? })`', words: ['src/stores/memory-store.ts', 'memoryStore'] },
    { heading: '`fileStore({ directory?, clock? })`', words: ['src/stores/file-store.ts', 'fileStore'] },
    { heading: '`sqliteStore({ path, clock? })`', words: ['src/stores/sqlite-store.ts', 'sqliteStore'] },
    {
      heading: '`redisStore(options)`',
      words: ['src/stores/redis-store.ts', 'redisStore'],
      options: ['src/stores/redis-store.ts', 'RedisStoreOptions'],
    },
    {
      heading: '`postgresStore(options)`',
      words: ['src/stores/postgres-store.ts', 'postgresStore'],
      options: ['src/stores/postgres-store.ts', 'PostgresStoreOptions'],
    },
    { heading: '`migratePostgres(client, { schema? })`', words: ['src/stores/postgres-schema.ts', 'migratePostgres'] },
    { heading: '`indexedDbStore({ name?, clock? })`', words: ['src/stores/indexeddb-store.ts', 'indexedDbStore'] },
    {
      heading: '`sealed(store, keys)`',
      words: ['src/stores/sealed-store.ts', 'sealed'],
      options: ['src/stores/sealing-keys.ts', 'SealingKeys'],
    },
    {
      heading: '`browserSealingKey(options?)`',
      words: ['src/stores/browser-sealing-key.ts', 'browserSealingKey'],
      options: ['src/stores/browser-sealing-key.ts', 'BrowserSealingKeyOptions'],
    },
    {
      heading: '`keychainVault(options)`',
      words: ['src/stores/keychain-vault.ts', 'keychainVault'],
      options: ['src/stores/keychain-vault.ts', 'KeychainVaultOptions'],
    },
    { heading: '`rotateKeychainKey(options)`', words: ['src/stores/keychain-vault.ts', 'rotateKeychainKey'] },
    {
      heading: 'A store of your own',
      shapes: [
        ['src/stores/contract.ts', 'Store'],
        ['src/stores/contract.ts', 'StoredRecord'],
        ['src/stores/contract.ts', 'WriteOptions'],
        ['src/stores/contract.ts', 'WriteResult'],
        ['src/stores/contract.ts', 'Lease'],
      ],
    },
    { heading: 'Beside the client', level: 2 },
    {
      heading: '`discover(options)`',
      words: ['src/diagnosis.ts', 'discover'],
      options: ['src/diagnosis.ts', 'DiscoverOptions'],
      facts: ['src/diagnosis.ts', 'Diagnosis'],
    },
    {
      heading: '`clientMetadataDocument(url, clientMetadata)`',
      words: ['src/protocol/client-metadata-document.ts', 'clientMetadataDocument'],
    },
    {
      heading: '`checkClientMetadataDocument(options)`',
      words: ['src/check-client-metadata-document.ts', 'checkClientMetadataDocument'],
      options: ['src/check-client-metadata-document.ts', 'CheckClientMetadataDocumentOptions'],
    },
    {
      heading: '`publicLookup(options?)`',
      words: ['src/public-lookup.ts', 'publicLookup'],
      options: ['src/public-lookup.ts', 'PublicLookupOptions'],
    },
  ],
};
