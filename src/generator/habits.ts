import type { Random } from "../model/random.ts";
import type { Accounts } from "./accounts.ts";
import { DAY_SECONDS } from "./calendar.ts";
import { geometric, logNormal, oneOf, sampleByShare, shuffled } from "./distributions.ts";
import {
  APPLIANCE,
  APPLICATION_SERVER,
  COMPANY_SERVER,
  HUB,
  JUMP_HOST,
  MONITOR,
  OTHER_MACHINE,
  RESERVE,
  SPARE,
  WORKSTATION,
} from "./host-roles.ts";
import {
  ANONYMOUS_NTLM,
  FOREVER,
  type Links,
  MACHINE_KERBEROS,
  MACHINE_LOCAL,
  MACHINE_NTLM,
  PERSON_KERBEROS,
  PERSON_LOCAL,
  PERSON_NTLM,
  REMOTE_DESKTOP,
} from "./links.ts";
import type { Organisation } from "./organisation.ts";
import {
  BUSIEST_ACCOUNTS,
  HEAD_ALL,
  HEAD_HUMAN,
  HEAD_NTLM,
  LANL_USERS,
  REMOTE_HUMAN,
  REMOTE_MACHINE_KERBEROS,
  REMOTE_OTHER_NTLM,
  SECOND_TEN_ALL,
  SECOND_TEN_HUMAN,
} from "./published.ts";

/** What the ten busiest targets receive from machine accounts by Kerberos: the rest of the published sum. */
const HEAD_MACHINE = HEAD_ALL.map((all, i) =>
  Math.max(
    0.1,
    (100 * all - REMOTE_HUMAN * HEAD_HUMAN[i] - REMOTE_OTHER_NTLM * HEAD_NTLM[i]) / REMOTE_MACHINE_KERBEROS,
  ),
);
const HUMAN_HUBS = sum(HEAD_HUMAN) / 100;
const HUMAN_COMPANY = SECOND_TEN_HUMAN / 100;
const MACHINE_HUBS = sum(HEAD_MACHINE) / 100;
const MACHINE_COMPANY = (SECOND_TEN_ALL - (REMOTE_HUMAN / 100) * SECOND_TEN_HUMAN) / REMOTE_MACHINE_KERBEROS;
const NTLM_HUBS = sum(HEAD_NTLM) / 100;

/** Share of a person's logins that come at any hour: the flat part of the published day. */
const STEADY_SHARE = 0.5;
/** How busy a server's machine account is beside a workstation's. */
export const SERVER_LEVEL = 6;
const MONITORED_SHARE = 0.4;
const APPLIANCE_USERS = 0.3;
const OWN_NTLM_USERS = 0.25;
const DELEGATION_USERS = 0.35;

/** How busy an account is, and where it works: what links of any later day start from. */
export type Activity = { readonly person: Float64Array; readonly service: Float64Array };

/** Gives every account the links that it starts with; those of people who join later are born with them. */
export function addHabits(
  organisation: Organisation,
  accounts: Accounts,
  links: Links,
  random: Random,
): Activity {
  const activity = activities(organisation, random);
  for (let person = 0; person < organisation.persons.length; person++) {
    addPersonLinks(organisation, links, person, activity.person[person], random);
  }
  addServiceLinks(organisation, links, activity.service, random);
  addMachineLinks(organisation, accounts, links, random);
  return activity;
}

/** Services are the busiest accounts and share what the hundred busiest have; people share the rest. */
function activities({ persons, services }: Organisation, random: Random): Activity {
  const { first, ten, hundred } = BUSIEST_ACCOUNTS;
  const users = persons.length + services.length;
  const tenth = Math.max(2, Math.round((10 / LANL_USERS) * users));
  const service = Float64Array.from(services, (_, i) => {
    if (i === 0) return first;
    if (i < tenth) return (ten - first) / (tenth - 1);
    return ((hundred - ten) / (services.length - tenth)) * logNormal(random, 0.7);
  });
  const person = Float64Array.from(persons, () => logNormal(random, 0.9));
  const total = person.reduce((all, one) => all + one, 0);
  for (let i = 0; i < person.length; i++) person[i] *= (1 - hundred) / total;
  return { person, service };
}

