// One of two ranks that do the golden distributed step of CCL and print what came out, for distributed.test.ts.
import { distributed, nn, type Tensor, tensor } from '@chronotope/torch';
import { officialState } from '../methods/ccl/official-state.js';
import { withShuffledBatches } from '../methods/ccl/shuffle-batch-norm.js';
import { cclStep } from '../methods/ccl/step.js';
import { inputsOf, modelOf, ownKey, type State, type StepConfig, type StepInputs, settingsOf } from './ccl-golden.js';
import { type Nested, readGolden } from './golden.js';

/** The golden file, as far as ranks and test use it. */
export interface DistributedStep {
  config: StepConfig;
  state_before: State;
  queue_after: Nested;
  queue_cycle_after: Nested;
  queue_indices_after: number[];
  cases: (StepInputs & {
    loss_intra: number;
    loss_cycle: number;
    loss_total: number;
    grad_feat_query: Nested;
    local_grads: State;
    queue_ptr: number;
    queue_cycle_ptr: number;
    shuffle: { x: Nested; unshuffle_index: number[]; output_unshuffled: Nested };
  })[];
}

/** What each rank prints. */
export interface RankResult {
  losses: { intra: number; cycle: number; total: number };
  gradient: Nested;
  gradients: State;
  state: State;
  normalised: Nested;
}

const [meeting] = process.argv.slice(2);
await distributed.initProcessGroup({ initMethod: `file://${meeting}`, timeoutSeconds: 60 });
const golden = readGolden<DistributedStep>('ccl/distributed_step.json');
const own = golden.cases[distributed.rank()]!;
const model = modelOf(golden.config, golden.state_before);

// The network has no batch statistics, so every order of its images must give the same.
const { images, draws } = inputsOf(own, [3, 0, 9, 15, 1, 2, 12, 4, 8, 5, 14, 6, 7, 13, 10, 11]);
const { loss, intra, cycle } = cclStep(model, images, draws, settingsOf(golden.config));
loss.backward();
const parameters = model.namedParameters();
const list = (x: Tensor) => x.toArray() as Nested;

const { x, unshuffle_index: back } = own.shuffle;
const order = back.map((_, place) => back.indexOf(place));
const layer = new nn.BatchNorm1d(3);
const { normalised } = withShuffledBatches(tensor(x), order, (batch) => ({ normalised: layer.call(batch) }));

const result: RankResult = {
  losses: { intra: intra!.loss.item(), cycle: cycle!.loss.item(), total: loss.item() },
  gradient: list(images.query.grad!),
  gradients: Object.fromEntries(
    Object.keys(own.local_grads).map((key) => [key, list(parameters.get(ownKey(key))!.grad!)]),
  ),
  state: Object.fromEntries(
    [...officialState(model)].map(([key, value]) => [key, list(value.to({ dtype: 'float64' }))]),
  ),
  normalised: list(normalised),
};
process.stdout.write(JSON.stringify(result));
distributed.barrier();
distributed.destroyProcessGroup();
