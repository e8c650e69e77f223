// Ranks that reduce in a loop; the last one is lost on the way, as the argument says.
import { distributed as dist, tensor } from '../../index.js';

const [how, file] = process.argv.slice(2);
// Only a rank that goes silent is found by the time-out; the others have time to spare on a busy machine.
await dist.initProcessGroup({ initMethod: `file://${file}`, timeoutSeconds: how === 'silent' ? 3 : 60 });
for (let step = 0; ; step++) {
  if (step === 3 && dist.rank() === dist.worldSize() - 1) {
    if (how === 'killed') process.kill(process.pid, 'SIGKILL');
    if (how === 'silent') process.kill(process.pid, 'SIGSTOP');
    throw new Error(`there is no way of being lost called ${how}`);
  }
  dist.allReduce(tensor([step]));
}
