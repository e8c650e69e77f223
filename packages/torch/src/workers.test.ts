import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Worker } from 'node:worker_threads';
import { memory, scope, tensor } from './index.js';

/** Trains a small regression and reports what it learnt and whether it leaked. */
const PROGRAM = `
const { parentPort, workerData } = require('node:worker_threads');
import(workerData.index).then((torch) => {
  torch.setNumThreads(1);
  const weight = torch.zeros([3], { requiresGrad: true });
  const step = () => torch.scope(() => {
    const x = torch.randn([16, 3]);
    const target = x.matmul(torch.tensor(workerData.truth));
    const loss = torch.mseLoss(x.matmul(weight), target);
    loss.backward();
    torch.noGrad(() => { weight.sub_(weight.grad.mul(0.2)); weight.grad.zero_(); });
  });
  step();
  const before = torch.memory().liveTensors;
  for (let i = 0; i < 150; i++) step();
  const leaked = torch.memory().liveTensors - before;
  let refused = '';
  try { weight.add(torch.zeros([2])); } catch (error) { refused = error.code; }
  parentPort.postMessage({ learnt: weight.toArray(), leaked, refused });
});`;

interface Report {
  learnt: number[];
  leaked: number;
  refused: string;
}

function train(truth: number[]): Promise<Report> {
  const index = new URL('./index.js', import.meta.url).href;
  const worker = new Worker(PROGRAM, { eval: true, workerData: { index, truth } });
  return new Promise((resolve, reject) => {
    let report: Report;
    worker.on('message', (message: Report) => {
      report = message;
    });
    worker.on('error', reject);
    worker.on('exit', () => resolve(report));
  });
}

test('two workers train at once, each with its own tensors, errors and gradient mode', async () => {
  const before = memory().liveTensors;
  const truths = [
    [1, -2, 3],
    [0.5, 4, -1],
  ];
  const reports = await Promise.all(truths.map(train));
  for (const [i, { learnt, leaked, refused }] of reports.entries()) {
    for (const [k, value] of learnt.entries()) assert.ok(Math.abs(value - truths[i]![k]!) < 1e-3, `${learnt}`);
    assert.equal(leaked, 0);
    assert.equal(refused, 'operator');
  }
  assert.equal(memory().liveTensors, before);
});

test('the addon still works after workers have ended, and in a worker after that', async () => {
  scope(() => assert.equal(tensor([1, 2]).sum().item(), 3));
  const { leaked } = await train([1, 1, 1]);
  assert.equal(leaked, 0);
});
