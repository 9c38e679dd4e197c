/**
 * `oddlink`, the real one, which kills itself where it is told to, or has a mistake that it is told to have. For tests.
 *
 * Nothing of it is in `src`: methods are wrapped before the command line is read.
 */

import { mergeSooner, plantBug, poisonScoring } from "./worker-bugs.ts";
import { armDeaths } from "./worker-deaths.ts";
import { FAULTS_VARIABLE, type WorkerFaults } from "./worker-faults.ts";

const faults = JSON.parse(process.env[FAULTS_VARIABLE] ?? "{}") as WorkerFaults;
mergeSooner();
armDeaths(faults.death);
if (faults.poisonUser !== undefined) poisonScoring(faults.poisonUser);
if (faults.bug !== undefined) plantBug(faults.bug);

await import("../../src/cli/main.ts");
