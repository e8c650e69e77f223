import { TorchError } from '../errors.js';
import { type Held, type Native, type NativeDistributed, type NativeRendezvous, native } from '../native.js';
import type { Device } from '../tensor.js';
import { type Backend, type ProcessGroupOptions, rendezvousOf } from './rendezvous.js';

/** The group of this thread, while there is one. */
let current: (NativeRendezvous & { verifies: boolean }) | null = null;
let joining = false;
/** What reduces gradients in the group. */
const reducers = new Set<Held<'reducer'>>();

/** The backends that the installed libtorch has, and the addon was built with; none where it lacks c10d. */
export function availableBackends(): Backend[] {
  return (native().distributedBackends?.split(' ') ?? []) as Backend[];
}

/**
 * Meets the other processes and connects to each of them. All collectives work in this group.
 *
 * @throws TorchError `argument` when the environment or the options do not say who meets where; `library` when libtorch
 *   lacks the backend; `distributed`, naming rank, host and port, when the others do not come within the time-out
 */
export async function initProcessGroup(options: ProcessGroupOptions = {}): Promise<void> {
  if (current !== null || joining) {
    throw new TorchError('there is a process group already', {
      code: 'argument',
      hint: 'a process has one group at a time: call destroyProcessGroup() first',
    });
  }
  const rendezvous = rendezvousOf(options, process.env);
  const addon = addonWith(rendezvous.backend as Backend);
  joining = true;
  try {
    await addon.joinGroup(rendezvous);
    // NCCL's collectives are not compared: the ranks would have to wait for their GPUs.
    current = { ...rendezvous, verifies: rendezvous.backend === 'gloo' && (options.verifyCollectives ?? true) };
  } catch (error) {
    throw failedToJoin(rendezvous, (error as Error).message);
  } finally {
    joining = false;
  }
}

/** Closes this process's connections and ends gradient reduction. Without a group nothing happens. */
export function destroyProcessGroup(): void {
  if (current === null) return;
  for (const reducer of reducers) removeReducer(reducer);
  group().addon.leaveGroup();
  current = null;
}

/** Keeps a reducer until it is removed or the group ends, even when nobody holds the wrapper any more. @internal */
export function keepReducer(reducer: Held<'reducer'>): Held<'reducer'> {
  reducers.add(reducer);
  return reducer;
}

/** Ends a reducer, once. @internal */
export function removeReducer(reducer: Held<'reducer'>): void {
  if (reducers.delete(reducer)) group().addon.removeReducer(reducer);
}

/** Whether this process is in a group. */
export function isInitialized(): boolean {
  return current !== null;
}

/** This process's number in the group; 0 without a group. */
export function rank(): number {
  return current?.rank ?? 0;
}

/** How many processes the group has; 1 without a group. */
export function worldSize(): number {
  return current?.size ?? 1;
}

/** This process's number on its host, which says which GPU is its own; 0 without torchrun's LOCAL_RANK. */
export function localRank(): number {
  return Number(process.env.LOCAL_RANK ?? 0);
}

interface Group {
  addon: NativeDistributed;
  /** Where the tensors of this rank are. */
  device: Device;
  rank: number;
  size: number;
  /** Whether the ranks compare what they call. */
  verifies: boolean;
}

/** The process group. @internal */
export function group(): Group {
  if (current === null) {
    throw new TorchError('there is no process group', {
      code: 'distributed',
      hint: 'await initProcessGroup() first, in a program that chronotope-run or torchrun started',
    });
  }
  const device = current.backend === 'nccl' ? `cuda:${localRank()}` : 'cpu';
  const { rank, size, verifies } = current;
  return { addon: native() as Native & NativeDistributed, device, rank, size, verifies };
}

function addonWith(backend: Backend): NativeDistributed {
  const addon = native();
  const available = availableBackends();
  if (available.includes(backend)) return addon as Native & NativeDistributed;
  const have = available.length === 0 ? 'no backend for several processes' : `only ${available.join(', ')}`;
  throw new TorchError(`this build of libtorch has ${have}, but ${backend} was asked for`, {
    code: 'library',
    hint:
      backend === 'gloo'
        ? "on Debian or Ubuntu install libtorch-dev and libgloo-dev, elsewhere Python's torch package; then `npm run setup` again"
        : "install a CUDA build of Python's torch package, then `npm run setup` again",
  });
}

function failedToJoin({ name, host, port, serves, size }: NativeRendezvous, reason: string): TorchError {
  const where = host ? `${host}:${port}` : 'the file';
  const hint = serves
    ? `do all ${size} ranks run, may they connect to ${where}, and is the port free on this host?`
    : `does rank 0 run, is ${where} reachable from here (MASTER_ADDR, MASTER_PORT, firewall), and has each of the ${size} ranks its own RANK?`;
  return new TorchError(`${name} could not join the group: ${reason}`, { code: 'distributed', hint });
}
