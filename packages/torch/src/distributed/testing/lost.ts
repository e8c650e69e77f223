// Ranks that reduce in a loop; the last one is lost on the way, as the argument says.
import { once } from 'node:events';
import { distributed as dist, tensor } from '../../index.js';

const [how, file] = process.argv.slice(2);

// The ranks meet when all have loaded libtorch, however busy the machine is: the time-out is short.
const value = tensor([1]);
process.send!('ready');
await once(process, 'message');
process.disconnect();

// Only a rank that goes silent is found by the time-out.
await dist.initProcessGroup({ initMethod: `file://${file}`, timeoutSeconds: how === 'silent' ? 3 : 60 });
for (let step = 0; ; step++) {
  if (step === 3 && dist.rank() === dist.worldSize() - 1) {
    if (how === 'killed') process.kill(process.pid, 'SIGKILL');
    if (how === 'silent') process.kill(process.pid, 'SIGSTOP');
  }
  dist.allReduce(value);
}
