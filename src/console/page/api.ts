import type { ScoreCounts } from "./threshold-forecast.ts";

/** What the page asks of the process that serves it. The types are those of `routes/schemas.ts`. */

export type Incident = {
  readonly uid: string;
  readonly title: string;
  readonly signal: string;
  readonly severity: string;
  readonly alertCount: number;
  readonly firstMs: number;
  readonly lastMs: number;
  readonly verdict: VerdictKind | null;
  /** A day has passed without an alert. */
  readonly isClosed: boolean;
  readonly suppression: Suppression | null;
};

/** The rule by which nobody is told of an alert. */
export type Suppression = {
  readonly id: string;
  readonly owner: string;
  readonly reason: string;
  readonly until: string;
};

export type VerdictKind = "true-positive" | "false-positive" | "benign" | "withdrawn";
export type Answer = {
  readonly verdict: VerdictKind;
  readonly by: string;
  readonly reason?: string;
  readonly until?: string;
  readonly isAnyTarget?: boolean;
};
export type Verdict = Omit<Answer, "isAnyTarget"> & { readonly madeAtMs: number };

type Named = { readonly name: string };
type Observed = {
  readonly observation_parameter: string;
  readonly observation_type: string;
  readonly observed_pattern?: string;
  readonly observations: readonly { readonly value: string; readonly count?: number }[];
};

/** The familiar login most like an odd one; as the graph remembers links, it was seen so often at most. */
export type NearestLogin = {
  readonly user: string;
  readonly sourceHost: string;
  readonly targetHost: string;
  readonly authType: string | null;
  readonly logonType: string | null;
  readonly logins: number;
  readonly lastSeenMs: number;
  readonly differs: readonly string[];
};

type Likely = { readonly name: string; readonly likelihood: number; readonly logins: number };

/** Hosts that the graph model would have expected, the likeliest first. */
export type ExpectedPeers = {
  readonly parameter: string;
  readonly entity: string;
  readonly entityKind: EntityKind;
  readonly peers: readonly Likely[];
  readonly observed: Likely & { readonly rank: number; readonly candidates: number };
};

/** When a link of the login was seen last before it; null if never. */
export type LastSeen = {
  readonly link: string;
  readonly logins: number;
  readonly lastSeenMs: number | null;
};

/** The part of an OCSF finding that the page shows. */
export type Finding = {
  /** Only of what a rule suppresses. */
  readonly status_id?: 3;
  readonly time: number;
  readonly count: number;
  readonly severity: string;
  readonly confidence: string;
  readonly risk_score: number;
  readonly message: string;
  readonly metadata: { readonly uid: string; readonly original_event_uid: string };
  readonly finding_info: {
    readonly uid: string;
    readonly title: string;
    readonly desc: string;
    readonly analytic: { readonly name: string; readonly desc: string; readonly version?: string };
    readonly attacks: readonly {
      readonly technique: Named & { readonly uid: string };
      readonly sub_technique?: Named & { readonly uid: string };
    }[];
  };
  readonly evidences: readonly [
    {
      readonly actor?: { readonly user: Named };
      readonly user?: Named;
      readonly src_endpoint?: Named;
      readonly dst_endpoint?: Named;
      readonly data: {
        readonly score: number;
        readonly relatedIncidents?: readonly string[];
        readonly threshold: number | null;
        readonly signals: Readonly<Record<string, number>>;
        readonly reasons: readonly {
          readonly text: string;
          readonly observed: string;
          readonly usual: string;
          readonly signal: string;
        }[];
        /** Alerts of before there was such have none of it. */
        readonly nearestLogin?: NearestLogin;
        readonly expectedPeers?: readonly ExpectedPeers[];
        readonly lastSeen?: readonly LastSeen[];
        readonly authType: string;
        readonly logonType: string;
        readonly outcome: string;
        readonly suppression?: Suppression;
      };
    },
  ];
  readonly anomaly_analyses: readonly [{ readonly baselines?: readonly Observed[] }];
  readonly remediation: { readonly desc: string };
};

export type IncidentDetail = Incident & {
  readonly alerts: readonly Finding[];
  /** The newest last. */
  readonly verdicts: readonly Verdict[];
  /** Which logins an answer now would be about. */
  readonly answerIsAbout: readonly {
    readonly user?: string;
    readonly sourceHost?: string;
    readonly targetHosts?: readonly string[];
  }[];
};

export type EntityKind = "user" | "host";
export type Peer = {
  readonly name: string;
  readonly logins: number;
  readonly failures: number;
  readonly strongEvidence: number;
  readonly weakEvidence: number;
  readonly alerts: number;
  readonly firstSeenMs: number;
  readonly lastSeenMs: number;
};
/** By the incidents that an account or a host takes part in. */
export type Risk = {
  readonly riskScore: number;
  readonly riskLevel: string;
  readonly incidentAlerts: number;
  readonly incidentCount: number;
  readonly incidents: readonly {
    readonly uid: string;
    readonly alerts: number;
    readonly firstMs: number;
    readonly lastMs: number;
    readonly isClosed: boolean;
    readonly verdict: VerdictKind | null;
  }[];
};

