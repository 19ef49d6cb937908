/** What has to be proven by now. The one place to change when a section is finished. */
export const FINISHED_SECTIONS: readonly string[] = [
  'FET',
  'CHA',
  'PRM',
  'ASM',
  'ISS',
  'REG',
  'SCO',
  'AUT',
  'TOK',
  'RFR',
  'RES',
  'STO',
  'SEC',
  'OBS',
  'GWY',
];

/** Finished although the rest of their section is not. */
export const FINISHED_REQUIREMENTS: readonly string[] = ['OUT-02'];

/** Still open although the rest of their section is finished. */
export const OPEN_REQUIREMENTS: readonly string[] = ['AUT-10'];
