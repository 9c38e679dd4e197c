import assert from "node:assert/strict";
import type { Random } from "../model/random.ts";
import { between, logNormal, oneOf, shuffled } from "./distributions.ts";
import {
  APPLIANCE,
  APPLICATION_SERVER,
  COMPANY_SERVER,
  DEPARTMENT_SERVER,
  HUB,
  JUMP_HOST,
  OTHER_MACHINE,
  PROJECT_SERVER,
  roleCounts,
  SPARE,
  TEAM_HOST,
} from "./host-roles.ts";
import type { StreamSize } from "./stream-size.ts";

/** Hosts and users that the background never touches. */
export const SPARE_HOSTS = 8;
export const SPARE_USERS = 4;

const SERVICE_SHARE = 0.05;
const ADMINISTRATOR_SHARE = 0.03;
const JOINING_SHARE = 0.05;
const LEAVING_SHARE = 0.03;
const SECOND_MACHINE_SHARE = 0.2;
const TEAM_SIZE = 10;
/** How long before the stream its oldest projects began, days. */
const PROJECT_PAST_DAYS = 60;

export type Project = {
  readonly startDay: number;
  /** First day after its end. */
  readonly endDay: number;
  readonly members: readonly number[];
  /** A server that is replaced gives its place to the new one; so it is with all lists of servers. */
  readonly servers: number[];
};

export type Person = {
  readonly department: number;
  readonly team: number;
  readonly isAdministrator: boolean;
  /** 0 for those who were always there. */
  readonly joinDay: number;
  /** First day on which he is gone; infinite for those who stay. */
  readonly leaveDay: number;
  /** His first workstation; it may be replaced on a later day. */
  readonly workstation: number;
  /** A second machine that he uses, or -1. */
  readonly secondMachine: number;
  readonly projects: number[];
};

export type Service = { readonly home: number; readonly department: number };

/** Who there is and what belongs to whom. Users are numbered people first, then services, then the spare ones. */
export type Organisation = {
  readonly size: StreamSize;
  readonly departments: number;
  readonly teams: number;
  readonly persons: readonly Person[];
  readonly services: readonly Service[];
  readonly projects: readonly Project[];
  /** Role of each host, the spare ones included. */
  readonly roles: Uint8Array;
  /** Department that a host belongs to, or -1; of a workstation, its user's. */
  readonly hostDepartment: Int32Array;
  readonly hostsOf: (role: number) => readonly number[];
  readonly departmentServers: readonly number[][];
  /** Share hosts of each team; a small organisation's teams have one in common. */
  readonly teamHosts: readonly number[][];
};

export function foundOrganisation(size: StreamSize, random: Random): Organisation {
  const { users, hosts, days } = size;
  const serviceCount = Math.max(3, Math.round(users * SERVICE_SHARE));
  const personCount = users - serviceCount;
  const departments = Math.max(3, Math.round(Math.sqrt(users) / 1.8));
  const departmentOf = divided(personCount, departments, random);
  const teamOf = teamsOf(departmentOf);
  const teams = teamOf.at(-1)! + 1;

  const roles = new Uint8Array(hosts + SPARE_HOSTS).fill(SPARE);
  const byRole = new Map<number, number[]>();
  let host = 0;
  for (const { role, count } of roleCounts(personCount, hosts, departments, teams)) {
    byRole.set(
      role,
      Array.from({ length: count }, (_, i) => host + i),
    );
    roles.fill(role, host, host + count);
    host += count;
  }
  assert.equal(host, hosts, "every host has a role");
  const hostsOf = (role: number) => byRole.get(role) ?? [];
  const hostDepartment = new Int32Array(hosts + SPARE_HOSTS).fill(-1);
  for (let i = 0; i < personCount; i++) hostDepartment[i] = departmentOf[i];

  const departmentServers = dealt(hostsOf(DEPARTMENT_SERVER), departments);
  for (const [department, servers] of departmentServers.entries())
    for (const server of servers) hostDepartment[server] = department;
  const teamHosts = dealtToTeams(hostsOf(TEAM_HOST), teamOf, departmentOf, departments);
  for (const [team, servers] of teamHosts.entries())
    for (const server of servers) hostDepartment[server] = departmentOf[teamOf.indexOf(team)];

  const others = shuffled(hostsOf(OTHER_MACHINE), random);
  const persons = departmentOf.map((department, i): Person => {
    const joinDay = days > 1 && random.nextFloat() < JOINING_SHARE ? between(random, 1, days) : 0;
    return {
      department,
      team: teamOf[i],
      isAdministrator: random.nextFloat() < ADMINISTRATOR_SHARE,
      joinDay,
      leaveDay:
        random.nextFloat() < LEAVING_SHARE
          ? between(random, joinDay + 1, days + 1)
          : Number.POSITIVE_INFINITY,
      workstation: i,
      secondMachine: random.nextFloat() < SECOND_MACHINE_SHARE ? (others.pop() ?? -1) : -1,
      projects: [],
    };
  });
  for (const person of persons)
    if (person.secondMachine >= 0) hostDepartment[person.secondMachine] = person.department;

  const homes = [COMPANY_SERVER, APPLICATION_SERVER, DEPARTMENT_SERVER].flatMap((role) => [...hostsOf(role)]);
  const services = Array.from({ length: serviceCount }, (): Service => {
    const home = oneOf(homes, random);
    return { home, department: hostDepartment[home] };
  });
  const projects = startProjects(departmentOf, hostsOf(PROJECT_SERVER), days, random);
  for (const [i, project] of projects.entries())
    for (const member of project.members) persons[member].projects.push(i);
  return {
    size,
    departments,
    teams,
    persons,
    services,
    projects,
    roles,
    hostDepartment,
    hostsOf,
    departmentServers,
    teamHosts,
  };
}