function addPersonLinks(
  organisation: Organisation,
  links: Links,
  person: number,
  activity: number,
  random: Random,
): void {
  const { persons, hostsOf, departmentServers, teamHosts, projects } = organisation;
  const { department, team, workstation, secondMachine, joinDay, leaveDay, isAdministrator } =
    persons[person];
  const bornAt = joinDay * DAY_SECONDS;
  const diesAt = leaveDay === Number.POSITIVE_INFINITY ? FOREVER : leaveDay * DAY_SECONDS;
  const life = { account: person, bornAt, diesAt };
  const use = (
    group: number,
    source: number,
    target: number,
    share: number,
    isDelegated = false,
    end = diesAt,
  ) => {
    if (source === target && group !== PERSON_LOCAL) return;
    const weight = activity * share;
    links.add({
      ...life,
      source,
      target,
      group,
      atWork: weight * (1 - STEADY_SHARE),
      steady: weight * STEADY_SHARE,
      isDelegated,
      diesAt: Math.min(end, diesAt),
    });
  };
  const hubs = sampleByShare(HEAD_HUMAN, 3, random).map((i) => hostsOf(HUB)[i]);
  const company = shuffled(hostsOf(COMPANY_SERVER), random).slice(0, 2);
  const own = departmentServers[department];
  const local = [
    { target: oneOf(own, random), share: 0.035 },
    { target: oneOf(teamHosts[team], random), share: 0.04 },
  ];
  const seats =
    secondMachine >= 0
      ? [
          { at: workstation, share: 0.85 },
          { at: secondMachine, share: 0.15 },
        ]
      : [{ at: workstation, share: 1 }];
  for (const { at, share } of seats) {
    const isMain = at === workstation;
    for (const hub of hubs) use(PERSON_KERBEROS, at, hub, (share * HUMAN_HUBS) / hubs.length);
    for (const server of isMain ? company : company.slice(0, 1))
      use(PERSON_KERBEROS, at, server, (share * HUMAN_COMPANY) / (isMain ? company.length : 1));
    for (const { target, share: part } of isMain ? local : local.slice(1))
      use(PERSON_KERBEROS, at, target, share * part);
  }
  for (const project of persons[person].projects) {
    const { startDay, endDay, servers } = projects[project];
    if (startDay > Math.max(0, joinDay) || endDay <= joinDay) continue;
    for (const server of servers)
      use(PERSON_KERBEROS, workstation, server, 0.012, false, endDay * DAY_SECONDS);
  }
  if (random.nextFloat() < DELEGATION_USERS) {
    const application = oneOf(hostsOf(APPLICATION_SERVER), random);
    use(PERSON_KERBEROS, workstation, application, 0.02);
    use(PERSON_KERBEROS, application, oneOf(hostsOf(COMPANY_SERVER), random), 0.12, true);
  }
  const ntlmTarget = () => hostsOf(HUB)[sampleByShare(HEAD_NTLM, 1, random)[0]];
  if (random.nextFloat() < APPLIANCE_USERS)
    use(PERSON_NTLM, oneOf(hostsOf(APPLIANCE), random), ntlmTarget(), 1);
  if (random.nextFloat() < OWN_NTLM_USERS) use(PERSON_NTLM, workstation, ntlmTarget(), 0.4);
  if (random.nextFloat() < 0.1) use(PERSON_LOCAL, company[0], company[0], 0.3);
  use(
    REMOTE_DESKTOP,
    workstation,
    isAdministrator ? oneOf(hostsOf(COMPANY_SERVER), random) : local[1].target,
    isAdministrator ? 20 : 0.2,
  );
  if (!isAdministrator) return;
  const jump = oneOf(hostsOf(JUMP_HOST), random);
  use(REMOTE_DESKTOP, workstation, jump, 20);
  for (let i = geometric(random, 8); i > 0; i--) {
    const target = random.nextFloat() < 0.5 ? oneOf(own, random) : random.nextInt(organisation.size.hosts);
    use(PERSON_KERBEROS, jump, target, 0.01);
  }
}

