import { describe, expect, it } from 'vitest';
import { isLoopbackHost, isSafeEndpoint, withoutQuery } from '../../src/protocol/endpoint-url.ts';

describe('isSafeEndpoint', () => {
  it.each([
    'https://as.example/token',
    'HTTPS://as.example',
    'http://127.0.0.1:3000/token',
    'http://127.8.9.1/',
    'http://[::1]:80/x',
    'http://localhost/t',
    'http://as.localhost:1/',
  ])('accepts %s (ASM-04)', (url) => {
    expect(isSafeEndpoint(url)).toBe(true);
  });

  it.each([
    'http://as.example/token',
    'http://10.0.0.1/token',
    'http://0.0.0.0/token',
    'http://localhost.evil.example/',
    'http://127.0.0.1.evil.example/',
    'http://[::2]/',
    'javascript:alert(1)',
    'file:///etc/passwd',
    'data:text/html,x',
    'ftp://as.example/',
    'ws://127.0.0.1/',
    '//as.example/token',
    '/token',
    '',
    'https:as.example',
    'https:///as.example',
    'https://',
    'https://user@as.example/',
    'https://:pw@as.example/',
    ' https://as.example/',
    'https://as.exam\nple/',
    'java\tscript:alert(1)',
    'https://as.example\\@evil.example/',
    `https://as.example/${'x'.repeat(5000)}`,
    null,
    undefined,
    7,
    {},
    ['https://as.example/'],
    new URL('https://as.example/'),
  ])('refuses %j (ASM-04)', (url) => {
    expect(isSafeEndpoint(url)).toBe(false);
  });
});

it('knows loopback hosts from names that only look like them (ASM-04)', () => {
  for (const host of ['localhost', 'a.localhost', '127.0.0.1', '127.255.1.2', '[::1]', '::1'])
    expect(isLoopbackHost(host), host).toBe(true);
  for (const host of ['', 'localhost.example', 'alocalhost', '128.0.0.1', '127.0.0.1.example', '[::]', '169.254.169.254'])
    expect(isLoopbackHost(host), host).toBe(false);
});

it('shows a URL without query, fragment and user information', () => {
  expect(withoutQuery('https://user:pw@h.example/a/b?code=secret#frag')).toBe('https://h.example/a/b');
  expect(withoutQuery('javascript:alert(1)?secret')).toBe('javascript:alert(1)');
  expect(withoutQuery('/relative?secret')).toBe('/relative');
  expect(withoutQuery(`x${'y'.repeat(500)}\n`)).toHaveLength(120);
});