/**
 * Whether a person's use of a host follows from his place: it serves everybody, his department or a team of it, one of his
 * projects, or it is his own. All else is as implausible as an attacker's choice.
 */
export function isWithinCommunity(organisation: Organisation, person: number, host: number): boolean {
  const role = organisation.roles[host];
  if (role === HUB || role === COMPANY_SERVER || role === APPLICATION_SERVER || role === APPLIANCE)
    return true;
  const { department, projects, workstation, secondMachine, isAdministrator } = organisation.persons[person];
  if (role === JUMP_HOST) return isAdministrator;
  if (host === workstation || host === secondMachine) return true;
  if (role === DEPARTMENT_SERVER || role === TEAM_HOST)
    return organisation.hostDepartment[host] === department;
  return projects.some((project) => organisation.projects[project].servers.includes(host));
}

/** Departments of unequal size; the members of each have consecutive numbers. */
function divided(persons: number, departments: number, random: Random): number[] {
  const weights = Array.from({ length: departments }, () => logNormal(random, 0.5));
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  const departmentOf: number[] = [];
  let cumulated = 0;
  for (let department = 0; department < departments; department++) {
    cumulated += weights[department];
    const until = department === departments - 1 ? persons : Math.round((persons * cumulated) / total);
    while (departmentOf.length < until) departmentOf.push(department);
  }
  return departmentOf;
}

function teamsOf(departmentOf: readonly number[]): number[] {
  let team = 0;
  let members = 0;
  return departmentOf.map((department, i) => {
    if (i > 0 && (department !== departmentOf[i - 1] || members >= TEAM_SIZE)) {
      team++;
      members = 0;
    }
    members++;
    return team;
  });
}

/** Hosts dealt out one after the other, as cards are. */
function dealt(hosts: readonly number[], groups: number): number[][] {
  const hands = Array.from({ length: groups }, (): number[] => []);
  for (const [i, host] of hosts.entries()) hands[i % groups].push(host);
  return hands;
}

function dealtToTeams(
  hosts: readonly number[],
  teamOf: readonly number[],
  departmentOf: readonly number[],
  departments: number,
): number[][] {
  const ofDepartments = dealt(hosts, departments);
  const hands: number[][] = [];
  const given = new Int32Array(departments);
  for (const [person, team] of teamOf.entries()) {
    if (hands[team] !== undefined) continue;
    const department = departmentOf[person];
    const own = ofDepartments[department];
    hands[team] = [own[given[department]++ % own.length]];
  }
  return hands;
}

/** Each has four to twelve members, most of one department; at any time there is one for every eight people. */
function startProjects(
  departmentOf: readonly number[],
  servers: readonly number[],
  days: number,
  random: Random,
): Project[] {
  const persons = departmentOf.length;
  const meanDays = 55;
  const count = Math.ceil(((persons / 8) * (days + PROJECT_PAST_DAYS)) / meanDays);
  return Array.from({ length: count }, () => {
    const startDay = between(random, -PROJECT_PAST_DAYS, days);
    const leader = random.nextInt(persons);
    const first = departmentOf.indexOf(departmentOf[leader]);
    const last = departmentOf.lastIndexOf(departmentOf[leader]);
    const members = new Set([leader]);
    for (let left = between(random, 3, 12); left > 0; left--) {
      members.add(random.nextFloat() < 0.7 ? between(random, first, last + 1) : random.nextInt(persons));
    }
    const ofProject = new Set([oneOf(servers, random)]);
    if (random.nextFloat() < 0.4) ofProject.add(oneOf(servers, random));
    return {
      startDay,
      endDay: startDay + between(random, meanDays - 35, meanDays + 35),
      members: [...members],
      servers: [...ofProject],
    };
  });
}
