import { pathToFileURL } from 'node:url';
import { describe, expect, it } from 'vitest';
import { validatorFromFactory } from '../../src/gateway/validator-factory.ts';

const context = { resource: 'https://mcp.example.com', signal: new AbortController().signal };
const FILE = './test/gateway/factories/validators.mjs';
const absolute = `${import.meta.dirname}/factories/validators.mjs`;

describe('TOKEN_VALIDATOR_FACTORY', () => {
  it.each([
    ['a function, in a file seen from the working directory', `${FILE}:createValidator`],
    ['a function that takes its time', `${FILE}:createLater`],
    ['a validator', `${FILE}:ready`],
    ['an absolute path', `${absolute}:createValidator`],
    ['a file URL', `${pathToFileURL(absolute)}:createValidator`],
  ])('names %s (GWY-09)', async (_what, named) => {
    const validator = await validatorFromFactory(named);
    expect((await validator.validate('x', context)).subject).toBe('from-the-factory');
  });

  it.each([
    ['', 'must be `module:export`'],
    ['./validator.mjs', 'must be `module:export`'],
    [':createValidator', 'must be `module:export`'],
    [`${FILE}:`, 'must be `module:export`'],
    [`${FILE}:a b`, 'must be `module:export`'],
    ['node:fs', 'must be `module:export`'],
    ['https://evil.example.com/x.mjs:make', 'not a URL'],
    ['data:text/javascript,export const a=1:a', 'not a URL'],
    ['./nowhere.mjs:createValidator', 'was not found'],
    ['@nobody/has-this-package:createValidator', 'was not found'],
    ['./test/gateway/factories/throws-at-once.mjs:createValidator', 'it threw (RangeError)'],
    [`${FILE}:createValidater`, 'does not export "createValidater"; it exports NeedsNew, createLater, createValidator'],
    [`${FILE}:toString`, 'does not export "toString"'],
    [`${FILE}:text`, 'neither a function nor a validator'],
    [`${FILE}:throwing`, 'threw (Error)'],
    [`${FILE}:returningNothing`, 'has no function `validate`'],
    [`${FILE}:NeedsNew`, 'threw (TypeError). It is called without arguments and without `new`.'],
  ])('that names nothing usable says what is wrong: %s (GWY-09)', async (named, told) => {
    const failing = validatorFromFactory(named);
    await expect(failing).rejects.toMatchObject({ code: 'invalid_configuration', message: expect.stringContaining(told) });
    await expect(failing).rejects.not.toMatchObject({ message: expect.stringContaining('SECRET') });
  });
});
