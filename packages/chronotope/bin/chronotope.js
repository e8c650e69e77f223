#!/usr/bin/env node
import { main } from '../dist/cli/main.js';

// `chronotope … | head` is no mistake: who reads the output decides when there is enough of it. Progress that nobody
// reads any more is no reason to stop working.
process.stdout.on('error', (error) => {
  if (error.code !== 'EPIPE') throw error;
  process.exit();
});
process.stderr.on('error', (error) => {
  if (error.code !== 'EPIPE') throw error;
});

process.exitCode = await main(process.argv);
