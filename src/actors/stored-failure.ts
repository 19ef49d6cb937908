/** A failure that another process has written into the checkpoint: read as anything is that comes from outside. */
import * as z from 'zod/mini';
import { type Failure, type FailureCode, failure } from '../failure.ts';
import { FAILURE_CODES } from '../failure-codes.ts';
import { isScopeToken } from '../protocol/scope-token.ts';
import { serverText } from '../protocol/server-text.ts';

/** Left out where it is not what it should be. */
const optional = <Schema extends z.ZodMiniType>(schema: Schema) => z.catch(z.optional(schema), undefined);
const text = z.optional(
  z.pipe(
    z.unknown(),
    z.transform((value) => serverText(value)),
  ),
);

/** RFC 6749 section 3.3: nothing else is a scope, and nothing else reaches a terminal (TOK-04). */
const scopes = z.array(z.string().check(z.maxLength(300), z.refine(isScopeToken))).check(z.maxLength(100));

const shape = z.object({
  code: z.enum(Object.keys(FAILURE_CODES) as [FailureCode, ...FailureCode[]]),
  phase: z.catch(z.enum(['registration', 'authorization', 'token', 'step-up', 'sign-out']), 'authorization'),
  details: z.object({
    reason: text,
    issuer: text,
    expected: text,
    received: text,
    oauthError: text,
    oauthErrorDescription: text,
    status: optional(z.int()),
    missingScopes: optional(scopes),
  }),
});

/** Message, advice and what to do come from the code, and are not taken from the store; `undefined` for what is no failure. */
export function storedFailure(json: unknown): Failure | undefined {
  const parsed = shape.safeParse(json);
  if (!parsed.success) return undefined;
  const { code, phase, details } = parsed.data;
  const known = Object.entries(details).filter(([, value]) => value !== undefined);
  return failure(code, phase, Object.fromEntries(known));
}
