/** What a host is for. Nothing of it shows in its name. */
export const WORKSTATION = 0;
/** One of the ten servers that receive four fifths of all remote logins: domain controllers, files, mail, proxy. */
export const HUB = 1;
/** One of the next ten. */
export const COMPANY_SERVER = 2;
export const DEPARTMENT_SERVER = 3;
export const TEAM_HOST = 4;
export const PROJECT_SERVER = 5;
/** Logs on to other servers in its users' names, by delegation: it never asks for their tickets. */
export const APPLICATION_SERVER = 6;
/** Logs its users on by NTLM and nothing else: an appliance, a proxy, a mail relay. */
export const APPLIANCE = 7;
export const MONITOR = 8;
export const PATCH_SERVER = 9;
export const SCANNER = 10;
export const JUMP_HOST = 11;
/** A second machine, or one that nobody sits at. */
export const OTHER_MACHINE = 12;
/** Bought during the stream: a new laptop or server. */
export const RESERVE = 13;
/** Kept for what scenarios bring in. */
export const SPARE = 14;

export type RoleCounts = { readonly role: number; readonly count: number }[];

/**
 * How many hosts of each role an organisation has, in the order of their numbers.
 *
 * @param persons people with a workstation each
 * @param hosts all but the spare ones
 */
export function roleCounts(persons: number, hosts: number, departments: number, teams: number): RoleCounts {
  const reserve = Math.max(6, Math.round(hosts * 0.04));
  const fixed = [
    { role: HUB, count: 10 },
    { role: COMPANY_SERVER, count: 10 },
    { role: APPLICATION_SERVER, count: 2 + Math.floor(persons / 600) },
    { role: APPLIANCE, count: 2 + Math.floor(persons / 800) },
    { role: MONITOR, count: 1 },
    { role: PATCH_SERVER, count: 1 },
    { role: SCANNER, count: 1 },
    { role: JUMP_HOST, count: 1 + Math.floor(persons / 800) },
  ];
  const left = hosts - persons - reserve - fixed.reduce((sum, { count }) => sum + count, 0);
  const ofDepartments = Math.max(
    departments,
    Math.min(departments + Math.round(persons / 50), Math.floor(left * 0.3)),
  );
  const ofTeams = Math.max(departments, Math.min(teams, Math.floor(left * 0.35)));
  const ofProjects = Math.max(2, Math.min(2 + Math.round(persons / 30), Math.floor(left * 0.2)));
  return [
    { role: WORKSTATION, count: persons },
    ...fixed,
    { role: DEPARTMENT_SERVER, count: ofDepartments },
    { role: TEAM_HOST, count: ofTeams },
    { role: PROJECT_SERVER, count: ofProjects },
    { role: OTHER_MACHINE, count: Math.max(0, left - ofDepartments - ofTeams - ofProjects) },
    { role: RESERVE, count: reserve },
  ];
}
