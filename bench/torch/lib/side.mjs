// Our side of compare.mjs: answers one line of JSON with one, until its input ends.
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import * as torch from '@chronotope/torch';
import { MODELS } from './models.mjs';

torch.setNumThreads(Number(process.argv[2]));

/** A scope frees the results of so many calls, as that of a layer does. */
const CALLS_IN_SCOPE = 25;

/** What a microscopic task does, made in the functions below. */
const TASKS = {
  add() {
    const [x, y] = [torch.ones([8]), torch.ones([8])];
    return inScopes(() => x.add(y));
  },
  record() {
    const [x, y] = [torch.ones([8]).requiresGrad_(), torch.ones([8])];
    return inScopes(() => x.add(y));
  },
  matmul() {
    const [x, y] = [torch.ones([8, 8]), torch.ones([8, 8])];
    return inScopes(() => x.matmul(y));
  },
  views() {
    const x = torch.ones([64, 64]);
    return inScopes(() => x.view([8, 512]).transpose(0, 1).narrow(0, 1, 7).unsqueeze(0));
  },
  reduce() {
    const x = torch.ones([8, 8]);
    return inScopes(() => x.sum(1, { keepdim: true }));
  },
  adam() {
    const { parameters } = trainingStep('r3d18');
    for (const parameter of parameters) parameter.grad = torch.full(parameter.shape, 1e-3);
    const optimizer = new torch.optim.Adam(parameters, { lr: 1e-3 });
    return repeatedly(() => torch.scope(() => optimizer.step()));
  },
};

function repeatedly(body) {
  return (repeat) => {
    for (let i = 0; i < repeat; i++) body();
  };
}

function inScopes(call) {
  return (repeat) => {
    for (let done = 0; done < repeat; done += CALLS_IN_SCOPE) {
      torch.scope(() => {
        for (let i = 0; i < CALLS_IN_SCOPE; i++) call();
      });
    }
  };
}

/** A step of SGD as a function, and the model's parameters, set to the weights in a file where one is given. */
function trainingStep(task, weights) {
  torch.manualSeed(0);
  const { model, shape, classes } = MODELS[task]();
  const parameters = model.parameters();
  if (weights !== undefined) loadWeights(parameters, weights);
  // The same inputs on both sides, from a formula.
  const elements = shape.reduce((product, size) => product * size);
  const x = torch.arange(0, elements, { dtype: 'float32' }).sin().view(shape);
  const y = torch.arange(0, shape[0]).remainder(classes);
  const optimizer = new torch.optim.SGD(parameters, { lr: 1e-3, momentum: 0.9 });
  const step = () =>
    torch.scope(() => {
      optimizer.zeroGrad();
      const loss = torch.crossEntropyLoss(model.call(x), y);
      loss.backward();
      optimizer.step();
      return loss.item();
    });
  return { step, parameters };
}

/** All parameters one after the other, as the other side wrote them. */
function loadWeights(parameters, file) {
  const bytes = readFileSync(file);
  const values = new Float32Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 4);
  let offset = 0;
  torch.noGrad(() => {
    for (const parameter of parameters) {
      parameter.copy_(torch.tensor(values.subarray(offset, offset + parameter.numel), { shape: parameter.shape }));
      offset += parameter.numel;
    }
  });
  if (offset !== values.length) throw new Error(`${file} holds ${values.length} numbers, the model has ${offset}`);
}

function prepare({ task, weights, tuned = false }) {
  torch.convolutionTuning({ enabled: tuned });
  if (!(task in MODELS)) return { work: TASKS[task](), losses: [] };
  const { step } = trainingStep(task, weights);
  return { work: repeatedly(step), losses: [step(), step(), step()] };
}

function measure(work, repeat) {
  const cpuBefore = process.cpuUsage();
  const before = performance.now();
  work(repeat);
  const elapsed = (performance.now() - before) / 1000;
  const { user, system } = process.cpuUsage(cpuBefore);
  return { elapsed, cpu: (user + system) / 1e6 };
}

function peakBytes() {
  return process.resourceUsage().maxRSS * 1024;
}

function memory({ task, tuned = false }) {
  torch.convolutionTuning({ enabled: tuned });
  const before = peakBytes();
  const { step } = trainingStep(task);
  for (let i = 0; i < 4; i++) step();
  return { bytes: peakBytes() - before };
}

let work;
for await (const line of createInterface(process.stdin)) {
  const request = JSON.parse(line);
  let answer = {};
  if (request.do === 'prepare') {
    const prepared = prepare(request);
    work = prepared.work;
    answer = { losses: prepared.losses };
  } else if (request.do === 'run') {
    answer = measure(work, request.repeat);
  } else if (request.do === 'memory') {
    answer = memory(request);
  } else {
    work = undefined;
  }
  console.log(JSON.stringify(answer));
}
