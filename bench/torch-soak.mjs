// Trains a small network for 10,000 steps, with no dispose() but the scope of a step, and prints the peak memory of the
// process at step 100 and at the end:
//   node bench/torch-soak.mjs [steps]
import { crossEntropyLoss, memory, nn, optim, randint, randn, scope } from '../packages/torch/dist/index.js';

const STEPS = Number(process.argv[2] ?? 10_000);
const WARM = 100;

class SmallNet extends nn.Module {
  conv = new nn.Conv3d(3, 8, { kernelSize: 3, padding: 1, stride: 2 });
  norm = new nn.BatchNorm3d(8);
  relu = new nn.ReLU();
  pool = new nn.AdaptiveAvgPool3d(1);
  flatten = new nn.Flatten();
  head = new nn.Linear(8, 5);

  forward(x) {
    return this.head.call(this.flatten.call(this.pool.call(this.relu.call(this.norm.call(this.conv.call(x))))));
  }
}

const net = new SmallNet();
const sgd = new optim.SGD(net.parameters(), { lr: 0.01, momentum: 0.9 });
// A hook lives as long as its parameter; one that keeps its gradients would show here.
net.head.weight.registerHook((gradient) => gradient.mul(1));

function step() {
  scope(() => {
    const loss = crossEntropyLoss(net.call(randn([4, 3, 4, 16, 16])), randint(0, 5, [4]));
    sgd.zeroGrad();
    loss.backward();
    sgd.step();
  });
}

const peakMegabytes = () => process.resourceUsage().maxRSS / 1024;

let warm;
const start = performance.now();
for (let i = 1; i <= STEPS; i++) {
  step();
  if (i === WARM) warm = { peak: peakMegabytes(), ...memory() };
}
const seconds = (performance.now() - start) / 1000;
const end = { peak: peakMegabytes(), ...memory() };
console.log(
  JSON.stringify({
    steps: STEPS,
    stepsPerSecond: Math.round(STEPS / seconds),
    peakMegabytesAtStep100: Math.round(warm.peak),
    peakMegabytesAtEnd: Math.round(end.peak),
    ratio: Number((end.peak / warm.peak).toFixed(3)),
    liveTensors: [warm.liveTensors, end.liveTensors],
    liveBytes: [warm.liveBytes, end.liveBytes],
  }),
);
process.exitCode = end.peak <= 1.1 * warm.peak && end.liveBytes === warm.liveBytes ? 0 : 1;
