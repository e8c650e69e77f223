#!/usr/bin/env node
import { main } from '../dist/distributed/run.js';

process.exitCode = await main(process.argv.slice(2));
