import { poison } from "./poison.ts";

/** To be imported before the program that is to have the bugs: `node --import`. */
poison();
