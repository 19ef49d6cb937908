import { describe, expect, it } from 'vitest';
import { matchesRedirectUri, problemOfRedirectUri } from '../../src/gateway/oauth/redirect-uris.ts';

describe('a redirect URI', () => {
  it.each([
    'https://client.example.com/callback',
    'https://client.example.com:8443/callback?tenant=1',
    'http://127.0.0.1/callback',
    'http://127.0.0.1:4000/callback',
    'http://[::1]:4000/callback',
    'http://localhost:4000/callback',
    'com.example.app:/oauth',
    'com.example.app:/oauth?tenant=1',
    'cursor://anysphere.cursor-mcp/oauth/callback',
    'vscode://publisher.extension/mcp-auth/callback?windowId=1',
    'vscode-insiders://publisher.extension/callback',
    'claude://claude.ai/mcp-auth-callback',
    'goose://oauth',
  ])('%s may be registered (GWY-05)', (uri) => {
    expect(problemOfRedirectUri(uri)).toBeUndefined();
  });

  it.each([
    'javascript:alert(1)',
    'JavaScript:alert(1)',
    'data:text/html,x',
    'vbscript:x',
    'file:///etc/passwd',
    'blob:https://x/y',
    'about:blank',
    'view-source:https://x',
    'ws://client.example.com/',
    'intent://x#Intent;end',
    // Opened by the system, whoever asks: folders and settings, programs and installers, mail, telephone, money.
    'search:query=x&crumb=location:%5C%5Cevil.example',
    'search-ms://x',
    'SEARCH-MS://x',
    'ms-officecmd://x',
    'ms-settings://x',
    'ms-word://x',
    'microsoft-edge://x',
    'itms-services://?action=download-manifest',
    'itms-apps://x',
    'x-apple.systempreferences:/x',
    'market://details',
    'chrome-untrusted://x',
    'safari-web-extension://x/y',
    'web+login://x',
    'mailto:x',
    'tel:1',
    'facetime://x',
    'webcal://evil.example/x',
    'upi://pay',
    // Spoken to a server.
    'smb://evil.example/share',
    'nfs://evil.example/share',
    'telnet://evil.example',
    'ssh://evil.example',
    'sftp://evil.example/x',
    'ldaps://evil.example',
    'gopher://evil.example',
    'git+ssh://evil.example/x',
    'rdp://evil.example',
    'vnc://evil.example',
    'irc://evil.example',
    'magnet://x',
    // Of no registered meaning, and yet no place of an application's own.
    'anything:does',
    'com.example.app:does',
    'vscode://vscode.git/clone?url=https://evil.example/x.git',
    'vscode://vscode.git/clone?url=git%40evil.example%3Ax.git',
    'cursor://x/install?config=%E0%A4%A',
    'http://client.example.com/callback',
    'http://127.0.0.1.evil.example/callback',
    'http://127.0.0.1:80@evil.example/callback',
    'https://user:pass@client.example.com/',
    'https://client.example.com/callback#',
    'https://client.example.com/callback#x',
    'https:client.example.com',
    'https:///client.example.com',
    '/callback',
    'callback',
    '',
    'https://client.example.com/\\evil',
    'https://client.example.com/a b',
    'https://client.example.com/\n',
    ' https://client.example.com/',
    'https://clіent.example.com/',
    `https://client.example.com/${'x'.repeat(2048)}`,
    'https://client.example.com/<script>',
    'https://client.example.com/"',
    'http://169.254.169.254/',
    'http://0.0.0.0/callback',
    'http://[::]/callback',
  ])('%j may not (GWY-05)', (uri) => {
    expect(problemOfRedirectUri(uri)).toMatch(/^A redirect URI /);
  });

  it.each([
    ['http://127.0.0.1/callback', 'http://127.0.0.1:49152/callback'],
    ['http://127.0.0.1:3000/callback', 'http://127.0.0.1:4000/callback'],
    ['http://[::1]:3000/callback', 'http://[::1]/callback'],
    ['http://localhost/callback?a=1', 'http://localhost:9/callback?a=1'],
  ])('%s is also %s: ports of loopback addresses are free (GWY-05)', (registered, requested) => {
    expect(matchesRedirectUri([registered], requested)).toBe(true);
  });

  it.each([
    ['https://client.example.com/callback', 'https://client.example.com/callbacK'],
    ['https://client.example.com/callback', 'https://client.example.com/callback/'],
    ['https://client.example.com/callback', 'https://client.example.com/callback?'],
    ['https://client.example.com/callback', 'https://client.example.com:443/callback'],
    ['https://client.example.com/callback', 'https://client.example.com/x/../callback'],
    ['https://client.example.com/callback', 'https://client.example.com.evil.example/callback'],
    ['https://client.example.com/callback', 'HTTPS://client.example.com/callback'],
    ['https://client.example.com:1/callback', 'https://client.example.com:2/callback'],
    ['http://127.0.0.1:3000/callback', 'http://127.0.0.1:4000/callback/x'],
    ['http://127.0.0.1:3000/callback', 'http://localhost:3000/callback'],
    ['http://127.0.0.1:3000/callback', 'http://127.0.0.2:3000/callback'],
    ['http://127.0.0.1:3000/callback', 'https://127.0.0.1:3000/callback'],
    ['http://127.0.0.1:3000/callback', 'http://127.0.0.1:99999/callback'],
    ['http://127.0.0.1:3000/callback', 'http://127.0.0.1:3000@evil.example/callback'],
    ['http://127.0.0.1/callback', 'http://127.0.0.1:x/callback'],
    ['http://localhost/callback', 'http://localhost.evil.example/callback'],
    ['com.example.app:/oauth', 'com.example.app:/oauth2'],
  ])('%s is not %s (GWY-05)', (registered, requested) => {
    expect(matchesRedirectUri([registered], requested)).toBe(false);
  });
});
