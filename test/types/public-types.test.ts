/** What the compiler promises to users. These tests fail in `npm run check:types`, by what does not compile. */
import type { StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import type { StreamableHTTPClientTransport as FirstMajorTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import type { Cluster, Redis } from 'ioredis';
import type { Client, Pool, PoolClient } from 'pg';
import type { Sql } from 'postgres';
import type { createClient, createClientPool, createCluster, createSentinel } from 'redis';
import { describe, expectTypeOf, it } from 'vitest';
import type { Actor } from 'xstate';
import {
  type AuthorizationClient,
  type AuthorizationClientOptions,
  type AuthorizationError,
  type AuthorizationStatus,
  createAuthorizationClient,
  createAuthorizationHost,
  type FailureCode,
  memoryStore,
  type Store,
} from '../../src/index.ts';
import type { AuthorizationMachine } from '../../src/machines.ts';
import { fileStore, loopback, manual } from '../../src/node.ts';
import { type PostgresClient, postgresStore } from '../../src/postgres.ts';
import { type RedisClient, redisStore } from '../../src/redis.ts';

describe('the public types', () => {
  it('need a resource and nothing else', () => {
    expectTypeOf(createAuthorizationClient).toBeCallableWith({ resource: 'https://mcp.example.com/mcp' });
    // @ts-expect-error the resource is missing
    expectTypeOf(createAuthorizationClient).toBeCallableWith({ account: 'work' });
    // @ts-expect-error there is no such option
    const options: AuthorizationClientOptions = { resource: 'https://mcp.example.com/mcp', provider: {} };
    expectTypeOf(createAuthorizationClient).toBeCallableWith(options);
  });

  it('let the client fetch for the transports of both SDK majors', () => {
    type Options = NonNullable<ConstructorParameters<typeof StreamableHTTPClientTransport>[1]>;
    type FirstMajorOptions = NonNullable<ConstructorParameters<typeof FirstMajorTransport>[1]>;
    expectTypeOf<AuthorizationClient['fetch']>().toExtend<NonNullable<Options['fetch']>>();
    expectTypeOf<AuthorizationClient['fetch']>().toExtend<NonNullable<FirstMajorOptions['fetch']>>();
    expectTypeOf<Parameters<typeof fetch>>().toExtend<Parameters<AuthorizationClient['fetch']>>();
  });

  it('let no host be without a way to know whose browser a callback comes from (AUT-05)', () => {
    const options = { store: memoryStore(), redirectUri: 'https://app.example.com/callback' };
    expectTypeOf(createAuthorizationHost).toBeCallableWith({
      ...options,
      identify: async (request) => request.headers.get('x-user') ?? undefined,
    });
    // @ts-expect-error nobody says whose browser it is
    expectTypeOf(createAuthorizationHost).toBeCallableWith(options);
    // @ts-expect-error everybody is not somebody
    expectTypeOf(createAuthorizationHost).toBeCallableWith({ ...options, identify: () => true });
  });

  it('narrow a status by its step', () => {
    type In<Step extends AuthorizationStatus['step']> = Extract<AuthorizationStatus, { step: Step }>;
    expectTypeOf<In<'awaiting-user'>['authorizationUrl']>().toEqualTypeOf<string>();
    expectTypeOf<In<'awaiting-user'>['deadlineEpochSeconds']>().toEqualTypeOf<number>();
    expectTypeOf<In<'failed'>['failure']['code']>().toEqualTypeOf<FailureCode>();
    // @ts-expect-error nobody has to go anywhere once authorized
    expectTypeOf<In<'authorized'>['authorizationUrl']>().toBeString();
  });

  it('show the actor as that of the exported chart', () => {
    expectTypeOf<AuthorizationClient['actor']>().toEqualTypeOf<Actor<AuthorizationMachine>>();
  });

  it('fit the stores and user agents to the options', () => {
    expectTypeOf(memoryStore).returns.toEqualTypeOf<Store>();
    expectTypeOf(fileStore).returns.toEqualTypeOf<Store>();
    expectTypeOf(redisStore).returns.toEqualTypeOf<Store>();
    expectTypeOf(postgresStore).returns.toEqualTypeOf<Store>();
    expectTypeOf(loopback).returns.toExtend<NonNullable<AuthorizationClientOptions['userAgent']>>();
    expectTypeOf(manual).returns.toExtend<NonNullable<AuthorizationClientOptions['userAgent']>>();
  });

  it('take the clients of the database libraries as they are', () => {
    expectTypeOf<ReturnType<typeof createClient>>().toExtend<RedisClient>();
    expectTypeOf<ReturnType<typeof createClientPool>>().toExtend<RedisClient>();
    expectTypeOf<ReturnType<typeof createCluster>>().toExtend<RedisClient>();
    expectTypeOf<ReturnType<typeof createSentinel>>().toExtend<RedisClient>();
    expectTypeOf<Redis>().toExtend<RedisClient>();
    expectTypeOf<Cluster>().toExtend<RedisClient>();
    expectTypeOf<Client>().toExtend<PostgresClient>();
    expectTypeOf<PoolClient>().toExtend<PostgresClient>();
    expectTypeOf<Pool>().toExtend<PostgresClient>();
    expectTypeOf<Sql>().toExtend<PostgresClient>();
    // @ts-expect-error neither runs scripts nor sends commands
    expectTypeOf<{ get(key: string): Promise<string> }>().toExtend<RedisClient>();
  });

  it('tell errors by their code', () => {
    expectTypeOf<AuthorizationError['code']>().toEqualTypeOf<FailureCode>();
    expectTypeOf<'invalid_configuration'>().toExtend<FailureCode>();
    expectTypeOf<'no_such_code'>().not.toExtend<FailureCode>();
  });
});
