import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';

/** One side of the comparison: a process that answers each line of JSON with one. */
export function startWorker(command, args) {
  const child = spawn(command, args, { stdio: ['pipe', 'pipe', 'inherit'] });
  const waiting = [];
  let ended = false;
  createInterface(child.stdout).on('line', (line) => waiting.shift()?.resolve(JSON.parse(line)));
  child.on('close', (code) => {
    ended = true;
    for (const { reject } of waiting) reject(new Error(`${command} ended with ${code}`));
  });
  return {
    ask(request) {
      if (ended) throw new Error(`${command} has ended`);
      child.stdin.write(`${JSON.stringify(request)}\n`);
      return new Promise((resolve, reject) => waiting.push({ resolve, reject }));
    },
    stop: () => child.stdin.end(),
  };
}