export type Entity = {
  readonly risk: Risk | null;
  readonly kind: EntityKind;
  readonly name: string;
  readonly firstSeenMs: number | null;
  readonly lastSeenMs: number | null;
  readonly links: readonly {
    readonly link: string;
    readonly end: "from" | "to";
    readonly peerKind: EntityKind | "value";
    readonly total: number;
    readonly peers: readonly Peer[];
  }[];
};

export type Status = {
  readonly version: string;
  readonly isReady: boolean;
  readonly partitions: readonly number[];
  /** How far the process is behind them; null where nobody says. */
  readonly lag: { readonly records: number; readonly seconds: number } | null;
  readonly counts: Readonly<Record<string, number>>;
  readonly scores: ScoreCounts;
  readonly threshold: number | null;
  readonly epoch: { readonly number: number; readonly digest: string } | null;
  readonly graph: {
    readonly entities: number;
    readonly links: number;
    readonly fromMs: number | null;
    readonly watermarkMs: number | null;
  };
};

const TOKEN_KEY = "oddlink token";

/** An answer that is none of use; `status` 0: there was none. */
export class ApiError extends Error {
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

/** Kept for this tab only. */
export function setToken(token: string): void {
  sessionStorage.setItem(TOKEN_KEY, token);
}

function headers(): Record<string, string> {
  const token = sessionStorage.getItem(TOKEN_KEY);
  return token === null ? {} : { authorization: `Bearer ${token}` };
}

/** @throws {ApiError} */
export async function ask(path: string, body?: unknown): Promise<Response> {
  const response = await fetch(`/api/v1/${path}`, {
    headers: { ...headers(), ...(body !== undefined && { "content-type": "application/json" }) },
    ...(body !== undefined && { method: "POST", body: JSON.stringify(body) }),
  }).catch(() => {
    throw new ApiError(0, "the process does not answer; trying again");
  });
  if (response.ok) return response;
  const { error } = (await response.json().catch(() => ({}))) as { readonly error?: string };
  throw new ApiError(response.status, error ?? `status ${response.status}`);
}

export type IncidentsPart = { readonly total: number; readonly incidents: readonly Incident[] };

/** Incidents of both kinds, the newest first. */
export async function incidents(limit: number, offset: number): Promise<IncidentsPart> {
  return (await ask(`incidents?state=all&limit=${limit}&offset=${offset}`)).json();
}

export async function incident(uid: string): Promise<IncidentDetail> {
  return (await ask(`incidents/${encodeURIComponent(uid)}`)).json();
}

export async function answer(uid: string, given: Answer): Promise<Verdict> {
  return (await ask(`incidents/${encodeURIComponent(uid)}/verdict`, given)).json();
}

export async function status(): Promise<Status> {
  return (await ask("status")).json();
}

/** Undefined if the graph does not know it. */
export async function entity(kind: EntityKind, name: string, peersMax: number): Promise<Entity | undefined> {
  try {
    return await (await ask("entities", { kind, name, peersMax })).json();
  } catch (error) {
    if (error instanceof ApiError && error.status === 404) return undefined;
    throw error;
  }
}

const AGAIN_MS = 2000;

/** Alerts as they are raised, suppressed ones too, for as long as the page is open. `onState`: whether they can be heard now. */
export async function listen(
  onFinding: (finding: Finding) => void,
  onState: (isThere: boolean, why: string) => void,
): Promise<never> {
  let lastId: string | undefined;
  for (;;) {
    try {
      const response = await fetch("/api/v1/events?state=all", {
        headers: { ...headers(), ...(lastId !== undefined && { "last-event-id": lastId }) },
      });
      if (!response.ok || response.body === null) throw new Error(`status ${response.status}`);
      onState(true, "");
      let rest = "";
      for await (const chunk of textOf(response.body)) {
        const messages = (rest + chunk).split("\n\n");
        rest = messages.pop() ?? "";
        for (const message of messages) {
          const [, data] = /^data: (.*)$/m.exec(message) ?? [];
          if (data === undefined) continue;
          lastId = /^id: (.*)$/m.exec(message)?.[1] ?? lastId;
          onFinding(JSON.parse(data) as Finding);
        }
      }
      throw new Error("ended");
    } catch (error) {
      onState(false, (error as Error).message);
    }
    await new Promise((resolve) => setTimeout(resolve, AGAIN_MS));
  }
}

async function* textOf(body: ReadableStream<Uint8Array>): AsyncGenerator<string> {
  const reader = body
    .pipeThrough(new TextDecoderStream() as ReadableWritablePair<string, Uint8Array>)
    .getReader();
  for (;;) {
    const { value, done } = await reader.read();
    if (done) return;
    yield value;
  }
}
