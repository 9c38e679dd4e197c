import { Random } from "../../src/model/random.ts";

const DAY_SECONDS = 86_400;

/** Half a year of an organisation in which some links are always alive, some come and go, and some are weak. */
export function halfYear(): string[] {
  const random = new Random(5, "half a year");
  const rows: string[] = [];
  for (let seconds = 0; seconds < 180 * DAY_SECONDS; seconds += 2 * 3600) {
    const user = random.nextInt(4);
    const season = Math.floor(seconds / (40 * DAY_SECONDS));
    const host = random.nextFloat() < 0.7 ? user : 10 + season * 5 + random.nextInt(5);
    const isWeak = random.nextFloat() < 0.1;
    const late = random.nextFloat() < 0.05 ? random.nextInt(3 * DAY_SECONDS) : 0;
    const time = Math.max(0, seconds - late);
    const auth = isWeak ? "NTLM" : "Kerberos";
    rows.push(
      `${time},U${user}@D,U${user}@D,C${host},C${100 + random.nextInt(6)},${auth},Network,LogOn,Success`,
    );
  }
  return rows;
}
