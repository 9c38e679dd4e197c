/** Row of a link in the table; reused after the link was removed. */
export type LinkRow = number;

export const NO_ROW = -1;
