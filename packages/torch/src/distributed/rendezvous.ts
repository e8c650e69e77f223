import { TorchError } from '../errors.js';
import type { NativeRendezvous } from '../native.js';

/** What transports the data: `gloo` for CPU tensors, `nccl` for CUDA tensors. */
export type Backend = 'gloo' | 'nccl';

/** Settings of {@link initProcessGroup}. */
export interface ProcessGroupOptions {
  /** Default `gloo`. */
  backend?: Backend;
  /** How long a rank waits for the others, when meeting them and in each step of a collective. Default 600. */
  timeoutSeconds?: number;
  /**
   * Where the ranks meet: `env://` (default) reads torchrun's variables MASTER_ADDR and MASTER_PORT; else
   * `tcp://host:port`, served by rank 0, or `file:///path` in a folder that all ranks share and that no earlier run used.
   */
  initMethod?: string;
  /** This process's number, from 0. Default: the variable RANK. */
  rank?: number;
  /** How many processes there are. Default: the variable WORLD_SIZE. */
  worldSize?: number;
  /**
   * Have the ranks compare what they are about to do before each blocking collective of Gloo, which doubles the time of
   * small ones. Default true.
   */
  verifyCollectives?: boolean;
}

type Variables = Readonly<Record<string, string | undefined>>;

const LOOPBACK = /^(localhost|127(\.\d+){3}|::1)$/;
const MOST_RANKS = 1_000_000;
const MOST_SECONDS = 1_000_000;

/**
 * Works out from the options and torchrun's environment variables where the ranks meet.
 *
 * @throws TorchError `argument` naming the variable or option that is missing or wrong
 */
export function rendezvousOf(options: ProcessGroupOptions, variables: Variables): NativeRendezvous {
  const { backend = 'gloo', timeoutSeconds = 600, initMethod = 'env://' } = options;
  const size = options.worldSize ?? integer(variables, 'WORLD_SIZE', 'worldSize', 1, MOST_RANKS);
  const rank = options.rank ?? integer(variables, 'RANK', 'rank', 0, size - 1);
  if (!Number.isInteger(rank) || !Number.isInteger(size) || rank < 0 || rank >= size) {
    throw refuse(`rank ${rank} of ${size} is none: ranks count from 0 to the number of processes - 1`);
  }
  if (!(timeoutSeconds > 0 && timeoutSeconds <= MOST_SECONDS)) {
    throw refuse(`timeoutSeconds must lie above 0 and not above ${MOST_SECONDS}, and is ${timeoutSeconds}`);
  }
  const place = placeOf(initMethod, variables);
  const where = place.file || `${place.host}:${place.port}`;
  const networkInterface = variables.GLOO_SOCKET_IFNAME?.split(',')[0] ?? '';
  const agentServes = initMethod === 'env://' && variables.TORCHELASTIC_USE_AGENT_STORE === 'True';
  return {
    backend,
    ...place,
    serves: rank === 0 && !agentServes,
    // torchrun's agent keeps one store over all restarts of the ranks.
    prefix: agentServes ? `worker/attempt_${variables.TORCHELASTIC_RESTART_COUNT ?? 0}` : 'group',
    rank,
    size,
    timeout: Math.ceil(timeoutSeconds * 1000),
    name: `rank ${rank} of ${size} (${where})`,
    networkInterface,
    // Ranks that meet on the loopback address are all on this host, whatever its name resolves to.
    address: networkInterface === '' && LOOPBACK.test(place.host) ? '127.0.0.1' : '',
  };
}

function placeOf(initMethod: string, variables: Variables): { file: string; host: string; port: number } {
  if (initMethod === 'env://') {
    const port = integer(variables, 'MASTER_PORT', 'initMethod', 1, 65535);
    return { file: '', host: text(variables, 'MASTER_ADDR', 'initMethod'), port };
  }
  const tcp = /^tcp:\/\/(?<host>\[[0-9a-fA-F:]+\]|[^:/]+):(?<port>\d+)$/.exec(initMethod)?.groups;
  const port = Number(tcp?.port);
  if (tcp && port >= 1 && port <= 65535) return { file: '', host: tcp.host!.replace(/^\[|\]$/g, ''), port };
  const file = /^file:\/\/(?<path>\/.+)$/.exec(initMethod)?.groups?.path;
  if (file) return { file, host: '', port: 0 };
  throw refuse(`initMethod '${initMethod}' is none of env://, tcp://host:port, file:///path`);
}

function text(variables: Variables, name: string, option: string): string {
  const value = variables[name];
  if (value) return value;
  throw new TorchError(`the environment variable ${name} is not set`, {
    code: 'argument',
    hint: `start the program with chronotope-run or torchrun, which set it, or pass ${option}`,
  });
}

function integer(variables: Variables, name: string, option: string, least: number, most: number): number {
  const value = text(variables, name, option);
  if (/^\d+$/.test(value) && Number(value) >= least && Number(value) <= most) return Number(value);
  throw refuse(`the environment variable ${name} must be a whole number from ${least} to ${most}, and is '${value}'`);
}

function refuse(message: string): TorchError {
  return new TorchError(message, { code: 'argument', hint: 'chronotope-run and torchrun set what is needed' });
}
