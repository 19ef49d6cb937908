// What TOKEN_VALIDATOR_FACTORY may name, and what it may not.
const accepting = { validate: async (token) => ({ token, subject: 'from-the-factory', scopes: [], claims: {} }) };

export const createValidator = () => accepting;
export const createLater = async () => accepting;
export const ready = accepting;
export const throwing = () => {
  throw new Error('SECRET-database-password');
};
export const returningNothing = () => {};
export const text = 'no function';
export class NeedsNew {
  validate() {}
}
