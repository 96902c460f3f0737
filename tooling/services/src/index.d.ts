/** A server brought up for tests, and what a test may do to it. */
export interface Server extends AsyncDisposable {
  /** What a client connects to. */
  readonly url: string;
  readonly port: number;
  /** Process id; another one after `restart()`. Undefined for a server in a container or one that a variable names. */
  readonly pid: number | undefined;
  /** Undefined for a server that a variable names. */
  readonly version: string | undefined;
  /** Where it came from, in words. */
  readonly from: string;
  /** Ends the server and removes its data. Calling it again does nothing. */
  stop(): Promise<void>;
  /** Stalls the server: connections stay open, nothing answers (SIGSTOP to it and its children). */
  pause(): Promise<void>;
  /** Ends a stall. */
  resume(): Promise<void>;
  /** Ends the server as a crash would (SIGKILL to it and its children). Its data stays for `restart()`. */
  kill(): Promise<void>;
  /** Ends the server if it runs and starts it again on the same port and data. */
  restart(): Promise<void>;
}

/** What a start function returns when no source had a server. */
export interface Skipped {
  /** Each source that was tried and why it did not work. */
  readonly skipped: string;
}

/**
 * A loopback port that nobody listens on and that this process is told once. It lies below those that the system hands out
 * by itself (32,768), so that no connection takes it while its server is started, or started again.
 */
export function freePort(): Promise<number>;

export interface RedisOptions {
  /** More arguments of redis-server; a later one wins over ours, as in `['--appendonly', 'yes']`. */
  readonly args?: readonly string[];
  /** Start an own server even when REDIS_URL names one. @default false */
  readonly fresh?: boolean;
}

/** A Redis that answers PING, from REDIS_URL, the PATH, Debian's packages or docker. Without persistence unless `args` ask for it. */
export function startRedis(options?: RedisOptions): Promise<Server | Skipped>;

export interface RedisClusterOptions {
  /** Masters, each with an even share of the slots. @default 3 */
  readonly nodes?: number;
  readonly args?: readonly string[];
}

export interface RedisCluster extends AsyncDisposable {
  readonly nodes: readonly Server[];
  /** One URL per node, for the root nodes of a cluster client. */
  readonly urls: readonly string[];
  stop(): Promise<void>;
}

/** Masters without replicas that agree on `cluster_state:ok`. Never uses REDIS_URL or docker. */
export function startRedisCluster(options?: RedisClusterOptions): Promise<RedisCluster | Skipped>;

export interface RedisSentinelOptions {
  /** How long the primary must be silent before the sentinel promotes the replica. @default 500 */
  readonly downAfterMs?: number;
}

export interface RedisSentinel extends AsyncDisposable {
  /** The name the sentinel knows the primary by. */
  readonly name: string;
  readonly primary: Server;
  readonly replica: Server;
  readonly sentinel: Server;
  stop(): Promise<void>;
}

/** One primary, one replica in sync with it, one sentinel that knows both. Never uses REDIS_URL or docker. */
export function startRedisSentinel(options?: RedisSentinelOptions): Promise<RedisSentinel | Skipped>;

export interface PostgresOptions {
  /** Settings of the server, as in `{ fsync: 'off' }`. PostgreSQL's defaults hold but for `max_connections` (200). */
  readonly settings?: Readonly<Record<string, string | number>>;
  /** Start an own server even when POSTGRES_URL names one. @default false */
  readonly fresh?: boolean;
}

/** A PostgreSQL that accepts connections, from POSTGRES_URL, npm, an installed PostgreSQL or docker. User and database are `postgres`, no password. */
export function startPostgres(options?: PostgresOptions): Promise<Server | Skipped>;

export interface PrometheusOptions {
  /** Its configuration, as YAML. Paths in it start at the folder in which it runs. */
  readonly config: string;
  /** Further files of that folder, such as rules, by their paths in it. */
  readonly files?: Readonly<Record<string, string>>;
  /** More arguments of prometheus. */
  readonly args?: readonly string[];
}

/** A Prometheus that is ready, from the PATH or Debian's packages. Its data go with it. */
export function startPrometheus(options: PrometheusOptions): Promise<Server | Skipped>;

export interface AlertmanagerOptions {
  /** Its configuration, as YAML. */
  readonly config: string;
  readonly args?: readonly string[];
}

/** An Alertmanager that is ready and belongs to no cluster, from the PATH or Debian's packages. */
export function startAlertmanager(options: AlertmanagerOptions): Promise<Server | Skipped>;

/** A program that runs to its end. */
export interface Program {
  readonly path: string;
  /** The environment it needs. */
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly version: string;
  readonly from: string;
}

/** Prometheus's tool, which checks and tests rules and metrics. */
export function findPromtool(): Promise<Program | Skipped>;

/** Whether a service that is missing is an error: SAGE_REQUIRE_SERVICES=1, or CI=true unless SAGE_REQUIRE_SERVICES says 0. */
export function areRequired(): boolean;

/** The server, or an error with the reason when there is none: for tests that cannot do without. */
export function started<Started extends object>(result: Started | Skipped): Started;

export type ServiceName = 'redis' | 'postgres';

/**
 * The URL of the service that `with-services` brought up; undefined, with the reason printed once, when there is none.
 * @throws Error instead when services are required (SAGE_REQUIRE_SERVICES=1 or CI=true).
 */
export function serviceUrl(name: ServiceName): string | undefined;

/**
 * A jest `describe` for tests that need a service. Without the service its tests are reported as skipped, so use the URL
 * inside hooks and tests only.
 * @throws Error when the service is missing and required, as {@link serviceUrl} does.
 */
export function describeWithService(name: ServiceName, title: string, tests: (url: string) => void): void;

export interface UnpackedPackages {
  /** The folder that stands for `/`. */
  readonly root: string;
  /** The environment its programs need: ours with PATH and LD_LIBRARY_PATH led by the unpacked folders. */
  readonly env: Readonly<Record<string, string>>;
}

export interface UnpackOptions {
  /** Tells whether what an earlier run left in the cache still works here; otherwise it is unpacked again. @default always */
  readonly works?: (unpacked: UnpackedPackages) => Promise<boolean>;
}

/**
 * Debian or Ubuntu packages, with whatever of their dependencies this machine lacks, in a private cache folder. Installs
 * nothing, needs no root and no package lists. Two runs at once do not disturb each other.
 * @throws Error when this is not Debian or Ubuntu, a package is unknown or the archive cannot be reached.
 */
export function unpackDebianPackages(names: readonly string[], options?: UnpackOptions): Promise<UnpackedPackages>;

/**
 * The least of up to ten rounds of what a busy machine can only add to; the first round under `bound` is the last. So a
 * promise of a few milliseconds can be held to: code that is late each time fails, a machine that is late now and then does not.
 */
export function leastOf(bound: number, measure: (round: number) => Promise<number>): Promise<number>;

/** How much later than a plain timer of `ms`, set at the same moment in the same process, an attempt ends: ms. What a busy machine adds, it adds to both. */
export function behindTimer(ms: number, attempt: () => Promise<unknown>): Promise<number>;

/**
 * How long it takes until something is so: ms; looks each 10 ms.
 * @throws Error when it is not so after a minute.
 */
export function msUntil(done: () => boolean | Promise<boolean>): Promise<number>;
