// Writes docs/recipes.md: every setting of every method, from the schemas and the shipped recipes (npm run docs:recipes).
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { recipeReference } from './lib/recipe-reference.mjs';

writeFileSync(fileURLToPath(new URL('../docs/recipes.md', import.meta.url)), recipeReference());