function addServiceLinks(
  { services, hostsOf, departmentServers, size, persons }: Organisation,
  links: Links,
  activity: Float64Array,
  random: Random,
): void {
  for (const [i, { home, department }] of services.entries()) {
    const account = persons.length + i;
    const use = (source: number, target: number, share: number, group = PERSON_KERBEROS) => {
      if (source !== target || group === PERSON_LOCAL)
        links.add({ account, source, target, group, atWork: 0, steady: activity[i] * share });
    };
    const hubs = sampleByShare(HEAD_HUMAN, 4, random).map((hub) => hostsOf(HUB)[hub]);
    for (const hub of hubs) use(home, hub, HUMAN_HUBS / hubs.length);
    const company = shuffled(hostsOf(COMPANY_SERVER), random).slice(0, i === 0 ? 8 : 3);
    for (const server of company) use(home, server, HUMAN_COMPANY / company.length);
    if (department >= 0) for (const server of departmentServers[department]) use(home, server, 0.02);
    use(home, home, 3, PERSON_LOCAL);
    if (i % 4 === 1) use(home, hostsOf(HUB)[sampleByShare(HEAD_NTLM, 1, random)[0]], 0.3, PERSON_NTLM);
    // The second service watches the machines: its source reaches more targets than any other.
    if (i !== 1) continue;
    const monitor = hostsOf(MONITOR)[0];
    const watched = shuffled(Array(size.hosts).keys(), random).slice(
      0,
      Math.round(size.hosts * MONITORED_SHARE),
    );
    for (const target of watched) use(monitor, target, 0.01 / activity[i] / watched.length);
  }
}

function addMachineLinks(organisation: Organisation, accounts: Accounts, links: Links, random: Random): void {
  const { size, roles, persons } = organisation;
  for (let host = 0; host < size.hosts; host++) {
    const role = roles[host];
    if (role === RESERVE || role === SPARE) continue;
    const isServer = role !== WORKSTATION && role !== OTHER_MACHINE;
    // A workstation has the number of its first user.
    const bornAt = role === WORKSTATION ? persons[host].joinDay * DAY_SECONDS : 0;
    addHostLinks(organisation, accounts, links, { host, bornAt, level: isServer ? SERVER_LEVEL : 1 }, random);
  }
}

/** What a machine does of itself from the time it is switched on. */
export function addHostLinks(
  { hostsOf, hostDepartment, departmentServers }: Organisation,
  accounts: Accounts,
  links: Links,
  { host, bornAt, level }: { readonly host: number; readonly bornAt: number; readonly level: number },
  random: Random,
): void {
  const account = accounts.machine(host);
  const activity = level * logNormal(random, 0.8);
  const use = (group: number, target: number, share: number, user = account) => {
    if (target !== host || group === MACHINE_LOCAL)
      links.add({ account: user, source: host, target, group, atWork: 0, steady: activity * share, bornAt });
  };
  const hubs = sampleByShare(HEAD_MACHINE, 3, random).map((i) => hostsOf(HUB)[i]);
  for (const hub of hubs) use(MACHINE_KERBEROS, hub, MACHINE_HUBS / hubs.length);
  use(MACHINE_KERBEROS, oneOf(hostsOf(COMPANY_SERVER), random), MACHINE_COMPANY);
  const department = hostDepartment[host];
  if (department >= 0)
    use(MACHINE_KERBEROS, oneOf(departmentServers[department], random), 1 - MACHINE_HUBS - MACHINE_COMPANY);
  use(MACHINE_LOCAL, host, 1);
  if (random.nextFloat() < 0.12) use(MACHINE_NTLM, ntlmTarget(hostsOf, random), 1);
  for (let i = 0; i < 2; i++) {
    const target = ntlmTarget(hostsOf, random);
    use(ANONYMOUS_NTLM, target, 0.5, accounts.anonymous(target));
  }
}

function ntlmTarget(hostsOf: Organisation["hostsOf"], random: Random): number {
  const role = random.nextFloat() < NTLM_HUBS ? HUB : COMPANY_SERVER;
  if (role === COMPANY_SERVER) return oneOf(hostsOf(COMPANY_SERVER), random);
  return hostsOf(HUB)[sampleByShare(HEAD_NTLM, 1, random)[0]];
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
