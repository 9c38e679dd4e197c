/**
 * What is published, or was counted, about the logins of LANL 2015: A. D. Kent, "Comprehensive, Multi-source Cyber-Security
 * Events", 2015, doi 10.17021/1179829, and the counts of one row in 70,000 of it. Percent where nothing else is said.
 */
export const LANL_ROWS = 1_051_430_459;
export const LANL_USERS = 12_425;
export const LANL_HOSTS = 17_684;
export const LANL_DAYS = 58;

/** Percent of a weekday in each hour from midnight. A weekend day is flat. */
export const HOURS_ALL = [
  3.6, 3.3, 3.3, 3.4, 3.4, 3.4, 3.7, 4.9, 5.3, 5.4, 5.3, 5.3, 5.1, 5.2, 5.0, 5.1, 4.6, 4.1, 3.6, 3.3, 3.3,
  3.5, 3.4, 3.4,
];
export const HOURS_HUMAN = [
  2.8, 3.1, 2.8, 2.7, 3.1, 2.7, 3.4, 5.3, 5.9, 5.9, 6.2, 6.2, 6.5, 6.2, 5.8, 5.7, 5.4, 3.7, 3.3, 2.8, 2.8,
  2.3, 2.6, 2.7,
];
export const HOURS_MACHINE = [
  4.1, 3.4, 3.7, 3.7, 3.5, 3.5, 4.0, 4.9, 5.1, 5.4, 4.8, 4.8, 4.3, 4.7, 4.5, 4.9, 4.0, 4.2, 3.8, 3.7, 3.7,
  4.1, 3.5, 3.7,
];

/** Mean rows of a weekend day over those of a weekday: 14.9 M over 19.5 M. */
export const WEEKEND_LEVEL = 14.9 / 19.5;
/** Weekdays of the last weeks over those of the first: about 22 M over 18 M. */
export const GROWTH = 22 / 18;

/** Remote LogOn rows received by the ten busiest targets. */
export const HEAD_ALL = [16.0, 9.4, 8.9, 8.6, 8.5, 8.3, 8.2, 6.6, 4.1, 2.4];
/** By human accounts: only sums are known (8.6 for the first, 39.0 for five, 68.6 for ten); these have the same sums. */
export const HEAD_HUMAN = [8.6, 8.2, 7.8, 7.4, 7.0, 6.6, 6.2, 5.8, 5.6, 5.4];
/** NTLM alone: 33.1 for the first, 63.4 for five, 87 for ten. */
export const HEAD_NTLM = [33.1, 8.6, 7.8, 7.3, 6.6, 5.5, 5.0, 4.7, 4.3, 4.1];
/** The next ten targets together: of all remote LogOns, and of those by human accounts. */
export const SECOND_TEN_ALL = 10.7;
export const SECOND_TEN_HUMAN = 22.0;

/** Remote LogOn rows by kind of account and protocol, percent of remote LogOns. */
export const REMOTE_HUMAN = 28.0;
export const REMOTE_MACHINE_KERBEROS = 62.0;
/** Of machine accounts and of ANONYMOUS LOGON. */
export const REMOTE_OTHER_NTLM = 9.8;

/** Share of human remote LogOns by the busiest account, the ten and the hundred busiest of 12,425. */
export const BUSIEST_ACCOUNTS = { first: 0.08, ten: 0.144, hundred: 0.304 };

/** Per Kerberos LogOn: service tickets and ticket-granting tickets asked for, from rows of each orientation. */
export const TGS_PER_LOGIN = { machine: 0.217, human: 0.38 };
export const TGT_PER_LOGIN = { machine: 0.059, human: 0.122 };

/** Remote LogOns for one pair of hosts never seen before, mean over 58 days; half as many once the network is known. */
export const LOGINS_PER_NEW_PAIR = 457;
